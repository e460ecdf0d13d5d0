import copy
import json

import jsonschema
import pytest

from scripts.common import schemas
from scripts.common.places import PROJECT
from scripts.common.yaml_file import read_yaml

REPORT, STUDY, PAPERS = schemas.report_schema(), schemas.study_schema(), schemas.bibliography_schema()
INIT_DEPTH = read_yaml(PROJECT / "config/studies/init_depth.yaml")


def errors(schema, content):
    return [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(content)]


def test_the_files_are_up_to_date():
    stored = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / "workflow/schemas").iterdir()}
    assert stored == schemas.texts(), "run `make schemas`"


@pytest.mark.parametrize("schema", [REPORT, STUDY, PAPERS])
def test_they_are_schemas(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def closed_objects(schema, place="$"):
    """Yield the place and keys of every mapping with known keys, and check that it takes no others."""
    if isinstance(schema, dict):
        if "properties" in schema and "anyOf" not in schema:
            assert schema["additionalProperties"] is False, place
            yield place, schema["properties"]
        for key, value in schema.items():
            yield from closed_objects(value, f"{place}.{key}")
    if isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from closed_objects(value, f"{place}.{number}")


@pytest.mark.parametrize("schema", [REPORT, STUDY, PAPERS])
def test_every_key_is_described_and_no_other_is_taken(schema):
    found = [(place, key, value) for place, keys in closed_objects(schema) for key, value in keys.items()]
    assert len(found) > 10
    assert [(place, key) for place, key, value in found if "description" not in value and "const" not in value] == []


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (REPORT, "config/report.yaml"),
        (REPORT, "config/quick.yaml"),
        (PAPERS, "config/bibliography.yaml"),
        (STUDY, "config/studies/init_depth.yaml"),
        (STUDY, "config/studies/init_sweep.yaml"),
        (STUDY, "tests/mini/mini.yaml"),
    ],
)
def test_the_project_s_own_files_are_right(schema, path):
    assert errors(schema, read_yaml(PROJECT / path)) == []


@pytest.mark.parametrize("path", sorted((PROJECT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_names_its_schema_for_editors(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    named = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
    kind = {"studies": "study", "bibliography": "bibliography"}.get(
        path.parent.name if path.parent.name == "studies" else path.stem, "report"
    )
    assert named == PROJECT / f"workflow/schemas/{kind}.schema.json"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("edition", "wrong"),
        ("replicas", 0),
        ("replicas", "three"),
        ("steps", -1),
        ("results", "../x"),
        ("studies", ["<script>"]),
        ("bootstrap", {"seed": -1, "resamples": 200}),
        ("titel", "x"),
    ],
)
def test_a_wrong_report_is_marked(change, value):
    assert errors(REPORT, read_yaml(PROJECT / "config/report.yaml") | {change: value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.sines.noise", -0.1),
        ("data.sines.samples", 0),
        ("data.sines.kind", "cosines"),
        ("data.sines.nois", 0.1),
        ("data.../x", {}),
        ("defaults.stepps", 3),
        ("defaults.optimizer.momentum", 2),
        ("defaults.network.activation", "swish"),
        ("variants.deep_he.color", "red"),
        ("variants.deep_he.optimizer", {"learning_rate": -1}),
        ("variants.deep_he.optimizer", {"kind": "adam", "momentum": 0.9}),
        ("variants.deep_he.initialization", {"kind": "he_normal", "scale": 1}),
        ("variants.<script>", {"label": "x", "color": "#000000"}),
        ("measurements.los", {}),
        ("measurements.spectrum.feature", 3),
        ("figures.fit_he.kind", "fits"),
        ("figures.fit_he.column", 3),
        ("figures.fit_he.variants", "al"),
        ("tables.fates.caption", ""),
        ("observations", [{"says": "x", "claims": []}]),
    ],
)
def test_a_wrong_study_is_marked(path, value):
    content = copy.deepcopy(INIT_DEPTH)
    *above, last = path.split(".") if "../" not in path else ("data", "../x")
    inside = content
    for key in above:
        inside = inside[key]
    inside[last] = value
    assert errors(STUDY, content)


@pytest.mark.parametrize(
    "path",
    [
        "title",
        "linearize_on",
        "variants",
        "data.sines.noise",
        "figures.fit_he.kind",
        "measurements.likeness.reference",
        "variants.deep_he.label",
    ],
)
def test_what_is_missing_is_marked(path):
    content = copy.deepcopy(INIT_DEPTH)
    *above, last = path.split(".")
    inside = content
    for key in above:
        inside = inside[key]
    del inside[last]
    assert errors(STUDY, content)


def test_what_defaults_say_need_not_be_said_again():
    content = copy.deepcopy(INIT_DEPTH)
    content["variants"]["deep_he"] = {"label": "x", "color": "#000000", "optimizer": {"learning_rate": 0.5}, "network": {"hidden": [3]}}
    assert errors(STUDY, content) == []


def test_they_are_written_as_json():
    for text in schemas.texts().values():
        assert json.loads(text)["$schema"] == schemas.DIALECT
        assert text.endswith("}\n")
