"""Grids: settings crossed into variants, each under a name that says at which levels it stands.

The name of a variant is that of its grid, then for each axis its name and what its level is called: ``critical_scale_0p01_depth_8``.
It depends on its own levels alone, so that others may be added or left out, and only what is new is trained.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from scripts.common.ranges import DIGITS
from scripts.common.settings import NAME, Axis, Grid, Variant, changed
from scripts.common.validation import validate

MOST_VARIANTS = 10_000
"""So many variants a grid may make."""
LONGEST_NAME = 60
"""So many characters the name of a variant may have."""


def called(value: float) -> str:
    """Return a number as names of variants say it: 0.01 as "0p01", -2 as "m2", 1e-05 as "1em05"."""
    return f"{value:.{DIGITS}g}".replace("+", "").replace("-", "m").replace(".", "p")


def levels(axis: Axis) -> list[str]:
    """Return what the levels of an axis are called in names: as it says itself, or as their numbers."""
    return list(axis.levels or [called(value) for value in next(iter(axis.settings.values()))])


def points(name: str, grid: Grid) -> dict[str, tuple[int, ...]]:
    """Return every variant of a grid by its name, with the place of its level on each axis; the last axis runs fastest."""
    parts = [[f"{axis.name}_{level}" for level in levels(axis)] for axis in grid.over]
    places = product(*(range(len(own)) for own in parts))
    return {"_".join([name, *(own[at] for own, at in zip(parts, point, strict=True))]): point for point in places}


def axes(grid: Grid) -> dict[str, list[Any]]:
    """Return the levels of each axis: the numbers of its first setting, or their names where it has names."""
    return {axis.name: list(axis.levels or next(iter(axis.settings.values()))) for axis in grid.over}


def described(name: str, grid: Grid) -> dict[str, Any]:
    """Return what a figure is told of a grid: ``axes``, the levels by axis, and ``variants``, the level on each axis by variant."""
    by_axis = axes(grid)
    return {
        "axes": by_axis,
        "variants": {
            variant: {axis: own[at] for (axis, own), at in zip(by_axis.items(), point, strict=True)}
            for variant, point in points(name, grid).items()
        },
    }


def in_words(grid: Grid, point: Sequence[int]) -> str:
    """Return in words where a variant stands, as "scale 0.01, depth 8"."""
    named = [own[at] for own, at in zip(axes(grid).values(), point, strict=True)]
    return ", ".join(
        f"{axis.name} {level if isinstance(level, str) else f'{level:g}'}" for axis, level in zip(grid.over, named, strict=True)
    )


def problems_of_axes(place: str, name: str, grid: Grid) -> list[str]:
    """Return what is wrong with the axes of a grid by themselves; where nothing is, `points` has a name for each variant."""
    problems = []
    for number, axis in enumerate(grid.over):
        first, counts = next(iter(axis.settings.values())), [len(values) for values in axis.settings.values()]
        counts += [len(axis.levels)] if axis.levels is not None else []
        if len(set(counts)) > 1:
            problems.append(f"{place}.over.{number}: {' and '.join(map(str, counts))} values; give as many of each")
        elif axis.levels is None and not all(isinstance(value, int | float) and not isinstance(value, bool) for value in first):
            problems.append(f"{place}.over.{number}.levels: is missing; add what the levels are called, for they are no numbers")
        elif len(set(levels(axis))) < len(first):
            problems.append(f"{place}.over.{number}: two levels are called the same, to {DIGITS} digits; change or rename one")
    for word, given in (("axis", [axis.name for axis in grid.over]), ("setting", [path for axis in grid.over for path in axis.settings])):
        twice = [one for one in dict.fromkeys(given) if given.count(one) > 1]
        problems += [f"{place}.over: {word} '{one}' is listed twice; keep one" for one in twice]
    size = prod(len(next(iter(axis.settings.values()))) for axis in grid.over)
    if size > MOST_VARIANTS:
        problems.append(f"{place}: makes {size:,} variants; allowed: at most {MOST_VARIANTS:,}, so leave out levels or split the grid")
    if problems:
        return problems
    names = points(name, grid)
    longest = max(names, key=len)
    if len(longest) > LONGEST_NAME:
        problems.append(f"{place}: '{longest}' has {len(longest)} characters; allowed: at most {LONGEST_NAME}; shorten a name")
    if len(names) < size:
        problems.append(f"{place}: two of its variants have the same name; rename an axis or a level")
    unnamed = [one for one in names if not re.fullmatch(NAME, one)]
    problems += [f"{place}: '{one}' is no name for a variant; name the levels with `levels`" for one in unnamed[:1]]
    return problems


def expand(place: str, name: str, grid: Grid, base: Mapping[str, Any], problems: list[str]) -> dict[str, Variant]:
    """Return the variants of a grid by name; what is wrong with them is added to `problems`, once for all that have it.

    Args:
        place: how messages name the grid.
        name: name of the grid.
        grid: the grid, without problems of its axes.
        base: the settings of the variant that they are made from, or the defaults.
        problems: what was found so far.
    """
    own = {key: value for key, value in (("label", grid.label), ("color", grid.color)) if value is not None}
    below = changed(base, own | grid.settings)
    found: dict[str, Variant] = {}
    wrong: dict[str, list[str]] = {}
    for variant, point in points(name, grid).items():
        settings = below
        for axis, at in zip(grid.over, point, strict=True):
            settings = changed(settings, {path: values[at] for path, values in axis.settings.items()})
        made = validate(Variant, settings, lambda path: f": {path}", wrong.setdefault(variant, []))
        if made:
            found[variant] = made
    problems += gathered(place, name, grid, wrong)
    return found


def gathered(place: str, name: str, grid: Grid, wrong: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what is wrong with variants of a grid, by variant, in one sentence for all that have it: where it is first, and how often."""
    where: dict[str, list[str]] = {}
    for variant, sentences in wrong.items():
        for sentence in dict.fromkeys(sentences):
            where.setdefault(sentence, []).append(variant)
    at = points(name, grid) if where else {}
    return [
        f"{place} at {in_words(grid, at[found[0]])}{sentence}" + (f" (so at {len(found):,} of {len(at):,} variants)" if found[1:] else "")
        for sentence, found in where.items()
    ]
