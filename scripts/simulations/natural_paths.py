"""Paths against the natural gradient, and against the plain one, in two coordinates of the normal distribution: how far they differ."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common import normal_model
from scripts.common.errors import UserError
from scripts.common.levels import level_labels, slopes
from scripts.common.normal_model import COORDINATES, Points, Sample
from scripts.common.options import Count, Positive
from scripts.common.storage import Array, Arrays, Kind

RELATIVE, ABSOLUTE = 1e-13, 1e-15
"""Tolerances of the Runge-Kutta solution of the flows."""

KIND = Kind(
    "natural_paths",
    {
        "time": Array("T", "float64"),
        "sample_mean": Array("R", "float64"),
        "sample_deviation": Array("R", "float64"),
        "flow": Array("T R P", "float64"),
        "natural_path": Array("X Z T R P", "float64"),
        "descent_path": Array("X Z T R P", "float64"),
        "path_difference": Array("R X", "float64", quantity=True),
        "index_path_difference": Array("X", "str"),
        "path_difference_slope": Array("R", "float64", quantity=True),
        "descent_path_difference": Array("R X", "float64", quantity=True),
        "index_descent_path_difference": Array("X", "str"),
        "descent_path_difference_slope": Array("R", "float64", quantity=True),
        "flow_difference": Array("R", "float64", quantity=True),
        "flow_error": Array("R", "float64", quantity=True),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    step_sizes: list[Positive],
    samples: Count = 100,
    mean: float = 2.0,
    deviation: Positive = 0.5,
    start_mean: float = -1.0,
    start_deviation: Positive = 3.0,
    flow_time: Positive = 5.0,
) -> Arrays:
    """Return paths in the coordinates (mu, sigma) and (mu, log sigma) from one start, compared at equal flow times.

    After k steps of size h the flow time is h k. Paths are compared at the multiples of the largest step size. The difference of two
    points is the length of the shortest way between them by the Fisher information as a metric, which is the same in all coordinates;
    that of two paths is the largest one at any of the times.

    Args:
        seeds: seed of each replica, which draws its sample.
        step_sizes: the step sizes, which are the learning rates; each must divide the largest.
        samples: number of values in a sample.
        mean: mean of the distribution that they are drawn from.
        deviation: its standard deviation.
        start_mean: mu at the start.
        start_deviation: sigma at the start.
        flow_time: the flow time at which paths end, a multiple of the largest step size.

    Returns:
        ``natural_path`` and ``descent_path`` (X, 2, T, R, 2), points (mu, sigma) for each step size and each of the two coordinates at
        the times ``time`` (T,); ``path_difference`` and ``descent_path_difference`` (R, X), and their slopes against the step size on
        logarithmic axes (R,). Of the flow of the natural gradient, the limit of small steps: ``flow`` (T, R, 2) in closed form;
        ``flow_difference`` (R,), by how much solutions by a Runge-Kutta method of order 8 (Dormand and Prince 1980; Hairer, Norsett and
        Wanner 1993, section II.5) in the two coordinates differ; ``flow_error`` (R,), the larger of what they differ from the closed form.

    Raises:
        UserError: a step size does not divide the largest, or that one the flow time.
    """
    largest = max(step_sizes)
    _check_multiples(largest, step_sizes, flow_time)
    time: NDArray[np.float64] = largest * np.arange(round(flow_time / largest) + 1, dtype=np.float64)
    sample = normal_model.draw_samples(seeds, samples=samples, mean=mean, deviation=deviation)
    start = np.tile([start_mean, start_deviation], (len(seeds), 1)).astype(np.float64)
    paths, differences = {}, {}
    for name, direction in (("natural", normal_model.natural_gradient), ("descent", normal_model.gradient)):
        paths[name] = np.stack(
            [
                [_path(start, sample, direction, kind, size=size, every=round(largest / size), count=len(time)) for kind in COORDINATES]
                for size in step_sizes
            ]
        )  # (X, 2, T, R, 2)
        differences[name] = _largest_distance(paths[name][:, 0], paths[name][:, 1], axis=1).T
    flow = normal_model.natural_flow(start, sample, time)
    solved = [_solve_flow(start, sample, kind, time) for kind in COORDINATES]
    labels = level_labels(step_sizes)
    return {
        "time": time,
        "sample_mean": sample.mean,
        "sample_deviation": np.sqrt(sample.variance),
        "flow": flow,
        "natural_path": paths["natural"],
        "descent_path": paths["descent"],
        "path_difference": differences["natural"],
        "index_path_difference": labels,
        "path_difference_slope": slopes(step_sizes, differences["natural"]),
        "descent_path_difference": differences["descent"],
        "index_descent_path_difference": labels,
        "descent_path_difference_slope": slopes(step_sizes, differences["descent"]),
        "flow_difference": _largest_distance(*solved, axis=0),
        "flow_error": np.max([_largest_distance(one, flow, axis=0) for one in solved], axis=0),
    }


def _check_multiples(largest: float, step_sizes: Sequence[float], flow_time: float) -> None:
    for whole, part in [*((largest, size) for size in step_sizes), (flow_time, largest)]:
        if abs(whole / part - round(whole / part)) > 1e-6:
            raise UserError(f"the step size {part:g} does not divide {whole:g}, but paths are compared at multiples of the largest one")


def _path(
    start: Points,
    sample: Sample,
    direction: Callable[[Points, Sample, str], Points],
    coordinates: str,
    *,
    size: float,
    every: int,
    count: int,
) -> Points:
    """Return the points (mu, sigma) (T, R, 2) of a path at every so many steps, the start included; nan once it broke off."""
    points = normal_model.from_plane(start, coordinates)
    path = [start]
    with np.errstate(all="ignore"):
        for _ in range(count - 1):
            for _ in range(every):
                points = points - size * direction(points, sample, coordinates)
            path.append(normal_model.to_plane(points, coordinates))
            points = np.where(np.isnan(path[-1]), np.nan, points)
    return np.stack(path)


def _largest_distance(one: Points, other: Points, *, axis: int) -> NDArray[np.float64]:
    """Return the largest distance between points of two paths along the axis of time; inf where one of the paths broke off."""
    distance = normal_model.fisher_distance(one, other)
    return np.asarray(np.where(np.isnan(distance), np.inf, distance).max(axis=axis))


def _solve_flow(start: Points, sample: Sample, coordinates: str, time: NDArray[np.float64]) -> Points:
    """Return the flow against the natural gradient in `coordinates`, solved replica by replica, as points (mu, sigma) (T, R, 2)."""
    from scipy.integrate import solve_ivp  # noqa: PLC0415 - takes a while to import, and only this needs it

    paths = []
    for replica, point in enumerate(normal_model.from_plane(start, coordinates)):
        own = Sample(sample.mean[[replica]], sample.variance[[replica]])

        def rate(_: float, at: NDArray[np.float64], own: Sample = own) -> NDArray[np.float64]:
            return np.asarray(-normal_model.natural_gradient(at[None], own, coordinates)[0])

        found = solve_ivp(rate, (0.0, time[-1]), point, method="DOP853", t_eval=time, rtol=RELATIVE, atol=ABSOLUTE)
        paths.append(found.y.T)
    return normal_model.to_plane(np.stack(paths, axis=1), coordinates)
