"""Explorers as data, and a small page with two of them in a browser."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Error

from scripts.common import drawing, explorer, typesetting
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.pictures import save_svg
from scripts.common.typesetting import to_html
from scripts.figures import linearization, path_3d, training_steps
from tests import synthetic
from tests.report import checks_explorers, checks_page

X = np.linspace(0, 1, 4)
AXIS = Axis("x", 0, 1)


def made(*traces: Trace, stops: int = 3, linked: int = 0) -> Explorer:
    words = [f"stop {stop}" for stop in range(stops)]
    return Explorer("Step", words, words, [Panel("A panel", AXIS, AXIS, traces, linked=linked)], 1, [Key("line", "line", "ink")])


def test_arrays_are_packed_once_as_float32() -> None:
    moving = np.arange(12.0).reshape(3, 4)
    packed = explorer.pack(made(Trace("a", "line", "ink", X, moving), Trace("b", "line", "ink", X, X)))
    first, second = packed["panels"][0]["traces"]
    assert (first["x"], first["y"], second["x"], second["y"]) == (0, 1, 0, 0)
    assert first["points"] == 4
    assert first["shades"] is None
    assert np.frombuffer(base64.b64decode(packed["arrays"][1]), dtype="<f4").reshape(3, 4).tolist() == moving.tolist()


def test_what_is_packed_is_json_and_holds_what_is_not_finite() -> None:
    packed = explorer.pack(made(Trace("a", "line", "ink", X, np.array([np.nan, np.inf, 1e300, 1]))))
    read = json.loads(json.dumps(packed, allow_nan=False))
    values = np.frombuffer(base64.b64decode(read["arrays"][1]), dtype="<f4")
    assert np.isfinite(values).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (made(Trace("a", "line", "ink", X, np.zeros((2, 4)))), r"'a' has the shape \(2, 4\), expected \(4,\) or \(3, 4\)"),
        (made(Trace("a", "line", "ink", X, X), linked=1), "the points of a in the linked panel 'A panel' are not the 3 stops"),
        (made()._replace(readout=["one"]), "an explorer with 3 stops has 1 readouts"),
        (
            made(Trace("a", "line", "ink", X, X, z=X)),
            "the panel 'A panel', its traces and the explorer's view do not agree on a third axis",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(wrong: Explorer, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explorer.pack(wrong)


def test_singular_values_that_are_zero_to_rounding_have_no_bar() -> None:
    panel = explorer.singular_values("Values", np.array([[20.0, 1.0, 1e-12], [30.0, 0.2, np.nan]]), ["#000000"] * 3)
    (bars,) = panel.traces
    assert np.nan_to_num(bars.y, nan=-1).tolist() == [[20.0, 1.0, -1], [30.0, 0.2, -1]]
    assert (panel.y.low, panel.y.high) == (0.1, 100)
    assert panel.y.logarithmic


def test_lines_of_a_panel_differ_in_kind_as_those_of_a_picture_do() -> None:
    assert [explorer.line_kind(place) for place in range(5)] == ["line", "dashed", "dotted", "dashdotted", "line"]
    assert len(explorer.LINES) == len(drawing.LINES)


# in a browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page with an explorer that plays, one that is linked by points, and much to read before them."""
    folder = tmp_path_factory.mktemp("page")
    study = synthetic.with_moments(synthetic.study(["good"]))
    pictures = {
        "steps": training_steps.draw(*(study[key] for key in ("data", "prediction", "elbows", "spectrum", "loss")), styles=study["styles"]),
        "lines": linearization.draw(study["spectrum"], study["fate"], styles=study["styles"], steps=["first", "last"]),
        "boxes": path_3d.draw(study["path"], styles=study["styles"]),
    }
    text = "# A page\n\n" + "Much to read.\n\n" * 60
    for name, picture in pictures.items():
        save_svg(picture.figure, folder / f"{name}.svg")
        text += f'![A picture. {picture.note}]({name}.svg){{#fig:{name} alt="{picture.alt}"}}\n\n'
    explorers = {f"{name}.svg": picture.explorer for name, picture in pictures.items() if picture.explorer}
    file = folder / "report.html"
    file.write_text(to_html(text, metadata={"title": "A page"}, folder=folder, explorers=explorers), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks_page.chromium() as started:
        yield started


CASES = [
    *((check, "fig:steps") for check in (*checks_explorers.PLAYING, *checks_explorers.ANY)),
    *((check, "fig:lines") for check in (*checks_explorers.LINKED, *checks_explorers.ANY)),
    *((check, "fig:boxes") for check in (*checks_explorers.TURNING, *checks_explorers.PLAYING, *checks_explorers.ANY)),
]


@pytest.mark.parametrize(("check", "name"), CASES, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_explorer(check: Callable[[Browser, Path, str], None], name: str, browser: Browser, page: Path) -> None:
    check(browser, page, name)


@pytest.mark.parametrize(
    "check",
    [
        checks_page.is_silent_and_alone,
        checks_page.runs_only_its_own_scripts,
        checks_page.pictures_stand_without_scripts,
        checks_page.does_not_scroll_sideways,
        checks_page.is_accessible,
    ],
    ids=lambda check: check.__name__,
)
def test_page(check: Callable[[Browser, Path], None], browser: Browser, page: Path) -> None:
    check(browser, page)


FAULTS = [
    (checks_explorers.moves_by_keyboard, 'slider.addEventListener("input"', 'slider.addEventListener("none"'),
    (checks_explorers.moves_by_keyboard, "readout.textContent = data.readout[stop]", "readout.textContent = data.readout[0]"),
    (checks_explorers.moves_by_keyboard, "panel.moving.length > 0)) {", "panel.moving.length > 1)) {"),
    (checks_explorers.moves_by_keyboard, "slider.setAttribute(", "slider.getAttribute("),
    (checks_explorers.moves_by_pointer, 'slider.addEventListener("input"', 'slider.addEventListener("keydown"'),
    (checks_explorers.plays_and_pauses, "playing ? pause() : start()", "start()"),
    (checks_explorers.plays_and_pauses, 'readout.setAttribute("aria-live", "off")', ""),
    (checks_explorers.plays_and_pauses, "if (stop === last) await go(0);", ""),
    (checks_explorers.plays_calmly, "calm.matches ? LONG_PAUSE : PAUSE", "PAUSE"),
    (checks_explorers.plays_calmly, 'box.dataset.ready = "";', 'box.dataset.ready = ""; start();'),
    (checks_explorers.links_its_panels, "mark(pointedAt);", ""),
    (checks_explorers.links_its_panels, "go(pointed, panel)", "go(0, panel)"),
    (checks_explorers.turns_its_boxes, "frameOf(panel, eye(to))", "frameOf(panel, eye(0))"),
    (checks_explorers.turns_its_boxes, "from[1] - turned", "from[1] + turned"),
    (checks_explorers.turns_its_boxes, "panel.z.title", "panel.x.title"),
    (checks_explorers.turns_its_boxes, "drawable.filter(panel => panel.z).forEach(turnable);", ""),
    (checks_explorers.turns_its_boxes, "eye(at).right : eye(at).up", "eye(at).up : eye(at).right"),
    (checks_explorers.gives_way_to_its_picture, 'figure.classList.toggle("explored", explored);', ""),
    (checks_explorers.gives_way_to_its_picture, "parts.hidden = !explored;", ""),
    (checks_explorers.follows_the_page, 'dark.addEventListener("change", paint);', ""),
    (checks_explorers.follows_the_page, "if (box.offsetWidth !== width && box.offsetWidth > 0) fit();", ""),
]


FIRST = {check: place for place, (check, _, _) in reversed(list(enumerate(FAULTS)))}
"""The first fault of each check, which every run of the tests makes; the long one makes them all."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=[] if FIRST[fault[0]] == place else [pytest.mark.long]) for place, fault in enumerate(FAULTS)],
    ids=lambda fault: fault[0].__name__,
)
def test_checks_find_faults(
    fault: tuple[Callable[[Browser, Path, str], None], str, str],
    browser: Browser,
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check, old, new = fault
    script = (typesetting.TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    assert old in script
    faulty = script.replace(old, new)
    file = tmp_path / "report.html"
    file.write_text(page.read_text(encoding="utf-8").replace(script, faulty).replace(hashed(script), hashed(faulty)), encoding="utf-8")
    monkeypatch.setattr(checks_page, "PATIENCE", 4000)
    with pytest.raises((AssertionError, Error)):
        check(browser, file, figure_of(check))


def figure_of(check: Callable[[Browser, Path, str], None]) -> str:
    names = {"fig:lines": checks_explorers.LINKED, "fig:boxes": checks_explorers.TURNING}
    return next((name for name, checks in names.items() if check in checks), "fig:steps")


def hashed(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_a_script_that_was_altered_does_not_run(browser: Browser, page: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page.read_text(encoding="utf-8").replace('const NEAR = "400px"', 'const NEAR = "401px"'), encoding="utf-8")
    with pytest.raises(AssertionError):
        checks_page.runs_only_its_own_scripts(browser, file)
    with checks_page.opened(browser, file) as open_:
        open_.locator('[id="fig:steps"]').scroll_into_view_if_needed()
        open_.wait_for_timeout(500)
        assert open_.locator(".explorer").count() == 0
        assert open_.locator('[id="fig:steps"] img').is_visible()


def test_a_picture_stands_again_where_its_explorer_fails(browser: Browser, page: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    text = page.read_text(encoding="utf-8")
    file.write_text(
        re.sub(r'(id="explorer-fig:steps">){.*?(</script>)', r'\1{"arrays": [], "stops": [], "panels": 1}\2', text), encoding="utf-8"
    )
    with checks_page.opened(browser, file) as open_:
        open_.locator('[id="fig:steps"]').scroll_into_view_if_needed()
        open_.locator('[id="fig:lines"]').scroll_into_view_if_needed()
        open_.locator('[id="fig:lines"] .explorer[data-ready]').wait_for()
        assert open_.locator('[id="fig:steps"] .explorer').count() == 0
        assert (open_.locator('[id="fig:steps"] img').bounding_box() or {})["width"] > 100


def test_an_explorer_starts_when_it_comes_into_view(browser: Browser, page: Path) -> None:
    with checks_page.opened(browser, page) as open_:
        open_.wait_for_timeout(500)
        assert open_.locator(".explorer").count() == 0
        open_.locator('[id="fig:steps"]').scroll_into_view_if_needed()
        open_.locator('[id="fig:steps"] .explorer[data-ready]').wait_for()


@pytest.mark.slow
def test_the_bundle_stands_once_in_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (packed,) = re.findall(r'<script type="application/gzip" id="plotly">([^<]*)</script>', text)
    bundle = gzip.decompress(base64.b64decode(packed)).decode()
    whole = typesetting.PLOTLY.read_text(encoding="utf-8")
    assert bundle.startswith("/**\n* plotly.js v4")
    assert "MIT license" in bundle[:200]
    assert len(whole) - 700 < len(bundle) < len(whole)
    assert len(packed) < 0.45 * len(whole)
    assert "var Plotly=" not in text
    assert re.search(r"</script>\s*</body>\s*</html>\s*$", text)
