"""Factorial experiments, in which every level of every factor is combined with all levels of the others: main effects and interactions.

Values are (R, A, B, ...): replicas, and an axis for each factor. The first level of a factor is what its others are held against. As
every combination is there for every replica, effects are plain means of differences within a replica (Box, Hunter and Hunter 2005).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scripts.common.errors import UserError
from scripts.common.findings import Runs
from scripts.common.formatting import quantity_titles

Floats = NDArray[np.float64]

FACTORS = 3
"""Those of the experiments that figures and tables show."""


class Effect(NamedTuple):
    """One contrast.

    Attributes:
        factors: which factors it is of, from 0: one for a main effect, two for an interaction.
        levels: the level of each of these that is held against its first one, from 1.
        values: the contrast of each replica, (R,).
    """

    factors: tuple[int, ...]
    levels: tuple[int, ...]
    values: Floats


def effects(values: Floats, *, order: int) -> list[Effect]:
    """Return all effects of one factor, or of `order` = 2 factors, of values (R, A, B, ...).

    The main effect of a level is by how much the value is larger there than at the factor's first level, as a mean over all combinations
    of the others. The interaction of two levels is by how much the effect of the one is larger at the other than at the other's first
    level, again as a mean over the rest: (y_ab - y_0b) - (y_a0 - y_00).
    """
    count = values.ndim - 1
    found = []
    for factors in combinations(range(count), order):
        rest = tuple(axis + 1 for axis in range(count) if axis not in factors)
        means = values.mean(axis=rest)  # (R, ...), the factors' axes left
        every = product(*(range(1, values.shape[factor + 1]) for factor in factors))
        found += [Effect(factors, levels, _contrast(means, levels)) for levels in every]
    return found


def shares(values: Floats) -> dict[tuple[int, ...], float]:
    """Return which share of the variation within replicas each set of factors makes, by the set; what no effect makes is the set ().

    These are sums of squares of an analysis of variance with replicas as blocks (Fisher 1925), divided by their total without that
    of the blocks. They add up to 1, and are nan where a value is not finite or all are equal.
    """
    count = values.ndim - 1
    if not np.isfinite(values).all():
        values = np.full(values.shape, np.nan)
    within = values - values.mean(axis=tuple(range(1, count + 1)), keepdims=True)
    cells = within.mean(axis=0)
    total = float((within**2).sum())
    found: dict[tuple[int, ...], float] = {}
    for order in range(1, count + 1):
        for factors in combinations(range(count), order):
            part = _interaction(cells, factors)
            found[factors] = float((np.broadcast_to(part, cells.shape) ** 2).sum()) * len(values)
    found[()] = float(((within - cells) ** 2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return {factors: float(np.divide(size, total)) for factors, size in found.items()}


def read(runs: Runs, sweeps: Sequence[str], quantity: str, *, levels: Sequence[Sequence[str]]) -> Floats:
    """Return a quantity of sweeps as values (R, A, B, ...) of a factorial experiment.

    Args:
        runs: the study's runs.
        sweeps: a sweep for each level of the first factor, its first level first.
        quantity: the quantity.
        levels: the levels of each further factor, as they stand in the index of the quantity, joined by "/".
    """
    indices = ["/".join(labels) for labels in product(*levels)]
    found = np.stack([np.stack([runs.values(sweep, quantity, index=index) for index in indices], axis=-1) for sweep in sweeps], axis=1)
    return found.reshape(*found.shape[:2], *map(len, levels))


def read_titled(
    numbers: pd.DataFrame,
    sweeps: Sequence[str],
    *,
    bootstrap: Mapping[str, int],
    factors: Sequence[str],
    second: Sequence[str],
    third: Sequence[str],
    quantities: Sequence[str],
    titles: Sequence[str] | None,
) -> list[tuple[str, Floats]]:
    """Return title and values (R, A, B, C) of each quantity of an experiment with three factors, as figures and tables name them.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        sweeps: the levels of the first factor.
        bootstrap: seed and number of resamples of intervals.
        factors: the names of the three factors.
        second: the levels of the second factor, as they stand in the index of the sweeps' quantities.
        third: those of the third, behind a "/" there.
        quantities: the quantities.
        titles: what these are called; their names if not given.

    Raises:
        UserError: there are not three factors, or not as many titles as quantities.
    """
    if len(factors) != FACTORS:
        raise UserError(f"option 'factors' names {len(factors)} factors; name {FACTORS}")
    names, runs = quantity_titles(quantities, titles), Runs(numbers, **bootstrap)
    values = [read(runs, sweeps, quantity, levels=[second, third]) for quantity in quantities]
    return list(zip(names, values, strict=True))


def of_level(found: Sequence[Effect], names: Sequence[Sequence[str]]) -> Mapping[tuple[str, ...], Floats]:
    """Return the values of effects (R,) by the names of their levels; `names` are those of all levels of each factor."""
    return {tuple(names[factor][level] for factor, level in zip(one.factors, one.levels, strict=True)): one.values for one in found}


def _contrast(means: Floats, levels: Sequence[int]) -> Floats:
    """Return of means (R, A, ...) the difference between a level and the first one, along each axis in turn, (R,)."""
    for level in levels:
        with np.errstate(invalid="ignore"):
            means = means[:, level] - means[:, 0]
    return means


def _interaction(cells: Floats, factors: Sequence[int]) -> Floats:
    """Return the part of centered means of cells (A, B, ...) that these factors make together and no fewer of them do."""
    part = cells.mean(axis=tuple(axis for axis in range(cells.ndim) if axis not in factors), keepdims=True)
    for factor in factors:
        part = part - part.mean(axis=factor, keepdims=True)
    return np.asarray(part)
