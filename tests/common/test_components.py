import ast
import inspect
from dataclasses import replace
from importlib import import_module

import pytest

from scripts.common import components
from scripts.common.places import PROJECT

FAMILIES = [value for value in vars(components).values() if isinstance(value, components.Family)]
PARTS = [(family, name) for family in FAMILIES for name in components.names(family)]


@pytest.mark.parametrize(("family", "name"), PARTS, ids=[f"{family.word} {name}" for family, name in PARTS])
def test_what_is_read_from_the_source_is_what_python_has(family, name):
    path, function = family.files()[name]
    imported = getattr(import_module(".".join(path.relative_to(PROJECT).with_suffix("").parts)), function)
    parameters = inspect.signature(imported).parameters.values()
    assert [parameter.name for parameter in components.parameters(family, name)] == [parameter.name for parameter in parameters]
    required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    assert [parameter.name for parameter in components.parameters(family, name) if parameter.required] == required
    assert components.docstring(family, name) == inspect.getdoc(imported)


@pytest.mark.parametrize("name", components.names(components.MEASUREMENT))
def test_quantities_are_those_of_the_measurement_s_kind(name):
    kind = import_module(f"scripts.measurements.{name}").KIND
    assert components.quantities(components.MEASUREMENT, name) == tuple(key for key, array in kind.arrays.items() if array.quantity)


def test_a_measurement_reads_what_the_system_fills_in_and_is_told_the_rest():
    assert components.reads(components.MEASUREMENT, "likeness") == ["spectrum", "reference_spectrum", "variant", "reference"]
    assert components.reads(components.MEASUREMENT, "exact_output") == ["data", "train", "network", "optimizer"]
    assert list(components.options(components.MEASUREMENT, "test_range")) == ["boundary"]
    assert components.options(components.INITIALIZATION, "he_uniform") == {}


@pytest.mark.parametrize(
    ("annotation", "right", "wrong", "words"),
    [
        ("bool", [True, False], [1, "true", None], "true or false"),
        ("int", [0, -3], [1.0, True, "1", None], "a whole number"),
        ("float", [0, -1.5], [float("nan"), float("inf"), "1", True], "a number"),
        ("str", ["", "a"], [1, None, ["a"]], "text"),
        ("Count", [1, 10**6], [0, -1, 1.5, True], "a whole number of at least 1"),
        ("Natural", [0, 3], [-1, 0.5], "a whole number of at least 0"),
        ("Seed", [0, 2**32 - 1], [-1, 2**32, 0.5], "a whole number of at least 0 and below 4294967296"),
        ("Positive", [1e-9, 3], [0, -1, float("inf")], "a number above 0"),
        ("NonNegative", [0, 0.1], [-0.1, float("nan")], "a number of at least 0"),
        ("Share", [0, 0.999], [1, 2, -0.1], "a number of at least 0 and below 1"),
        ("Moment", ["first", "last", "47"], ["middle", "first ", 47, "last\n"], "'first', 'last', or a step as text, such as '47'"),
        ("VariantName", ["a"], ["c", 1], "the name of a variant"),
        ("Count | None", [None, 1], [0], "a whole number of at least 1, or null"),
        ("list[int]", [[], [1]], [1, [1.5], None], "a list, each entry a whole number"),
        ("list[DataSetName] | None", [None, ["x", "y"]], [["z"], "x"], "a list, each entry the name of a data set, or null"),
    ],
)
def test_every_type_of_option_takes_what_is_right_and_tells_what_is_allowed(annotation, right, wrong, words):
    known = {"variant": ["a", "b"], "data set": ["x", "y"]}
    assert components.in_words(annotation) == words
    for value in right:
        assert components._problems_of_value(annotation, value, "place", known) == []
    for value in wrong:
        (problem,) = components._problems_of_value(annotation, value, "place", known)
        assert problem.startswith("place: ")
        assert words in problem or "unknown" in problem


def test_a_name_of_what_is_not_known_cannot_be_checked():
    assert components._problems_of_value("VariantName", "anything", "place", {"variant": None}) == []


def test_all_that_is_wrong_with_a_part_is_told_at_once():
    found = components.problems(components.OPTIMIZER, "sgd", {"momentum": 2, "learning_rat": 0.1}, "here")
    assert found == [
        "here.learning_rat: optimizer 'sgd' has no option 'learning_rat'; its options: learning_rate, momentum",
        "here: optimizer 'sgd' needs the option 'learning_rate', a number above 0; add it",
        "here.momentum: wrong value 2; allowed: a number of at least 0 and below 1",
    ]
    assert components.problems(components.OPTIMIZER, "sgd", {"learning_rate": 0.1}, "here") == []
    assert components.problems(components.LOSS, "nope", {}, "here") == ["here: unknown kind of loss 'nope'; known: cross_entropy, mse"]


def test_a_range_that_holds_nothing_is_told():
    assert components._empty_ranges({"low": 1, "high": 1, "test_low": -1, "test_high": 1, "below": 3}, "here") == [
        "here.low: wrong value 1; allowed: a number below high (1)"
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "null"), (True, "true"), ("a", "'a'"), ([1], "[1]"), ("x" * 100, "'" + "x" * 76 + "...")]
)
def test_values_are_shown_as_yaml_has_them_and_cut_short(value, text):
    assert components.shown(value) == text


def test_types_of_options_are_plain_numbers_and_texts_to_json_schema():
    assert components.json_type("Share") == {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    assert components.json_type("Moment") == {"type": "string", "pattern": "^(first|last|[0-9]+)$"}
    assert components.json_type("list[VariantName]") == {"type": "array", "items": {"type": "string"}}


def test_finding_parts_imports_none_of_them():
    """A configuration is checked in a moment, and no part runs before it is known to be right."""
    tree = ast.parse((PROJECT / "scripts/common/components.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    assert not imported & {"import_module", "importlib", "torch", "numpy"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def drow(): pass\n", "has no function 'draw', by which a figure is called; name yours so"),
        ("def draw(los, *, styles): pass\n", "draw: unknown parameter 'los'; allowed: bootstrap, data, datasets, grids, losses, numbers, "),
        ("def draw(loss, *, share: Sharre): pass\n", "draw: unknown parameter 'share'; allowed: "),
        ("def draw(loss, network): pass\n", "draw: unknown parameter 'network'; allowed: "),
        ("def draw(loss, *, styles, losses, count: int = 3, inner=None): pass\n", None),
    ],
)
def test_a_function_that_nobody_can_call_is_told_before_anything_runs(tmp_path, monkeypatch, source, expected):
    (tmp_path / "own.py").write_text(source)
    monkeypatch.setattr(components, "PROJECT", tmp_path)
    family = replace(components.FIGURE, place=str(tmp_path))
    found = components.problems(family, "own", {}, "here")
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(f"own.py: {expected}")
