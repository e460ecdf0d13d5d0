"""What is asked of a report as a PDF: each function reads the file and asserts one thing."""

import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pikepdf

MILLIMETER = 72 / 25.4
TEXT_FROM, TEXT_TO = 24 * MILLIMETER, 186 * MILLIMETER


def opens(file: Path) -> None:
    """The file is sound, and each of its pages can be drawn."""
    checked = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    drawn = subprocess.run(["pdftoppm", "-r", "20", "-gray", str(file)], capture_output=True, check=True)
    with pikepdf.open(file) as pdf:
        assert drawn.stdout.count(b"P5\n") >= len(pdf.pages) >= 3


def is_tagged(file: Path) -> None:
    """The file has a structure, a language, a title that viewers show, an author and keywords."""
    with pikepdf.open(file) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.StructTreeRoot.K
        assert str(pdf.Root.Lang)
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo["/Title"]).strip()
        with pdf.open_metadata() as metadata:
            assert metadata["dc:title"] == str(pdf.docinfo["/Title"])


def states_standards(file: Path) -> None:
    """The file says that it is PDF/A-2a and PDF/UA-1."""
    with pikepdf.open(file) as pdf, pdf.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "2"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["pdfuaid:part"] == "1"


def has_an_outline(file: Path) -> None:
    """Every heading is a bookmark, and no heading skips a level."""
    with pikepdf.open(file) as pdf:
        levels = [int(kind[2:]) for kind, _ in elements(pdf) if re.fullmatch(r"/H[1-6]", kind)]
        with pdf.open_outline() as outline:
            bookmarks = sum(1 for _ in _bookmarks(outline.root))
    assert levels
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert bookmarks == len(levels)


def pictures_have_words(file: Path) -> None:
    """Each figure and formula has words for those who cannot see it."""
    with pikepdf.open(file) as pdf:
        silent = [kind for kind, element in elements(pdf) if kind in ("/Figure", "/Formula") and not str(element.get("/Alt", "")).strip()]
        kinds = {kind for kind, _ in elements(pdf)}
    assert {"/Figure", "/Formula"} <= kinds
    assert silent == []


def tables_have_headers(file: Path) -> None:
    """Each table has rows, and its first cells are headers; each caption is tagged."""
    with pikepdf.open(file) as pdf:
        tables = [element for kind, element in elements(pdf) if kind == "/Table"]
        captions = [kind for kind, _ in elements(pdf) if kind == "/Caption"]
        assert tables
        assert len(captions) >= len(tables)
        for table in tables:
            kinds = [kind for kind, _ in _descendants(table)]
            assert "/TR" in kinds
            assert "/TH" in kinds


def links_land(file: Path) -> None:
    """Each link inside the file has a target in it, and says where it leads."""
    with pikepdf.open(file) as pdf:
        pages = {page.obj.objgen for page in pdf.pages}
        links = [link for page in pdf.pages for link in page.get("/Annots", []) if link.Subtype == "/Link"]
        named = pdf.Root.get("/Names", pikepdf.Dictionary()).get("/Dests", pikepdf.Dictionary()).get("/Names", pikepdf.Array())
        names = {str(name) for name in list(named)[::2]}
        assert links
        for link in links:
            assert str(link.get("/Contents", "")).strip()
            if "/Dest" in link:
                assert str(link.Dest) in names if isinstance(link.Dest, pikepdf.String) else link.Dest[0].objgen in pages
            else:
                assert re.match(r"https?:|mailto:|[\w./-]+$", str(link.A.URI))


def text_stays_on_the_page(file: Path) -> None:
    """No word leaves the page, and none of the text leaves its margins."""
    for page in _pages(file):
        width, height = (float(_attribute(page, name)) for name in ("width", "height"))
        for word in _words(page):
            left, top, right, bottom = _box(word)
            assert 0 <= left < right <= width, word
            assert 0 <= top < bottom <= height, word
            assert left >= TEXT_FROM, word
            assert right <= TEXT_TO, word


def equations_leave_room_for_their_numbers(file: Path) -> None:
    """No word stands where an equation's number does."""
    numbers = 0
    for page in _pages(file):
        boxes = {word: _box(word) for word in _words(page)}
        for number in [word for word in boxes if re.search(r">\(\d+\)<", word) and boxes[word][2] > TEXT_TO - MILLIMETER - 1]:
            left, top, _, bottom = boxes[number]
            middle = (top + bottom) / 2
            over = [word for word, box in boxes.items() if word != number and box[2] > left + 1 and box[1] < middle < box[3]]
            assert not over, (number, over)
            numbers += 1
    assert numbers or "Equation" not in _text(file)


def has_no_empty_page(file: Path) -> None:
    """Every page holds words between its header and its footer."""
    between = ["-x", "0", "-y", "76", "-W", "596", "-H", "694"]
    pages = subprocess.run(["pdftotext", *between, str(file), "-"], capture_output=True, text=True, check=True).stdout.split("\f")[:-1]
    assert pages
    assert all(page.split() for page in pages)


CHECKS: tuple[Callable[[Path], None], ...] = (
    opens,
    is_tagged,
    states_standards,
    has_an_outline,
    pictures_have_words,
    tables_have_headers,
    links_land,
    text_stays_on_the_page,
    equations_leave_room_for_their_numbers,
    has_no_empty_page,
)


def has_the_numbers_of(file: Path, page: Path) -> None:
    """The figures and tables of the PDF have the numbers and captions of the HTML file `page`."""
    text = _text(file)
    labels = re.findall(r'<span class="label">((?:Figure|Table)[^<]+\.)</span>', page.read_text("utf-8"))
    shown = {label.replace("\u00a0", " ") for label in labels}
    printed = set(re.findall(r"^((?:Figure|Table) \d+\.) ", text.replace("\u00a0", " "), flags=re.MULTILINE))
    assert shown
    assert shown == printed


def elements(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Any]]:
    return _descendants(pdf.Root.StructTreeRoot)


def _descendants(element: Any) -> Iterator[tuple[str, Any]]:
    children = element.get("/K", pikepdf.Array())
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary):
            if "/S" in child:
                yield str(child.S), child
            yield from _descendants(child)


def _bookmarks(items: list[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
    for item in items:
        yield item
        yield from _bookmarks(item.children)


def _text(file: Path) -> str:
    return subprocess.run(["pdftotext", str(file), "-"], capture_output=True, text=True, check=True).stdout


def _pages(file: Path) -> list[str]:
    """Return each page as a list of words with their boxes."""
    boxes = subprocess.run(["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True).stdout
    pages = boxes.split("<page ")[1:]
    assert pages
    return pages


def _words(page: str) -> list[str]:
    return re.findall(r"<word .*?</word>", page)


def _box(word: str) -> tuple[float, ...]:
    """Return the left, upper, right and lower edge of a word, in points."""
    return tuple(float(_attribute(word, name)) for name in ("xMin", "yMin", "xMax", "yMax"))


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    assert found, tag
    return found[1]
