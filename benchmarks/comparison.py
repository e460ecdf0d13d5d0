"""A comparison of a plain implementation with ours: timed in turns, on one core, and shown as a line of the table."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Comparison(NamedTuple):
    """How long a plain implementation and ours took for the same work.

    Attributes:
        work: what was computed.
        plain: name of the plain implementation.
        plain_seconds: its median time.
        our_seconds: median time of ours.
        at_least: smallest ratio of the two that is asked for.
        plain_share: part of the work that the plain implementation did in its time; the ratio accounts for it.
    """

    work: str
    plain: str
    plain_seconds: float
    our_seconds: float
    at_least: float
    plain_share: float = 1.0

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.plain_seconds / self.plain_share / self.our_seconds


def compare(
    work: str,
    *,
    plain: dict[str, tuple[Callable[[], object], float]],
    ours: Callable[[], object],
    runs: int,
    plain_share: float = 1.0,
) -> list[Comparison]:
    """Time every implementation `runs` times, in turns, after one run that does not count.

    Args:
        work: what is computed.
        plain: the plain implementations by name, each with the smallest ratio that is asked for.
        ours: our implementation.
        runs: number of runs of each.
        plain_share: part of the work that each plain implementation does.
    """
    functions = {"": ours, **{name: function for name, (function, _) in plain.items()}}
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for run in range(runs + 1):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if run:
                seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return [Comparison(work, name, medians[name], medians[""], at_least, plain_share) for name, (_, at_least) in plain.items()]


def table(comparisons: list[Comparison]) -> str:
    """Return the comparisons as a table in Markdown."""
    header = ["work", "plain implementation", "its time", "our time", "ratio", "asked for"]
    rows = [
        [
            line.work,
            line.plain,
            _readable(line.plain_seconds / line.plain_share),
            _readable(line.our_seconds),
            f"{line.ratio:.1f}",
            f"{line.at_least:g}" + ("" if line.ratio >= line.at_least else " (missed)"),
        ]
        for line in comparisons
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines)


def _readable(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
