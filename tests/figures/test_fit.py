import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.fit import draw
from tests import synthetic


def drawn(**made: object) -> Picture:
    study = synthetic.study(**made)  # type: ignore[arg-type]
    return draw(study["data"], study["prediction"], study["fate"], styles=study["styles"])


def test_median_and_band_of_all_replicas() -> None:
    axes = synthetic.panel(drawn().figure, "Good start")
    x, median = synthetic.line(axes, "median")
    truth = synthetic.truth(np.asarray(x))
    assert median == pytest.approx(truth + 0.1)
    assert synthetic.line(axes, "replica 0")[1] == pytest.approx(truth)
    rows = pictures.tabulate(axes.figure).splitlines()
    assert 'Good start,"replicas, high",0,0.2' in rows
    assert 'Good start,"replicas, low",0,0' in rows


def test_diverged_variant_says_so_and_shows_only_the_truth() -> None:
    picture = drawn()
    axes = synthetic.panel(picture.figure, "Wild start")
    assert [line.get_label() for line in axes.lines] == ["truth"]
    (words,) = axes.texts
    assert words.get_text().replace("\n", " ") == "diverged after 1 to 3 updates in 3 of 3"
    assert "Wild start infinite (diverged after 1 to 3 updates in 3 of 3)" in picture.alt


def test_only_finite_replicas_make_the_band() -> None:
    study = synthetic.study(["good"])
    study["prediction"]["good"]["prediction_grid"][-1, 0] = np.inf
    picture = draw(study["data"], study["prediction"], study["fate"], styles=study["styles"])
    (axes,) = picture.figure.axes
    x, median = synthetic.line(axes, "median")
    assert median == pytest.approx(synthetic.truth(np.asarray(x)) + 0.15)
    assert "replica 0" not in [line.get_label() for line in axes.lines]
    # The infinite replica counts in the median error: of 0.01, 0.04 and infinity it is 0.04.
    assert "Good start 0.0400" in picture.alt


def test_wild_fit_leaves_the_panel_and_does_not_stretch_it() -> None:
    study = synthetic.study(["good"])
    study["prediction"]["good"]["prediction_grid"][-1] *= 1e30
    picture = draw(study["data"], study["prediction"], study["fate"], styles=study["styles"])
    assert picture.figure.axes[0].get_ylim()[1] < 2


def test_note_names_replicas_and_band() -> None:
    assert "n = 3 replicas" in drawn().note
    assert "5th to 95th percentile" in drawn().note


def test_without_a_true_function_only_fits_and_points_are_drawn() -> None:
    study = synthetic.study(["good"])
    for data in study["data"].values():
        del data["grid_y"]
    picture = draw(study["data"], study["prediction"], study["fate"], styles=study["styles"])
    (axes,) = picture.figure.axes
    assert "truth" not in [line.get_label() for line in axes.lines]
    assert "truth" not in [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert picture.alt == "Fits after training through the training points, a panel for each variant: Good start."


def test_several_inputs_have_no_axis() -> None:
    study = synthetic.study(["good"])
    study["data"]["good"] |= {"train_x": np.zeros((5, 2))}
    with pytest.raises(
        UserError,
        match=r"^variant 'good' has several inputs, and a fit is drawn over one; leave it out of 'variants', or take the figure 'curves'$",
    ):
        draw(study["data"], study["prediction"], study["fate"], styles=study["styles"])
