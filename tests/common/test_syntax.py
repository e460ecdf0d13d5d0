import textwrap

import pytest

from scripts.common import syntax
from scripts.common.errors import UserError

SOURCE = '''\
"""What it is for."""

import math
import numpy as np
from scripts.common import helper


def area(radius: float, *, scale: "float | None" = None, digits: int) -> float:
    """Return the area.

    Args:
        radius: how far it is
            from the middle.
        digits: how many there are.

    Raises:
        ValueError: never.
    """
    # a comment
    return math.pi * radius**2


def _hidden():
    pass
'''


@pytest.fixture
def write(tmp_path):
    counter = iter(range(100))

    def write(text):
        path = tmp_path / f"module_{next(counter)}.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write


def test_functions_and_their_parameters_are_found_without_importing(write):
    (name, parameters), *others = syntax.functions(write(SOURCE)).items()
    assert (name, others) == ("area", [])
    assert [(p.name, p.annotation, p.required, p.keyword_only) for p in parameters] == [
        ("radius", "float", True, False),
        ("scale", "'float | None'", False, True),
        ("digits", "int", True, True),
    ]


def test_a_docstring_is_taken_apart(write):
    told = syntax.docstring(write(SOURCE), "area")
    assert told.startswith("Return the area.")
    assert syntax.described(told, "Args") == {"radius": "how far it is from the middle.", "digits": "how many there are."}
    assert syntax.described(told, "Raises") == {"ValueError": "never."}
    assert syntax.described(told, "Returns") == {}
    assert syntax.docstring(write("def f(): pass"), "f") == ""


def test_imports_are_told_apart(write):
    own, others = syntax.imports(write(SOURCE + "\n\ndef late():\n    import torch.nn\n    from scripts.common.errors import UserError\n"))
    assert own == {"scripts.common", "scripts.common.helper", "scripts.common.errors", "scripts.common.errors.UserError"}
    assert others == {"numpy", "torch"}


def test_marked_keys_are_those_under_which_a_call_sets_the_mark(write):
    path = write(
        'KIND = {"a": Array("S", quantity=True), "b": Array("S", quantity=False), "c": Array("S"), 3: Array(quantity=True), **more}'
    )
    assert syntax.marked_keys(path, "quantity") == ("a",)


@pytest.mark.parametrize(
    ("text", "expected"), [("def f(:\n", "line 1: not valid Python"), ("x = 1\n\x00", "not valid Python|cannot be read")]
)
def test_what_is_not_python_is_the_user_s_to_mend(write, text, expected):
    with pytest.raises(UserError, match=expected):
        syntax.imports(write(text))


def test_a_file_that_is_missing_is_the_user_s_to_mend(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.py: cannot be read"):
        syntax.functions(tmp_path / "nowhere.py")
