import base64
from typing import Any

import numpy as np
import pytest

from scripts.common import explorer
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.training_steps import draw
from tests import synthetic
from tests.report import checks_explorers

READ = ("data", "prediction", "elbows", "spectrum", "loss", "styles")


def course(*variants: str, **options: Any) -> dict[str, Any]:
    return synthetic.with_moments(synthetic.study(variants or ["good"], **options))


def drawn(study: dict[str, Any], **options: Any) -> Picture:
    return draw(**{name: study[name] for name in READ}, **options)


def panel(data: dict[str, Any], name: str) -> Any:
    """Return the traces of the panel of an explorer with this title, by their names."""
    (place,) = [place for place, panel in enumerate(data["panels"]) if panel["title"] == name]
    return place, {trace["name"]: at for at, trace in enumerate(data["panels"][place]["traces"])}


def shown(data: dict[str, Any], stop: int, panel_name: str, trace: str, key: str = "y") -> list[float | None]:
    place, traces = panel(data, panel_name)
    return checks_explorers.expected(data, stop)[place][traces[trace]][key]


def test_a_column_of_three_panels_for_each_moment() -> None:
    figure = drawn(course(), columns=4).figure
    assert [axes.get_title(loc="left") for axes in figure.axes[:4]] == [
        "at initialization",
        "after 7 updates",
        "after 13 updates",
        "after training",
    ]
    x, y = synthetic.line(synthetic.panel(figure, "after training: learned function"), "network")
    assert y == pytest.approx(synthetic.truth(np.array(x)))
    bars = synthetic.panel(figure, "after 7 updates: singular values").patches
    assert [bar.get_height() for bar in bars[:3]] == pytest.approx([1.35, 0.135, 0.0135])
    x, y = synthetic.line(synthetic.panel(figure, "after training: principal features"), "feature 2")
    assert y == pytest.approx(2 * (2 * np.array(x) + 1))
    marks = synthetic.dots(synthetic.panel(figure, "at initialization: learned function"), "elbows")
    assert marks[:, 0].tolist() == [-0.5, 0.5]


def test_some_moments_are_drawn_and_all_can_be_explored() -> None:
    picture = drawn(course(), columns=2)
    assert len(picture.figure.axes) == 6
    assert picture.explorer is not None
    assert picture.explorer["stops"] == ["step 0", "step 7", "step 13", "step 20"]


def test_what_is_told_of_a_moment_are_the_numbers_of_the_report() -> None:
    study = course()
    study["loss"]["good"]["train_loss"][:, 0] = [0.5, 1 / 3, np.nan, np.inf]
    picture = drawn(study)
    assert picture.explorer is not None
    assert picture.explorer["readout"] == [
        "Step 0 of 20: train error 0.500, test error 2.",
        "Step 7 of 20: train error 0.333, test error 1.34.",
        "Step 13 of 20: train error not a number, test error 0.680.",
        "Step 20 of 20: train error infinite, test error 0.0200.",
    ]
    assert "After 7 updates, train error 0.333, test error 1.34." in picture.alt


def test_a_loss_that_was_not_recorded_is_said_to_be_so() -> None:
    study = course()
    study["loss"]["good"]["step"][1] = 6
    picture = drawn(study)
    assert picture.explorer is not None
    assert picture.explorer["readout"][1] == "Step 7 of 20: train error not recorded, test error not recorded."


def test_the_explorer_moves_function_elbows_values_and_features() -> None:
    study = course()
    data = drawn(study, values=5, features=3).explorer
    assert data is not None
    for stop, step in enumerate((0, 7, 13, 20)):
        output = study["prediction"]["good"]["prediction_grid"][stop, 0]
        assert shown(data, stop, "Learned function", "network") == pytest.approx(output, abs=1e-6)
        assert shown(data, stop, "Learned function", "elbows", "x") == [-0.5, 0.5, None]
        assert shown(data, stop, "Learned function", "kinks", "x") == [0.0, 0.25, None]
        values = [10.0**-rank * (1 + step / 20) for rank in range(5)]
        assert shown(data, stop, "Singular values", "singular values") == pytest.approx(values)
        grid = np.linspace(-1, 1, synthetic.GRID)
        assert shown(data, stop, "Principal features", "feature 3") == pytest.approx((3 * grid + 2) * (1 + step / 20), abs=1e-5)
    assert len(panel(data, "Principal features")[1]) == 3
    assert shown(data, 0, "Learned function", "training points") == pytest.approx(study["data"]["good"]["train_y"][:, 0])


def test_a_network_with_one_hidden_layer_has_no_kinks() -> None:
    study = course()
    study["elbows"]["good"].pop("kink")
    picture = drawn(study)
    assert picture.explorer is not None
    assert "kinks" not in panel(picture.explorer, "Learned function")[1]
    assert "kink, second layer" not in [key.get_text() for key in picture.figure.legends[0].get_texts()]


def test_features_keep_their_signs() -> None:
    study = course()
    plain = drawn(study).explorer
    study["spectrum"]["good"]["feature_grid"][1:3, :, :, 1] *= -1
    assert drawn(study).explorer == plain


def test_no_more_moments_than_a_slider_takes() -> None:
    study = synthetic.with_moments(synthetic.study(["good"]), np.linspace(0, synthetic.LAST, 105))
    for name in ("prediction", "elbows", "spectrum"):
        study[name]["good"]["step"] = np.arange(105)
    data = drawn(study).explorer
    assert data is not None
    assert len(data["stops"]) <= explorer.MOST_STOPS
    assert (data["stops"][0], data["stops"][-1]) == ("step 0", "step 104")
    assert len(base64.b64decode(data["arrays"][0])) == 4 * synthetic.GRID


def test_a_network_that_diverged_leaves_its_panels_empty() -> None:
    picture = drawn(course("wild"))
    assert picture.explorer is not None
    assert set(shown(picture.explorer, 3, "Principal features", "feature 1")) == {None}
    assert not synthetic.panel(picture.figure, "after training: principal features").lines


def test_one_variant_is_shown() -> None:
    with pytest.raises(UserError, match="shows one variant; 'variants' names 2: good, wild"):
        drawn(course("good", "wild"))
