"""Wrong configurations by the thousand: the small study and its report with some of their values, keys or branches made into others."""

import copy
import datetime
import math
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from scripts.common import configuration
from scripts.common.errors import UserError
from scripts.common.limits import limited
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml

SECONDS = 20
"""Longer than this no configuration may take to be planned or refused."""
PLACES = ("config/", "templates/", "scripts/", "--config")
"""How the place begins that a message names."""

WORDS = (
    "", " ", "a", "all", "none", "null", "mean", "__class__", "../../x", "/etc/passwd", "results/../..", "a/b", "con", "sines", "narrow",
    "wide", "loss", "test_loss", "first", "last", "sgd", "perceptron", "logspace(-3, 1, 5)", "range(0, 10)", "range(1, 10, 0)",
    "logspace(-300, 300, 1000)", "<script>alert(1)</script>", "<< setting('a') >>", "{{ 7 * 7 }}", "$x", "a\nb", "é", "\u202e", "\0",
    "x" * 61,
    "1e400", "nan", "-1", "true", "2026-11-22", "=cmd()", "cuda:99999999999999999999",
)  # fmt: skip
"""Texts that have a meaning somewhere, or look as if they had."""
NUMBERS = (0, 1, -1, 2, 7, 2**31, 2**32, 2**63, 10**30, 10**400, 0.0, -0.0, 0.5, 1e-320, 1e308, math.inf, -math.inf, math.nan)

texts = st.sampled_from(WORDS) | st.text(max_size=12)
numbers = st.sampled_from(NUMBERS) | st.integers(-1000, 1000) | st.floats()
dates = st.sampled_from([datetime.date(2026, 11, 22), datetime.datetime(2026, 11, 22, 1, 2, 3, tzinfo=datetime.UTC)])
leaves = st.none() | st.booleans() | numbers | texts | dates
keys = texts | numbers | st.booleans() | st.none()
junk = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8)


@st.composite
def changed(draw: st.DrawFn, content: Any) -> Any:
    """Draw a copy of a content with one to four of its places changed: a value of another kind, a key renamed, added, or left out."""
    made = copy.deepcopy(content)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 4]))):
        inner, key = _place(draw, made)
        if inner is None:
            continue
        way = draw(st.sampled_from(["junk", "leaf", "near", "near", "near", "key", "gone", "more", "moved"]))
        if way == "junk":
            inner[key] = draw(junk)
        elif way == "leaf":
            inner[key] = draw(leaves)
        elif way == "near":
            inner[key] = _near(draw, inner[key])
        elif way == "key" and isinstance(inner, dict):
            inner[draw(keys)] = inner.pop(key)
        elif way == "gone" and isinstance(inner, dict):
            del inner[key]
        elif way == "more" and isinstance(inner, dict):
            inner[draw(keys)] = draw(junk)
        elif way == "moved":
            other, name = _place(draw, made)
            if other is not None:
                inner[key] = copy.deepcopy(other[name])
    return made


def _place(draw: st.DrawFn, content: Any) -> tuple[Any, Any]:
    """Draw a place of a content at any depth: the mapping or list, and the key in it; None where there is none."""
    inner: Any = content
    while True:
        known = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not known:
            return None, None
        key = draw(st.sampled_from(known))
        below = inner[key]
        if not isinstance(below, dict | list) or not below or draw(st.integers(0, 3)) == 0:
            return inner, key
        inner = below


def _near(draw: st.DrawFn, value: Any) -> Any:
    """Draw a value that is much like another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return draw(
            st.sampled_from(
                [value + 1, 2 * value, value / 3, -value, value * 10**6, value * 10**300 if abs(value) < 10 else value, str(value), [value]]
            )
        )
    if isinstance(value, str):
        return draw(st.sampled_from([value.upper(), value + draw(texts), draw(texts) + value, [value], {value: value}, value[:1]]))
    return draw(st.sampled_from([str(value), [value], None]))


def planned(report: dict[str, Any], study: Any, bibliography: Any) -> Plan | None:
    """Return the plan of a configuration in a copy of the project with the small study, or None where it is refused as it should be.

    Raises:
        AssertionError: it is refused without a place.
        Exception: it is not refused, and breaks something.
    """
    contents = {"config/report.yaml": report, "config/studies/mini.yaml": study, "config/bibliography.yaml": bibliography}

    def read(path: str | Path) -> Any:
        for place, content in contents.items():
            if str(path).endswith(place):
                return copy.deepcopy(content)
        return read_yaml(path)

    former = configuration.read_yaml
    configuration.read_yaml = read  # type: ignore[assignment]
    try:
        with limited(SECONDS, TimeoutError(f"took longer than {SECONDS} s")):
            plan = Plan(report)
            plan.work()
            plan.targets()
            return plan
    except UserError as error:
        lines = [line.removeprefix("- ") for line in str(error).splitlines() if line != "the configuration has problems:"]
        assert lines
        assert all(line.startswith(PLACES) for line in lines), lines
        return None
    finally:
        configuration.read_yaml = former


def paths(plan: Plan) -> list[str]:
    """Return the paths of all files that a plan writes or has its jobs write."""
    made = [made.path(plan.results) for made in plan._recipes.values()]
    made += [source.path for recipe in plan._recipes.values() for sources in recipe.inputs.values() for source in sources.values()]
    return [*made, *plan.targets()]
