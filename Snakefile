r"""Builds the report: config/ and templates/ in, results/report/ out.

data -> train -> jacobian -> measure -> figure -----------> report
   \-> simulate, sweep --------/\-> number -> table ----/
                                          \-> claim ---/

data      a data set                                      results/data/<study>/<data set>.npz
simulate  a computation without training                  results/simulate/<study>/<simulation>.npz
sweep     a variant trained at several levels, scores   results/sweep/<study>/<sweep>.npz
train     all replicas of a variant, in one job           results/train/<study>/<variant>.npz
jacobian  d output / d parameter at measured steps        results/jacobian/<study>/<variant>.npz
measure   one measurement of one variant                  results/measure/<study>/<variant>/<measurement>.npz
number    every scalar of a study, tidy                   results/number/<study>.csv
claim     the claims of a study, decided                  results/claim/<study>.json
figure    a picture, its words and its numbers            results/figure/<study>/<figure>.svg
table     a table's words                                 results/table/<study>/<table>.json
report    report.html, report.pdf and what stands beside  results/report/
"""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from scripts.common import locks, products
from scripts.common.cache import remove_leftovers
from scripts.common.errors import UserError
from scripts.common.files import bring_back_from_the_future
from scripts.common.files import remove_leftovers as remove_parts
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml

try:
    read_yaml("config/report.yaml")
except UserError as error:
    raise WorkflowError(str(error)) from None


configfile: "config/report.yaml"


try:
    plan = Plan(config)
    plan.check_cache(used=workflow.workflow_settings.cache is not None)
    plan.write_recipes()
    if workflow.is_main_process:
        products.set_altered_aside(Path(plan.results))
except UserError as error:
    raise WorkflowError(str(error)) from None


pathvars:
    results=plan.results,


resource_scopes:
    gpu="local",


wildcard_constraints:
    study="[a-z][a-z0-9_]*",
    dataset="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",
    variant="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",
    simulation="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",
    sweep="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",
    measurement="[a-z][a-z0-9_]*",
    figure="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",
    table="[a-z][a-z0-9_]*/[a-z][a-z0-9_]*",


onstart:
    try:
        locks.hold(Path(plan.results))
        remove_parts(Path(plan.results))
        bring_back_from_the_future(Path(plan.results))
        print(plan.work())
        plan.needs.check_devices(local=workflow.local_exec)
    except UserError as error:
        raise WorkflowError(str(error)) from None


onsuccess:
    remove_leftovers(plan.results)


# What is done in a second or two stays where a build was started, when other jobs go to a cluster.
localrules:
    data,
    number,
    claim,
    table,
    summary,
    manifest,
    report,
    crate,


include: "workflow/rules/data.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/jacobian.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/number.smk"
include: "workflow/rules/claim.smk"
include: "workflow/rules/figure.smk"
include: "workflow/rules/table.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        plan.targets(),
