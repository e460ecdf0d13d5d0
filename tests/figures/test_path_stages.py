import numpy as np
import pytest

from scripts.figures.path_stages import draw
from tests import synthetic


def drawn(*variants, **options):
    study = synthetic.study(variants or ["good"], **options)
    return draw(study["path"], study["loss"], styles=study["styles"])


def test_speed_and_cosine_by_epoch_with_the_controls():
    figure = drawn().figure
    x, y = synthetic.line(synthetic.panel(figure, "speed, path length by update"), "Good start, path, median")
    assert x == [1, 2, 3, 4, 5]
    assert y == pytest.approx([2 / epoch for epoch in x])  # of three replicas the second
    cosine = synthetic.panel(figure, "cosine between successive epochs")
    assert synthetic.line(cosine, "Good start, path, median") == ([2, 3, 4, 5], pytest.approx([1 / 2, 1 / 3, 1 / 4, 1 / 5]))
    assert synthetic.line(cosine, "Good start, random walk, median")[1] == [0] * 4
    assert synthetic.line(cosine, "Good start, shuffled steps, median")[1] == [0.5] * 4


def test_distances_are_shares_of_the_path_length():
    figure = drawn().figure
    panel = synthetic.panel(figure, "distance to the end, by path length")
    x, y = synthetic.line(panel, "Good start, path, median")
    length = 4 * sum(1 / epoch for epoch in range(1, 6))
    assert x == pytest.approx(np.linspace(0, 5, 21))
    assert y == pytest.approx(np.linspace(1, 0, 21) / length)
    assert synthetic.line(panel, "Good start, random walk, median")[1] == pytest.approx(np.linspace(1, 0, 21) ** 2 / length)


def test_losses_against_the_epoch():
    panel = synthetic.panel(drawn().figure, "loss")
    x, y = synthetic.line(panel, "Good start, train loss, median")
    assert (x[0], x[-1]) == (0, 5)
    assert (y[0], y[-1]) == pytest.approx((1, 0.02))
    assert synthetic.line(panel, "Good start, test loss, median")[1][-1] == pytest.approx(0.04)


def test_the_ratio_of_speeds_is_told():
    assert "Good start: median ratio of the speed in the early to that in the late stage 8." in drawn("good", "other").alt
    picture = drawn("good", "wild")
    assert "Wild start: median ratio of the speed in the early to that in the late stage not available." in picture.alt
    assert "n = 3 replicas" in picture.note
