"""The shape of the project: every name has its file, no file is without a use, and imports point one way."""

import ast
import re
import subprocess
import tomllib

import pytest
import yaml

from scripts.common import cache, components, syntax
from scripts.common.configuration import load_report
from scripts.common.places import PROJECT, chapter_path, claims_path, study_path
from scripts.common.yaml_file import read_yaml
from tests.modules import reachable

LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True
).stdout.split("\0")
FILES = [PROJECT / name for name in LISTED if name and (PROJECT / name).is_file()]
SCRIPTS = sorted((PROJECT / "scripts").rglob("*.py"))
COMMANDS = {"diff", "gallery", "study", "verify", "why"}
"""Scripts that a user runs, not a rule."""
STEPS = [path for path in sorted((PROJECT / "scripts").glob("*.py")) if path.stem not in COMMANDS]
OFF = ["init_sweep"]
"""Studies that are no part of the report as it comes; a build names them: ``--config studies=[init_sweep]``."""
REPORT, STUDIES = load_report(read_yaml(PROJECT / "config/report.yaml"))
STUDIES |= load_report(read_yaml(PROJECT / "config/report.yaml") | {"studies": OFF})[1]
RULES = dict(
    re.findall(
        r"^rule (\w+):\n((?:(?: {4}.*)?\n)+)",
        "\n".join(path.read_text() + "\n" for path in (PROJECT / "workflow/rules").glob("*.smk")),
        re.MULTILINE,
    )
)
SNAKEFILE = (PROJECT / "Snakefile").read_text(encoding="utf-8")
DOCSTRING = SNAKEFILE.partition("\n\nfrom ")[0]
CACHED = set(cache.STEPS)
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "brotli": "brotli-python"}
"""Packages that conda-forge has under another name."""


def identify(path):
    return path.relative_to(PROJECT).as_posix()


# every name has its file, and no file is without a use


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_has_its_chapter_its_claims_and_the_files_of_all_that_it_names(study):
    for path in (study_path(study), chapter_path(study), claims_path(study)):
        assert (PROJECT / path).is_file()
    content = STUDIES[study]
    names = [f"datasets/{part.kind}" for part in content.data.values()]
    names += [f"simulations/{simulation.kind}" for simulation in content.simulations.values()]
    names += [f"measurements/{name}" for name in content.measurements]
    names += [f"figures/{figure.kind}" for figure in content.figures.values()]
    names += [f"tables/{table.kind}" for table in content.tables.values()]
    assert [name for name in names if not (PROJECT / f"scripts/{name}.py").is_file()] == []


def test_every_part_is_used_by_a_study():
    used = {
        "measurements": set(),
        "figures": set(),
        "tables": set(),
        "datasets": {"csv_file", "image_files", "npz_file"},
        "simulations": set(),
    }  # users' own data
    for study in STUDIES.values():
        used["datasets"] |= {part.kind for part in study.data.values()}
        used["measurements"] |= set(study.measurements)
        used["simulations"] |= {simulation.kind for simulation in study.simulations.values()}
        used["figures"] |= {figure.kind for figure in study.figures.values()}
        used["tables"] |= {table.kind for table in study.tables.values()}
    assert {folder: {path.stem for path in (PROJECT / "scripts" / folder).glob("*.py")} for folder in used} == used


def test_every_study_chapter_and_file_of_claims_is_in_the_report_or_off():
    assert set(STUDIES) == {*REPORT.studies, *OFF}
    assert {path.stem for path in (PROJECT / "config/studies").iterdir()} == set(STUDIES)
    assert {path.name.removesuffix(".md.jinja") for path in (PROJECT / "templates/chapters").iterdir()} == set(STUDIES)
    assert {path.stem for path in (PROJECT / "scripts/claims").glob("*.py")} == set(STUDIES)


def test_every_claim_of_an_observation_is_a_function():
    for name, study in STUDIES.items():
        claims = set(syntax.functions(PROJECT / claims_path(name)))
        assert {claim for observation in study.observations for claim in observation.claims} <= claims


def test_every_module_is_imported_or_run():
    imported = set().union(*(syntax.imports(path)[0] for path in SCRIPTS)) | {"scripts.common.schemas"}
    unused = [
        identify(path)
        for path in SCRIPTS
        if path.parent.name == "common" and f"scripts.common.{path.stem}" not in imported | snakefile_imports()
    ]
    assert unused == []


def snakefile_imports():
    found = re.findall(r"^from (scripts\.\S+) import (.+)$", SNAKEFILE, re.MULTILINE)
    names = {name for module, parts in found for name in (module, *(f"{module}.{part}" for part in parts.split(", ")))}
    return {name for name in names if (PROJECT / (name.replace(".", "/") + ".py")).is_file()}


def test_the_quick_report_has_only_keys_of_the_report():
    assert read_yaml(PROJECT / "config/quick.yaml").keys() <= read_yaml(PROJECT / "config/report.yaml").keys()


@pytest.mark.parametrize(
    "family",
    [components.SIMULATION, components.MEASUREMENT, components.FIGURE, components.TABLE, components.DATASET],
    ids=lambda family: family.word,
)
def test_every_keyword_of_a_part_is_an_option_or_filled_in(family):
    """An annotation that is not among the types of options would make a keyword that no study can set."""
    for name in components.names(family):
        keywords = {p.name for p in components.parameters(family, name) if p.keyword_only}
        assert keywords == set(components.options(family, name)) | {k for k in keywords if components.is_given(family, k)}, name


OF_TRAINING = (
    components.INITIALIZATION,
    components.OPTIMIZER,
    components.BATCHES,
    components.DROPOUT,
    components.AUGMENTATION,
    components.NETWORK,
)


@pytest.mark.parametrize("family", OF_TRAINING, ids=lambda family: family.word)
def test_every_keyword_of_a_part_of_training_is_an_option_or_a_generator(family):
    for name in components.names(family):
        keywords = {p.name for p in components.parameters(family, name) if p.keyword_only}
        assert keywords - set(components.options(family, name)) <= {"generator", "generators", "outputs_of"}, name


# imports point one way


def project_imports(path):
    return {name for name in syntax.imports(path)[0] if (PROJECT / (name.replace(".", "/") + ".py")).is_file()}


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.parent.name == "common"], ids=identify)
def test_what_is_shared_imports_no_step_and_no_part(path):
    assert [name for name in project_imports(path) if not name.startswith("scripts.common.")] == []


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.parent.name != "common"], ids=identify)
def test_steps_and_parts_import_only_what_is_shared(path):
    assert [name for name in project_imports(path) if not name.startswith("scripts.common.")] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=identify)
def test_imports_are_of_a_kind_that_the_digest_can_follow(path):
    """Relative imports, stars and imports of names worked out at run time would hide code from the digest of a job."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and (node.level or any(alias.name == "*" for alias in node.names))), node.lineno
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        assert called not in ("__import__", "exec", "eval")
        assert called != "import_module" or path.parent == PROJECT / "scripts"


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path not in STEPS], ids=identify)
def test_only_steps_know_snakemake(path):
    names = {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}
    assert "snakemake" not in syntax.imports(path)[1]
    assert path.name == "job.py" or "snakemake" not in names


@pytest.mark.parametrize("path", STEPS, ids=identify)
def test_a_step_knows_snakemake_in_its_short_main_block_alone(path):
    *before, last = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"
    assert not any(isinstance(node, ast.Name) and node.id == "snakemake" for part in before for node in ast.walk(part))
    assert last.end_lineno - last.lineno < 25


def test_parsing_the_snakefile_imports_nothing_heavy():
    reached = reachable([PROJECT / (name.replace(".", "/") + ".py") for name in snakefile_imports()], PROJECT)
    packages = set().union(*(syntax.imports(path)[1] for path in reached))
    assert packages <= {"yaml", "pydantic", "jinja2", "numpy"}


# the tree shows the chain


def test_every_rule_file_has_a_script_and_a_place_in_the_chain():
    names = {path.stem for path in (PROJECT / "workflow/rules").iterdir()}
    assert {path.stem for path in STEPS} == set(RULES) == names | {"summary", "manifest", "crate"}
    told = re.findall(r"^(\w+) {2,}.*? (results/.+)$", ast.literal_eval(DOCSTRING), re.MULTILINE)
    assert {name for name, _ in told} == names
    assert all(folder.startswith(f"results/{name}/") for name, folder in told)


def test_every_rule_file_is_included_and_the_snakefile_has_no_rule_but_all():
    included = re.findall(r'^include: "workflow/rules/(\w+)\.smk"$', SNAKEFILE, re.MULTILINE)
    assert sorted(included) == sorted(path.stem for path in (PROJECT / "workflow/rules").iterdir())
    assert re.findall(r"^rule (\w+):", SNAKEFILE, re.MULTILINE) == ["all"]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_all_that_a_rule_must_in_the_usual_order(name):
    keywords = re.findall(r"^ {4}(\w+):", RULES[name], re.MULTILINE)
    usual = [
        "input",
        "output",
        "log",
        "cache" if name in CACHED else "benchmark",
        "wildcard_constraints",
        "group",
        "conda",
        "threads",
        "resources",
        "script",
    ]
    assert keywords == [keyword for keyword in usual if keyword not in ("wildcard_constraints", "group") or keyword in keywords]
    assert 'conda:\n        "../../environment.yml"' in RULES[name]
    assert f'script:\n        "../../scripts/{name}.py"' in RULES[name]
    assert f'unpack(plan.inputs("{name}"))' in RULES[name]
    assert f'recipe=plan.recipe("{name}")' in RULES[name]
    assert "gpu=" in RULES[name]
    assert f'mem_mb=plan.needs.memory("{name}")' in RULES[name]
    assert f'runtime=plan.needs.runtime("{name}")' in RULES[name]
    assert f'log:\n        "<results>/log/{name}' in RULES[name]
    assert name in CACHED or f'benchmark:\n        "<results>/benchmark/{name}' in RULES[name]
    assert "lambda" not in RULES[name]
    assert len(set(re.findall(r"\{(\w+)\}", RULES[name]))) <= 2


# versions agree


def pinned(name):
    """Return the versions that a file of requirements pins, by name in lower case."""
    lines = [line for line in (PROJECT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line)] == []
    found = [line.split("==") for line in lines]
    assert len({normal(package) for package, _ in found}) == len(found)
    return {normal(package): version for package, version in found}


def normal(package):
    return re.sub(r"[-_.]+", "-", package).lower()


def test_every_requirement_is_pinned_and_the_constraints_agree():
    requirements, constraints = pinned("requirements.txt"), pinned("constraints.txt")
    assert {package: constraints.get(package) for package in requirements} == requirements


def test_the_conda_environment_has_the_same_versions():
    *listed, pip = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    conda = dict(entry.split(" =", 1) for entry in listed if " =" in entry)
    by_pip = dict(entry.split("==") for entry in pip["pip"])
    assert not conda.keys() & by_pip.keys()
    expected = {normal(CONDA_NAMES.get(package, package)): version for package, version in pinned("requirements.txt").items()}
    assert {normal(package): version for package, version in (conda | by_pip).items()} == expected
    assert [entry for entry in listed if " =" not in entry] == ["python >=3.11,<3.14", "pip"]


def test_python_is_the_same_everywhere():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"


# nothing of one machine


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix not in (".png", ".jpg", ".woff2", ".npz", ".gz")], ids=identify)
def test_no_file_knows_the_machine_that_it_was_written_on(path):
    text = path.read_text(encoding="utf-8")
    for folder in ("work", "root", "home", "Users", "tmp"):
        assert not re.search(rf"(?<![\w.~]){'/'}{folder}/\w", text), folder
    assert not re.search(r"file:{2}", text.replace("file:" + "//`", ""))
