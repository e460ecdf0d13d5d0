"""The explorers of the built report: they work in a browser, and what they show is what ``numbers.csv`` and the measurements hold."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from scripts.common import storage
from scripts.common.formatting import number
from scripts.common.numbers import from_csv
from scripts.common.storage import Arrays
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


class Figure(NamedTuple):
    """A figure that may have an explorer: its study, its kind, the label of each variant or simulation, and the files that it shows."""

    study: str
    kind: str
    labels: dict[str, str]
    inputs: list[str]


@pytest.fixture(scope="module")
def shown(built_report: Path) -> dict[str, Figure]:
    """Return each figure that may have an explorer, by its identifier."""
    figures = json.loads((built_report / "manifest.json").read_text(encoding="utf-8"))["figures"]
    found = {}
    for name, entry in figures.items():
        settings = entry["settings"]
        moves = settings["kind"] != "by_layer" or settings["options"].get("slider")
        if settings["kind"] in {"training_steps", "linearization", "path_3d", *MOVING} and moves:
            study, _, own = name.partition("/")
            labels = {key: style["label"] for key, style in settings["styles"].items()}
            found[f"fig:{own}"] = Figure(study, settings["kind"], labels, list(entry["inputs"]))
    return found


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


def test_every_figure_of_a_kind_that_moves_has_an_explorer(built_report: Path, shown: dict[str, Figure]) -> None:
    page = built_report / "report.html"
    ways: list[dict[str, bool]] = [{}, {"linked": True}, {"turning": True}]
    assert sorted(name for way in ways for name in checks_explorers.names(page, **way)) == sorted(shown)


def test_all_panels_follow_the_slider_to_the_numbers_of_the_report(
    browser: Browser, built_results: Path, built_report: Path, numbers: pd.Series, shown: dict[str, Figure]
) -> None:
    """At five steps of every explorer of a training: errors and singular values of ``numbers.csv``, output and features as measured."""
    for name, (study, _, (variant,), _) in of_kind(shown, "training_steps").items():
        measured = {
            kind: stored(built_results, "measure", study, f"{variant}/{kind}", kind) for kind in ("prediction", "spectrum", "elbows")
        }
        steps = measured["prediction"]["step"]
        with checks_explorers.explored(browser, built_report / "report.html", name) as open_:
            assert open_.last + 1 == len(steps) <= 60
            for stop in stops(open_):
                step = int(steps[stop])
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
                    wanted = measured["spectrum"]["feature_grid"][stop, 0, :, rank]
                    places = np.abs(grid[:, None] - _finite(feature["x"])).argmin(axis=0)
                    close = 1e-5 * np.abs(wanted).max()
                    assert min(np.abs(np.array(feature["y"]) - sign * wanted[places]).max() for sign in (1, -1)) <= close


class Wanted(NamedTuple):
    """What an explorer must show at a stop: x and y of traces, by panel and name, and what is said."""

    traces: dict[tuple[int, str], Any]
    said: list[str]


def descent_paths(results: Path, figure: Figure, stop: str) -> Wanted:
    """Where each path of replica 0 is at a step, and its loss; from its last step on a path stays where it is."""
    step, said = int(stop.removeprefix("step ")), []
    traces: dict[tuple[int, str], Any] = {}
    for name, label in figure.labels.items():
        arrays = stored(results, "simulate", figure.study, name, "normal_fit")
        place = np.flatnonzero(arrays["step"] <= step)[-1]
        mean, deviation = arrays["path"][place, 0]
        loss = arrays["excess_loss"][place, 0]
        traces[0, f"{label}, now"] = [mean], [deviation]
        traces[1, f"{label}, now"] = [min(step, arrays["step"][-1])], [loss]
        said.append(f"{label} {number(loss, 2)}")
    return Wanted(traces, said)


def invariance(results: Path, figure: Figure, stop: str) -> Wanted:
    """Both paths of each rule in both coordinates at a step size, and how far they differ at it and at all."""
    (name,) = figure.labels
    arrays = stored(results, "simulate", figure.study, name, "natural_paths")
    sizes = [float(size) for size in arrays["index_path_difference"]]
    size = float(stop.removeprefix("step size "))
    place, order = sizes.index(size), np.argsort(sizes)[::-1]
    said: list[str] = []
    traces: dict[tuple[int, str], Any] = {}
    for rule, key, prefix in (("natural gradient", "natural_path", ""), ("gradient descent", "descent_path", "descent_")):
        for which, coordinates in enumerate(("(μ, σ)", "(μ, log σ)")):
            traces[0, f"{rule} in {coordinates}"] = arrays[key][place, which, :, 0].T
        difference = arrays[f"{prefix}path_difference"][0]
        traces[1, f"{rule}, here"] = [size], difference[[place]]
        traces[1, rule] = np.array(sizes)[order], difference[order]
        said.append(number(float(difference[place])))
    return Wanted(traces, said)


def stability(results: Path, figure: Figure, stop: str) -> Wanted:
    """Loss and path of replica 0 at a share of the limit of the learning rate, and the losses at all others."""
    (name,) = figure.labels
    arrays = stored(results, "simulate", figure.study, name, "stability")
    shares = list(arrays["index_growth_factor"])
    place = shares.index(stop.partition(" ")[0])
    path = arrays["extreme_coordinates"][:, 0, place].T
    loss = arrays["loss_ratio"][:, 0]
    traces: dict[tuple[int, str], Any] = {
        (0, f"{share} of the limit"): (arrays["step"], loss[:, other]) for other, share in enumerate(shares)
    }
    traces |= {(0, "this learning rate"): (arrays["step"], loss[:, place]), (1, "points"): path, (1, "path"): path}
    said = [f"multiplies by {number(arrays['growth_factor'][0, place])} in size", f"loss is {number(loss[-1, place])} times"]
    return Wanted(traces, said)


def kernel_eigenvalues(results: Path, figure: Figure, stop: str) -> Wanted:
    """Medians over all replicas of the eigenvalues at a step and at initialization, and the eigenvalues of the limit."""
    said: list[str] = []
    traces: dict[tuple[int, str], Any] = {}
    for panel, (variant, label) in enumerate(figure.labels.items()):
        arrays = stored(results, "measure", figure.study, f"{variant}/kernel", "kernel")
        place = list(arrays["step"]).index(step_of(stop))
        values, ranks = arrays["ntk_eigenvalue"], np.arange(1, 1 + arrays["ntk_eigenvalue"].shape[2])
        traces[panel, "now"] = ranks, np.nanmedian(values[place], axis=0)
        traces[panel, "at initialization"] = ranks, np.nanmedian(values[0], axis=0)
        traces[panel, "infinite width"] = ranks, arrays["infinite_eigenvalue"][0]
        said.append(f"{label}, {number(float(np.nanmedian(arrays['kernel_change'][place])))}")
    return Wanted(traces, said)


def kernel_prediction(results: Path, figure: Figure, stop: str) -> Wanted:
    """The function of replica 0 at a step, and what both kernels predict for it."""
    (data,) = {Path(file).stem for file in figure.inputs if "/data/" in file}
    arrays = stored(results, "data", figure.study, data, "data")
    grid, said = arrays["grid_x"][:, 0], []
    traces: dict[tuple[int, str], Any] = {}
    for panel, (variant, label) in enumerate(figure.labels.items()):
        network = stored(results, "measure", figure.study, f"{variant}/prediction", "prediction")
        kernels = stored(results, "measure", figure.study, f"{variant}/kernel_regression", "kernel_regression")
        place = list(network["step"]).index(step_of(stop))
        traces[panel, "truth"] = grid, arrays["grid_y"][:, 0]
        traces[panel, "network"] = grid, network["prediction_grid"][place, 0]
        traces[panel, "infinite kernel"] = grid, kernels["infinite_prediction_grid"][place, 0]
        traces[panel, "own kernel at initialization"] = grid, kernels["linearized_prediction_grid"][place, 0]
        gaps = [number(kernels[f"{which}_prediction_gap"][place, 0]) for which in ("kernel", "linearized")]
        said.append(f"{label}, infinite kernel {gaps[0]}, own kernel at initialization {gaps[1]}")
    return Wanted(traces, said)


def by_layer(results: Path, figure: Figure, stop: str) -> Wanted:
    """Both norms by layer at a scale, of each activation: medians over all replicas, and replica 0, which has the source's seed."""
    said: list[str] = []
    traces: dict[tuple[int, str], Any] = {}
    for name, label in figure.labels.items():
        arrays = stored(results, "simulate", figure.study, name, "gradient_flow")
        place = list(arrays["level"]).index(stop.removeprefix("scale "))
        for panel, quantity in enumerate(("output_norm", "simplified_gradient_norm")):
            norms = arrays[quantity][:, place]
            traces[panel, f"{label}, median"] = arrays["layer"], np.median(norms, axis=0)
            traces[panel, f"{label}, the source's seed"] = arrays["layer"], norms[0]
        first, *_, last = arrays["simplified_gradient_norm"][0, place]
        said.append(f"{label} {number(float(first / last))}")
    return Wanted(traces, said)


MOVING = {one.__name__: one for one in (descent_paths, invariance, stability, kernel_eigenvalues, kernel_prediction, by_layer)}
"""What explorers of other kinds must show at a stop, by kind: each function reads what was measured or simulated, and nothing else."""


@pytest.mark.parametrize("kind", MOVING)
def test_other_explorers_show_what_was_measured(
    kind: str, browser: Browser, built_results: Path, built_report: Path, shown: dict[str, Figure]
) -> None:
    """At five stops of every explorer that plays but does not show features."""
    found = of_kind(shown, kind)
    assert found
    for name, figure in found.items():
        with checks_explorers.explored(browser, built_report / "report.html", name) as open_:
            order = (
                [list(figure.labels.values()).index(panel["title"]) for panel in open_.data["panels"]]
                if kind.startswith("kernel")
                else [0, 1]
            )
            drawn = [[re.sub("<[^>]*>", "", trace["name"]) for trace in panel["traces"]] for panel in open_.data["panels"]]
            for stop in stops(open_):
                traces, said = MOVING[kind](built_results, figure, open_.data["stops"][stop])
                plotted = open_.plotted()
                for (panel, trace), wanted in traces.items():
                    place = order.index(panel)
                    seen = plotted[place][drawn[place].index(trace)]
                    for key, values in zip(("x", "y"), wanted, strict=True):
                        finite = np.where(np.isfinite(values), values, np.nan)
                        np.testing.assert_allclose(np.array(seen[key], dtype=float), finite, rtol=1e-6, atol=1e-12, err_msg=trace)
                for words in said:
                    assert words in open_.readout


def test_boxes_hold_the_paths_that_were_measured(built_results: Path, built_report: Path, shown: dict[str, Figure]) -> None:
    page = (built_report / "report.html").read_text(encoding="utf-8")
    for name in checks_explorers.names(built_report / "report.html", turning=True):
        study, _, (variant,), _ = shown[name]
        measured = storage.load(built_results / f"measure/{study}/{variant}/path.npz", kind="path")
        data = json.loads(page.partition(f'id="explorer-{name}">')[2].partition("</script>")[0])
        arrays = [np.frombuffer(base64.b64decode(text), dtype="<f4") for text in data["arrays"]]
        for panel, path in zip(data["panels"], ("path", "walk", "shuffled"), strict=True):
            for trace in panel["traces"]:
                found = np.stack([arrays[trace[key]] for key in ("x", "y", "z")], axis=1)
                np.testing.assert_allclose(found, measured[f"{path}_coordinate"][:, 0, :3], rtol=1e-5, atol=1e-6)


def test_linked_explorers_hold_the_features_that_were_measured(built_results: Path, built_report: Path, shown: dict[str, Figure]) -> None:
    figures = json.loads((built_report / "manifest.json").read_text(encoding="utf-8"))["figures"]
    page = (built_report / "report.html").read_text(encoding="utf-8")
    for name in checks_explorers.names(built_report / "report.html", linked=True):
        study, _, variants, _ = shown[name]
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


def of_kind(shown: dict[str, Figure], kind: str) -> dict[str, Figure]:
    """Return the figures of a kind."""
    return {name: figure for name, figure in shown.items() if figure.kind == kind}


def stored(results: Path, step: str, study: str, name: str, kind: str) -> Arrays:
    """Return what a step of the build has stored."""
    return storage.load(results / f"{step}/{study}/{name}.npz", kind=kind)


def stops(open_: checks_explorers.Explored) -> Iterator[int]:
    """Yield five stops of an explorer, once the panels show them: its slider is moved by the keyboard."""
    open_.slider.focus()
    for stop in checks_explorers.five(open_.last):
        while int(open_.slider.input_value()) < stop:
            open_.page.keyboard.press("ArrowRight")
        open_.wait_for(stop)
        yield stop


def step_of(stop: str) -> int:
    """Return the training step that a stop is named after."""
    return int(re.sub(r"\D", "", stop))


def _finite(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]
