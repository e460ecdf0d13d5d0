"""Figures of grids: what a map and lines show of made-up numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.grids import described
from scripts.common.settings import Grid
from scripts.common.statistics import median_interval
from scripts.figures import grid_lines, grid_map
from tests import synthetic

AXES = {"scale": ("initialization.scale", [10.0, 0.1, 1.0]), "depth": ("network.depth", [2, 8]), "width": ("network.width", [4, 16])}
GRIDS = {
    "g": described(
        "g", Grid.model_validate({"over": [{"name": name, "settings": {path: values}} for name, (path, values) in AXES.items()]})
    )
}
BOOTSTRAP = {"seed": 0, "resamples": 200}
PHASES = ["trains", "constant", "diverges"]


def numbers(replicas: int = 4) -> pd.DataFrame:
    """Numbers whose values say where they come from, and phases by scale: constant, half and half, trains."""
    rows = []
    for variant, at in GRIDS["g"]["variants"].items():
        for replica in range(replicas):
            value = at["scale"] * at["depth"] + 1000 * at["width"] + replica
            phase = "constant" if at["scale"] < 1 or (at["scale"] == 1 and replica % 2) else "trains"
            rows += [("s", variant, replica, None, "loss", "", value), ("s", variant, replica, None, "phase", phase, 1)]
            rows += [("s", variant, replica, step, "course", "", step + replica) for step in (0, 9)]
    rows += [("s", "theory", 0, None, "edge", "", 1.5), *(("s", "theory", 0, None, "limit", f"{x}", 4 * x) for x in (10.0, 0.5, 1.0))]
    columns = ["study", "variant", "replica", "step", "quantity", "index", "value"]
    return pd.DataFrame(rows, columns=columns).astype({"step": "Int64", "value": float})


def mapped(made: pd.DataFrame | None = None, **options: object) -> Picture:
    given = {"grid": "g", "x": "scale", "y": "depth", "panels": "width", "quantity": "loss"} | options
    return grid_map.draw(numbers() if made is None else made, GRIDS, **given)  # type: ignore[arg-type]


def lined(made: pd.DataFrame | None = None, **options: object) -> Picture:
    given = {"grid": "g", "x": "scale", "lines": "depth", "panels": "width", "quantity": "loss"} | options
    return grid_lines.draw(numbers() if made is None else made, GRIDS, bootstrap=BOOTSTRAP, **given)  # type: ignore[arg-type]


def colors(axes: object) -> np.ndarray:
    """Return the colors of the cells of a panel, (Y, X, 3)."""
    (mesh,) = axes.collections  # type: ignore[attr-defined]
    found = np.asarray(mesh.get_array())
    return found.reshape(2, 3, -1)


def test_a_map_has_a_panel_for_each_level_and_tells_medians_by_level() -> None:
    picture = mapped()
    panels = [axes for axes in picture.figure.axes if axes.get_label() != "<colorbar>"]
    assert [axes.get_label() for axes in panels] == ["width 4", "width 16"]
    rows = pictures.tabulate(picture.figure).splitlines()
    assert '"median loss, depth 8"' in rows[4]
    assert [row for row in rows if row.startswith("width 16") and "depth 2" in row] == [
        f'width 16,"median loss, depth 2",{scale:g},{16001.5 + 2 * scale:.6g}' for scale in (0.1, 1, 10)
    ]
    assert (panels[0].get_xscale(), panels[0].get_yscale()) == ("log", "log")
    np.testing.assert_allclose(panels[0].get_xlim(), [10**-1.5, 10**1.5])
    np.testing.assert_allclose(panels[0].get_ylim(), [1, 16])
    assert "n = 4 replicas" in picture.note
    assert "Width 4: 4002 to 4082" in picture.alt


def test_a_cell_has_the_color_of_its_median_and_white_where_it_is_not_finite() -> None:
    made = numbers()
    made.loc[(made["variant"] == "g_scale_1_depth_8_width_4") & (made["quantity"] == "loss"), "value"] = np.inf
    picture = mapped(made)
    found = colors(picture.figure.axes[0])
    assert (found[1, 1] == 1).all()
    assert (found.reshape(-1, 3)[[0, 1, 2, 3, 5]] < 1).any(axis=1).all()
    assert found[0, 0].tolist() != found[1, 2].tolist()
    assert "not finite at 1 of 6 combinations" in picture.alt


def test_colors_of_phases_are_mixed_by_the_share_of_replicas() -> None:
    picture = mapped(quantity="phase", phases=PHASES, edge="edge", limit="limit", edge_title="the edge", limit_title="the limit")
    axes = picture.figure.axes[0]
    trains, constant = (np.array(to_rgb(color)) for color in grid_map.COLORS[:2])
    np.testing.assert_allclose(colors(axes)[0], [constant, (trains + constant) / 2, trains])
    assert synthetic.line(axes, "trains, depth 8") == ([0.1, 1, 10], [0, 0.5, 1])
    assert synthetic.line(axes, "the edge")[0] == [1.5, 1.5]
    assert synthetic.line(axes, "the limit") == ([0.5, 1, 10], [2, 4, 40])
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == [*PHASES, "the edge", "the limit"]
    assert "depth 2 from 10 to 10" in picture.alt


def test_an_axis_that_is_not_shown_stands_at_one_level() -> None:
    picture = mapped(panels=None, only=["width=16"])
    assert synthetic.line(picture.figure.axes[0], "median loss, depth 2")[1] == pytest.approx([16001.7, 16003.5, 16021.5])
    with pytest.raises(UserError, match=r"axes of the grid are neither shown nor at one level: width; show them, or give 'only'"):
        mapped(panels=None)
    with pytest.raises(UserError, match=r"unknown level of axis 'width' '5'; known: 4, 16"):
        mapped(panels=None, only=["width=5"])
    with pytest.raises(UserError, match=r"unknown axis of the grid, not shown otherwise, 'depth'; known: width"):
        mapped(panels=None, only=["depth=2"])


@pytest.mark.parametrize("draw", [mapped, lined])
def test_what_a_figure_of_a_grid_cannot_show_is_told(draw: object) -> None:
    with pytest.raises(UserError, match=r"unknown axis of the grid 'size'; known: scale, depth, width"):
        draw(x="size")  # type: ignore[operator]
    with pytest.raises(UserError, match=r"an axis of a grid is shown twice: "):
        draw(panels="scale")  # type: ignore[operator]
    with pytest.raises(UserError, match=r"there are no numbers of quantity 'gain' of the grid"):
        draw(quantity="gain")  # type: ignore[operator]
    with pytest.raises(UserError, match=r"quantity 'course' has several numbers of a replica; give its step"):
        draw(quantity="course")  # type: ignore[operator]


def test_phases_that_are_not_named_are_told() -> None:
    with pytest.raises(UserError, match=r"replicas are 'constant', which is none of the phases trains; name it under 'phases'"):
        mapped(quantity="phase", phases=["trains"])
    with pytest.raises(UserError, match=r"option 'phases' names 6; at most 5"):
        mapped(quantity="phase", phases=[*PHASES, "a", "b", "c"])


def test_lines_are_medians_with_bands_of_their_bootstrap_intervals() -> None:
    picture = lined()
    first, second = picture.figure.axes
    assert (first.get_label(), second.get_label()) == ("width 4", "width 16")
    assert synthetic.line(first, "depth 8, median") == ([0.1, 1, 10], [4002.3, 4009.5, 4081.5])
    rows = pictures.tabulate(picture.figure).splitlines()
    expected = median_interval(4080 + np.arange(4.0), **BOOTSTRAP)
    assert f'width 4,"depth 8, interval, low",10,{expected.low:.6g}' in rows
    assert f'width 4,"depth 8, interval, high",10,{expected.high:.6g}' in rows
    assert "bands: its 95 % bootstrap interval" in picture.note
    assert "depth 8 from 4002 to 4082" in picture.alt


def test_lines_at_a_step_on_linear_axes() -> None:
    picture = lined(quantity="course", step="last", linear=["scale"], panels=None, only=["width=4"])
    axes = picture.figure.axes[0]
    assert synthetic.line(axes, "depth 2, median") == ([0.1, 1, 10], [10.5, 10.5, 10.5])
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")


def test_a_line_breaks_where_its_median_is_not_finite() -> None:
    made = numbers()
    made.loc[made["variant"].isin(["g_scale_1_depth_8_width_4"]) & (made["replica"] > 0), "value"] = np.nan
    rows = pictures.tabulate(lined(made, logarithmic=True).figure).splitlines()
    assert [row.split(",")[-2] for row in rows if row.startswith('width 4,"depth 8, median"')] == ["0.1", "10"]
