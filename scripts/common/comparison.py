"""Two builds, or a build and a published report, compared: each claim, number, array, figure, table, page and file is one of three things.

*Identical* is the same value, or the same bytes. *Within tolerance* is a number that differs from the other by no more than a share of
it. All else is *different*, and named with both values. Of the two sides, *this* is what is looked at, *that* what it is held against.
"""

import filecmp
import itertools
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scripts.common import published, storage
from scripts.common.formatting import counted

TOLERANCE = 1e-6
"""Of the greater of two numbers, or of the median magnitude in an array: the share by which they may differ.

The greatest magnitude would not do: beside a replica that diverged, everything is small.
"""
KINDS = ("claim", "number", "array", "figure", "table", "page", "manifest", "file")
NAMED = 5
"""Of what differs within one item, so many are told; the rest is counted."""
LONGEST = 300
"""Letters of a value or a paragraph that are told."""

_KEYS = ["study", "variant", "replica", "step", "quantity", "index"]
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}\b")


class Status(IntEnum):
    """How two things compare, from best to worst."""

    IDENTICAL = 0
    WITHIN = 1
    DIFFERENT = 2


@dataclass(frozen=True)
class Item:
    """One thing that was compared, or several of a kind that are alike.

    Attributes:
        kind: one of `KINDS`.
        name: which of its kind; nothing for those that are identical.
        status: how the two compare.
        details: what differs, a line each.
        count: of how many things this is said.
        flipped: whether it is a claim with another verdict.
        pictures: of a figure, the addresses of both pictures, which hold them.
    """

    kind: str
    name: str
    status: Status
    details: tuple[str, ...] = ()
    count: int = 1
    flipped: bool = False
    pictures: tuple[str, str] | None = None


class Sides(NamedTuple):
    """How the two sides are called."""

    this: str
    that: str

    def both(self, this: Any, that: Any) -> str:
        """Return both values in words."""
        return f"{self.this} {short(this)}, {self.that} {short(that)}"


def worst(items: Iterable[Item]) -> Status:
    """Return the worst status of some items."""
    return max((item.status for item in items), default=Status.IDENTICAL)


def tally(items: Iterable[Item]) -> dict[str, Counter[Status]]:
    """Return for each kind how many things have which status."""
    found: dict[str, Counter[Status]] = {kind: Counter() for kind in KINDS}
    for item in items:
        found[item.kind][item.status] += item.count
    return {kind: counts for kind, counts in found.items() if counts}


def in_order(items: Iterable[Item]) -> list[Item]:
    """Return what is not identical: flipped claims first, then what is different, then what is within tolerance, kind by kind."""
    shown = [item for item in items if item.status is not Status.IDENTICAL]
    return sorted(shown, key=lambda item: (not item.flipped, -item.status, KINDS.index(item.kind)))


def close(this: Any, that: Any, tolerance: float, *, scale: float = 0.0) -> NDArray[np.bool_]:
    """Return where two arrays of numbers differ by at most `tolerance` of the greater one, or of `scale`; nan equals nan."""
    one, other = np.asarray(this, dtype=np.complex128), np.asarray(that, dtype=np.complex128)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(np.maximum(np.abs(one), np.abs(other)), scale)
        near = (np.abs(one - other) <= tolerance * size) & np.isfinite(one) & np.isfinite(other)
    return np.asarray(near | same(one, other), dtype=np.bool_)


def same(this: NDArray[Any], that: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where two arrays have the same elements; nan equals nan."""
    equal = np.asarray(this == that)
    if this.dtype.kind in "fc" and that.dtype.kind in "fc":
        equal = equal | (np.isnan(this) & np.isnan(that))
    return np.asarray(equal, dtype=np.bool_)


# --- claims


def compare_claims(
    these: Sequence[Mapping[str, Any]], those: Sequence[Mapping[str, Any]], *, sides: Sides, tolerance: float = TOLERANCE
) -> list[Item]:
    """Compare the records of claims; one with another verdict is *flipped*."""
    one, other = ({f"{claim['study']}.{claim['id']}": claim for claim in claims} for claims in (these, those))
    found = [missing("claim", name, sides, here=name in one) for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        status, details = compare_values(one[name], other[name], sides=sides, tolerance=tolerance)
        verdicts = one[name].get("verdict"), other[name].get("verdict")
        flipped = verdicts[0] != verdicts[1]
        details.sort(key=lambda line: not line.startswith(("verdict", "threshold")))
        found.append(Item("claim", name, status, tuple(details), flipped=flipped))
    return found


# --- numbers


def compare_numbers(this: pd.DataFrame, that: pd.DataFrame, *, sides: Sides, tolerance: float = TOLERANCE) -> list[Item]:
    """Compare two tables of numbers, row by row; a quantity of a variant is one item, with the rows that differ most."""
    one, other = (_keyed(table) for table in (this, that))
    if (one[_KEYS].equals(other[_KEYS])) and len(one):
        merged = one.assign(that=other["value"], side="both").rename(columns={"value": "this"})
    else:
        merged = one.rename(columns={"value": "this"}).merge(
            other.rename(columns={"value": "that"}), on=_KEYS, how="outer", indicator="side"
        )
    values = merged["this"].to_numpy(dtype=np.float64), merged["that"].to_numpy(dtype=np.float64)
    both = (merged["side"] == "both").to_numpy()
    equal = both & same(*values)
    merged["status"] = np.where(equal, Status.IDENTICAL, np.where(both & close(*values, tolerance), Status.WITHIN, Status.DIFFERENT))
    found = [Item("number", "", Status.IDENTICAL, count=int(equal.sum()))] if equal.any() else []
    for (*names, status), rows in merged[~equal].groupby([*published.GROUP, "status"], sort=True):
        found.append(_of_quantity(", ".join(map(str, names)), Status(int(str(status))), rows, sides))
    return found


def compare_groups(this: pd.DataFrame, that: pd.DataFrame, *, sides: Sides) -> list[Item]:
    """Compare two tables of described groups of numbers, of which at least one has no more than digests and a summary."""
    merged = this.merge(that, on=published.GROUP, how="outer", suffixes=("", "_that"), indicator="side")
    found = []
    for row in merged.to_dict("records"):
        name = ", ".join(str(row[key]) for key in published.GROUP)
        if row["side"] != "both":
            found.append(missing("number", name, sides, here=row["side"] == "left_only"))
        elif row["digest"] == row["digest_that"] and row["count"] == row["count_that"]:
            found.append(Item("number", name, Status.IDENTICAL, count=int(row["count"])))
        else:
            summary = ("count", "least", "median", "greatest")
            details = [f"{key}: {sides.both(row[key], row[f'{key}_that'])}" for key in summary if row[key] != row[f"{key}_that"]]
            said = details or ["same count, least, median and greatest value to six digits"]
            found.append(Item("number", name, Status.DIFFERENT, ("by digest, the published report has no more of them", *said)))
    return found


def _keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of numbers with steps that are numbers and a count for keys that occur more than once, which no build writes."""
    return table.assign(step=table["step"].fillna(-1).astype(np.int64)).reset_index(drop=True)[[*_KEYS, "value"]]


def _of_quantity(name: str, status: Status, rows: pd.DataFrame, sides: Sides) -> Item:
    size = np.maximum(rows["this"].abs(), rows["that"].abs())
    change: pd.Series[float] = ((rows["this"] - rows["that"]).abs() / size).fillna(math.inf)
    most = rows.assign(change=change).sort_values("change", ascending=False, kind="stable").head(NAMED)
    details = []
    for row in most.to_dict("records"):
        step = "" if row["step"] == -1 else f", step {row['step']}"
        index = "" if row["index"] == "" else f", {row['index']}"
        here, there = (repr(float(row[side])) for side in ("this", "that"))
        if row["side"] != "both":
            here, there = (here, "none") if row["side"] == "left_only" else ("none", there)
        details.append(f"replica {row['replica']}{step}{index}: {sides.both(here, there)}")
    return Item("number", name, status, with_rest(details, len(rows)), count=len(rows))


# --- arrays


def compare_arrays(name: str, this: Path, that: Path, *, sides: Sides, tolerance: float = TOLERANCE) -> list[Item]:
    """Compare two array files, array by array; one that is damaged is different, and said to be."""
    if filecmp.cmp(this, that, shallow=False):
        return [Item("array", name, Status.IDENTICAL, count=_arrays_in(that))]
    loaded = []
    for side, path in zip(sides, (this, that), strict=True):
        try:
            header = storage.read_header(path)
            loaded.append((header, storage.load(path, kind=header["kind"])))
        except storage.StorageError as error:
            return [Item("array", name, Status.DIFFERENT, (f"{side}: {error}",))]
    (one_header, one), (other_header, other) = loaded
    found = [missing("array", f"{name}: {key}", sides, here=key in one) for key in sorted(one.keys() ^ other.keys())]
    for key in sorted(one.keys() & other.keys()):
        axes = one_header["arrays"][key]["axes"]
        found.append(compare_array(f"{name}: {key}", one[key], other[key], axes=axes, sides=sides, tolerance=tolerance))
    if one_header["digest"] != other_header["digest"]:
        told = sides.both(one_header["digest"][:12], other_header["digest"][:12])
        found.append(Item("array", f"{name}: recipe", Status.DIFFERENT, (f"made under another recipe: {told}",)))
    return found or [Item("array", name, Status.DIFFERENT, ("other bytes, with the same arrays in them",))]


def compare_array(name: str, this: NDArray[Any], that: NDArray[Any], *, axes: str, sides: Sides, tolerance: float = TOLERANCE) -> Item:
    """Compare two arrays, element by element; `axes` names their axes."""
    if this.shape != that.shape or this.dtype != that.dtype:
        told = sides.both(f"{this.dtype} {list(this.shape)}", f"{that.dtype} {list(that.shape)}")
        return Item("array", name, Status.DIFFERENT, (f"another type or shape: {told}",))
    equal = same(this, that)
    if equal.all():
        return Item("array", name, Status.IDENTICAL)
    if this.dtype.kind not in "fc":
        place = np.unravel_index(int(np.argmin(equal)), this.shape)
        status, far = Status.DIFFERENT, ~equal
    else:
        finite = np.abs(np.concatenate([this[np.isfinite(this)].ravel(), that[np.isfinite(that)].ravel()]))
        near = close(this, that, tolerance, scale=float(np.median(finite)) if finite.size else 0.0)
        status, far = (Status.WITHIN, ~equal) if near.all() else (Status.DIFFERENT, ~near)
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.nan_to_num(np.abs(this - that).astype(np.float64), nan=np.inf)
        place = np.unravel_index(int(np.argmax(np.where(far, distance, -1.0))), this.shape)
    where = f"[{', '.join(str(int(one)) for one in place)}]"
    count = f"{int(far.sum()):,} of {counted(this.size, 'element')}"
    told = sides.both(this[place].item(), that[place].item())
    return Item("array", name, status, (f"{count} (axes {axes or 'none'}), most at {where}: {told}",))


def _arrays_in(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return max(len(archive.namelist()) - 1, 1)
    except (OSError, zipfile.BadZipFile):
        return 1


# --- figures, drawings and other texts


def compare_texts(this: str, that: str, *, tolerance: float = TOLERANCE) -> Status:
    """Compare two texts, drawings or tables of numbers: they are within tolerance where they differ in nothing but such numbers."""
    if this == that:
        return Status.IDENTICAL
    if _NUMBER.sub("0", this) != _NUMBER.sub("0", that):
        return Status.DIFFERENT
    one, other = ([float(value) for value in _NUMBER.findall(text)] for text in (this, that))
    return Status.WITHIN if close(one, other, tolerance).all() else Status.DIFFERENT


def compare_drawings(this: str, that: str, *, sides: Sides, tolerance: float = TOLERANCE) -> tuple[Status, list[str]]:
    """Compare two drawings (SVG text); say which colors only one of them has, or where they begin to differ."""
    status = compare_texts(this, that, tolerance=tolerance)
    if status is Status.IDENTICAL:
        return status, []
    colors = [Counter(color.lower() for color in _COLOR.findall(text)) for text in (this, that)]
    if colors[0] != colors[1]:
        told = [", ".join(f"{color} ({count} times)" for color, count in sorted((colors[i] - colors[1 - i]).items())) for i in (0, 1)]
        return status, [f"colors of the picture: {sides.both(told[0] or 'no other', told[1] or 'no other')}"]
    return status, [f"picture: {first_difference(this, that, sides)}"]


def compare_tables_of_numbers(this: str, that: str, *, sides: Sides, tolerance: float = TOLERANCE) -> tuple[Status, list[str]]:
    """Compare two CSV texts line by line; name the first lines that differ."""
    status = compare_texts(this, that, tolerance=tolerance)
    if status is Status.IDENTICAL:
        return status, []
    pairs = list(itertools.zip_longest(this.splitlines(), that.splitlines(), fillvalue="none"))
    lines = [(place, *pair) for place, pair in enumerate(pairs, 1) if pair[0] != pair[1]]
    details = [f"data, line {place}: {sides.both(one, other)}" for place, one, other in lines[:NAMED]]
    return status, list(with_rest(details, len(lines))) or ["data: other ends of lines"]


def first_difference(this: str, that: str, sides: Sides) -> str:
    """Return where two texts begin to differ, with some letters of both."""
    place = next((i for i, (one, other) in enumerate(zip(this, that, strict=False)) if one != other), min(len(this), len(that)))
    begin = max(place - 20, 0)
    return f"from letter {place + 1:,}: {sides.both(this[begin : place + 40], that[begin : place + 40])}"


# --- values of JSON


def compare_values(this: Any, that: Any, *, sides: Sides, tolerance: float = TOLERANCE) -> tuple[Status, list[str]]:
    """Compare two values of JSON, leaf by leaf; a leaf is named by its keys.

    A checksum that differs (under ``sha256`` or ``inputs``) is within tolerance: what it is of is compared itself.
    """
    one, other = dict(leaves(this)), dict(leaves(that))
    status, details, checksums = Status.IDENTICAL, list[str](), 0
    for key in [*one, *(key for key in other if key not in one)]:
        here, there = one.get(key, "none"), other.get(key, "none")
        if here == there and type(here) is type(there):
            continue
        if all(isinstance(value, str) and _CHECKSUM.fullmatch(value) for value in (here, there)) and re.search(
            r"\bsha256\b|\binputs\b", key
        ):
            checksums += 1
            status = max(status, Status.WITHIN)
            continue
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (here, there))
        near = numeric and bool(close(here, there, tolerance))
        status = max(status, Status.WITHIN if near else Status.DIFFERENT)
        details.append(f"{key}: {sides.both(here, there)}")
    if checksums:
        details.append(f"{counted(checksums, 'checksum')} of files that are compared themselves")
    return status, details


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a value of JSON, each with the keys that lead to it."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from leaves(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value, 1):
            yield from leaves(part, f"{key} {place}")
    else:
        yield key, value


# --- words


def missing(kind: str, name: str, sides: Sides, *, here: bool) -> Item:
    """Return that something is on one side alone: `here` on this one."""
    return Item(kind, name, Status.DIFFERENT, (f"only in {sides.this if here else sides.that}",))


def with_rest(told: Sequence[str], count: int) -> tuple[str, ...]:
    """Return lines of details, with how many more there are of `count`."""
    more = count - len(told)
    return (*told, f"and {more:,} more") if more > 0 else tuple(told)


def short(value: Any) -> str:
    """Return a value in words, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
