"""Typesetting of a sample document that uses every convention, in both formats, and of documents that break them."""

import html
import io
import json
import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pikepdf
import pytest
from playwright.sync_api import Browser

from scripts.common import typesetting, webfonts
from scripts.common.typesetting import TypesettingError, to_html, to_pdf
from tests.report import checks_page, checks_pdf

SAMPLE = (Path(__file__).parent / "sample_report.md").read_text(encoding="utf-8")
ATTACK = '</script></style><script>alert(1)</script> & "quoted" \'single\' #eval("1") $x$ \\ [a] @b *c* <!-- `d` {{e}} <<f>> \u2028'
METADATA: dict[str, Any] = {
    "title": "What a network can learn where it starts",
    "author": "Ada Student",
    "student_id": "0123",
    "course": "A course",
    "date": "Fall 2026",
    "edition": "Solutions",
    "sources": ["Homework of the course", "Lecture 9"],
    "manifest": {"figures": {"fit": {"rule": "figure"}}},
    "digest": "0123456789abcdef",
}
PAPERS = """\
references:
  - {id: zeta1999, type: book, author: [{family: Zeta, given: Z.}], issued: 1999, title: "A book & more", publisher: A publisher}
  - id: accent2020
    type: article-journal
    author: [{family: Ångström, given: Anna}]
    issued: 2020
    title: On accents
    container-title: Journal of Letters
    volume: 3
    page: 10-19
    DOI: 10.1000/182(64)#x
  - id: deep2015
    type: paper-conference
    author: [{family: Deep, given: D.}, {family: Er, given: E.}, {family: Third, given: T.}]
    issued: 2015
    title: Deeper
    container-title: Proceedings
  - {id: never2001, type: book, author: [{family: Never, given: N.}], issued: 2001, title: Not cited, publisher: A publisher}
"""
PICTURE = "![Caption.](pictures/fit.svg){#fig:fit alt='Some words for it.'}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("project")
    _write_pictures(found)
    return found


@pytest.fixture(scope="module")
def sample(folder: Path) -> Path:
    """Return a folder with the sample as report.html and report.pdf."""
    found = folder / "report"
    found.mkdir()
    papers = folder / "papers.yaml"
    (found / "report.html").write_text(to_html(SAMPLE, metadata=METADATA, folder=folder, papers=papers), encoding="utf-8")
    (found / "report.pdf").write_bytes(to_pdf(SAMPLE, metadata=METADATA, folder=folder, papers=papers))
    return found


@pytest.fixture(scope="module")
def page(sample: Path) -> str:
    return (sample / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def printed(sample: Path) -> str:
    """Return the text of the sample's PDF with single blanks."""
    text = subprocess.run(["pdftotext", str(sample / "report.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(text.split())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks_page.chromium() as started:
        yield started


@pytest.mark.parametrize("check", checks_page.CHECKS, ids=lambda check: check.__name__)
def test_page(check: Callable[[Browser, Path], None], browser: Browser, sample: Path) -> None:
    check(browser, sample / "report.html")


@pytest.mark.parametrize("check", checks_pdf.CHECKS, ids=lambda check: check.__name__)
def test_pdf(check: Callable[[Path], None], sample: Path) -> None:
    check(sample / "report.pdf")


def test_numbers_are_alike(sample: Path) -> None:
    checks_pdf.has_the_numbers_of(sample / "report.pdf", sample / "report.html")


@pytest.mark.parametrize(
    ("check", "old_and_new"),
    [
        (checks_page.is_silent_and_alone, ("<main", '<img src="https://example.org/a.png" alt=""><main')),
        (checks_page.runs_only_its_own_scripts, ("<main", '<p onclick="alert(1)"></p><main')),
        (checks_page.runs_only_its_own_scripts, ("<main", "<script>alert(1)</script><main")),
        (checks_page.runs_only_its_own_scripts, ("default-src 'none'", "default-src 'self'")),
        (checks_page.is_small, ("<main", f"<!-- {'long ' * 3_000_000} --><main")),
        (checks_page.pictures_stand_without_scripts, ('alt="A saddle in color."', 'alt=""')),
        (checks_page.pictures_stand_without_scripts, ("data:image/png;base64,", "data:image/png;base64,AAAA")),
        (checks_page.pictures_stand_without_scripts, ("<figcaption>", "<div></div><figcaption>")),
        (checks_page.does_not_scroll_sideways, ("<main", f"<p>{'long' * 200}</p><svg width='2000' height='9'></svg><main")),
        (checks_page.links_land, ('id="fig:fit"', 'id="fig:other"')),
        (checks_page.links_land, ('id="q-2"', 'id="q-1"')),
        (checks_page.math_renders, ("data:font/woff;base64,", "data:font/woff;base64,AAAA")),
        (checks_page.math_renders, ("<mi>σ</mi>", "<mi>Ж</mi>")),
        (checks_page.is_accessible, ('<html lang="en">', "<html>")),
        (checks_page.has_landmarks, ("<h3 ", "<h4 ")),
        (checks_page.has_landmarks, (' scope="row"', "")),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_page_checks_find_faults(
    check: Callable[[Browser, Path], None], old_and_new: tuple[str, str], browser: Browser, page: str, tmp_path: Path
) -> None:
    assert old_and_new[0] in page
    file = tmp_path / "report.html"
    file.write_text(page.replace(*old_and_new), encoding="utf-8")
    with pytest.raises(AssertionError):
        check(browser, file)


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        (checks_pdf.is_tagged, lambda pdf: pdf.Root.__delitem__("/MarkInfo")),
        (checks_pdf.is_tagged, lambda pdf: pdf.Root.__delitem__("/Lang")),
        (checks_pdf.states_standards, lambda pdf: pdf.Root.__delitem__("/Metadata")),
        (checks_pdf.has_an_outline, lambda pdf: pdf.Root.__delitem__("/Outlines")),
        (checks_pdf.pictures_have_words, lambda pdf: _first(pdf, "/Formula").__delitem__("/Alt")),
        (checks_pdf.tables_have_headers, lambda pdf: _first(pdf, "/THead").__setitem__("/K", pikepdf.Array())),
        (checks_pdf.links_land, lambda pdf: pdf.Root.Names.__delitem__("/Dests")),
        (checks_pdf.text_stays_on_the_page, lambda pdf: pdf.pages[3].__setitem__("/MediaBox", pikepdf.Array([0, 0, 400, 842]))),
        (checks_pdf.has_no_empty_page, lambda pdf: pdf.add_blank_page()),
    ],
    ids=lambda value: value.__name__,
)
def test_pdf_checks_find_faults(
    check: Callable[[Path], None], fault: Callable[[pikepdf.Pdf], object], sample: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.pdf"
    with pikepdf.open(sample / "report.pdf") as pdf:
        fault(pdf)
        pdf.save(file)
    with pytest.raises((AssertionError, AttributeError, KeyError)):
        check(file)


@pytest.mark.parametrize(
    ("target", "words"),
    [("fig:fit", "Figure 1"), ("tbl:losses", "Table 1"), ("eq:taylor", "Equation 1"), ("sec:small", "Section 1.2")],
)
def test_references(target: str, words: str, page: str, printed: str, sample: Path) -> None:
    assert f'<a class="reference" href="#{target}">{words.replace(" ", chr(0xA0))}</a>' in page
    assert len(re.findall(rf' id="{target}"', page)) == 1
    assert printed.count(words) >= 1
    with pikepdf.open(sample / "report.pdf") as pdf:
        links = [link for sheet in pdf.pages for link in sheet.get("/Annots", []) if "/Dest" in link]
        described = [" ".join(str(link.Contents).split()) for link in links]
    assert words in described


def test_reference_to_a_question(page: str, printed: str) -> None:
    assert '<a class="reference" href="#q-1">Question 1</a>' in page
    assert '<div class="box question" id="q-1">' in page
    assert printed.count("Question 1") == 2


def test_short_and_joined_references(folder: Path) -> None:
    body = _body(to_html(PICTURE + "\n\n[-@fig:fit] and [@fig:fit; -@fig:fit].", metadata=METADATA, folder=folder))
    assert re.sub("<[^>]+>", "", body).count("1 and Figure\u00a01 and 1.") == 1


def test_citations(page: str, printed: str, sample: Path) -> None:
    assert '(<a href="#ref-deep2015" role="doc-biblioref">Deep et al. 2015</a>; ' in page
    assert '<a href="#ref-zeta1999" role="doc-biblioref">Zeta 1999, sec. 2</a>)' in page
    assert 'Ångström (<a href="#ref-accent2020" role="doc-biblioref">2020</a>)' in page
    assert "(Deep et al. 2015; Zeta 1999, sec. 2), and Ångström (2020) answered" in printed
    with pikepdf.open(sample / "report.pdf") as pdf:
        links = [link for sheet in pdf.pages for link in sheet.get("/Annots", []) if "/Dest" in link]
        last = f"page {len(pdf.pages)}"
    assert [str(link.Contents) for link in links].count(last) == 3, "three citations lead to the page of the bibliography"


def test_bibliography(page: str, printed: str, sample: Path) -> None:
    """What is cited stands at the end, in the order of its authors; what is not is left out."""
    heading, _, entries = page.partition('</h2>\n<ul class="papers" role="list">')
    assert re.search(r'<h2[^>]* id="sec:bibliography"[^>]*>Bibliography$', heading)
    assert entries.partition("</ul>")[2].lstrip().startswith('<section id="footnotes"'), "nothing but footnotes stands below"
    assert re.findall(r'<li id="ref-([^"]+)">', entries) == ["accent2020", "deep2015", "zeta1999"]
    assert "Ångström, Anna. 2020. <span>“On Accents.”</span> <em>Journal of Letters</em> 3: 10–19." in entries
    assert "<em>A Book &amp; More</em>" in entries
    assert "https://doi.org/10.1000/182(64)#x" in html.unescape(unquote(entries))
    assert "Never" not in page + printed
    last = printed.rpartition("Bibliography Ångström, Anna. 2020. “On Accents.” Journal of Letters 3: 10–19.")[2]
    assert "Zeta, Z. 1999. A Book & More. A publisher." in last
    with pikepdf.open(sample / "report.pdf") as pdf, pdf.open_outline() as outline:
        assert outline.root[-1].title == "Bibliography"
        kinds = [kind for kind, _ in checks_pdf.elements(pdf)]
    assert kinds[len(kinds) - kinds[::-1].index("/L") :].count("/LI") == 3, "the papers are a list of three"


def test_text_that_cites_nothing_has_no_bibliography(folder: Path) -> None:
    assert "Bibliography" not in _body(to_html("# A\n\nText.", metadata=METADATA, folder=folder, papers=folder / "papers.yaml"))
    assert "Bibliography" not in _text(to_pdf("# A\n\nText.", metadata=METADATA, folder=folder, papers=folder / "papers.yaml"))


def test_citations_stand_anywhere(folder: Path) -> None:
    table = "::: {#tbl:a .table}\n\n| a |\n|---|\n| [@zeta1999] |\n\n: By @deep2015.\n\n:::"
    text = f"# A\n\n{PICTURE.replace('Caption.', 'So says @zeta1999.')}\n\n{table}"
    body = re.sub("<[^>]+>", "", _body(to_html(text, metadata=METADATA, folder=folder, papers=folder / "papers.yaml")))
    printed = _text(to_pdf(text, metadata=METADATA, folder=folder, papers=folder / "papers.yaml"))
    for words in ("So says Zeta (1999).", "(Zeta 1999)", "By Deep et al. (2015)."):
        assert words in body
        assert words in printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("As @nobody2000 says.", "line 1 of the text: reference '@nobody2000' has no target"),
        (
            "# A {#sec:a}\n\nSee [@zeta1999; @sec:a].",
            "line 3 of the text: '@zeta1999', a paper, stands in one pair of brackets with a reference",
        ),
    ],
)
def test_broken_citations(text: str, message: str, folder: Path) -> None:
    for typeset in (to_html, to_pdf):
        with pytest.raises(TypesettingError, match=re.escape(message)):
            typeset(text, metadata=METADATA, folder=folder, papers=folder / "papers.yaml")


def test_papers_cannot_break_out(folder: Path, tmp_path: Path) -> None:
    papers = tmp_path / "papers.yaml"
    papers.write_text(PAPERS.replace("A book & more", "A <script>book</script>"), encoding="utf-8")
    for typeset in (to_html, to_pdf):
        with pytest.raises(TypesettingError, match="raw html '<script>book</script>' would be lost"):
            typeset("As @zeta1999 says.", metadata=METADATA, folder=folder, papers=papers)


def test_figures(page: str, printed: str, folder: Path) -> None:
    words = html.escape('Three sine curves over x from −1 to 1 & more: "amplitudes" 1, 1/2 and 1/3.')
    address = re.search(f'<img loading="lazy" src="data:image/svg[+]xml,([^"]*)" alt="{re.escape(words)}"', page)
    assert address
    shown, drawn = (
        " ".join(ElementTree.canonicalize(text, strip_text=True).split())
        for text in (unquote(address[1]), (folder / "pictures/fit.svg").read_text(encoding="utf-8"))
    )
    assert shown == drawn
    assert "Figure\u00a01.</span> The target, and each of its sines." in page
    assert "Figure 1. The target, and each of its sines." in printed
    assert 'src="data:image/png;base64,' in page


def test_alternative_text_in_the_pdf(sample: Path) -> None:
    with pikepdf.open(sample / "report.pdf") as pdf:
        words = [str(element.Alt) for kind, element in checks_pdf.elements(pdf) if kind in ("/Figure", "/Formula")]
    assert 'Three sine curves over x from −1 to 1 & more: "amplitudes" 1, 1/2 and 1/3.' in words
    assert "x \\in [-1, 1]" in words
    assert any(text.startswith("\\begin{pmatrix} f(x_1, \\mathbf{w}') \\\\ \\vdots") for text in words)


def test_tables(page: str, printed: str, sample: Path) -> None:
    assert re.search(r'<caption>\s*<span class="caption-text"><span class="label">Table\u00a01\.</span> Gradient norms', page)
    assert '<th scope="col">variant</th>' in page
    assert '<th scope="row"><code>deep_small</code></th>' in page
    assert '<td class="right">3.1e−07</td>' in page
    assert '<td class="right">0.412 (0.40\u00a0to\u00a00.43)</td>' in page, "a line may end before an interval, and not within"
    assert '<td class="right">0 of 20</td>' in page
    assert "Table 1. Gradient norms" in printed
    lines = subprocess.run(["pdftotext", "-layout", str(sample / "report.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    headers = re.findall(r"^ *row +feature 1 +feature 2$", lines, flags=re.MULTILINE)
    assert len(headers) == 2, "the header stands on both pages of the long table"
    assert "style=" not in page.partition("<body>")[2]


def test_equations(page: str, printed: str) -> None:
    assert page.count('<span class="equation-number">') == 2
    assert '<div class="numbered-equation" id="eq:cases">' in page
    assert "(2)" in printed
    assert '<annotation encoding="application/x-tex">10^{-3}</annotation>' in page
    assert "𝐔" in page, "\\mathbf is upright bold"
    assert all(sign in text for sign in "⊙⊕⊗" for text in (page, printed))


def test_a_long_word_may_be_broken_in_the_pdf_and_words_kept_together_may_not(folder: Path) -> None:
    interval = "\u22120.010\u00a0(\u22120.068\u00a0to\u00a00.050)"
    printed = _text(to_pdf(f"# A\n\n{interval} and {'abcdefghij' * 3}", metadata=METADATA, folder=folder))
    assert interval in printed.replace(" ", "\u00a0")
    assert "abcdefghijabcdefghij\u200babcdefghij" in printed


def test_verdicts_and_evidence(page: str, printed: str) -> None:
    for verdict in ("supported", "refuted", "inconclusive"):
        assert re.search(rf'<span class="verdict {verdict}"><svg class="icon"[^>]*>.*?</svg>{verdict}</span>', page)
        assert f" {verdict} " in printed
    assert '<span class="evidence">(median 3.1e−07, 95\u00a0% interval 2.2e−07 to 4.0e−07, n\u00a0=\u00a020)</span>' in page
    assert "(median 3.1e−07, 95 % interval 2.2e−07 to 4.0e−07, n = 20)" in printed


def test_boxes(page: str, printed: str) -> None:
    for kind, label in (("question", "Question 1"), ("answer", "Answer"), ("task", "Task"), ("correction", "Correction")):
        assert re.search(rf'<div class="box {kind}"[^>]*><p class="box-label">{label}</p>', page)
        assert label in printed
    assert page.count('<div class="space" aria-hidden="true">' + "<div></div>" * 6 + "</div>") == 1


def test_room_to_write_is_in_the_pdf(folder: Path) -> None:
    room = '::: {.space lines="60"}\n:::'
    pages = [_pages(to_pdf(f"# A\n\n{text}\n\nEnd.", metadata=METADATA, folder=folder)) for text in ("", room)]
    assert pages == [3, 5]


def test_details_and_one_format_only(page: str, printed: str) -> None:
    assert "<details><summary>How this figure was made</summary>" in page
    assert "How this figure was made" not in printed
    assert "Only in HTML." in page
    assert "Only in PDF." not in page
    assert "<kbd>Ctrl</kbd>" in page
    assert "Only in PDF." in printed
    assert "Only in HTML." not in printed


def test_contents(page: str, printed: str, sample: Path) -> None:
    navigation = page.partition('<nav class="contents wide"')[2].partition("</nav>")[0]
    assert re.findall(r'href="#([^"]+)"', navigation)[:3] == ["sec:depth", "sec:data", "sec:small"]
    assert "Contents" in printed
    with pikepdf.open(sample / "report.pdf") as pdf, pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["Contents", "1 Initialization and depth", "Bibliography"]
        assert [item.title for item in outline.root[1].children][:2] == ["1.1 The data", "1.2 When the scale is too small"]


def test_metadata(page: str, printed: str, sample: Path) -> None:
    for value in ("title", "author", "student_id", "course", "date", "edition"):
        assert METADATA[value] in page
        assert METADATA[value] in printed
    assert "Lecture 9" in page
    assert "Lecture 9" in printed
    assert json.loads(_manifest(page)) == METADATA["manifest"]
    with pikepdf.open(sample / "report.pdf") as pdf:
        assert str(pdf.docinfo["/Title"]) == METADATA["title"]
        assert str(pdf.docinfo["/Author"]) == METADATA["author"]
        assert METADATA["course"] in str(pdf.docinfo["/Keywords"])
        assert str(pdf.Root.Lang) == "en"


def test_metadata_cannot_break_out(folder: Path, browser: Browser, tmp_path: Path) -> None:
    attacked = dict.fromkeys(METADATA, ATTACK) | {"sources": [ATTACK], "keywords": [ATTACK], "manifest": {ATTACK: [ATTACK]}}
    file = tmp_path / "report.html"
    file.write_text(to_html(f"# A\n\n{PICTURE}", metadata=attacked, folder=folder), encoding="utf-8")
    text = " ".join(ATTACK.split())
    checks_page.is_silent_and_alone(browser, file)
    with checks_page.opened(browser, file) as page:
        assert page.evaluate("document.scripts.length") == 1
        assert page.text_content("h1") == text
        assert page.text_content("dd") == text
        assert page.title() == text
        assert page.get_attribute("meta[name=author]", "content") == text
        assert json.loads(page.text_content("#manifest") or "") == attacked["manifest"]
    file.write_bytes(to_pdf("# A\n\nText.", metadata=attacked, folder=folder))
    with pikepdf.open(file) as pdf:
        assert str(pdf.docinfo["/Title"]) == text
        assert str(pdf.docinfo["/Author"]) == text


def test_explorer_cannot_break_out(folder: Path, browser: Browser, tmp_path: Path) -> None:
    attacked = {"stops": [ATTACK], "readout": [ATTACK], "panels": [], "arrays": []}
    explorers = {"pictures/fit.svg": attacked, "pictures/none.svg": {"stops": ["not of this page"]}}
    file = tmp_path / "report.html"
    file.write_text(to_html(f"# A\n\n{PICTURE}", metadata=METADATA, folder=folder, explorers=explorers), encoding="utf-8")
    checks_page.runs_only_its_own_scripts(browser, file)
    with checks_page.opened(browser, file, java_script_enabled=False) as page:
        assert page.evaluate("document.scripts.length") == 4
        assert json.loads(page.text_content('[id="explorer-fig:fit"]') or "") == attacked
    assert "not of this page" not in file.read_text(encoding="utf-8")


def test_page_without_explorers_needs_no_script(page: str) -> None:
    assert "script-src" not in page
    assert "unsafe-inline" not in page
    assert page.count("<script") == 1


def test_another_bundle_is_an_error(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "PLOTLY", tmp_path / "plotly.min.js")
    (tmp_path / "plotly.min.js").write_text("/* Plotly */ window.Plotly = Plotly;")
    with pytest.raises(TypesettingError, match="not the bundle that this version reads; install the pinned requirements"):
        to_html(PICTURE, metadata=METADATA, folder=folder, explorers={"pictures/fit.svg": {"arrays": []}})


def test_text_cannot_break_out(folder: Path) -> None:
    words = '`</script> #eval("1")` and \\#eval("1") \\$x\\$ \\@b \\<b\\> \\*c\\* \\[d\\] \\`e\\`'
    text = f"# A\n\n{words}\n\n| a |\n|---|\n| 1. one |\n| \\- two |\n| = three |\n"
    body = re.sub("<[^>]+>", "", _body(to_html(text, metadata=METADATA, folder=folder)))
    for word in ("&lt;/script&gt;", "$x$", "@b", "&lt;b&gt;", "*c*", "[d]", "`e`", "1. one", "- two", "= three"):
        assert word in body, word
    printed = _text(to_pdf(text, metadata=METADATA, folder=folder))
    for word in ("</script> #eval(", "#eval(", "$x$", "@b", "<b>", "*c*", "[d]", "`e`", "1. one", "- two", "= three"):
        assert word in printed, word


def test_same_bytes_in_another_folder(sample: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another place with a longer name"
    _write_pictures(elsewhere)
    webfonts._subset.cache_clear()
    papers = elsewhere / "papers.yaml"
    assert to_html(SAMPLE, metadata=METADATA, folder=elsewhere, papers=papers).encode() == (sample / "report.html").read_bytes()
    assert to_pdf(SAMPLE, metadata=METADATA, folder=elsewhere, papers=papers) == (sample / "report.pdf").read_bytes()


def test_timestamp_is_the_one_given(folder: Path) -> None:
    with pikepdf.open(_stream(to_pdf("# A\n\nText.", metadata=METADATA, folder=folder, timestamp=86_400))) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:19700102")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A <b>word</b>.", "line 1 of the text: raw html '<b>' would be lost"),
        ("<div>block</div>", "raw html"),
        ("A \\unknown command.", "raw tex"),
        ("See @fig:nothing.", "line 1 of the text: reference '@fig:nothing' has no target"),
        ("Mail a@b.org @who.", "reference '@who' has no target"),
        ("[a](#nowhere)", "link to '#nowhere' has no target"),
        ("# A {#sec:a}\n\n## B {#sec:a}", "identifier 'sec:a' is used twice"),
        ("# A\n\n### B", "heading 'B' skips a level; begin it with ##"),
        ("## A", "heading 'A' skips a level; begin it with #, one # more"),
        ("![Caption.](pictures/none.svg){#fig:a alt='Words for it.'}", "line 1 of the text: picture 'pictures/none.svg' is missing"),
        ("![Caption.](../fit.svg){#fig:a alt='Words for it.'}", "must be a path inside the folder"),
        ("![Caption.](https://example.org/a.svg){#fig:a alt='Words for it.'}", "must be a path inside the folder"),
        ("![Caption.](pictures/words.svg){#fig:a alt='Words for it.'}", "holds text in a font"),
        ("![Caption.](pictures/empty.svg){#fig:a alt='Words for it.'}", "is not an SVG"),
        ("![Caption.](pictures/fit.txt){#fig:a alt='Words for it.'}", "is not an .svg, .png or .jpg"),
        ("![Caption.](pictures/fit.svg){#fig:a}", "has no text of its own"),
        ("Words ![Caption.](pictures/fit.svg){alt='Words for it.'} around.", "must stand in a paragraph of its own"),
        ("::: {.qestion}\nWhy?\n:::", "block of class 'qestion' is unknown; known: question, answer"),
        ("[so]{.verdict .suported}", "a verdict has words and one of the classes supported, refuted, inconclusive"),
        ("[]{.verdict .supported}", "a verdict has words"),
        ("[so]{.evidense}", "inline class 'evidense' is unknown"),
        ("::: {.space}\n:::", "it needs a whole number from 1 to 60"),
        ('::: {.space lines="1000"}\n:::', 'room to write has lines="1000"'),
        ("::: {.details}\nWords.\n:::", "needs summary="),
        (f'::: {{.details summary="a"}}\n{PICTURE}\n:::', "which one of the formats leaves out"),
        ("::: {.only-pdf}\n# A\n:::", "which one of the formats leaves out"),
        ("::: {#tbl:a .table}\nWords.\n:::", "holds no table"),
        ("::: {#tbl:a .table}\n\n| a |\n|---|\n| b |\n\n:::", "table 'tbl:a' has no caption"),
        ("::: {#tbl:a .table}\n\n-- --\na  b\n-- --\n\n: Caption.\n\n:::", "table 'tbl:a' needs one header row"),
        ("::: {#eq:a}\nWords.\n:::", "block 'eq:a' holds one equation"),
        ("$\\frac{1}{$", "math cannot be read"),
        ("$\\nosuchcommand x$", "math cannot be read"),
        ("$\\|x\\|_2$", "write \\lVert ... \\rVert"),
        ("$|x|$", "more than one plain bar"),
        ("$\\begin{array}{c} a \\end{array}$", "math '\\begin{array}' does not look alike"),
        ("$\\begin{aligned} a & b & c \\end{aligned}$", "more than one & in a row"),
        ("$1{,}500$", "write 1500"),
    ],
)
def test_broken_conventions(text: str, message: str, folder: Path) -> None:
    with pytest.raises(TypesettingError) as raised:
        to_html(text, metadata=METADATA, folder=folder)
    assert message in str(raised.value)
    assert "traceback" not in str(raised.value)


def test_all_problems_at_once(folder: Path) -> None:
    for typeset in (to_html, to_pdf):
        with pytest.raises(TypesettingError) as raised:
            typeset("# A\n\nSee @fig:a.\n\n[b]{.evidense}\n\n$|x|$", metadata=METADATA, folder=folder)
        lines = str(raised.value).splitlines()
        assert [line.partition(" of the text: ")[0] for line in sorted(lines)] == ["line 3", "line 5", "line 7"]


def test_character_without_glyph(folder: Path) -> None:
    with pytest.raises(TypesettingError, match=r"line 3 of the text: PDF: .*could not be displayed"):
        to_pdf("# A\n\nA smile: \U0001f600", metadata=METADATA, folder=folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "has no title"),
        ({"title": None}, "has no title"),
        ({"language": "<en>"}, "language '<en>' is not a code"),
        ({"sources": "one"}, "'sources' is not a list"),
    ],
)
def test_wrong_metadata(changes: dict[str, Any], message: str, folder: Path) -> None:
    for typeset in (to_html, to_pdf):
        with pytest.raises(TypesettingError, match=re.escape(message)):
            typeset("# A", metadata=METADATA | changes, folder=folder)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TypesettingError, match="no such folder"):
        to_html("# A", metadata=METADATA, folder=tmp_path / "none")


def test_typst_warning_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webfonts, "MATH_FAMILY", "No Such Font")
    with pytest.raises(TypesettingError, match="unknown font family"):
        to_pdf("# A\n\n$x$", metadata=METADATA, folder=folder)


def _body(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def _manifest(page: str) -> str:
    return page.partition('id="manifest">')[2].partition("</script>")[0]


def _first(pdf: pikepdf.Pdf, kind: str) -> Any:
    return next(element for found, element in checks_pdf.elements(pdf) if found == kind)


def _stream(pdf: bytes) -> Any:
    return io.BytesIO(pdf)


def _pages(pdf: bytes) -> int:
    with pikepdf.open(_stream(pdf)) as document:
        return len(document.pages)


def _text(pdf: bytes) -> str:
    found = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(found.stdout.decode().split())


def _write_pictures(folder: Path) -> None:
    (folder / "pictures").mkdir(parents=True)
    for name, width in (("fit", 460), ("panels", 680)):
        (folder / f"pictures/{name}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="230pt" viewBox="0 0 {width} 230">'
            f'<path d="M0 115 Q {width / 4} 0 {width / 2} 115 T {width} 115" fill="none" stroke="#1f4f8f" stroke-width="2"/></svg>'
        )
    (folder / "pictures/words.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>words</text></svg>')
    (folder / "pictures/empty.svg").write_text("")
    (folder / "pictures/fit.txt").write_text("words")
    (folder / "pictures/map.png").write_bytes(_png(40, 30))
    (folder / "papers.yaml").write_text(PAPERS, encoding="utf-8")


def _png(width: int, height: int) -> bytes:
    """Return a gray picture of one shade."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
