"""What `make verify` and `make diff` say: a text for a terminal, and one page of HTML that needs nothing beside it."""

import base64
import hashlib
import itertools
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jinja2

from scripts.common.changes import SETTINGS_SHOWN, Changes, ClaimChange, NumberChange
from scripts.common.comparison import Item, Sides, Status, in_order, short, tally, worst
from scripts.common.comparison_pages import changed_words, told_change
from scripts.common.formatting import counted, interval, number
from scripts.common.places import PROJECT
from scripts.common.statistics import Interval
from scripts.common.wording import SYNTAX

WIDTH = 110
"""Letters in a line of a terminal."""
ITEMS_IN_TEXT, ITEMS_IN_PAGE = 40, 400
"""So many items that are not identical are told; flipped claims come first, and the rest is counted."""
NUMBERS_IN_TEXT, NUMBERS_IN_PAGE = 15, 500
PARAGRAPHS_IN_TEXT = 10

_PLURALS = {"claim": "claims", "number": "numbers", "array": "arrays", "figure": "figures", "table": "tables"}
_PLURALS |= {"page": "pages (blocks of text, pictures)", "manifest": "manifest", "file": "other files"}
_MARKS = {Status.IDENTICAL: "supported", Status.WITHIN: "inconclusive", Status.DIFFERENT: "refuted"}
_UNREADABLE = dict.fromkeys([*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A)], "?")


# --- verify


def result(items: Sequence[Item], tolerance: float) -> str:
    """Return the result of a comparison in words."""
    status, flipped = worst(items), sum(item.flipped for item in items)
    if status is Status.IDENTICAL:
        return "identical: every item is the same"
    if status is Status.WITHIN:
        return f"within tolerance: some items differ, by numbers that agree within {tolerance:g}"
    count = sum(item.count for item in items if item.status is Status.DIFFERENT)
    verdicts = f", {counted(flipped, 'verdict')} flipped" if flipped else ""
    return f"different: {counted(count, 'item')}{verdicts}"


def verification_text(items: Sequence[Item], *, facts: Sequence[tuple[str, str]], notes: Sequence[str], tolerance: float) -> str:
    """Return a comparison as text for a terminal: what was compared, what differs, counts by kind, and the result."""
    lines = _head(facts, notes)
    shown = in_order(items)
    for item in shown[:ITEMS_IN_TEXT]:
        lines.append(f"{_status(item)}  {item.kind} {item.name}")
        lines += [_indented(detail) for detail in item.details]
    if len(shown) > ITEMS_IN_TEXT:
        lines.append(f"and {len(shown) - ITEMS_IN_TEXT:,} more, which the page lists")
    lines += ["" if shown else None, f"{'':34}{'identical':>12}{'within':>12}{'different':>12}"]  # type: ignore[list-item]
    lines += ["".join([f"{cells[0]:34}", *(f"{cell:>12}" for cell in cells[1:])]) for cells in _tallied(items)]
    return _clean([line for line in [*lines, "", f"Result: {result(items, tolerance)}"] if line is not None])


def verification_page(
    items: Sequence[Item], *, facts: Sequence[tuple[str, str]], notes: Sequence[str], sides: Sides, tolerance: float
) -> str:
    """Return a comparison as a page of HTML, with both pictures of each figure that differs."""
    shown = in_order(items)
    more = len(shown) - ITEMS_IN_PAGE
    tables = [
        {
            "title": "What was compared",
            "notes": [
                f"Numbers within tolerance differ by at most {tolerance:g} of the greater one, or, in an array, of its median magnitude."
            ],
            "header": ["kind", "identical", "within tolerance", "different"],
            "align": "lrrr",
            "rows": [{"cells": cells, "mark": "refuted" if cells[3] != "0" else ""} for cells in _tallied(items)],
        }
    ]
    told = [
        {"mark": _MARKS[item.status], "status": _status(item).strip(), "name": f"{item.kind} {item.name}", "details": item.details}
        | {"pictures": [_picture(address) for address in item.pictures] if item.pictures else None}
        for item in shown[:ITEMS_IN_PAGE]
    ]
    return _page(
        title="Verification",
        facts=facts,
        notes=notes,
        sides=sides,
        result={"mark": _MARKS[worst(items)], "words": result(items, tolerance)},
        tables=tables,
        items=told,
        items_left=f"And {more:,} more." if more > 0 else "",
    )


def _tallied(items: Iterable[Item]) -> list[list[str]]:
    return [[_PLURALS[kind], *(f"{counts[status]:,}" for status in Status)] for kind, counts in tally(items).items()]


def _status(item: Item) -> str:
    if item.flipped:
        return "FLIPPED  "
    return {Status.IDENTICAL: "identical", Status.WITHIN: "within   ", Status.DIFFERENT: "different"}[item.status]


# --- diff


def changes_text(changes: Changes, *, facts: Sequence[tuple[str, str]], notes: Sequence[str], sides: Sides) -> str:
    """Return what changed between two reports as text for a terminal: settings, claims, numbers, figures, text."""
    lines = _head(facts, notes)
    if changes.settings:
        lines += ["Settings", *(_indented(line) for line in _settings_told(changes)), ""]
    if changes.claims:
        lines += ["Claims"]
        for claim in changes.claims:
            lines.append(f"  {claim.name}: {_verdicts(claim)}")
            lines.append(_indented(f"{_estimate(claim.before)} -> {_estimate(claim.now)}{_size(claim.size)}", 6))
        lines.append("")
    if changes.numbers:
        lines += [f"Numbers ({_numbers_told(changes.numbers)})"]
        for change in changes.numbers[:NUMBERS_IN_TEXT]:
            lines.append(f"  {change.name}{f' ({change.at})' if change.at else ''}")
            lines.append(_indented(f"{_median(change.before)} -> {_median(change.now)}{_size(change.size)}", 6))
        more = len(changes.numbers) - NUMBERS_IN_TEXT
        lines += [f"  and {more:,} more, which the page lists"] * (more > 0) + [""]
    if changes.figures:
        lines += ["Figures", _indented(", ".join(figure.name.removeprefix("fig:") for figure in changes.figures)), ""]
    if changes.text:
        lines += [f"Text ({counted(len(changes.text), 'paragraph')})"]
        for paragraph in changes.text[:PARAGRAPHS_IN_TEXT]:
            lines += [f"  {paragraph.section}", _indented(told_change(paragraph, sides), 6)]
        more = len(changes.text) - PARAGRAPHS_IN_TEXT
        lines += [f"  and {more:,} more, which the page lists"] * (more > 0) + [""]
    return _clean([*lines, f"Result: {_changed(changes)}"])


def changes_page(changes: Changes, *, facts: Sequence[tuple[str, str]], notes: Sequence[str], sides: Sides) -> str:
    """Return what changed between two reports as a page of HTML, with figures side by side and words marked in the text."""
    tables: list[dict[str, Any]] = []
    if changes.settings:
        rows = [{"cells": [key, short(one), short(other)], "mark": ""} for key, one, other in changes.settings[:SETTINGS_SHOWN]]
        more = len(changes.settings) - SETTINGS_SHOWN
        notes_ = [f"And {more:,} more."] if more > 0 else []
        tables.append({"title": "Settings", "notes": notes_, "header": ["setting", *sides], "align": "lll", "rows": rows})
    if changes.claims:
        rows = [
            {
                "cells": [_statement(claim), _verdicts(claim), _estimate(claim.before), _estimate(claim.now), _half_widths(claim.size)],
                "mark": "refuted" if claim.flipped else "",
            }
            for claim in changes.claims
        ]
        header = ["claim", "verdict", *sides, "change in half widths"]
        tables.append({"title": "Claims", "notes": [], "header": header, "align": "llllr", "rows": rows})
    if changes.numbers:
        rows = [
            {
                "cells": [
                    change.name,
                    change.at,
                    _median(change.before),
                    _median(change.now),
                    _half_widths(change.size),
                    f"{change.changed:,} of {change.total:,}",
                ],
                "mark": "refuted" if change.beyond else "",
            }
            for change in changes.numbers[:NUMBERS_IN_PAGE]
        ]
        told = [
            f"{_numbers_told(changes.numbers)}.",
            "Medians over replicas with 95 % bootstrap intervals, where the median moved most; the change is told in half widths of the "
            "former interval. A mark at the left: the median is outside of its former interval.",
        ]
        more = len(changes.numbers) - NUMBERS_IN_PAGE
        told += [f"The first {NUMBERS_IN_PAGE:,} are shown, {more:,} are not."] if more > 0 else []
        header = ["study, run, quantity", "at", *sides, "change in half widths", "numbers that changed"]
        tables.append({"title": "Numbers", "notes": told, "header": header, "align": "llllrr", "rows": rows})
    figures = [
        {"name": figure.name.removeprefix("fig:"), "caption": figure.caption, "pictures": [_picture(figure.before), _picture(figure.now)]}
        for figure in changes.figures
    ]
    sections = [
        {"title": title, "paragraphs": [changed_words(change.this, change.that) for change in paragraphs]}
        for title, paragraphs in itertools.groupby(changes.text, key=lambda change: change.section)
    ]
    mark = "refuted" if any(claim.flipped for claim in changes.claims) else "inconclusive" if changes else "supported"
    return _page(
        title="What changed between two reports",
        facts=facts,
        notes=notes,
        sides=sides,
        result={"mark": mark, "words": _changed(changes)},
        tables=tables,
        figures=figures,
        text=sections,
    )


def _changed(changes: Changes) -> str:
    if not changes:
        return "nothing changed"
    flipped = sum(claim.flipped for claim in changes.claims)
    counts = [
        (flipped, "verdict"),
        (len(changes.claims), "claim"),
        (len(changes.numbers), "quantity of runs"),
        (len(changes.figures), "figure"),
        (len(changes.text), "paragraph"),
        (len(changes.settings), "setting"),
    ]
    plurals = {"quantity of runs": "quantities of runs"}
    told = [f"{count:,} {plurals.get(word, word + 's') if count != 1 else word}" for count, word in counts if count]
    return f"changed: {', '.join(told)}"


def _settings_told(changes: Changes) -> list[str]:
    lines = [f"{key}: {short(one)} -> {short(other)}" for key, one, other in changes.settings[:SETTINGS_SHOWN]]
    more = len(changes.settings) - SETTINGS_SHOWN
    return [*lines, *([f"and {more:,} more"] if more > 0 else [])]


def _statement(claim: ClaimChange) -> str:
    record = claim.now or claim.before or {}
    return f"{claim.name}: {record.get('statement', '')}"


def _verdicts(claim: ClaimChange) -> str:
    one, other = (record["verdict"] if record else "no such claim" for record in (claim.before, claim.now))
    return one if one == other else f"{one} -> {other}"


def _estimate(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "none"
    low, high = (float(end) for end in record["interval"])
    return f"{number(float(record['estimate']))} ({interval(low, high)}), {record['direction']} {number(float(record['threshold']))}"


def _numbers_told(changes: Sequence[NumberChange]) -> str:
    beyond = sum(change.beyond for change in changes)
    return f"{len(changes):,} quantities of runs changed, {beyond:,} of them beyond their former interval"


def _median(found: Interval | None) -> str:
    return "none" if found is None else f"{number(found.estimate)} ({interval(found.low, found.high)})"


def _size(size: float) -> str:
    return ", from an interval without width" if _boundless(size) else f", {_half_widths(size)} half widths of the interval"


def _half_widths(size: float) -> str:
    return "no width" if _boundless(size) else number(size, 2)


def _boundless(size: float) -> bool:
    return math.isinf(size) or size > 1e6


# --- both


def _head(facts: Sequence[tuple[str, str]], notes: Sequence[str]) -> list[str]:
    width = max((len(name) for name, _ in facts), default=0)
    return [*(f"{name + ':':{width + 1}} {value}" for name, value in facts), *(f"Note: {note}" for note in notes), ""]


def _indented(text: str, by: int = 4) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=" " * by, subsequent_indent=" " * (by + 2), break_on_hyphens=False)


def _clean(lines: Iterable[str]) -> str:
    """Return lines as one text without what a terminal would take for a command."""
    return "\n".join(part.translate(_UNREADABLE) for line in lines for part in line.split("\n")) + "\n"


def _picture(address: str) -> str:
    return address if address.startswith("data:image/") else ""


def _page(**content: Any) -> str:
    templates = PROJECT / "templates"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), autoescape=True, **SYNTAX)
    style = "".join((templates / name).read_text(encoding="utf-8") for name in ("style.css", "comparison.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    missing: dict[str, Any] = {"items": [], "items_left": "", "figures": [], "text": []}
    return environment.get_template("comparison.html.jinja").render(**missing | content, style=style, style_hash=digest)
