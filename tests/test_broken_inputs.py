"""Broken configurations and inputs: each is refused before anything runs, with one clear message and no traceback."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml
from tests.builds import replace, snakemake
from tests.copies import mini_copy, working_in

REPORT, STUDY, CHAPTER, CLAIMS = (
    "config/report.yaml",
    "config/studies/mini.yaml",
    "templates/chapters/mini.md.jinja",
    "scripts/claims/mini.py",
)
VARIANT = (
    "label, color, data, network, initialization, optimizer, batches, loss, steps, evaluate_every, save_every, precision, replicas, "
    "engine, trained, save_at, moments, linearize_on, jacobian, seconds_per_step"
)


def change(path, old, new):
    """Replace text of a file, and more of it by the next change."""
    return lambda project: replace(project, path, old, new)


def write(path, content):
    return lambda project: (project / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def remove(path):
    return lambda project: (project / path).unlink()


def add(path, text):
    return lambda project: (project / path).write_text((project / path).read_text() + text)


def circle(project):
    for name, other in (("chicken", "egg"), ("egg", "chicken")):
        text = (PROJECT / "scripts/measurements/loss.py").read_text().replace("train: Arrays", f"{other}: Arrays")
        (project / f"scripts/measurements/{name}.py").write_text(text)
    replace(project, STUDY, "measurements:\n", "measurements:\n  chicken: {}\n  egg: {}\n")


BROKEN = {
    # the report
    "typo in a key of the report": (
        [add(REPORT, "titel: x\n")],
        [
            f"{REPORT}: titel: unknown key; allowed: title, author, student_id, course, date, edition, strict, results, "
            "replicas, steps, memory, bootstrap, device, studies"
        ],
    ),
    "wrong type in the report": (
        [change(REPORT, "replicas: 2", "replicas: three")],
        [f"{REPORT}: replicas: wrong value 'three'; allowed: a whole number"],
    ),
    "zero replicas": ([change(REPORT, "replicas: 2", "replicas: 0")], [f"{REPORT}: replicas: wrong value 0; allowed: a number above 0"]),
    "negative steps": ([change(REPORT, "steps: null", "steps: -1")], [f"{REPORT}: steps: wrong value -1; allowed: a number above 0"]),
    "unknown edition": (
        [change(REPORT, "edition: solutions", "edition: answers")],
        [f"{REPORT}: edition: wrong value 'answers'; allowed: 'solutions' or 'assignment'"],
    ),
    "a word for true or false": (
        [change(REPORT, "strict: false", "strict: maybe")],
        [f"{REPORT}: strict: wrong value 'maybe'; allowed: true or false"],
    ),
    "a student id without quotes": (
        [change(REPORT, "student_id: '0000000'", "student_id: 0012345")],
        [f"{REPORT}: student_id: wrong value 5349; allowed: text; put it in quotes"],
    ),
    "results outside of the project": (
        [change(REPORT, "results: results", "results: ../x")],
        [f"{REPORT}: results: wrong value '../x'; allowed: a folder inside the project, without '..'"],
    ),
    "unknown study": (
        [change(REPORT, "- mini", "- minni")],
        [f"{REPORT}: studies: unknown study 'minni'; known: init_depth, init_sweep, linear_features, mini"],
    ),
    "a study listed twice": ([change(REPORT, "- mini", "- mini\n- mini")], [f"{REPORT}: studies: 'mini' is listed twice; keep one"]),
    "a study that leads elsewhere": (
        [change(REPORT, "- mini", "- ../mini")],
        [f"{REPORT}: studies.0: wrong value '../mini'; allowed: a name of small letters, digits and underscores that starts with a letter"],
    ),
    "studies that are no list": (
        [change(REPORT, "studies:\n- mini", "studies: mini")],
        [f"{REPORT}: studies: wrong value 'mini'; allowed: a list"],
    ),
    "bootstrap with too few resamples": (
        [change(REPORT, "resamples: 2000", "resamples: 5\n  sed: 1")],
        [
            f"{REPORT}: bootstrap.resamples: wrong value 5; allowed: a number of at least 100",
            f"{REPORT}: bootstrap.sed: unknown key; allowed: seed, resamples",
        ],
    ),
    # YAML
    "a key given twice": (
        [change(STUDY, "  wide:\n    label: wide\n", "  wide:\n    label: wide\n    label: broad\n")],
        [f"{STUDY}: line N, column N: not valid YAML: key 'label' is given twice (lines N and N); keep one"],
    ),
    "a variant given twice": (
        [change(STUDY, "  wide:\n    label", "  narrow:\n    label")],
        [f"{STUDY}: line N, column N: not valid YAML: key 'narrow' is given twice"],
    ),
    "YAML syntax in a study": (
        [change(STUDY, "hidden: [4]", "hidden: [4")],
        [f"{STUDY}: line N, column N: not valid YAML: did not find expected ',' or ']'"],
    ),
    "a study that is empty": ([write(STUDY, "# later\n")], [f"{STUDY}: is empty; expected `key: value` lines"]),
    "a study that is a list": ([write(STUDY, "- mini\n")], [f"{STUDY}: holds no mapping; expected `key: value` lines"]),
    "a study that is no UTF-8": ([write(STUDY, b"title: caf\xe9\n")], [f"{STUDY}: cannot be read as UTF-8 text ("]),
    "a date that there is not": (
        [change(STUDY, "title: A small study", "title: 2026-02-31")],
        [f"{STUDY}: line N, column N: not valid YAML: '2026-02-31' is no timestamp (day is out of range for month)"],
    ),
    # a study
    "typo in a key of a study": (
        [change(STUDY, "linearize_on: sines", "linearize: sines")],
        [
            f"{STUDY}: linearize_on: is missing; add it",
            f"{STUDY}: linearize: unknown key; allowed: title, sources, linearize_on, data, defaults",
        ],
    ),
    "typo in a key of the defaults": (
        [change(STUDY, "  evaluate_every: 10", "  evaluate_every: 10\n  precison: float64")],
        [f"{STUDY}: defaults.precison: unknown key; allowed: {VARIANT}"],
    ),
    "typo in a key of a variant": (
        [change(STUDY, "    label: wide\n", "    label: wide\n    colour: red\n")],
        [f"{STUDY}: variants.wide.colour: unknown key; allowed: {VARIANT}"],
    ),
    "typo in a key of a nested part": (
        [change(STUDY, "{hidden: [6]}", "{hiden: [6]}")],
        [f"{STUDY}: variants.wide.network.hiden: unknown key; allowed: kind, hidden, depth, width, channels, kernel, activation, "],
    ),
    "typo in an option": (
        [change(STUDY, "momentum: 0.2", "momentun: 0.2")],
        [f"{STUDY}: defaults.optimizer.momentun: optimizer 'sgd' has no option 'momentun'; its options: learning_rate, momentum"],
    ),
    "a name that leads elsewhere": (
        [change(STUDY, "  wide:\n    label", "  ../wide:\n    label")],
        [f"{STUDY}: variants: wrong name '../wide'; allowed: a name of small letters, digits and underscores that starts with a letter"],
    ),
    "a name with markup": (
        [change(STUDY, "  curves:\n", "  <script>alert(1)</script>:\n")],
        [f"{STUDY}: figures: wrong name '<script>alert(1)</script>'; allowed: a name of small letters, digits"],
    ),
    "a wrong color": (
        [change(STUDY, '"#0072B2"', "blue")],
        [f"{STUDY}: variants.wide.color: wrong value 'blue'; allowed: a color such as '#0072B2'"],
    ),
    "unknown activation": (
        [change(STUDY, "activation: relu", "activation: swish")],
        [f"{STUDY}: defaults.network.activation: unknown activation 'swish'; known: leaky_relu, linear, relu, sigmoid, tanh"],
    ),
    "unknown initialization": (
        [change(STUDY, "{kind: he_normal}", "{kind: kaiming}")],
        [f"{STUDY}: variants.wide.initialization: unknown kind of initialization 'kaiming'; known: elbows_as_in_source, "],
    ),
    "unknown kind of data set": (
        [change(STUDY, "kind: sum_of_sines", "kind: cosines")],
        [f"{STUDY}: data.sines: unknown kind of data set 'cosines'; known: csv_file, digits, image_files, npz_file, "],
    ),
    "unknown data set": (
        [change(STUDY, "  data: sines\n", "  data: cosines\n")],
        [f"{STUDY}: defaults.data: unknown data set 'cosines'; known: sines"],
    ),
    "a data set without an option": (
        [change(STUDY, "    noise: 0.1\n", "")],
        [f"{STUDY}: data.sines: data set 'sum_of_sines' needs the option 'noise', a number of at least 0; add it"],
    ),
    "negative noise": (
        [change(STUDY, "noise: 0.1", "noise: -0.1")],
        [f"{STUDY}: data.sines.noise: wrong value -0.1; allowed: a number of at least 0"],
    ),
    "no samples": (
        [change(STUDY, "samples: 60", "samples: 0")],
        [f"{STUDY}: data.sines.samples: wrong value 0; allowed: a whole number of at least 1"],
    ),
    "an empty range": (
        [change(STUDY, "low: -1.0", "low: 2.0")],
        [f"{STUDY}: data.sines.low: wrong value 2.0; allowed: a number below high (1.0)"],
    ),
    "a negative learning rate": (
        [change(STUDY, "learning_rate: 0.1", "learning_rate: -1")],
        [f"{STUDY}: defaults.optimizer.learning_rate: wrong value -1; allowed: a number above 0"],
    ),
    "a learning rate that is no number": (
        [change(STUDY, "learning_rate: 0.1", "learning_rate: .nan")],
        [f"{STUDY}: defaults.optimizer.learning_rate: wrong value nan; allowed: a number above 0"],
    ),
    "too much momentum": (
        [change(STUDY, "momentum: 0.2", "momentum: 2")],
        [f"{STUDY}: defaults.optimizer.momentum: wrong value 2; allowed: a number of at least 0 and below 1"],
    ),
    "a seed that is too large": (
        [change(STUDY, "size: 10, seed: 2", "size: 10, seed: 4294967296")],
        [f"{STUDY}: defaults.batches.seed: wrong value 4294967296; allowed: a number below 4294967296"],
    ),
    "a layer without units": (
        [change(STUDY, "hidden: [4]", "hidden: [0]")],
        [f"{STUDY}: defaults.network.hidden.0: wrong value 0; allowed: a number above 0"],
    ),
    "unknown measurement": (
        [change(STUDY, "  loss: {}\n", "  loss: {}\n  los: {}\n")],
        [f"{STUDY}: measurements.los: unknown measurement 'los'; known: calibration, cost, covariate_shift, "],
    ),
    "unknown option of a measurement": (
        [change(STUDY, "{features: 3}", "{feature: 3}")],
        [f"{STUDY}: measurements.spectrum.feature: measurement 'spectrum' has no option 'feature'; its options: features"],
    ),
    "a measurement without what it reads": (
        [change(STUDY, "  prediction: {}\n", "")],
        [
            f"{STUDY}: measurements.fate: measurement 'fate' reads measurement 'prediction', which the study does not make; "
            "add it under measurements"
        ],
    ),
    "a measurement of an unknown variant": (
        [change(STUDY, "  loss: {}", "  loss: {variants: [wide, narow]}")],
        [f"{STUDY}: measurements.loss.variants: unknown variant 'narow'; known: narrow, wide"],
    ),
    "unknown reference": (
        [change(STUDY, "  loss: {}\n", "  loss: {}\n  likeness: {reference: nobody}\n")],
        [f"{STUDY}: measurements.likeness.reference: unknown variant 'nobody'; known: narrow, wide"],
    ),
    "measurements that read each other": (
        [circle],
        ["scripts/measurements: measurements read each other in a circle: chicken -> egg -> chicken"],
    ),
    "unknown kind of figure": (
        [change(STUDY, "kind: loss_curves", "kind: loss_curve")],
        [f"{STUDY}: figures.curves: unknown kind of figure 'loss_curve'; known: "],
    ),
    "unknown option of a figure": (
        [change(STUDY, "    kind: fit\n", "    kind: fit\n    colums: 2\n")],
        [f"{STUDY}: figures.fit_narrow.colums: figure 'fit' has no option 'colums'; its options: columns"],
    ),
    "a figure of an unknown variant": (
        [change(STUDY, "variants: [narrow]", "variants: [narow]")],
        [f"{STUDY}: figures.fit_narrow.variants: unknown variant 'narow'; known: narrow, wide"],
    ),
    "a figure without variants": (
        [change(STUDY, "    variants: [narrow]\n", "")],
        [f"{STUDY}: figures.fit_narrow: figure 'fit' needs variants; add `variants: all` or a list of them"],
    ),
    "neither all nor a list": (
        [change(STUDY, "variants: [narrow]", "variants: narrow")],
        [f"{STUDY}: figures.fit_narrow.variants: wrong value 'narrow'; allowed: 'all' or a list"],
    ),
    "a figure of an unknown data set": (
        [change(STUDY, "data_set: sines", "data_set: cosines")],
        [f"{STUDY}: figures.target.data_set: unknown data set 'cosines'; known: sines"],
    ),
    "a figure at no step": (
        [change(STUDY, "steps: [first, last]", "steps: [first, middle]")],
        [f"{STUDY}: figures.values_wide.steps: wrong value ['first', 'middle']; allowed: a list, each entry 'first', 'last', or a step"],
    ),
    "a figure without columns": (
        [change(STUDY, "    kind: fit\n", "    kind: fit\n    columns: 0\n")],
        [f"{STUDY}: figures.fit_narrow.columns: wrong value 0; allowed: a whole number of at least 1"],
    ),
    "no features": (
        [change(STUDY, "{features: 3}", "{features: 0}")],
        [f"{STUDY}: measurements.spectrum.features: wrong value 0; allowed: a whole number of at least 1"],
    ),
    "a figure of what is not measured": (
        [change(STUDY, "spectrum: {features: 3}", "spectrum: {features: 3, variants: [narrow]}")],
        [
            f"{STUDY}: figures.values_wide: figure 'singular_values' reads 'spectrum' of variant 'wide', of which it is not measured; "
            "add it to measurements.spectrum.variants"
        ],
    ),
    "unknown claim in an observation": (
        [add(STUDY, "observations:\n  - {says: It is so., claims: [it_is]}\n")],
        [f"{STUDY}: observations.0.claims: unknown claim 'it_is'; known: wide_beats_narrow"],
    ),
    # the chapter and the claims
    "missing chapter": ([remove(CHAPTER)], [f"{CHAPTER}: no such file; write the chapter there"]),
    "syntax of a chapter": ([change(CHAPTER, "<% endcall %>", "")], [f"{CHAPTER}: line "]),
    "a chapter that names an unknown figure": (
        [change(CHAPTER, '"fit_narrow"', '"fit_narow"')],
        [f"{CHAPTER}: line N: unknown figure 'fit_narow'; known: target, fit_narrow, values_wide, curves"],
    ),
    "a chapter that names an unknown quantity": (
        [change(CHAPTER, '"wide", "test_loss"', '"wide", "test_los"')],
        [f"{CHAPTER}: line N: unknown quantity 'test_los'; known: diverged_at, "],
    ),
    "a chapter that calls what there is not": (
        [change(CHAPTER, "<< table(", "<< tabel(")],
        [f"{CHAPTER}: line N: unknown function or value 'tabel'; known: "],
    ),
    "a claim without wording": (
        [change(CHAPTER, ', refuted="The narrow one does."', "")],
        [f"{CHAPTER}: line N: claim 'wide_beats_narrow' has no wording for 'refuted'; add refuted=\"...\""],
    ),
    "a claim that the chapter leaves out": (
        [add(CLAIMS, "\n\ndef it_is(runs: Runs) -> Finding:\n    pass\n")],
        [f"{CHAPTER}: claim 'it_is' is never used in the chapter; mention it or remove it"],
    ),
    "missing claims": ([remove(CLAIMS)], [f"{CLAIMS}: missing or without a public function; write the claims of study 'mini' there"]),
    "syntax of the claims": ([add(CLAIMS, "def it_is(:\n")], [f"{CLAIMS}: line N: not valid Python: "]),
    "missing template": (
        [remove("templates/style.css")],
        ["templates/style.css: cannot be read (No such file or directory); restore it (git checkout -- templates/style.css)"],
    ),
    "syntax of a step": ([add("scripts/train.py", "def it_is(:\n")], ["scripts/train.py: line "]),
    # several at once
    "many at once": (
        [
            change(REPORT, "replicas: 2", "replicas: -2"),
            change(REPORT, "edition: solutions", "edition: wrong"),
            change(STUDY, "noise: 0.1", "noise: lots"),
            change(STUDY, '"#0072B2"', '"#0072B"'),
            change(STUDY, "steps: 20", "steps: 0"),
            change(STUDY, "    kind: fates", "    kind: fate"),
            change(STUDY, "variants: [narrow]", "variants: [narow]"),
            change(CHAPTER, '"fit_narrow"', '"fit_narow"'),
        ],
        [
            f"{REPORT}: edition: wrong value 'wrong'; allowed: 'solutions' or 'assignment'",
            f"{REPORT}: replicas: wrong value -2; allowed: a number above 0",
            f"{STUDY}: data.sines.noise: wrong value 'lots'; allowed: a number of at least 0",
            f"{STUDY}: variants.wide.color: wrong value '#0072B'; allowed: a color such as '#0072B2'",
            f"{STUDY}: defaults.steps: wrong value 0; allowed: a number above 0",
            f"{STUDY}: tables.fates: unknown kind of table 'fate'; known: ",
            f"{STUDY}: figures.fit_narrow.variants: unknown variant 'narow'; known: narrow, wide",
            f"{CHAPTER}: line N: unknown figure 'fit_narow'; known: ",
            f"{CHAPTER}: figure 'fit_narrow' is never used in the chapter; mention it or remove it",
        ],
    ),
}
FOLLOWS = {
    "a name that leads elsewhere": 2,
    "a name with markup": 1,
    "a measurement without what it reads": 1,
    "a measurement of an unknown variant": 2,
    "a chapter that names an unknown figure": 1,
    "a chapter that calls what there is not": 1,
    "missing claims": 1,
}
"""Further problems that follow from the planted one and are rightly told with it."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return mini_copy(tmp_path_factory.mktemp("broken"))


@pytest.fixture(autouse=True)
def project(copied, tmp_path):
    with working_in(shutil.copytree(copied, tmp_path / "project")) as folder:
        yield folder


def without_numbers(text):
    """Return a message with N for the numbers of lines, which are tested where they are made."""
    return re.sub(r"\b(lines?|column|and) \d+", r"\1 N", text)


def told(message):
    """Return the problems that a message lists."""
    first, *listed = without_numbers(message).splitlines()
    if not listed:
        return [first]
    assert first == "the configuration has problems:"
    assert all(line.startswith("- ") for line in listed)
    return [line.removeprefix("- ") for line in listed]


@pytest.mark.parametrize("case", BROKEN)
def test_it_is_told_with_its_place_what_is_wrong_and_what_would_be_right(project, case):
    changes, expected = BROKEN[case]
    for break_it in changes:
        break_it(project)
    with pytest.raises(UserError) as error:
        Plan(read_yaml(REPORT))
    found = told(str(error.value))
    assert [start for start in expected if not any(problem.startswith(start) for problem in found)] == [], found
    assert len(found) == len(expected) + FOLLOWS.get(case, 0), found
    assert str(project) not in str(error.value)


def test_without_a_planted_problem_there_is_none():
    Plan(read_yaml(REPORT))


def test_there_are_as_many_as_promised():
    assert len(BROKEN) >= 30


# through Snakemake, as a user sees it


def refused(project, *arguments, **keywords):
    """Return what Snakemake prints when it refuses to start."""
    done = snakemake(project, "--dry-run", *arguments, check=False, **keywords)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("case", ["many at once", "missing template", "syntax of a chapter", "measurements that read each other"])
def test_snakemake_says_it_and_does_not_start(project, case):
    changes, expected = BROKEN[case]
    for break_it in changes:
        break_it(project)
    printed = without_numbers(refused(project))
    assert [start for start in expected if start not in printed] == []
    assert not list(project.glob("results/*/mini"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("title: [\n", f"{REPORT}: line N, column N: not valid YAML: "),
        ("", f"{REPORT}: is empty; expected `key: value` lines"),
        ("a: 1\na: 2\n", f"{REPORT}: line N, column N: not valid YAML: key 'a' is given twice (lines N and N); keep one"),
    ],
    ids=["YAML syntax", "empty", "a key given twice"],
)
def test_snakemake_says_what_is_wrong_with_the_file_of_the_report(project, content, expected):
    (project / REPORT).write_text(content)
    assert expected in without_numbers(refused(project))


@pytest.mark.slow
def test_snakemake_says_what_is_wrong_on_the_command_line(project):
    printed = refused(project, "--config", "replicas=-1", "edition=wrong", "titel=x", "strict=maybe")
    for expected in (
        "--config or --configfile: replicas: wrong value -1; allowed: a number above 0",
        "--config or --configfile: edition: wrong value 'wrong'; allowed: 'solutions' or 'assignment'",
        "--config or --configfile: titel: unknown key; allowed: title, author",
        "--config or --configfile: strict: wrong value 'maybe'; allowed: true or false",
    ):
        assert expected in printed


@pytest.mark.slow
def test_what_a_command_line_can_say_is_taken(project):
    done = snakemake(
        project, "--dry-run", "--quiet", "all", "--config", "strict=true", "steps=null", "date=2026-11-23", "results=results/x"
    )
    assert done.returncode == 0


# results that cannot be written

READ_ONLY = """
set -e
mount --bind {folder} {folder}
mount -o remount,bind,ro {folder}
if touch {folder}/x 2>/dev/null; then echo "the folder takes files"; exit 99; fi
exec {python} -m snakemake --cores 1 --nocolor {arguments}
"""


def run_read_only(project, folder, arguments):
    """Run Snakemake with a folder that takes no files, not even from root: a read-only mount in a namespace of its own."""
    script = READ_ONLY.format(folder=folder, python=sys.executable, arguments=arguments)
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    done = subprocess.run(
        [*namespace, "bash", "-c", script], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["results", "results/data"])
def test_a_results_folder_that_takes_no_files_is_told_before_anything_runs(project, folder):
    (project / "results/data").mkdir(parents=True)
    Plan(read_yaml(REPORT)).write_recipes()
    printed = run_read_only(project, folder, "results/data/mini/sines.npz")
    assert f"\n{folder}: cannot be written; make the folder writable, then run the same command again\n" in printed
    assert "Job stats" not in printed


def test_a_file_that_cannot_be_written_is_told():
    Plan(read_yaml(REPORT)).write_recipes()
    folder = Path("results/recipe/train/mini")
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(UserError, match=rf"^{folder}/\S+: cannot be written \(.*\); make the folder writable or free disk space"):
        Plan(read_yaml(REPORT)).write_recipes()


@pytest.mark.slow
def test_a_place_that_holds_a_file_is_told(project):
    Path("results").write_text("in the way")
    assert re.search(r"results/recipe/\S+: cannot be written \(.*\); make the folder writable", refused(project))
