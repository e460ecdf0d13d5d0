"""Pages compared: what the HTML says by section and shows by figure, and each page of the PDF."""

import difflib
import filecmp
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from scripts.common import pages
from scripts.common.comparison import (
    NAMED,
    TOLERANCE,
    Item,
    Sides,
    Status,
    compare_drawings,
    first_difference,
    missing,
    short,
    with_rest,
)
from scripts.common.errors import UserError
from scripts.common.pages import Block, Page

MOST_WORDS = 10_000
"""Of a paragraph; a longer one is taken as another one, since the time that words take grows as their square."""


EXCERPT = 120
"""Letters that are told of a paragraph that changed."""


class Change(NamedTuple):
    """A paragraph that differs: the heading that it stands under, and its text on both sides, "" for none."""

    section: str
    this: str
    that: str


def changed_blocks(these: Sequence[Block], those: Sequence[Block]) -> list[Change]:
    """Return the blocks of text that differ, in order; what was replaced is paired."""
    found = []
    matcher = difflib.SequenceMatcher(None, [block.text for block in these], [block.text for block in those], autojunk=False)
    for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for one, other in itertools.zip_longest(these[begin:end], those[other_begin:other_end]):
            section = (one or other or Block("", "")).section
            found.append(Change(section, one.text if one else "", other.text if other else ""))
    return found


def changed_words(this: str, that: str) -> list[tuple[str, str]]:
    """Return how the words of one text become those of another: pairs of "same", "removed" or "added" and the words."""
    one, other = (re.findall(r"\s+|[^\s]+", text) for text in (this, that))
    if max(len(one), len(other)) > MOST_WORDS:
        return [("removed", this), ("added", that)]
    found = []
    for kind, begin, end, other_begin, other_end in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(one[begin:end])))
            continue
        found += [("removed", "".join(one[begin:end]))] if end > begin else []
        found += [("added", "".join(other[other_begin:other_end]))] if other_end > other_begin else []
    return found


def compare_pages(this: Page, that: Page, *, sides: Sides, tolerance: float = TOLERANCE) -> list[Item]:
    """Compare what two pages say and show: text by section, pictures and explorers by figure, how things were made, the rest."""
    name = "report.html"
    sections: dict[str, list[str]] = {}
    changes = changed_blocks(this.blocks, that.blocks)
    for change in changes:
        sections.setdefault(change.section, []).append(told_change(change, sides))
    found = [Item("page", "", Status.IDENTICAL, count=len(that.blocks) - min(len(changes), len(that.blocks)))]
    found += [
        Item("page", f"{name}, under '{section}'", Status.DIFFERENT, with_rest(lines[:NAMED], len(lines)), count=len(lines))
        for section, lines in sections.items()
    ]
    for figure in sorted(this.pictures.keys() | that.pictures.keys()):
        if figure not in this.pictures or figure not in that.pictures:
            found.append(missing("page", f"{name}, picture {figure}", sides, here=figure in this.pictures))
        elif this.pictures[figure] != that.pictures[figure]:
            both = this.pictures[figure], that.pictures[figure]
            status, details = compare_drawings(*map(unquote, both), sides=sides, tolerance=tolerance)
            status = max(status, Status.WITHIN)
            found.append(Item("page", f"{name}, picture {figure}", status, tuple(details), pictures=both))
    for explorer in sorted(this.explorers.keys() | that.explorers.keys()):
        if explorer not in this.explorers or explorer not in that.explorers:
            found.append(missing("page", f"{name}, {explorer}", sides, here=explorer in this.explorers))
        elif this.explorers[explorer] != that.explorers[explorer]:
            told = first_difference(this.explorers[explorer], that.explorers[explorer], sides)
            found.append(Item("page", f"{name}, {explorer}", Status.DIFFERENT, (told,)))
    made = changed_blocks(this.how_made, that.how_made)
    if made:
        lines = [told_change(change, sides) for change in made[:NAMED]]
        found.append(Item("page", f"{name}, how things were made", Status.DIFFERENT, with_rest(lines, len(made)), count=len(made)))
    if list(this.other.values()) != list(that.other.values()):
        found.append(Item("page", f"{name}, styles, fonts and scripts", Status.DIFFERENT, ("they are not the same",)))
    return found


def compare_pdfs(this: Path, that: Path, *, sides: Sides) -> list[Item]:
    """Compare two PDFs, page by page: the first lines that differ, or that their pictures do."""
    name = "report.pdf"
    if filecmp.cmp(this, that, shallow=False):
        return [Item("page", name, Status.IDENTICAL)]
    try:
        counts, changed = pages.changed_pages(this, that)
    except UserError as error:
        return [Item("page", name, Status.DIFFERENT, (str(error),))]
    found = [Item("page", name, Status.DIFFERENT, (f"pages: {sides.both(*counts)}",))] if counts[0] != counts[1] else []
    for number, one, other in changed:
        lines = [pair for pair in itertools.zip_longest(one, other, fillvalue="none") if pair[0] != pair[1]]
        told = [sides.both(*pair) for pair in lines[:2]] or ["the same words, drawn otherwise"]
        found.append(Item("page", f"{name}, page {number}", Status.DIFFERENT, with_rest(told, max(len(lines), 1))))
    return found or [Item("page", name, Status.DIFFERENT, ("the pages are the same; metadata or fonts differ",))]


def told_change(change: Change, sides: Sides) -> str:
    """Return a changed paragraph in one line: the words that differ and some around them."""
    if not change.this or not change.that:
        side, text = (sides.this, change.this) if change.this else (sides.that, change.that)
        return f"only in {side}: {short(text)}"
    words = changed_words(change.this, change.that)
    begin = next((len(text) for kind, text in words if kind == "same"), 0) if words[0][0] == "same" else 0
    begin = max(begin - 30, 0)
    return sides.both(*(_cut(text, begin) for text in (change.this, change.that)))


def _cut(text: str, begin: int) -> str:
    """Return an excerpt of a text, with dots where it is cut."""
    end = begin + EXCERPT
    return ("..." if begin else "") + text[begin:end] + ("..." if len(text) > end else "")
