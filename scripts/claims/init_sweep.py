"""The claims of the study "Where networks train": each decides one statement of the chapter from the numbers of all replicas.

A replica's *range* at a depth and a width is made of the scales at which it trains; its ends are the lowest and the highest of these, and
its length counts decades of the scale, a step of the grid for each scale.
"""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scripts.common.findings import Finding, Runs

THEORY = "edge_of_chaos"
POINT = re.compile(r"critical_scale_([a-z0-9]+)_depth_(\d+)_width_(\d+)")
"""The name of a variant of the grid."""


def the_edge_trains_at_every_depth(runs: Runs) -> Finding:
    """Whether each replica trains at the scale nearest to the edge of chaos in the deepest of the widest networks."""
    scales, depth, width = _scales(runs), max(_levels(runs, 2)), max(_levels(runs, 3))
    nearest = int(np.argmin(np.abs(np.log(scales / runs.values(THEORY, "edge_scale")[0]))))
    return runs.every(
        _trained(runs, depth, width)[:, nearest] > 0,
        statement="At the edge of chaos even the deepest of the widest networks train, in every replica.",
        quantity="trains at the scale nearest to the edge of chaos",
        reason="one replica that does not is a counterexample",
    )


def the_range_begins_where_theory_has_it(runs: Runs) -> Finding:
    """The lowest scale at which the deepest of the widest networks train, over that of theory, as a distance of logarithms from 1."""
    return _like_theory(
        runs,
        "lowest",
        statement="The deepest networks begin to train at the scale where six depth scales of theory are as many layers.",
        reason="neighboring scales differ by a factor of 1.2, and six depth scales are a rule of thumb of the theory's authors",
    )


def the_range_ends_where_theory_has_it(runs: Runs) -> Finding:
    """The highest scale at which the deepest of the widest networks train, over that of theory."""
    return _like_theory(
        runs,
        "highest",
        statement="The deepest networks cease to train at the scale where, beyond the edge, six depth scales are again as many layers.",
        reason="as for the beginning of the range",
    )


def deeper_networks_train_in_a_narrower_range(runs: Runs) -> Finding:
    """The length of the range of the deepest networks over that of the shallowest, of the widest of both."""
    depths, width = _levels(runs, 2), max(_levels(runs, 3))
    return runs.ratio(
        _length(runs, max(depths), width),
        _length(runs, min(depths), width),
        below=0.5,
        statement="The deepest networks train in less than half of the range of scales of the shallowest.",
        quantity="decades of scales that train, relative to the shallowest networks",
        reason="with sixteen times as many layers, theory has the range shrink several times over",
    )


def width_matters_little(runs: Runs) -> Finding:
    """The length of the range of the narrowest networks over that of the widest, at the depth in the middle."""
    depths, widths = sorted(_levels(runs, 2)), _levels(runs, 3)
    depth = depths[len(depths) // 2]
    return runs.ratio(
        _length(runs, depth, min(widths)),
        _length(runs, depth, max(widths)),
        above=0.5,
        statement="Width matters little: the narrowest networks train in more than half of the range of scales of the widest.",
        quantity="decades of scales that train, relative to the widest networks",
        reason="depth, by as large a factor, leaves less than half of the range",
    )


def small_scales_stay_constant(runs: Runs) -> Finding:
    """Whether each replica of the deepest of the widest networks is constant at the lowest scale."""
    depth, width = max(_levels(runs, 2)), max(_levels(runs, 3))
    name = _names(runs)[_scales(runs)[0], depth, width]
    return runs.every(
        _is_constant(runs, name),
        statement="At the lowest scale the deepest networks predict one value for any input, in every replica.",
        quantity="outputs vary less than a tenth of the standard deviation of the targets, and no loss rises",
        reason="one replica that follows the input is a counterexample",
    )


def _like_theory(runs: Runs, end: str, *, statement: str, reason: str) -> Finding:
    """Return whether the "lowest" or "highest" scale at which the deepest of the widest networks train is near that of theory."""
    depth, width = max(_levels(runs, 2)), max(_levels(runs, 3))
    found = dict(zip(("lowest", "highest"), _ends(runs, depth, width), strict=True))[end]
    return runs.median(
        _factor(found, runs.values(THEORY, f"{end}_scale", index=depth)[0]),
        below=1.5,
        quantity=f"factor between the {end} scale that trains and that of theory, at least 1",
        statement=statement,
        reason=reason,
    )


def _names(runs: Runs) -> dict[tuple[float, int, int], str]:
    """Return the variants of the grid by scale, depth and width."""
    found = {}
    for name in runs.table["variant"].unique():
        point = POINT.fullmatch(str(name))
        if point:
            scale = float(point[1].replace("p", ".").replace("m", "-"))
            found[scale, int(point[2]), int(point[3])] = str(name)
    return found


def _levels(runs: Runs, axis: int) -> set[int]:
    return {int(point[axis - 1]) for point in _names(runs)}


def _scales(runs: Runs) -> NDArray[np.float64]:
    return np.array(sorted({scale for scale, _, _ in _names(runs)}))


def _trained(runs: Runs, depth: int, width: int) -> NDArray[np.float64]:
    """Return 1 where a replica trains, by replica and scale, (R, X)."""
    names = _names(runs)
    return np.stack([runs.values(names[float(scale), depth, width], "trained") for scale in _scales(runs)], axis=1)


def _ends(runs: Runs, depth: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest scale at which each replica trains, (R,) each; nan where there is none."""
    scales, trained = _scales(runs), _trained(runs, depth, width) > 0
    lowest = np.where(trained, scales, np.inf).min(axis=1)
    highest = np.where(trained, scales, -np.inf).max(axis=1)
    return _finite(lowest), _finite(highest)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _factor(found: NDArray[np.float64], expected: float) -> NDArray[np.float64]:
    """Return by which factor values are off, at least 1; nan, and so infinite, where there is none."""
    return np.exp(np.abs(np.log(found / expected)))


def _length(runs: Runs, depth: int, width: int) -> NDArray[np.float64]:
    """Return how many decades of the scale train, (R,)."""
    scales = _scales(runs)
    step = float(np.log10(scales[-1] / scales[0])) / max(len(scales) - 1, 1)
    return np.asarray(_trained(runs, depth, width).sum(axis=1) * step)


def _is_constant(runs: Runs, name: str) -> NDArray[np.bool_]:
    rows = runs.table[(runs.table["variant"] == name) & (runs.table["quantity"] == "phase")].sort_values("replica")
    return _equal(rows["index"], "constant")


def _equal(values: Iterable[str], word: str) -> NDArray[np.bool_]:
    return np.array([value == word for value in values])
