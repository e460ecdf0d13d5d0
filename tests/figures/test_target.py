import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.figures.target import draw
from tests import synthetic


def test_shows_the_truth_and_its_sine_waves() -> None:
    picture = draw(synthetic.study()["datasets"], data_set="whole", sines=4)
    (axes,) = picture.figure.axes
    x, y = synthetic.line(axes, "truth")
    assert y == pytest.approx(synthetic.truth(np.asarray(x)))
    assert synthetic.line(axes, "sine 2")[1] == pytest.approx(-0.25 * np.sin(2 * np.pi * np.asarray(x)))
    assert [line.get_label() for line in axes.lines] == ["sine 1", "sine 2", "truth"]
    assert "the sum of 2 sine waves" in picture.alt
    assert "0.500 for k = 1 and −0.250 for k = 2" in picture.alt


def test_no_waves_where_the_truth_is_no_such_sum() -> None:
    datasets = synthetic.study()["datasets"]
    datasets["whole"]["grid_y"] = np.abs(datasets["whole"]["grid_x"])
    picture = draw(datasets, data_set="whole", sines=4)
    assert [line.get_label() for line in picture.figure.axes[0].lines] == ["truth"]
    assert "sine" not in picture.alt
    assert picture.note == ""


def test_unknown_data_set() -> None:
    with pytest.raises(UserError, match="unknown data set 'all'; known: whole, part"):
        draw(synthetic.study()["datasets"], data_set="all")
