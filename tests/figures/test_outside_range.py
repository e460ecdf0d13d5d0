import pytest

from scripts.common import pictures
from scripts.figures.outside_range import draw
from tests import synthetic


def test_range_is_shaded_and_losses_are_said() -> None:
    study = synthetic.study()
    study["data"]["good"] = synthetic.data(high=0.4)
    picture = draw(study["data"], study["prediction"], study["test_range"], study["fate"], styles=study["styles"])
    axes = synthetic.panel(picture.figure, "Good start")
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((-1.0, 0.4))
    assert axes.texts[0].get_text() == "test loss inside 0.020, outside 2"
    assert "Good start: 0.020 inside, 2 outside" in picture.alt
    assert "Wild start: infinite inside, infinite outside (diverged after 1 to 3 updates in 3 of 3)" in picture.alt
    assert "Good start,training range,0.4," in pictures.tabulate(picture.figure)


def test_panels_share_limits_that_hold_every_fit_within_reach() -> None:
    study = synthetic.study(["good", "other"], diverged=[])
    study["prediction"]["good"]["prediction_grid"][-1] += 1
    picture = draw(study["data"], study["prediction"], study["test_range"], study["fate"], styles=study["styles"])
    for axes in picture.figure.axes:
        assert axes.get_ylim()[1] >= study["prediction"]["good"]["prediction_grid"][-1].max()
