import numpy as np
import pytest
from matplotlib.collections import LineCollection

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.figures.gradient_features import MOST_LINES, draw
from tests import synthetic


def drawn(study: dict[str, dict[str, dict[str, object]]]) -> Picture:
    return draw(study["gradient_features"], study["fate"], styles=study["styles"])  # type: ignore[arg-type]


def test_a_panel_for_each_tensor_and_step() -> None:
    picture = drawn(synthetic.study(["good"]))
    names = ["layer 1, weights", "layer 1, biases", "output layer, weights", "output layer, bias"]
    assert [axes.get_label() for axes in picture.figure.axes] == [
        f"{name}, {when}" for name in names for when in ("at initialization", "after training")
    ]
    axes = synthetic.panel(picture.figure, "output layer, weights, after training")
    assert [line.get_label() for line in axes.lines] == ["2.weight 1", "2.weight 2"]
    x, values = synthetic.line(axes, "2.weight 2")
    assert values == pytest.approx([18 * place for place in x])
    assert "output layer, bias 7 at initialization; output layer, bias 21 after training." in picture.alt


def test_lines_have_the_color_of_the_unit_that_their_parameter_belongs_to() -> None:
    study = synthetic.study(["good"])
    measured = study["gradient_features"]["good"]
    measured["parameter_name"] = np.array(["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"])
    measured["parameter_size"] = np.array([2, 2, 6, 3, 3, 1])  # units: 2, then 3 of 2 inputs each, then 1 of 3 inputs
    measured["feature"] = np.arange(1, 18) * measured["grid_x"][None]
    measured["step"] = np.array([0])

    def units(name: str) -> list[int]:
        lines = synthetic.panel(drawn(study).figure, f"{name}, at initialization").lines
        colors = [tuple(line.get_color()) for line in lines]
        return [list(dict.fromkeys(colors)).index(color) for color in colors]

    assert units("layer 2, weights") == [0, 0, 1, 1, 2, 2]
    assert units("layer 2, biases") == units("output layer, weights") == [0, 1, 2]
    assert units("layer 1, weights") == [0, 1]


def test_many_features_become_a_picture_and_their_range() -> None:
    study = synthetic.study(["good"])
    measured, many = study["gradient_features"]["good"], MOST_LINES + 1
    measured["parameter_size"] = np.array([many, many, many, 1])
    measured["feature"] = np.arange(1, 3 * many + 2) * np.ones((2, 1, 1)) * measured["grid_x"]
    picture = drawn(study)
    axes = picture.figure.axes[0]
    assert axes.lines == [] or not len(axes.lines)
    (cloud,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    assert len(cloud.get_segments()) == many
    assert cloud.get_rasterized()
    rows = pictures.tabulate(picture.figure).splitlines()
    assert f'"layer 1, weights, at initialization","all features, high",1,{many}' in rows
    assert not [row for row in rows if "_features" in row]
    assert f"the range of more than {MOST_LINES} features" in picture.note
    assert "the range of more than" not in drawn(synthetic.study(["good"])).note


def test_a_diverged_network_is_said_in_words() -> None:
    picture = drawn(synthetic.study())
    axes = synthetic.panel(picture.figure, "Wild start: layer 1, biases, after training")
    assert axes.texts[0].get_text() == "not available:\ndiverged after 1 update"
    assert "Wild start: layer 1, weights 2 at initialization; layer 1, weights not available, diverged after 1 update" in picture.alt
    assert len(synthetic.panel(picture.figure, "Wild start: layer 1, biases, at initialization").get_xticks())


def test_a_constant_feature_has_a_readable_axis() -> None:
    study = synthetic.study(["good"])
    study["gradient_features"]["good"]["feature"][:, :, -1] = 1
    assert synthetic.panel(drawn(study).figure, "output layer, bias, after training").get_ylim() == (0, 2)
