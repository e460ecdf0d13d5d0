"""What is asked of explorers, in a real browser: each function opens the HTML file, uses one explorer as a reader would, and asserts.

An explorer is named by the identifier of its figure. What Plotly was given to draw is read back from its panels.
"""

import base64
import json
import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.report import checks_page

PLOTTED = """
    box => [...box.querySelectorAll(".plot[role=img]")].map(plot => plot.data.map(trace => ({
        x: Array.from(trace.x, value => Number.isFinite(value) ? value : null),
        y: Array.from(trace.y, value => Number.isFinite(value) ? value : null)})))
"""
LABELS = (
    """box => [...box.querySelectorAll(".plot")].map(plot => [...plot.querySelectorAll(".hovertext")].map(label => label.textContent))"""
)
FRAMES = """
    box => [...box.querySelectorAll(".plot[role=img]")].map(plot => [
        plot.layout.shapes.flatMap(line => [[line.x0, line.y0], [line.x1, line.y1]]), plot.layout.annotations.map(title => title.text)])
"""
SLOWLY = 900
"""Milliseconds between the steps that are played for readers who ask for less motion, at least."""
TIMED = """
    figure => {
        figure.addEventListener("click", () => { window.pressed = performance.now(); }, {capture: true});
        const changed = new MutationObserver(() => { window.moved ??= performance.now(); });
        changed.observe(figure.querySelector(".explorer"), {attributes: true, attributeFilter: ["data-stop"]});
    }
"""
"""Notes in the page when a button was pressed and when the panels first moved: on a busy machine the test itself may be late."""
PLACE = """
    ([plot, point]) => {
        plot.scrollIntoView({block: "center"});
        const {xaxis, yaxis} = plot._fullLayout, trace = plot.data[0], box = plot.getBoundingClientRect();
        return [box.left + xaxis._offset + xaxis.d2p(trace.x[point]), box.top + yaxis._offset + yaxis.d2p(trace.y[point])];
    }
"""


class Explored(NamedTuple):
    """An explorer that has started: its page, its figure, and the data that it was made from."""

    page: Page
    figure: Locator
    data: dict[str, Any]

    @property
    def slider(self) -> Locator:
        return self.figure.get_by_role("slider")

    @property
    def readout(self) -> str:
        return self.figure.locator("output").inner_text()

    @property
    def last(self) -> int:
        return len(self.data["stops"]) - 1

    def plotted(self) -> list[list[dict[str, list[float | None]]]]:
        """Return x and y of each trace of each panel that shows something."""
        found: list[list[dict[str, list[float | None]]]] = self.figure.evaluate(PLOTTED)
        return found

    def wait_for(self, stop: int) -> None:
        """Wait until the panels show a stop."""
        self.figure.locator(f'.explorer[data-stop="{stop}"]').wait_for()

    def shown(self) -> int:
        """Return the stop that the panels show."""
        return int(self.figure.locator(".explorer").get_attribute("data-stop") or -1)

    def eventually(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        waited = 0
        while not condition():
            assert waited < checks_page.PATIENCE
            self.page.wait_for_timeout(50)
            waited += 50

    def points_at(self, x: float, y: float, stop: int) -> bool:
        """Move the pointer and return whether the point of a stop answers, or one that lies on it; a busy page may miss a movement."""
        self.page.mouse.move(x, y)
        return abs(int(self.slider.input_value()) - stop) <= 0.05 * self.last

    def labels(self) -> list[list[str]]:
        """Return the labels that stand at points, by panel."""
        found: list[list[str]] = self.figure.evaluate(LABELS)
        return found


@contextmanager
def explored(browser: Browser, file: Path, name: str, **options: Any) -> Iterator[Explored]:
    """Open `file` and start the explorer of the figure with the identifier `name`."""
    with checks_page.opened(browser, file, **options) as page:
        data = json.loads(page.locator(f'[id="explorer-{name}"]').text_content() or "")
        figure = page.locator(f'[id="{name}"]')
        figure.scroll_into_view_if_needed()
        figure.locator(".explorer[data-ready]").wait_for()
        yield Explored(page, figure, data)


def names(file: Path, *, linked: bool = False, turning: bool = False) -> list[str]:
    """Return the identifiers of the figures of a page that have an explorer: one linked by points, one that turns boxes, or another."""
    found = []
    for part in file.read_text(encoding="utf-8").split('<script type="application/json" id="explorer-')[1:]:
        name, _, content = part.partition('">')
        data = json.loads(content.partition("</script>")[0])
        if any(panel["linked"] for panel in data["panels"]) == linked and (data["view"] is not None) == turning:
            found.append(name)
    return found


def five(last: int) -> list[int]:
    """Return five stops from 0 to `last`, or all if there are fewer."""
    return sorted({round(last * share / 4) for share in range(5)})


def expected(data: dict[str, Any], stop: int) -> list[list[dict[str, list[float | None]]]]:
    """Return what the panels of an explorer show at a stop, from its data."""
    arrays = [struct.unpack(f"<{len(raw) // 4}f", raw) for raw in map(base64.b64decode, data["arrays"])]

    def row(trace: dict[str, Any], key: str) -> list[float | None]:
        values, count = arrays[trace[key]], trace["points"]
        values = values if len(values) == count else values[stop * count : (stop + 1) * count]
        return [value if value - value == 0 else None for value in values]

    def seen(trace: dict[str, Any], panel: dict[str, Any]) -> dict[str, list[float | None]]:
        axes = [panel[key] for key in ("x", "y", "z")]
        places = [
            [2 * ((value or 0.0) - axis["low"]) / (axis["high"] - axis["low"]) - 1 for value in row(trace, key)]
            for axis, key in zip(axes, ("x", "y", "z"), strict=True)
        ]
        views = [projected(point, data, stop) for point in zip(*places, strict=True)]
        return {"x": [right for right, _ in views], "y": [up for _, up in views]}

    panels = (panel for panel in data["panels"] if panel["traces"])
    return [
        [seen(trace, panel) if panel["z"] else {key: row(trace, key) for key in ("x", "y")} for trace in panel["traces"]]
        for panel in panels
    ]


def projected(point: tuple[float, ...], data: dict[str, Any], stop: int) -> tuple[float, float]:
    """Return where a point of a box, from -1 to 1 along each axis, is seen at a stop: turned back by the azimuth, then tilted."""
    around = math.radians(data["view"]["azimuth"] + 360 * stop / len(data["stops"]))
    above = math.radians(data["view"]["elevation"])
    x, y, z = point
    toward, right = x * math.cos(around) + y * math.sin(around), y * math.cos(around) - x * math.sin(around)
    return right, z * math.cos(above) - toward * math.sin(above)


def same(found: list[list[dict[str, list[float | None]]]], wanted: list[list[dict[str, list[float | None]]]]) -> bool:
    """Whether panels show the same, to within the rounding of float32."""

    def values(panels: list[list[dict[str, list[float | None]]]]) -> list[list[float | None]]:
        return [trace[key] for traces in panels for trace in traces for key in ("x", "y")]

    return len(found) == len(wanted) and all(
        one == other
        or (
            len(one) == len(other)
            and all(a == b or (a is not None and b is not None and abs(a - b) < 1e-5) for a, b in zip(one, other, strict=True))
        )
        for one, other in zip(values(found), values(wanted), strict=True)
    )


def moves_by_keyboard(browser: Browser, file: Path, name: str) -> None:
    """The keys of a slider move all panels together, to what the data have for each stop, with the step and both errors as text."""
    with explored(browser, file, name) as open_:
        start = open_.plotted()
        assert same(start, expected(open_.data, 0))
        open_.slider.focus()
        for stop in five(open_.last)[1:]:
            while int(open_.slider.input_value()) < stop:
                open_.page.keyboard.press("ArrowRight")
            open_.wait_for(stop)
            _assert_shows(open_, stop)
        assert [one != other for one, other in zip(start, open_.plotted(), strict=True)] == [True] * len(start), "every panel moved"
        open_.page.keyboard.press("Home")
        open_.wait_for(0)
        assert open_.plotted() == start


def moves_by_pointer(browser: Browser, file: Path, name: str) -> None:
    """A slider that is dragged moves all panels together."""
    with explored(browser, file, name) as open_:
        box = open_.slider.bounding_box()
        assert box
        open_.page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
        open_.page.mouse.down()
        for share in (0.25, 0.5, 0.75, 1):
            open_.page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2, steps=5)
            stop = int(open_.slider.input_value())
            assert stop == pytest.approx(share * open_.last, abs=1)
            open_.wait_for(stop)
            _assert_shows(open_, stop)
        open_.page.mouse.up()


def plays_and_pauses(browser: Browser, file: Path, name: str) -> None:
    """The button plays step by step, pauses where it is pressed again, and plays to the end and from the start; it speaks when it rests."""
    with explored(browser, file, name) as open_:
        output, button = open_.figure.locator("output"), open_.figure.get_by_role("button", name="Play")
        button.focus()
        open_.page.keyboard.press("Enter")
        open_.wait_for(1)
        assert output.get_attribute("aria-live") == "off"
        open_.figure.get_by_role("button", name="Pause").click()
        rested = open_.shown()
        open_.page.wait_for_timeout(1200)
        assert open_.shown() == rested < open_.last
        assert output.get_attribute("aria-live") == "polite"
        _assert_shows(open_, rested)
        open_.slider.focus()
        open_.page.keyboard.press("End")
        open_.page.keyboard.press("ArrowLeft")
        button.click()
        open_.wait_for(open_.last)
        button.wait_for()
        button.click()
        open_.wait_for(0)


def plays_calmly(browser: Browser, file: Path, name: str) -> None:
    """Nothing moves by itself, and for readers who ask for less motion, steps that are played follow slowly."""
    with explored(browser, file, name, reduced_motion="reduce") as open_:
        open_.page.wait_for_timeout(1500)
        assert open_.shown() == 0
        open_.figure.evaluate(TIMED)
        open_.figure.get_by_role("button", name="Play").click()
        open_.wait_for(1)
        pressed, moved = open_.page.evaluate("[window.pressed, window.moved]")
        assert moved - pressed >= SLOWLY


def links_its_panels(browser: Browser, file: Path, name: str) -> None:
    """Pointing at a point of one panel tells x and the features, and shows the same point in the others; so does the slider."""
    with explored(browser, file, name) as open_:
        plots = open_.figure.locator(".plot[role=img]")
        panels = [panel for panel in open_.data["panels"] if panel["traces"]]
        linked = [place for place, panel in enumerate(panels) if panel["linked"]]
        counts = [panel["linked"] for panel in panels]
        for pointed, stop in zip(linked, (round(0.3 * open_.last), round(0.8 * open_.last)), strict=False):
            x, y = open_.page.evaluate(PLACE, [plots.nth(pointed).element_handle(), stop])
            open_.page.mouse.move(x - 40, y)
            open_.page.mouse.move(x, y, steps=8)
            expected_counts = [1 if place == pointed else count for place, count in enumerate(counts)]
            open_.eventually(lambda x=x, y=y, wanted=stop: open_.points_at(x, y, wanted))
            open_.eventually(lambda wanted=expected_counts: [len(labels) for labels in open_.labels()] == wanted)
            open_.eventually(lambda: open_.readout == open_.data["readout"][int(open_.slider.input_value())])
            assert all(label.startswith("x = ") for labels in open_.labels() for label in labels)
        open_.slider.focus()
        open_.page.keyboard.press("End")
        open_.eventually(lambda: [len(labels) for labels in open_.labels()] == counts)
        assert open_.readout == open_.data["readout"][-1]


def turns_its_boxes(browser: Browser, file: Path, name: str) -> None:
    """The edges of boxes turn with what is in them, their three axes have titles, and dragging one box turns all, to either side."""
    with explored(browser, file, name) as open_:
        open_.slider.focus()
        for stop in five(open_.last)[:4]:
            while int(open_.slider.input_value()) < stop:
                open_.page.keyboard.press("ArrowRight")
            open_.wait_for(stop)
            for edges, titles in open_.figure.evaluate(FRAMES):
                corners = {(round(x, 6) + 0.0, round(y, 6) + 0.0) for x, y in edges}
                wanted = [projected(point, open_.data, stop) for point in product((-1.0, 1.0), repeat=3)]
                assert len(edges) == 24
                assert all(min(math.dist(corner, one) for one in wanted) < 1e-5 for corner in corners)
                assert titles == [open_.data["panels"][0][key]["title"] for key in ("x", "y", "z")]
        count = open_.last + 1
        before = open_.shown()
        box = open_.figure.locator(".plot").first.bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for way, turned in ((0.2, count / 10), (-0.2, -count / 10)):  # half a turn over the width of a box
            open_.page.mouse.move(x, y)
            open_.page.mouse.down()
            open_.page.mouse.move(x + way * box["width"], y, steps=6)
            open_.page.mouse.up()
            open_.page.mouse.move(x, y + box["height"])
            after = (before - round(turned)) % count
            open_.wait_for(after)
            _assert_shows(open_, after)
            before = after


def gives_way_to_its_picture(browser: Browser, file: Path, name: str) -> None:
    """The picture keeps its words while the explorer stands in its place, is there in print, and comes back at the press of a button."""
    with explored(browser, file, name) as open_:
        picture, panels = open_.figure.locator("img"), open_.figure.locator(".panels")
        assert (picture.bounding_box() or {})["width"] <= 1
        assert open_.figure.get_by_role("img", name=picture.get_attribute("alt")).count() == 1
        open_.page.emulate_media(media="print")
        assert (picture.bounding_box() or {})["width"] > 100
        assert not panels.is_visible()
        open_.page.emulate_media(media="screen")
        open_.figure.get_by_role("button", name="Show the picture").click()
        assert (picture.bounding_box() or {})["width"] > 100
        assert not panels.is_visible()
        open_.figure.get_by_role("button", name="Show the explorer").click()
        assert panels.is_visible()
        assert (picture.bounding_box() or {})["width"] <= 1


def follows_the_page(browser: Browser, file: Path, name: str) -> None:
    """The panels take the colors of the page, and its width, also when these change."""
    color = "figure => figure.querySelector('.plot')._fullLayout.font.color"
    width = "figure => [...figure.querySelectorAll('.plot')].map(plot => plot._fullLayout.width - plot.offsetWidth)"
    with explored(browser, file, name, scheme="light") as open_:
        light = open_.figure.evaluate(color)
        open_.page.emulate_media(color_scheme="dark")
        open_.eventually(lambda: open_.figure.evaluate(color) != light)
        open_.page.set_viewport_size({"width": checks_page.PHONE, "height": 800})
        open_.eventually(lambda: max(map(abs, open_.figure.evaluate(width))) <= 1)
        assert open_.page.evaluate("document.documentElement.scrollWidth") <= checks_page.PHONE


def _assert_shows(open_: Explored, stop: int) -> None:
    assert same(open_.plotted(), expected(open_.data, stop))
    assert open_.readout == open_.data["readout"][stop]
    assert open_.slider.get_attribute("aria-valuetext") == open_.data["stops"][stop]


PLAYING = (moves_by_keyboard, moves_by_pointer, plays_and_pauses, plays_calmly)
LINKED = (links_its_panels,)
TURNING = (turns_its_boxes,)
ANY = (gives_way_to_its_picture, follows_the_page)
