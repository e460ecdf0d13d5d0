import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.figures.loss_plane import draw
from tests import synthetic


def drawn(*variants, **options):
    study = synthetic.study(variants or ["good"], **options)
    return draw(study["loss_plane"], styles=study["styles"])


def test_the_path_on_the_plane():
    panel = synthetic.panel(drawn().figure, "test loss on the plane")
    x, y = synthetic.line(panel, "path")
    assert x == y == pytest.approx(np.linspace(1, 0, 21))
    assert synthetic.line(panel, "start") == ([1], [1])
    assert synthetic.line(panel, "end") == ([0], [0])
    assert panel.get_xlim() == panel.get_ylim() == (-1, 2)


def test_contours_reach_from_the_lowest_to_the_highest_loss():
    panel = synthetic.panel(drawn().figure, "test loss on the plane")
    (filled,) = [one for one in panel.collections if one.get_label() == "_loss"]
    assert (filled.levels[0], filled.levels[-1]) == pytest.approx((np.exp(0.0 + 0.0625) / 10, np.exp(8.0) / 10))


def test_rises_on_lines_to_the_end():
    picture = drawn()
    panel = synthetic.panel(picture.figure, "rise of the loss on lines to the end")
    assert synthetic.line(panel, "rise above both ends, median") == ([0, 10, 20], pytest.approx([0.02, 0.01, 0]))
    assert synthetic.line(panel, "rise above the straight line, median")[1] == pytest.approx([0.04, 0.02, 0])
    assert "(at most 0.0300)" in picture.alt
    assert "up to 0.250 off the plane" in picture.note


def test_a_network_that_diverged_has_no_plane():
    picture = drawn("wild")
    assert "There is no plane." in picture.alt
    assert "not available" in picture.alt


def test_one_variant_is_shown():
    with pytest.raises(UserError, match="shows one variant"):
        drawn("good", "wild")
