"""The profile for Slurm names what there is, and every rule is local or grouped."""

import re

import pytest
import yaml

from scripts.common import costs
from scripts.common.places import PROJECT
from tests.test_layout import RULES, SNAKEFILE

PROFILE = yaml.safe_load((PROJECT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8"))
TEXT = (PROJECT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8")
LOCAL = re.search(r"^localrules:\n((?: {4}\w+,\n)+)", SNAKEFILE, re.MULTILINE)[1].replace(",", "").split()
OF_SLURM = {"slurm_account", "slurm_partition", "slurm_extra", "gres", "gpu_model"}
"""Resources that the plugin knows beside those of the rules."""
OF_SNAKEMAKE = {"tmpdir"}
GROUPS = {*costs.CLASSES, *(f"gpu_{name}" for name in costs.CLASSES), costs.COMPARISONS, costs.FIGURES}


def resources(rule):
    return set(re.findall(r"^ {8}(\w+)=", RULES[rule].partition("resources:\n")[2], re.MULTILINE))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_local_or_grouped(rule):
    grouped = f'group:\n        plan.needs.group("{rule}", workflow)\n' in RULES[rule]
    assert grouped != (rule in LOCAL)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_states_what_it_needs_and_leaves_retries_to_the_profile(rule):
    assert {"gpu", "mem_mb", "runtime"} <= resources(rule) <= {"gpu", "gpu_number", "mem_mb", "runtime"}
    assert "threads: 1\n" in RULES[rule]
    assert "retries:" not in RULES[rule]


def test_every_local_rule_is_a_rule():
    assert set(LOCAL) < set(RULES)


def test_the_profile_says_how_many_of_each_group_there_are_and_of_no_other():
    assert PROFILE["group-components"].keys() == GROUPS


def test_the_profile_names_rules_and_resources_that_there_are():
    written = [line.removeprefix("# ") for line in TEXT.splitlines() if re.match(r"#?\s*\w[\w-]*: ?", line) or line.startswith("#   ")]
    examples = re.findall(r"^ {2}(\w+): \{(.*)\}$", "\n".join(written), re.MULTILINE)
    assert len(examples) == 2
    known = OF_SLURM | OF_SNAKEMAKE | set().union(*(resources(rule) for rule in RULES))
    for rule, settings in examples:
        assert rule in RULES
        assert set(re.findall(r"(\w+): ", settings)) <= known
    of_all = re.findall(r"^ {2}(?:# )?(\w+): ", TEXT.partition("default-resources:\n")[2].partition("\n#")[0], re.MULTILINE)
    assert {"slurm_account", "slurm_extra", "tmpdir"} == set(of_all) <= known
    assert not set(PROFILE) & {"groups", "set-threads", "localrules"}


def test_every_line_of_the_profile_is_explained():
    lines = TEXT.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[a-z]", line):
            assert lines[number - 1].startswith("#"), line


def test_the_file_of_partitions_is_there_and_separates_gpus():
    limits = yaml.safe_load((PROJECT / PROFILE["slurm-partition-config"]).read_text(encoding="utf-8"))["partitions"]
    assert sorted(bool(limit.get("max_gpu")) for limit in limits.values()) == [False, True]


def test_the_plugin_is_pinned_in_its_own_requirements_and_in_the_constraints_alone():
    lines = (PROJECT / "requirements-cluster.txt").read_text(encoding="utf-8").splitlines()
    asked = [line for line in lines if line and not line.startswith("#")]
    assert asked[0] == "--requirement requirements.txt"
    constraints = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert asked[1:] == [line for line in constraints if line.startswith("snakemake-executor-plugin-slurm==")]
    assert "executor-plugin" not in (PROJECT / "requirements.txt").read_text(encoding="utf-8")
