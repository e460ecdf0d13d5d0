"""What a report says and shows, taken out of its HTML and its PDF: blocks of text by section, pictures, data of explorers."""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common import published
from scripts.common.errors import UserError

BLOCKS = frozenset(
    {"p", "li", "tr", "figcaption", "caption", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "summary", "div", "pre", "figure"}
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
NOT_TEXT = frozenset({"style", "script", "annotation", "nav", "title"})
MOST_PARTS = 10_000
"""Of the pictures within pictures on one page of a PDF, so many are looked at."""
HOW_MADE = re.compile(r"^(How this (figure|table) was made|Rule \w+, digest|Built from recipe)")


class Block(NamedTuple):
    """A paragraph, heading, list item, row of a table or caption: its text, and the heading that it stands under."""

    section: str
    text: str


@dataclass
class Page:
    """What a page holds.

    Attributes:
        blocks: what can be read, in order, but for how things were made.
        how_made: paragraphs that say how figures, tables and the page were made.
        pictures: address of each figure's picture, which holds it, by the figure's name in the page, as "fig:curves".
        captions: caption of each figure, by the same name.
        explorers: JSON text of the data of each explorer, by the name of its script.
        manifest: the manifest without the commit.
        record: claims, settings and numbers or digests, as `scripts.common.published` packs them; none in an assignment.
        other: SHA-256 of each style, and of each script that is no data.
    """

    blocks: list[Block] = field(default_factory=list)
    how_made: list[Block] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    captions: dict[str, str] = field(default_factory=dict)
    explorers: dict[str, str] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] | None = None
    other: dict[str, str] = field(default_factory=dict)


def read_html(path: str | Path) -> Page:
    """Return what the page `path` holds.

    Raises:
        UserError: it cannot be read, or is not a report of this project.
    """
    text = published.read_page(path)
    if '<script type="application/json" id="manifest">' not in text:
        raise UserError(f"{path}: is not a report of this project (no manifest in it); name the report.html of a build")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    page = reader.page
    try:
        page.manifest = dict(json.loads(reader.data.pop("manifest")))
        packed = json.loads(reader.data.pop("record", "null"))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: what it says of how it was made is damaged ({error}); take the file as it was published") from None
    page.record = None if packed is None else published.unpack(packed, str(path))
    page.explorers = reader.data
    return page


def changed_pages(this: str | Path, that: str | Path) -> tuple[tuple[int, int], list[tuple[int, list[str], list[str]]]]:
    """Return how many pages two PDFs have, and for each page that differs its number and its lines of text in both.

    Text is taken out of those pages alone that differ in what is drawn on them: it takes a fifth of a second a page.

    Raises:
        UserError: one of them cannot be read as a PDF.
    """
    (these, those), found = (_pdf_pages(this), _pdf_pages(that)), []
    for place in range(max(len(these), len(those))):
        one, other = (pages[place] if place < len(pages) else None for pages in (these, those))
        if one is None or other is None or _drawn(one, this) != _drawn(other, that):
            found.append((place + 1, _lines(one, this), _lines(other, that)))
    return (len(these), len(those)), found


def address(drawing: str) -> str:
    """Return a drawing (SVG text) as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode("utf-8", "surrogateescape")).decode()


def _pdf_pages(path: str | Path) -> list[Any]:
    from pypdf import PdfReader  # noqa: PLC0415 - takes a while to import, and equal files need no reading

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters of a damaged file is raised
    with _readable(path):
        return list(PdfReader(path).pages)


def _drawn(page: Any, path: str | Path) -> str:
    """Return a digest of what draws a page: its commands, and those of the pictures in it."""
    digest, waiting = hashlib.sha256(), [page]
    with _readable(path):
        contents = page.get_contents()
        digest.update(contents.get_data() if contents is not None else b"")
        for _ in range(MOST_PARTS):
            if not waiting:
                break
            parts = waiting.pop().get("/Resources", {}).get("/XObject", {})
            for name in sorted(parts):
                part = parts[name].get_object()
                digest.update(name.encode() + part.get_data())
                waiting.append(part)
    return digest.hexdigest()


def _lines(page: Any | None, path: str | Path) -> list[str]:
    if page is None:
        return []
    with _readable(path):
        return [" ".join(line.split()) for line in page.extract_text().splitlines() if line.strip()]


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - there is little that is not raised on a damaged PDF
        problem = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: cannot be read as a PDF ({problem}); take the file as it was built or published") from None


class _Reader(HTMLParser):
    """Collects blocks of text, pictures and scripts while a page is read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.data: dict[str, str] = {}
        self._section = ""
        self._words: list[str] = []
        self._silent: list[str] = []
        self._figure = ""
        self._script: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag in NOT_TEXT:
            self._silent.append(tag)
            self._script = (known.get("type", ""), known.get("id", "")) if tag == "script" else ("style", "") if tag == "style" else None
        elif tag in BLOCKS:
            self._end_block("")
        elif tag in ("td", "th") and self._words:
            self._words.append(" | ")
        if tag == "figure":
            self._figure = known.get("id", "")
        elif tag == "img" and known.get("src"):
            self.page.pictures.setdefault(self._figure or f"picture {len(self.page.pictures) + 1}", known["src"])

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
            self._script = None
        elif tag in BLOCKS:
            self._end_block(tag)
        if tag == "figure":
            self._figure = ""

    def handle_data(self, data: str) -> None:
        if self._script:
            kind, name = self._script
            if kind == "application/json":
                self.data[name] = self.data.get(name, "") + data
            else:
                key = f"{name or kind or 'script'} {len(self.page.other) + 1}"
                self.page.other[key] = hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()
        elif not self._silent:
            self._words.append(data)

    def _end_block(self, tag: str) -> None:
        text = " ".join("".join(self._words).split())
        self._words = []
        if not text:
            return
        if tag in HEADINGS:
            self._section = text
        if tag == "figcaption":
            self.page.captions[self._figure] = text
        (self.page.how_made if HOW_MADE.match(text) else self.page.blocks).append(Block(self._section, text))
