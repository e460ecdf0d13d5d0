"""What counts of a module's source, and for whom: its definitions, and what it does when it is imported."""

import pytest

from scripts.common import definitions
from scripts.common.definitions import TOP
from scripts.common.errors import UserError

SOURCE = '''\
"""What it is for."""

import math
from scripts.common.records import Kind
from scripts.common import helper as other

FACTOR = 2.0
"""What it is multiplied by."""
KIND = Kind("a", {"x": (1, 2)})


def area(radius: float, *, scale: float | None = None) -> float:
    """Return the area."""
    # a comment
    return FACTOR * math.pi * radius**2


def other_one():
    """Do something."""
    return other.much(area, "in_words")


class Thing:
    """A thing."""

    def method(self):
        """Do it."""
        return 1
'''


@pytest.fixture
def read(tmp_path):
    counter = iter(range(100))

    def read(text):
        path = tmp_path / f"module_{next(counter)}.py"
        path.write_text(text)
        return definitions.read(path)

    return read


def changed(read, old, new, source=SOURCE):
    """Return the definitions whose digest an edit changes, and those that it brings or removes."""
    assert old in source
    before, after = read(source).definitions, read(source.replace(old, new, 1)).definitions
    return {name for name in {*before, *after} if name not in before or name not in after or before[name].digest != after[name].digest}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # a comment\n", ""),
        ('"""What it is for."""\n', ""),
        ("Return the area.", "Return another thing."),
        ('"""What it is multiplied by."""\n', ""),
        ("FACTOR * math.pi * radius**2", "(\n        FACTOR * math.pi\n        * radius ** 2\n    )"),
        ("\n\n\ndef area", "\n\ndef area"),
        ('"in_words"', "'in_words'"),
    ],
    ids=["comment", "module docstring", "docstring", "text below a constant", "layout", "blank lines", "quotes"],
)
def test_comments_docstrings_and_layout_do_not_count(read, old, new):
    assert changed(read, old, new) == set()
    assert read(SOURCE).whole == read(SOURCE.replace(old, new)).whole


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("**2", "**3", {"area"}),
        ("FACTOR = 2.0", "FACTOR = 3.0", {"FACTOR"}),
        ("= None", "= 1.0", {"area"}),
        ("(1, 2)", "(1, 3)", {"KIND"}),
        ("return 1", "return 2", {"Thing"}),
        ("\n\nclass Thing", "\n\ndef added(x: float = 1.0):\n    return x\n\n\nclass Thing", {"added"}),
        ("import math\n", "import math\nimport os\n", {TOP}),
        ("radius: float", "radius: list[float]", {"area", TOP}),
        ("FACTOR = 2.0", "FACTOR = 2.0 / 0", {"FACTOR", TOP}),
        ("FACTOR = 2.0", "FACTOR = later", {"FACTOR", TOP}),
        ("FACTOR = 2.0", "FACTOR = FACTOR = 2.0\nFACTOR += 1", {"FACTOR", TOP}),
        ('Kind("a", ', "Kind(", {"KIND", TOP}),
        ("def area", "@other.register\ndef area", {"area", TOP}),
        ("helper as other", "another as other", {"other_one", TOP}),
        ("class Thing:", "class Thing(other.Base):", {"Thing", TOP}),
    ],
    ids=[
        "a function",
        "a constant",
        "a default",
        "a value in a record",
        "a method",
        "one more function",
        "an import",
        "an annotation, which is evaluated on import",
        "a constant that cannot be had",
        "a constant that is not there yet",
        "a constant that is changed",
        "the form of a record",
        "a decorator",
        "what an imported name means",
        "a base",
    ],
)
def test_a_change_counts_where_it_is_and_at_the_top_if_it_runs_or_may_fail_on_import(read, old, new, expected):
    assert changed(read, old, new) == expected


def test_the_order_of_what_runs_on_import_counts_and_that_of_definitions_does_not(read):
    source = "import math\n\ndef f():\n    return A\n\ndef g():\n    pass\n\nA = 1\nB = f()\nC = 2\n"
    assert changed(read, "A = 1\nB = f()\n", "B = f()\nA = 1\n", source) == {TOP}
    assert changed(read, "C = 2\n", "", source) == {"C"}
    assert changed(read, "def g():\n    pass\n\n", "", source) == {"g"}


def test_names_words_and_marks_of_a_definition_are_told(read):
    module = read(SOURCE)
    assert module.definitions["other_one"].names == ["area", "other.much"]
    assert "in_words" in module.definitions["other_one"].words
    assert module.imported["other"] == ["scripts.common.helper"]
    marks = {
        "getattr(x, 'a')": [],
        "getattr(x, part['kind'])": [],
        "getattr(x, 'a' + y)": ["any name"],
        "vars(x)": ["any name"],
        "{'kind': a}": [],
        "{'kind': a + b}": ["any name"],
        "eval(a)": ["any module"],
        "import_module(a)": ["any module"],
        "import_module(f'scripts.datasets.{a}')": [],
        "sys.modules[a]": ["any module"],
        "sys.modules[a.partition('.')[0]]": [],
        "x.__dict__": ["any module"],
        "ast.parse(a)": ["reads sources"],
    }
    assert {code: read(f"def f(x, a, b):\n    return {code}\n").definitions["f"].marks for code in marks} == marks


@pytest.mark.parametrize("text", ["def f(:\n", "x = 1\n\x00"])
def test_what_is_not_python_is_the_user_s_to_mend(read, text):
    with pytest.raises(UserError, match=r"not valid Python|cannot be read"):
        read(text)
