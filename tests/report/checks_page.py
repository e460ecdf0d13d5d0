"""What is asked of a report as a page, in a real browser: each function opens the HTML file and asserts one thing."""

import base64
import gzip
import hashlib
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
)
PHONE, DESK = 360, 1440
MATH_FONT = "STIX Two Math"
LARGEST = 15_000_000
PATIENCE = 30_000
"""How long to wait for anything, in milliseconds."""
LISTEN = """
    window.refused = [];
    document.addEventListener("securitypolicyviolation", event => refused.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium; without one, the test that asks for it fails."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "no Chromium on the path; install the system's package 'chromium' to test the page"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, width: int = DESK, scheme: Any = "light", **options: Any) -> Iterator[Page]:
    """Open `file` in a fresh context of the browser, with further options of contexts."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(file.as_uri())
    page.evaluate("document.fonts.ready.then(() => true)")
    yield page
    context.close()


def start_explorers(page: Page, *, every: int = 1) -> None:
    """Bring each figure that has an explorer, or every so many of them, into view, and wait until the explorer is there."""
    figures = page.evaluate("[...document.querySelectorAll('script[id^=\"explorer-\"]')].map(data => data.id.replace('explorer-', ''))")
    for figure in figures[::every]:
        page.locator(f'[id="{figure}"]').scroll_into_view_if_needed()
        page.wait_for_selector(f'[id="{figure}"] .explorer[data-ready]')


def is_silent_and_alone(browser: Browser, file: Path) -> None:
    """No message in the console, no error of a script, nothing that the policy refuses, no request but that for the file itself."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(LISTEN)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("data:") else None)
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    start_explorers(page)
    refused = page.evaluate("refused")
    context.close()
    assert said == []
    assert refused == []
    assert asked == [file.as_uri()]


def runs_only_its_own_scripts(browser: Browser, file: Path) -> None:
    """The policy of the page lets nothing load and nothing run but the scripts that it names by their hashes; without these, no style."""
    with opened(browser, file, java_script_enabled=False) as page:
        policy = page.get_attribute('meta[http-equiv="Content-Security-Policy"]', "content") or ""
        scripts = page.evaluate("[...document.scripts].filter(script => script.type === '').map(script => script.textContent)")
        packed = page.evaluate("[...document.querySelectorAll('script[type=\"application/gzip\"]')].map(script => script.textContent)")
        kinds = set(page.evaluate("[...document.scripts].map(script => script.type)"))
        attributes = page.evaluate("[...document.querySelectorAll('*')].flatMap(element => element.getAttributeNames())")
        sources = page.evaluate("[...document.querySelectorAll('[src], link[href]')].map(element => element.src || element.href)")
        explorers = page.locator('script[id^="explorer-"]').count()
    allowed = {kind: set(rest) for kind, *rest in (directive.split() for directive in policy.split(";"))}
    codes = [*(gzip.decompress(base64.b64decode(text)) for text in packed), *(script.encode() for script in scripts)]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode()}'" for code in codes]
    assert kinds <= {"", "application/json", "application/gzip"}
    assert len(scripts) == len(packed) == (1 if explorers else 0)
    assert allowed["default-src"] == {"'none'"}
    assert allowed.get("script-src", set()) == set(hashes)
    assert allowed["style-src"] == {"'unsafe-inline'"} if scripts else all(re.match("'sha256-", one) for one in allowed["style-src"])
    assert allowed.keys() - {"script-src"} == {"default-src", "img-src", "font-src", "style-src", "base-uri", "form-action"}
    assert [name for name in attributes if name.startswith("on") or name == "style"] == []
    assert [source for source in sources if not source.startswith("data:")] == []


def is_small(browser: Browser, file: Path) -> None:  # noqa: ARG001 - asked of the file alone
    """The file can be sent by mail."""
    assert file.stat().st_size < LARGEST


def pictures_stand_without_scripts(browser: Browser, file: Path) -> None:
    """Every picture loads, is shown in full, and has words for those who cannot see it; nothing stands empty in its place."""
    with opened(browser, file, java_script_enabled=False) as page:
        pictures = page.evaluate(
            """async () => {
                const pictures = [...document.images];
                await Promise.all(pictures.map(picture => picture.decode().catch(() => null)));
                return pictures.map(picture => ({
                    alt: picture.alt, natural: picture.naturalWidth, shown: picture.clientWidth, role: picture.getAttribute("role")}));
            }"""
        )
        bare = page.evaluate("[...document.querySelectorAll('figure')].filter(figure => figure.children.length !== 2).length")
    assert pictures
    for picture in pictures:
        assert picture["natural"] > 0, picture
        assert picture["shown"] > 30, picture
        assert len(picture["alt"].split()) >= 3, picture
        assert picture["role"] is None, picture
    assert bare == 0


def does_not_scroll_sideways(browser: Browser, file: Path) -> None:
    """Neither a phone nor a desk screen has to move the page sideways, folded parts open or not, explorers started or not."""
    for width in (PHONE, DESK):
        with opened(browser, file, width=width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            start_explorers(page)
            for _ in range(2):
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")


def links_land(browser: Browser, file: Path) -> None:
    """Every link inside the page has one target, which is shown; every identifier is unique."""
    with opened(browser, file) as page:
        names = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
        targets = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map(link => decodeURIComponent(link.hash.slice(1)))")
        shown = page.evaluate("names => names.filter(name => document.getElementById(name)?.getClientRects().length)", targets)
        broken = page.evaluate("document.querySelectorAll('a:not([href]), a[href=\"\"]').length")
    assert targets
    assert len(names) == len(set(names))
    assert set(targets) <= set(names)
    assert shown == targets
    assert broken == 0


def math_renders(browser: Browser, file: Path) -> None:
    """Every formula takes room, and every glyph of it comes from the embedded font."""
    with opened(browser, file) as page:
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        boxes = page.evaluate(
            """[...document.querySelectorAll("main math")].map(formula => {
                const box = formula.getBoundingClientRect();
                return [box.width, box.height, formula.textContent];
            })"""
        )
        session = page.context.new_cdp_session(page)
        families = _fonts(session, "math :is(mi, mo, mn, mtext)")
        text = _fonts(session, "main > p")
        page.evaluate("document.querySelectorAll('math, code').forEach(part => part.remove())")
        tex = page.evaluate("document.body.innerText.match(/\\$|\\\\[a-z]+/g) ?? []")
    assert boxes
    for width, height, formula in boxes:
        assert width > 1, formula
        assert height > 4, formula
    assert families == {MATH_FONT}
    assert any(family.startswith("Source Serif") for family in text), text
    assert tex == [], "no TeX is left in the text"


def is_accessible(browser: Browser, file: Path) -> None:
    """axe-core finds no serious or critical violation, in light and dark, on a phone and at a desk."""
    for scheme, width in (("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)):
        with opened(browser, file, width=width, scheme=scheme, bypass_csp=True) as page:
            page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
            start_explorers(page, every=5)
            found = Axe().run(page).response["violations"]
        serious = [
            (scheme, width, violation["id"], violation["nodes"][0]["html"][:200])
            for violation in found
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == []


def has_landmarks(browser: Browser, file: Path) -> None:
    """One title, one main part, a way to skip to it, headings that go down one level at a time, tables with headers and captions."""
    with opened(browser, file) as page:
        levels = page.evaluate("[...document.querySelectorAll('main :is(h1,h2,h3,h4,h5,h6)')].map(heading => Number(heading.tagName[1]))")
        tables = page.evaluate(
            """[...document.querySelectorAll('main .table-frame')].map(frame => ({
                label: frame.getAttribute("aria-label"), focusable: frame.tabIndex === 0,
                caption: frame.querySelector("caption")?.innerText ?? "",
                bare: [...frame.querySelectorAll("th")].filter(cell => !cell.scope).length,
                columns: frame.querySelectorAll("thead th").length}))"""
        )
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        assert page.get_attribute("html", "lang")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.hash") == "#content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        assert page.evaluate("getComputedStyle(document.querySelector('.contents.wide')).display") == "block"
    assert levels
    assert levels[0] == 2
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for table in tables:
        assert table["focusable"], table
        assert table["bare"] == 0, table
        assert table["columns"] > 0, table
        assert table["label"] == "Table" or table["caption"].startswith(table["label"].replace(" ", "\u00a0")), table
    with opened(browser, file, width=PHONE) as page:
        assert page.evaluate("getComputedStyle(document.querySelector('.contents.wide')).display") == "none"
        page.click(".contents.narrow summary")
        assert page.locator(".contents.narrow a").first.is_visible()


CHECKS: tuple[Callable[[Browser, Path], None], ...] = (
    is_silent_and_alone,
    runs_only_its_own_scripts,
    is_small,
    pictures_stand_without_scripts,
    does_not_scroll_sideways,
    links_land,
    math_renders,
    is_accessible,
    has_landmarks,
)


def _fonts(session: CDPSession, selector: str) -> set[str]:
    """Return the families that the browser really draws the text of the selected elements with."""
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    nodes = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector})["nodeIds"]
    fonts = (session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] for node in nodes)
    return {font["familyName"] for found in fonts for font in found}
