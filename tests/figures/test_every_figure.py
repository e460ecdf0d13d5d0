"""What holds for every kind of figure: it can be drawn from any study, twice the same, small, readable, and told in words and numbers."""

import csv
import inspect
import io
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from scripts.common import drawing, pictures
from scripts.common.drawing import Picture
from tests import synthetic

NETWORKS: dict[str, Any] = {"trained": ["good", "good"], "output_layer": ["good", "good"], "widths": [10, 40], "depths": [1, 2]}

SIMULATED = {
    "by_layer": "layer_profiles",
    "descent_paths": "normal_fit",
    "histograms": "histograms",
    "invariance": "natural_paths",
    "stability": "stability",
}
"""The kind of simulation that a kind of figure shows."""

OPTIONS: dict[str, dict[str, Any]] = {
    "against_level": {"quantities": ["steps_by_rate"], "slopes": True, "reference": -1.0},
    "against_width": NETWORKS,
    "alignment": {},
    "by_layer": {"quantities": ["size", "slope"], "linear": ["slope"], "level_title": "share of the edge"},
    "curves": {"quantities": ["train_loss", "tangent_test_loss"], "indices": ["", "all"], "linear": ["tangent_test_loss"]},
    "data_sweep": {"quantities": ["test_loss"]},
    "decision_boundaries": {"data_set": "plane"},
    "descent_paths": {},
    "ensemble_size": {},
    "exact_fit": {},
    "final_test_loss": {},
    "fit": {},
    "gradient_features": {},
    "gradient_norms": {"step": "last"},
    "grid_lines": {"grid": "starts", "x": "start", "lines": "end", "quantity": "test_loss", "step": "last", "logarithmic": True},
    "grid_map": {"grid": "starts", "x": "start", "y": "end", "quantity": "test_loss", "step": "last", "logarithmic": True},
    "interactions": {"factors": ["start", "middle", "end"], "second": ["none", "b"], "third": ["none", "c"], "quantities": ["final_loss"]},
    "histograms": {},
    "invariance": {},
    "kernel_eigenvalues": {},
    "kernel_prediction": {},
    "learned": {"steps": ["first", "last"]},
    "linearization": {"steps": ["first", "last"]},
    "loss_by_time": {"floor": 0.01},
    "loss_curves": {},
    "loss_plane": {},
    "mixed_digits": {"data_set": "images", "seed": 0},
    "outside_range": {},
    "output_gap": {},
    "path_3d": {},
    "path_controls": {},
    "path_stages": {},
    "reliability": {},
    "segments": {"steps": ["first", "last"]},
    "singular_values": {"steps": ["first", "last"]},
    "spectrum_likeness": {"control": "good", "step": "last"},
    "stability": {},
    "stopping": {"patience": 1},
    "steps_to_tolerance": {"quantities": ["steps_to_tolerance"]},
    "tangent_fit": {},
    "target": {"data_set": "whole", "sines": 4},
    "training_steps": {},
    "training_data": {"data_sets": ["whole", "part"]},
}

STUDIES: dict[str, dict[str, Any]] = {
    "some": {"variants": ["good", "other", "wild"]},
    "one variant": {"variants": ["good"]},
    "one replica": {"replicas": 1},
    "all diverged": {"diverged": ["good", "wild"]},
}


def draw(kind: str, made: dict[str, Any]) -> Picture:
    """Draw a kind of figure, giving it what its parameters name."""
    function = import_module(f"scripts.figures.{kind}").draw
    read = {name: made[name] for name in inspect.signature(function).parameters if name in made}
    options = dict(OPTIONS[kind])
    if kind in SIMULATED:
        simulated = made["simulations"][SIMULATED[kind]]
        read["simulated"] = simulated if kind in ("by_layer", "descent_paths") else dict([next(iter(simulated.items()))])
    if kind == "data_sweep":  # it has an entry for each variant
        options |= {"samples": [50 * 2**place for place in range(len(made["variants"]))], "noise": [0.1] * len(made["variants"])}
    if kind in ("training_steps", "path_3d", "path_controls", "loss_plane"):  # they show one variant
        read = {
            name: {variant: arrays for variant, arrays in each.items() if variant == made["variants"][0]} for name, each in read.items()
        }
    return function(**read, **options)


def test_every_kind_is_tested() -> None:
    kinds = {path.stem for path in Path(drawing.__file__).parents[1].joinpath("figures").glob("[a-z]*.py")}
    assert kinds == OPTIONS.keys()


CASES = [(kind, case) for kind in OPTIONS for case in (STUDIES if kind not in ("target", "training_data", "mixed_digits") else ["some"])]


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, case) if case == "some" else pytest.param(kind, case, marks=pytest.mark.slow) for kind, case in CASES]
)
def test_figure_is_complete(kind: str, case: str) -> None:
    picture = draw(kind, synthetic.study(**STUDIES[case]))

    assert picture.figure.get_figwidth() == drawing.WIDTH
    assert picture.alt.endswith(".")
    assert len(picture.alt) > 40
    assert "$" not in picture.alt
    assert "nan" not in picture.alt
    rows = list(csv.reader(io.StringIO(pictures.tabulate(picture.figure))))
    assert rows[0] == ["panel", "series", "x", "y"]
    assert len(rows) > 1
    assert all(len(row) == 4 and row[0] and row[1] for row in rows)
    _assert_nothing_leaves_the_page(picture)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPTIONS)
def test_two_drawings_have_the_same_bytes(kind: str, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        pictures.save_svg(draw(kind, synthetic.study()).figure, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.svg").stat().st_size < 200_000


def _assert_nothing_leaves_the_page(picture: Picture) -> None:
    """Every text lies on the page and over no other, and the legend over no panel."""
    figure = picture.figure
    FigureCanvasAgg(figure)  # whose renderer measures texts
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in [*axes.texts, axes._left_title, axes.xaxis.label, axes.yaxis.label]]
    boxes = {text: text.get_window_extent() for text in [*texts, *figure.texts] if text.get_text() and text.get_visible()}
    boxes |= {legend: legend.get_window_extent() for legend in figure.legends}
    for one, box in boxes.items():
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) >= -1, one
        assert not [other for other in boxes if other is not one and box.overlaps(boxes[other].padded(-2))], one
    for legend in figure.legends:
        assert not any(boxes[legend].overlaps(axes.get_window_extent()) for axes in figure.axes)
