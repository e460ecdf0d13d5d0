"""What changed between two reports: settings, verdicts and claims, numbers against their intervals, figures, and the text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scripts.common import pages, published
from scripts.common.comparison import leaves, same
from scripts.common.comparison_builds import claims_of, numbers_of, read_json
from scripts.common.comparison_pages import Change, changed_blocks
from scripts.common.errors import UserError
from scripts.common.pages import Page
from scripts.common.statistics import Interval, median_interval

SETTINGS_SHOWN = 60
"""So many changed settings are told; a study that is new would make hundreds."""

_MOMENT = ["step", "index"]


@dataclass(frozen=True)
class Report:
    """One of two reports: what it is called, and what it holds."""

    name: str
    page: Page
    claims: list[dict[str, Any]]
    numbers: pd.DataFrame
    settings: dict[str, Any]


class ClaimChange(NamedTuple):
    """A claim that is not the same: its records, None on the side where it is not."""

    name: str
    before: Mapping[str, Any] | None
    now: Mapping[str, Any] | None

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another one; a claim that is new or gone has not flipped."""
        return bool(self.before and self.now and self.before["verdict"] != self.now["verdict"])

    @property
    def size(self) -> float:
        """How far the estimate moved, in half widths of its former interval."""
        return _size(*(_interval(record) for record in (self.before, self.now))) if self.before and self.now else math.inf


class NumberChange(NamedTuple):
    """A quantity of a run that changed, at the moment and index where its median moved most for its spread over replicas.

    Attributes:
        name: study, run and quantity.
        at: the step and the index, in words; "" where it has neither.
        before: median over replicas with its interval, in the former report; None if it is not there.
        now: the same in the latter.
        size: how far the median moved, in half widths of the former interval.
        changed: how many of its numbers changed, over all replicas, steps and indices.
        total: how many numbers it has.
    """

    name: str
    at: str
    before: Interval | None
    now: Interval | None
    size: float
    changed: int
    total: int

    @property
    def beyond(self) -> bool:
        """Whether the median lies outside of its former interval."""
        return self.before is None or self.now is None or not self.before.low <= self.now.estimate <= self.before.high


class FigureChange(NamedTuple):
    """A figure that is not the same: its caption, and the addresses of its pictures, "" on the side where it is not."""

    name: str
    caption: str
    before: str
    now: str


@dataclass(frozen=True)
class Changes:
    """All that changed between two reports."""

    settings: list[tuple[str, Any, Any]]
    claims: list[ClaimChange]
    numbers: list[NumberChange]
    figures: list[FigureChange]
    text: list[Change]

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return any((self.settings, self.claims, self.numbers, self.figures, self.text))


def load(results: Path, name: str) -> Report:
    """Return the report of a results folder.

    Raises:
        UserError: there is no whole report in it.
    """
    path = results / "report/report.html"
    if not path.is_file():
        raise UserError(f"{results}: has no report (report/report.html is missing); build it first, or name another results folder")
    page = pages.read_html(path)
    return Report(name, page, claims_of(results), numbers_of(results), _settings(results, page))


def notes(before: Report, now: Report) -> list[str]:
    """Return what has to be known about a comparison of two reports."""
    unknown = [report.name for report in (before, now) if not report.settings]
    return [f"{name} does not say which settings it has" for name in unknown]


def between(before: Report, now: Report, *, seed: int = 0, resamples: int = 2000) -> Changes:
    """Return what changed from one report to another; `seed` and `resamples` are those of the bootstrap behind intervals."""
    return Changes(
        settings=changed_settings(before.settings, now.settings),
        claims=changed_claims(before.claims, now.claims),
        numbers=changed_numbers(before.numbers, now.numbers, seed=seed, resamples=resamples),
        figures=changed_figures(before.page, now.page),
        text=changed_blocks(before.page.blocks, now.page.blocks),
    )


def changed_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the settings that differ, by their keys, with both values; "none" where there is no such key."""
    one, other = dict(leaves(before)), dict(leaves(now))
    keys = [*one, *(key for key in other if key not in one)]
    pairs = [(key, one.get(key, "none"), other.get(key, "none")) for key in keys]
    return [(key, former, latter) for key, former, latter in pairs if former != latter]


def changed_claims(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[ClaimChange]:
    """Return the claims that differ: first those with another verdict, then by how far the estimate moved for its interval."""
    one, other = ({f"{claim['study']}.{claim['id']}": claim for claim in claims} for claims in (before, now))
    found = [ClaimChange(name, one.get(name), other.get(name)) for name in [*one, *(name for name in other if name not in one)]]
    return sorted((change for change in found if change.before != change.now), key=lambda change: (not change.flipped, -change.size))


def changed_numbers(before: pd.DataFrame, now: pd.DataFrame, *, seed: int = 0, resamples: int = 2000) -> list[NumberChange]:
    """Return the quantities of runs with numbers that differ; those whose median moved farthest for its interval first."""
    keys = [*published.GROUP, *_MOMENT, "replica"]
    tables = [
        table.assign(step=table["step"].fillna(-1).astype(np.int64)).rename(columns={"value": side})
        for table, side in ((before, "before"), (now, "now"))
    ]
    merged = tables[0].merge(tables[1], on=keys, how="outer", indicator="side")
    values = [merged[side].to_numpy(dtype=np.float64) for side in ("before", "now")]
    merged["changed"] = ~(same(*values) & (merged["side"] == "both").to_numpy())
    concerned = merged.groupby(published.GROUP, sort=False)["changed"].transform("any")
    found = [_of_quantity(names, rows, seed, resamples) for names, rows in merged[concerned].groupby(published.GROUP, sort=True)]
    return sorted(found, key=lambda change: (-change.size, change.name))


def changed_figures(before: Page, now: Page) -> list[FigureChange]:
    """Return the figures whose pictures differ, in the order of the latter report; then those that are gone."""
    names = [*now.pictures, *(name for name in before.pictures if name not in now.pictures)]
    return [
        FigureChange(
            name, now.captions.get(name) or before.captions.get(name, ""), before.pictures.get(name, ""), now.pictures.get(name, "")
        )
        for name in names
        if before.pictures.get(name) != now.pictures.get(name)
    ]


def _of_quantity(names: Any, rows: pd.DataFrame, seed: int, resamples: int) -> NumberChange:
    moments = rows[rows["changed"]].groupby(_MOMENT, sort=True)
    with np.errstate(invalid="ignore", over="ignore"):
        middle = moments[["before", "now"]].median()
        spread = moments["before"].std().fillna(0.0)
        moved = ((middle["now"] - middle["before"]).abs() / (spread + 1e-12 * middle["before"].abs() + 1e-300)).fillna(math.inf)
    step, index = moved.index[int(np.argmax(moved.to_numpy()))]
    chosen = rows[(rows["step"] == step) & (rows["index"] == index)]
    intervals = []
    for side, absent in (("before", "right_only"), ("now", "left_only")):
        values = chosen[chosen["side"] != absent][side].to_numpy(dtype=np.float64)
        intervals.append(median_interval(values, seed=seed, resamples=resamples) if len(values) else None)
    at = [*([f"step {step}"] if step != -1 else []), *([str(index)] if index != "" else [])]
    size = _size(*intervals)
    return NumberChange(", ".join(map(str, names)), ", ".join(at), intervals[0], intervals[1], size, int(rows["changed"].sum()), len(rows))


def _size(before: Interval | None, now: Interval | None) -> float:
    if before is None or now is None:
        return math.inf
    if before.estimate == now.estimate:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.float64(abs(before.estimate - now.estimate)) / np.float64(max((before.high - before.low) / 2, 1e-300))
    return float(size) if not np.isnan(size) else math.inf


def _interval(record: Mapping[str, Any]) -> Interval:
    low, high = record["interval"]
    return Interval(float(record["estimate"]), float(low), float(high))


def _settings(results: Path, page: Page) -> dict[str, Any]:
    """Return the settings that a report carries; those of its recipe where it is from a time when reports carried none."""
    if page.record is not None:
        return dict(page.record["settings"])
    digests = [block.text.rpartition(" ")[2] for block in page.how_made if block.text.startswith("Built from recipe")]
    for path in sorted(results.glob(f"recipe/report/html.{digests[-1] if digests else ''}*.json")):
        try:
            settings = read_json(path)["settings"]
            return {key: settings[key] for key in ("report", "studies")}
        except (UserError, KeyError, TypeError):
            continue
    return {}
