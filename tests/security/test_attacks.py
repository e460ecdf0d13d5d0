"""Every text of a report as an attack, in a real browser and in the PDF: nothing runs, nothing is read, and the words stand there."""

import csv
import html
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pikepdf
import pytest
from playwright.sync_api import Browser, Page

from scripts.common import typesetting
from scripts.common.escaping import checked_markdown, checked_words
from scripts.common.typesetting import TypesettingError
from scripts.common.yaml_file import YamlError, read_yaml
from tests.copies import mini_copy, problems, working_in
from tests.report import checks_page, checks_pdf
from tests.security import reports
from tests.security.attacks import CANARY, REFUSED, TEXTS

OF_REPORT = dict(zip(("title", "author", "student_id", "course", "date"), (TEXTS[1], TEXTS[4], TEXTS[2], TEXTS[9], TEXTS[20]), strict=True))
DRAWN = tuple(place for place, text in enumerate(TEXTS) if "%{" in text or text.startswith(("one $", "$\\frac", "=cmd", "<!-- a")))
"""Which of the attacks stand in figures that are drawn, with their explorers, unless all are asked for: those that mean something there."""


class Attacked(NamedTuple):
    """A report whose texts are attacks: its folder, and which of these stand in figures that were drawn."""

    folder: Path
    drawn: Sequence[int]

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def printed(self) -> Path:
        return self.folder / "report.pdf"


@pytest.fixture(
    scope="module", params=[DRAWN, pytest.param(range(len(TEXTS)), marks=pytest.mark.long)], ids=["some figures", "all figures"]
)
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("attacked")
    mini_copy(folder)
    with working_in(folder):
        reports.write(folder, TEXTS, of_report=OF_REPORT)
        page, printed = reports.typeset(folder, TEXTS, drawn=request.param)
    made = Attacked(folder, request.param)
    made.page.write_bytes(page)
    made.printed.write_bytes(printed)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks_page.chromium() as started:
        yield started


def normal(text: str) -> str:
    """Return text without blanks and what typesetting changes: dashes for signs, hyphens at the ends of lines, letters joined in a font."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("…", "...").replace("e\u0301", "é")
    return re.sub(r"[\s\u00ad\u200b-]+", "", text)


# in a browser


def test_nothing_runs_and_nothing_is_asked_for(attacked: Attacked, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(checks_page.LISTEN)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("data:") else None)
    page.on("framenavigated", lambda frame: said.append(frame.url) if frame.url != attacked.page.as_uri() else None)
    page.goto(attacked.page.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    checks_page.start_explorers(page)
    _use(page)
    found = page.evaluate(f"[{CANARY} === undefined, refused, frames.length]")
    page.wait_for_timeout(300)
    context.close()
    assert found == [True, [], 0]
    assert said == []
    assert asked == [attacked.page.as_uri()]


def _use(page: Page) -> None:
    """Move the sliders and point at what explorers draw, so that they write all that they can say."""
    for slider in page.get_by_role("slider").all()[:8]:
        slider.focus()
        page.keyboard.press("ArrowRight")
    for plot in page.locator(".plot[role=img]").all()[:8]:
        plot.scroll_into_view_if_needed()
        plot.evaluate("plot => Plotly.Fx.hover(plot, plot.data.map((_, at) => ({curveNumber: at, pointNumber: 0})))")


def test_the_page_has_no_elements_of_theirs(attacked: Attacked, browser: Browser) -> None:
    checks_page.runs_only_its_own_scripts(browser, attacked.page)
    with checks_page.opened(browser, attacked.page) as page:
        checks_page.start_explorers(page)
        foreign = (
            "iframe, object, embed, form, base, input:not([type=range]), link:not([rel=icon]), meta[http-equiv=refresh], animate, maction"
        )
        links = page.evaluate("[...document.links].map(link => link.getAttribute('href'))")
        assert page.evaluate(f"document.querySelectorAll('{foreign}').length") == 0
        assert page.evaluate("document.querySelectorAll('style').length") >= 1
        assert (
            page.evaluate("[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(a => /^on/i.test(a.name))).length")
            == 0
        )
    assert [link for link in links if not re.match(r"#|data/|https://doi[.]org/", link)] == []


def test_words_stand_in_the_page_as_they_were_given(attacked: Attacked, browser: Browser) -> None:
    with checks_page.opened(browser, attacked.page, java_script_enabled=False) as page:
        chapters = page.evaluate(
            """[...document.querySelectorAll("main h2")].slice(1).map(heading => {
                const parts = [];
                for (let part = heading; part; part = part.nextElementSibling) {
                    if (part !== heading && part.tagName === "H2") break;
                    parts.push(part);
                }
                const texts = selector => parts.flatMap(part => [...part.querySelectorAll(selector)].map(one => one.textContent));
                return {
                    title: heading.textContent, captions: texts("figcaption, caption"), cells: texts("td, th"), said: texts("strong"),
                    alt: parts.flatMap(part => [...part.querySelectorAll("img")].map(one => one.alt)),
                    all: parts.map(part => part.textContent),
                };
            })"""
        )
        assert page.title() == OF_REPORT["title"]
        facts = page.evaluate("[...document.querySelectorAll('dd')].map(fact => fact.textContent)")
        sources = page.evaluate("[...document.querySelectorAll('footer li')].map(source => source.textContent)")
    assert {OF_REPORT[key] for key in ("author", "student_id", "date")} <= set(facts)
    assert list(map(normal, sources)) == list(map(normal, TEXTS))
    chapters = chapters[: len(TEXTS)]
    assert len(chapters) == len(TEXTS)
    for place, (attack, shown) in enumerate(zip(TEXTS, chapters, strict=True)):
        wanted = normal(attack)
        cells = [normal(cell) for cell in shown["cells"]]
        assert normal(shown["title"]) == f"{place + 1}{wanted}", attack
        assert sum(normal(caption).count(f"Caption:{wanted}") for caption in shown["captions"]) == 3, attack
        assert cells.count(f"narrow{wanted}") == 2, attack  # the table of fates, and the title of a question in the inventory
        assert cells.count(f"wide{wanted}") == 1, attack
        assert wanted in cells, attack  # what a phase sweeps, and what a source says
        assert f"narrow{wanted};wide{wanted}" in cells, attack
        assert any(cell.startswith(f"{wanted}:0.5") for cell in cells), attack
        assert all(wanted in normal(alt) for alt in shown["alt"]), attack
        assert any(normal(said).startswith(f"narrow{wanted}") for said in shown["said"]), attack
        assert f"Labels:wide{wanted},layers{wanted}" in normal(" ".join(shown["all"])), attack


def test_explorers_show_words_as_they_were_given(attacked: Attacked, browser: Browser) -> None:
    with checks_page.opened(browser, attacked.page) as page:
        checks_page.start_explorers(page)
        for place, attack in [(place, TEXTS[place]) for place in attacked.drawn]:
            figure = page.locator(f'[id="fig:layers_{place}"]')
            axis = figure.locator(".xtitle").first.text_content() or ""
            figure.locator(".plot[role=img]").evaluate("plot => Plotly.Fx.hover(plot, [{curveNumber: 0, pointNumber: 0}])")
            told = figure.locator(".hovertext").first.text_content() or ""
            wanted = normal(attack)
            assert normal(axis) == wanted
            assert normal(told).startswith(normal(f"layers {attack}, 1:"))
            assert normal(figure.locator(".controls label").text_content() or "").startswith(wanted)
            assert wanted in normal(figure.locator("output").text_content() or "")
            assert wanted.lower() in normal(figure.locator(".panel-title").text_content() or "").lower()
            assert figure.locator(".plot a, .plot script, .plot image, .plot foreignObject").count() == 0


# in the PDF


@pytest.mark.parametrize("check", checks_pdf.CHECKS, ids=lambda check: check.__name__)
def test_the_pdf_is_whole(attacked: Attacked, check: Callable[[Path], None]) -> None:
    check(attacked.printed)


@pytest.mark.parametrize("word", ["x" * 60, "a\\_b.c:d=" * 7 + "e"])
def test_long_words_are_broken_in_the_pdf(word: str, tmp_path: Path) -> None:
    table = f"| What | Which | How much | Verdict |\n|---|---|---|---|\n| {word} | {word} | words that are prose here, so long | {word} |\n"
    (tmp_path / "report.pdf").write_bytes(
        typesetting.to_pdf(f"# {word}\n\nText {word}.\n\n{table}", metadata={"title": "A"}, folder=tmp_path)
    )
    checks_pdf.text_stays_on_the_page(tmp_path / "report.pdf")


def test_the_pdf_reads_no_file_and_runs_nothing(attacked: Attacked) -> None:
    with pikepdf.open(attacked.printed) as pdf:
        names = {
            str(value) for one in pdf.objects if isinstance(one, pikepdf.Dictionary) for value in (one.get("/S"), one.get("/Type")) if value
        }
        addresses = [str(link.A.URI) for page in pdf.pages for link in page.get("/Annots", []) if "/A" in link and "/URI" in link.A]
    assert names.isdisjoint({"/JavaScript", "/Launch", "/EmbeddedFile", "/SubmitForm", "/ImportData", "/GoToR", "/RichMedia"})
    assert [address for address in addresses if not address.startswith(("data/", "https://doi.org/"))] == []
    assert "root:x:" not in _printed(attacked.printed)


def test_words_stand_in_the_pdf_as_they_were_given(attacked: Attacked) -> None:
    text = normal(_printed(attacked.printed))
    with pikepdf.open(attacked.printed) as pdf:
        titles = [normal(str(part.title)) for part in _outline(pdf)]
        assert str(pdf.docinfo["/Title"]) == OF_REPORT["title"]
        assert str(pdf.docinfo["/Author"]) == OF_REPORT["author"]
    missing = [attack for attack in TEXTS if normal(attack) not in "".join(titles)]
    assert missing == []
    for attack in TEXTS:
        assert text.count(normal(attack)) >= 4, attack  # at least: its title, the source, and labels that no line's end breaks


def _outline(pdf: pikepdf.Pdf) -> list[Any]:
    with pdf.open_outline() as outline:
        found, left = [], list(outline.root)
        while left:
            found.append(left.pop(0))
            left += found[-1].children
        return found


def _printed(file: Path) -> str:
    return subprocess.run(["pdftotext", str(file), "-"], capture_output=True, text=True, check=True).stdout


# what stands beside


def test_tables_for_spreadsheets_begin_no_formula(attacked: Attacked) -> None:
    files = list((attacked.folder / "results/figure").rglob("*.csv"))
    assert files
    cells = [cell for file in files for row in csv.reader(file.read_text(encoding="utf-8").splitlines()) for cell in row]
    assert any(cell.startswith(("narrow", "layers")) or cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "@", "+", "-")) and not re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", cell)] == []


def test_pictures_hold_no_words(attacked: Attacked) -> None:
    for file in (attacked.folder / "results/figure").rglob("*.svg"):
        drawing = file.read_text(encoding="utf-8")
        assert "<script" not in drawing
        assert "<text" not in drawing
        assert not re.search(r"\son\w+=", drawing)
        assert html.unescape(drawing).count("javascript:") == 0


# what cannot be shown


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_what_cannot_be_shown_is_refused_with_its_place(text: str, tmp_path: Path) -> None:
    mini_copy(tmp_path)
    with working_in(tmp_path):
        settings = read_yaml("config/report.yaml")
        for key in ("title", "author", "student_id", "course", "date"):
            told = problems(settings | {key: text})
            assert len(told) == 1
            assert told[0].startswith(f"--config or --configfile: {key}: wrong value ")
            assert told[0].isprintable()


@pytest.mark.parametrize("text", [text for text in REFUSED if len(text) < 10 and text != "a\r\nb"], ids=ascii)
def test_a_file_with_what_cannot_be_shown_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\nb: " + '"' + "".join(f"\\U{ord(letter):08X}" for letter in text) + '"\n', encoding="utf-8")
    with pytest.raises(YamlError, match=r"line 2, column \d+: not valid YAML: "):
        read_yaml(file)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JavaScript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html,x)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "[x](https://example.org){onclick=alert(1)}",
        "[x]{.mark onmouseover=alert(1)}",
        "[x]{.mark style='position:fixed'}",
        "`x`{onclick=alert(1)}",
        "## A {onclick=alert(1)}",
        "::: {.answer onclick=alert(1)}\n\nx\n\n:::",
        "<b onclick=alert(1)>x</b>",
        "`<b>`{=html}",
        '`#read("/etc/passwd")`{=typst}',
        "\\input{/etc/passwd}",
        "![x](/etc/passwd.png){#fig:a alt='y'}",
        "![x](../../etc/passwd.png){#fig:a alt='y'}",
        "![x](https://example.org/a.png){#fig:a alt='y'}",
    ],
)
def test_a_chapter_may_not_hold_what_could_run_or_load(text: str, tmp_path: Path) -> None:
    for typeset in (typesetting.to_html, typesetting.to_pdf):
        with pytest.raises(TypesettingError):
            typeset(f"# A\n\n{text}", metadata={"title": "A"}, folder=tmp_path)


@pytest.mark.parametrize("source", ["/etc/passwd.svg", "../x.svg", "x.txt"])
def test_a_picture_comes_from_the_folder_of_the_report(source: str, tmp_path: Path) -> None:
    text = f'# A\n\n::: {{.only-html}}\n<img loading="lazy" src="{source}">\n:::'
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(TypesettingError, match="is no picture inside the folder of the report"):
        typesetting.to_html(text, metadata={"title": "A"}, folder=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<https://example.org>",
        "[x](javascript:alert(1))",
        "[x](<javascript:alert(1)>)",
        "[x]( javascript:alert(1) )",
        "[x](data:text/html,x)",
        "[x][y] and [y]: javascript:alert(1)",
        "`<b>`{=html}",
        "[<b onclick=alert(1)>]{.only-html}",
        "\\\\$a$[<b>]{.only-html}b$",
        "![x](y.png)",
        "](x) [",
        "x](y){onclick=alert(1)}",
        "\\input{x}",
    ],
)
def test_captions_are_a_line_of_markdown_and_no_more(text: str) -> None:
    checked_words(text)
    with pytest.raises(ValueError, match=r"Markdown|links"):
        checked_markdown(text)
