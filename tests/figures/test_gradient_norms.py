import pytest

from scripts.figures.gradient_norms import draw
from tests import synthetic


def test_every_replica_and_the_median() -> None:
    study = synthetic.study()
    picture = draw(study["gradient_norm"], styles=study["styles"])
    axes = synthetic.panel(picture.figure, "Good start")
    assert synthetic.line(axes, "median") == ([1, 2, 3], pytest.approx([2, 20, 200]))
    dots = synthetic.dots(axes, "replicas")
    assert sorted(dots[:, 1]) == pytest.approx([1, 2, 3, 10, 20, 30, 100, 200, 300])
    assert dots[:, 0].round().tolist() == [1, 2, 3] * 3
    assert axes.get_yscale() == "log"
    assert "Good start: 2 in the first layer, 200 in the last" in picture.alt


def test_what_is_not_on_a_logarithmic_axis_is_said() -> None:
    study = synthetic.study(["good"])
    study["gradient_norm"]["good"]["gradient_norm"][1, 0] = 0
    study["gradient_norm"]["good"]["exists_gradient_norm"][1, 1:] = False
    picture = draw(study["gradient_norm"], styles=study["styles"], step="last")
    (axes,) = picture.figure.axes
    assert axes.texts[0].get_text() == "not finite in 2 of 3; zero in 1 of 3"
    assert not len(synthetic.dots(axes, "replicas"))
    assert synthetic.line(axes, "median") == ([], [])
    assert "infinite in the first layer" in picture.alt
