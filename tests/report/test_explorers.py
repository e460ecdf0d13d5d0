"""The explorers of the built report: they work in a browser, and what they show is what ``numbers.csv`` and the measurements hold."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from scripts.common import storage
from scripts.common.formatting import number
from scripts.common.numbers import from_csv
from tests.report import checks_explorers, checks_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks_page.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def numbers(built_report: Path) -> pd.DataFrame:
    """Return the rows of replica 0, by study, variant, quantity, step and index."""
    table = from_csv((built_report / "numbers.csv").read_text(encoding="utf-8"))
    return table[table["replica"] == 0].set_index(["study", "variant", "quantity", "step", "index"]).sort_index()["value"]


@pytest.fixture(scope="module")
def shown(built_report: Path) -> dict[str, tuple[str, list[str]]]:
    """Return study and variants of each figure that may have an explorer, by its identifier."""
    figures = json.loads((built_report / "manifest.json").read_text(encoding="utf-8"))["figures"]
    kinds = ("training_steps", "linearization", "path_3d")
    return {
        f"fig:{name.partition('/')[2]}": (name.partition("/")[0], list(entry["settings"]["styles"]))
        for name, entry in figures.items()
        if entry["settings"]["kind"] in kinds
    }


def first(built_report: Path, **which: bool) -> str:
    return checks_explorers.names(built_report / "report.html", **which)[0]


@pytest.mark.parametrize("check", [*checks_explorers.PLAYING, *checks_explorers.ANY], ids=lambda check: check.__name__)
def test_an_explorer_that_plays(check: Callable[[Browser, Path, str], None], browser: Browser, built_report: Path) -> None:
    check(browser, built_report / "report.html", first(built_report))


@pytest.mark.parametrize("check", [*checks_explorers.LINKED, *checks_explorers.ANY], ids=lambda check: check.__name__)
def test_an_explorer_that_is_linked(check: Callable[[Browser, Path, str], None], browser: Browser, built_report: Path) -> None:
    check(browser, built_report / "report.html", first(built_report, linked=True))


TURNING = [*checks_explorers.TURNING, *checks_explorers.PLAYING, *checks_explorers.ANY]


@pytest.mark.parametrize("check", TURNING, ids=lambda check: check.__name__)
def test_an_explorer_that_turns(check: Callable[[Browser, Path, str], None], browser: Browser, built_report: Path) -> None:
    check(browser, built_report / "report.html", first(built_report, turning=True))


def test_every_figure_of_a_kind_that_moves_has_an_explorer(built_report: Path, shown: dict[str, Any]) -> None:
    page = built_report / "report.html"
    ways: list[dict[str, bool]] = [{}, {"linked": True}, {"turning": True}]
    assert sorted(name for way in ways for name in checks_explorers.names(page, **way)) == sorted(shown)


def test_all_panels_follow_the_slider_to_the_numbers_of_the_report(
    browser: Browser, built_results: Path, built_report: Path, numbers: pd.Series, shown: dict[str, Any]
) -> None:
    """At five steps of every explorer that plays: errors and singular values of ``numbers.csv``, output and features as measured."""
    page = built_report / "report.html"
    for name in checks_explorers.names(page):
        study, (variant,) = shown[name]
        measured = {
            kind: storage.load(built_results / f"measure/{study}/{variant}/{kind}.npz", kind=kind)
            for kind in ("prediction", "spectrum", "elbows")
        }
        steps = measured["prediction"]["step"]
        with checks_explorers.explored(browser, page, name) as open_:
            assert open_.last + 1 == len(steps) <= 60
            open_.slider.focus()
            for stop in checks_explorers.five(open_.last):
                step = int(steps[stop])
                while int(open_.slider.input_value()) < stop:
                    open_.page.keyboard.press("ArrowRight")
                open_.wait_for(stop)
                function, values, features = open_.plotted()

                of_step = numbers[study, variant]
                errors = [number(of_step[quantity, step, ""]) for quantity in ("train_loss", "test_loss")]
                assert open_.readout == f"Step {step} of {int(steps[-1])}: train error {errors[0]}, test error {errors[1]}."

                bars = _finite(values[0]["y"])
                assert bars == pytest.approx([of_step["singular_value", step, str(rank + 1)] for rank in range(len(bars))], rel=1e-6)

                grid = measured["spectrum"]["grid_x"][:, 0]
                output = np.interp(_finite(function[0]["x"]), grid, measured["prediction"]["prediction_grid"][stop, 0])
                np.testing.assert_allclose(_finite(function[0]["y"]), output, rtol=1e-4, atol=1e-5)
                elbow = measured["elbows"]["elbow"][stop, 0]
                assert _finite(function[2]["x"]) == pytest.approx(elbow[(elbow >= grid[0]) & (elbow <= grid[-1])], rel=1e-6)
                for rank, feature in enumerate(features):
                    stored = measured["spectrum"]["feature_grid"][stop, 0, :, rank]
                    places = np.abs(grid[:, None] - _finite(feature["x"])).argmin(axis=0)
                    close = 1e-5 * np.abs(stored).max()
                    assert min(np.abs(np.array(feature["y"]) - sign * stored[places]).max() for sign in (1, -1)) <= close


def test_boxes_hold_the_paths_that_were_measured(built_results: Path, built_report: Path, shown: dict[str, Any]) -> None:
    page = (built_report / "report.html").read_text(encoding="utf-8")
    for name in checks_explorers.names(built_report / "report.html", turning=True):
        study, (variant,) = shown[name]
        measured = storage.load(built_results / f"measure/{study}/{variant}/path.npz", kind="path")
        data = json.loads(page.partition(f'id="explorer-{name}">')[2].partition("</script>")[0])
        arrays = [np.frombuffer(base64.b64decode(text), dtype="<f4") for text in data["arrays"]]
        for panel, path in zip(data["panels"], ("path", "walk", "shuffled"), strict=True):
            for trace in panel["traces"]:
                found = np.stack([arrays[trace[key]] for key in ("x", "y", "z")], axis=1)
                np.testing.assert_allclose(found, measured[f"{path}_coordinate"][:, 0, :3], rtol=1e-5, atol=1e-6)


def test_linked_explorers_hold_the_features_that_were_measured(built_results: Path, built_report: Path, shown: dict[str, Any]) -> None:
    figures = json.loads((built_report / "manifest.json").read_text(encoding="utf-8"))["figures"]
    page = (built_report / "report.html").read_text(encoding="utf-8")
    for name in checks_explorers.names(built_report / "report.html", linked=True):
        study, variants = shown[name]
        settings = figures[f"{study}/{name.removeprefix('fig:')}"]["settings"]["options"]
        data = json.loads(page.partition(f'id="explorer-{name}">')[2].partition("</script>")[0])
        panels = [panel for panel in checks_explorers.expected(data, 0) if len(panel) > 1]
        replica, on = settings.get("replica", 0), ("grid_x", "feature_grid") if settings.get("grid") else ("points_x", "feature")
        rows = [storage.load(built_results / f"measure/{study}/{variant}/spectrum.npz", kind="spectrum") for variant in variants]
        found = [(row, place) for row in rows for place in ((0, -1) if settings["steps"] == ["first", "last"] else ())]
        found = [(row, place) for row, place in found if row["available"][place, replica]]
        assert len(panels) == len(found) > 0
        for panel, (row, place) in zip(panels, found, strict=True):
            x = row[on[0]][:, 0]
            places = np.abs(x[:, None] - np.array(panel[0]["x"])).argmin(axis=0)
            for rank, feature in enumerate(panel):
                np.testing.assert_allclose(feature["y"], row[on[1]][place, replica][places, rank], rtol=1e-5, atol=1e-6)


def _finite(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]
