import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rocrate_validator import services
from rocrate_validator.models import Severity
from rocrate_validator.utils.http import HttpRequester

from scripts import crate
from scripts.common.errors import UserError
from scripts.common.storage import file_sha256
from tests.copies import point_to, working_in

CONTEXT = Path(__file__).with_name("ro_crate_context.json")
"""What of https://w3id.org/ro/crate/1.1/context the crate uses, as it stands there; a name that is not in it would be a problem."""
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the validator is made with
REPORT = {
    "title": "A report",
    "author": "The course staff",
    "date": "2026-11-22",
    "edition": "solutions",
    "strict": False,
    "replicas": 2,
    "steps": None,
    "memory": 2.0,
    "bootstrap": {"seed": 0, "resamples": 2000},
    "studies": ["mini", "maxi"],
}


@pytest.fixture
def validate(monkeypatch):
    """Hold a crate against the profile of runs of workflows without a network; the problems, as text."""
    context = CONTEXT.read_text()

    def get(_, link, **__):
        assert link == "https://w3id.org/ro/crate/1.1/context", link
        headers = {"Content-Type": "application/ld+json"}
        return SimpleNamespace(status_code=200, headers=headers, text=context, content=context.encode(), json=lambda: json.loads(context))

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)

    def problems(folder, severity=Severity.REQUIRED):
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="workflow-run-crate",
            requirement_severity=severity,
            disable_remote_crate_download=True,
        )
        return [f"{issue.check.identifier}: {issue.message}" for issue in services.validate(settings).get_issues(min_severity=severity)]

    return problems


@pytest.fixture
def folder(tmp_path):
    """A crate of a few files."""
    names = ["report.html", "report.pdf", "numbers.csv", "claims.json", "manifest.json", "data/mini/fit.csv"]
    read = ["configuration.json", "source/Snakefile", "source/LICENSE", "source/templates/chapters/mini.md.jinja"]
    for name in (*names, *read):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"content of {name}")
    write(tmp_path, names, read)
    return tmp_path


def write(folder, names, read, **changes):
    given = {
        "report": REPORT,
        "made": crate.described(folder, names),
        "read": crate.described(folder, read),
        "libraries": {"python": "3.11", "numpy": "2.4.6", "yaml": "6.0.3"},
        "snakemake_version": "9.27.1",
        "commit": "0" * 40,
    }
    content = crate.crate(**given | changes)
    (folder / "ro-crate-metadata.json").write_text(json.dumps(content))
    return {entity["@id"]: entity for entity in content["@graph"]}


def entities(folder):
    return {entity["@id"]: entity for entity in json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]}


@pytest.mark.slow
def test_it_is_a_workflow_run_crate(folder, validate):
    assert validate(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("identifier", "change"),
    [
        ("#build", {"instrument": {"@id": "#elsewhere"}}),
        ("./", {"conformsTo": {"@id": "https://w3id.org/ro/wfrun/process/0.5"}}),
        ("./", {"datePublished": "some day"}),
    ],
)
def test_what_is_wrong_with_a_crate_is_found(folder, validate, identifier, change):
    path = folder / "ro-crate-metadata.json"
    content = json.loads(path.read_text())
    entity = next(entity for entity in content["@graph"] if entity["@id"] == identifier)
    entity |= change
    for key in [key for key, value in change.items() if value is None]:
        del entity[key]
    path.write_text(json.dumps(content))
    assert validate(folder) != []


@pytest.mark.slow
def test_a_file_that_is_not_there_is_found(folder, validate):
    (folder / "numbers.csv").unlink()
    assert [problem for problem in validate(folder) if "numbers.csv" in problem]


def test_every_file_has_its_size_and_checksum(folder):
    found = entities(folder)
    for name in ("report.html", "data/mini/fit.csv", "source/LICENSE"):
        assert found[name]["contentSize"] == str(len(f"content of {name}"))
        assert found[name]["sha256"] == file_sha256(folder / name)


def test_it_says_what_was_read_and_made_with_which_parameters_and_libraries(folder):
    found = entities(folder)
    build = {key: {one["@id"] for one in found["#build"][key]} for key in ("object", "result")}
    assert build["result"] == {"report.html", "report.pdf", "numbers.csv", "claims.json", "manifest.json", "data/mini/fit.csv"}
    files = {"configuration.json", "source/LICENSE", "source/templates/chapters/mini.md.jinja"}
    assert {name for name in build["object"] if not name.startswith("#")} == files
    values = {found[name]["name"]: found[name]["value"] for name in build["object"] if name.startswith("#")}
    plain = {key: value for key, value in REPORT.items() if key not in ("bootstrap", "studies", "steps")}
    assert values == plain | {"bootstrap.seed": 0, "bootstrap.resamples": 2000, "studies": "mini, maxi"}
    assert found["source/Snakefile"]["version"] == "0" * 40
    used = [found[one["@id"]] for one in found["source/Snakefile"]["softwareRequirements"]]
    assert {one["name"]: one["softwareVersion"] for one in used} == {"Python": "3.11", "numpy": "2.4.6", "PyYAML": "6.0.3"}


def test_it_is_the_same_every_time_and_has_no_date_but_that_of_the_report(folder):
    text = (folder / "ro-crate-metadata.json").read_text()
    names = [name for name in entities(folder) if (folder / name).is_file() and name != "ro-crate-metadata.json"]
    read = [name for name in names if name.startswith(("source", "configuration"))]
    write(folder, [name for name in names if name not in read], read)
    assert (folder / "ro-crate-metadata.json").read_text() == text
    assert entities(folder)["./"]["datePublished"] == "2026-11-22"


@pytest.mark.parametrize(("date", "published"), [("2026-11-22", "2026-11-22"), ("Fall 2025", "2025"), ("some day", None)])
def test_the_date_is_that_of_the_title_page(folder, date, published):
    read = ["configuration.json", "source/Snakefile", "source/LICENSE"]
    assert write(folder, ["report.html"], read, report=REPORT | {"date": date})["./"].get("datePublished") == published


def test_without_git_there_is_no_version(folder):
    read = ["configuration.json", "source/Snakefile", "source/LICENSE"]
    assert "version" not in write(folder, ["report.html"], read, commit="none")["source/Snakefile"]


def test_a_file_that_was_changed_since_the_plan_is_told(tmp_path):
    (tmp_path / "LICENSE").write_text("old")
    with working_in(tmp_path):
        point_to(tmp_path)
        planned = {"LICENSE": file_sha256(tmp_path / "LICENSE")}
        assert crate.copy(planned, tmp_path / "copied") == ["LICENSE"]
        assert (tmp_path / "copied/LICENSE").read_text() == "old"
        (tmp_path / "LICENSE").write_text("new")
        with pytest.raises(UserError, match="LICENSE: changed since this build was planned; run the same command again"):
            crate.copy(planned, tmp_path / "copied")


@pytest.mark.slow
def test_the_crate_of_a_build_holds_what_it_says_and_is_right(mini_build, validate):
    report = mini_build / "results/report"
    assert validate(report) == []
    found = entities(report)
    listed = {name for name, entity in found.items() if "sha256" in entity}
    there = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert listed == there - {"ro-crate-metadata.json"}
    assert {name for name in listed if found[name]["sha256"] != file_sha256(report / name)} == set()
    assert found["source/Snakefile"]["version"] == json.loads((report / "manifest.json").read_text())["commit"]
    assert "torch" in {entity["name"] for entity in found.values() if entity["@type"] == "SoftwareApplication"}
