import pytest

from scripts.common import pictures
from scripts.figures.singular_values import draw
from tests import synthetic


def test_median_of_the_replicas_as_far_as_it_is_not_zero() -> None:
    study = synthetic.study()
    picture = draw(study["spectrum"], study["fate"], styles=study["styles"], steps=["first", "last"])
    ranks, middle = synthetic.line(synthetic.panel(picture.figure, "after training"), "Good start, median")
    assert ranks == list(range(1, 11))
    assert middle == pytest.approx([4 * 10.0**-k for k in range(10)])
    assert 'after training,"Good start, high",1,6' in pictures.tabulate(picture.figure).splitlines()
    assert "After training, median of the largest: Good start 4; Wild start: not available" in picture.alt


def test_variant_without_spectrum_is_named() -> None:
    study = synthetic.study()
    picture = draw(study["spectrum"], study["fate"], styles=study["styles"], steps=["last"])
    (axes,) = picture.figure.axes
    assert [line.get_label() for line in axes.lines] == ["Good start, median"]
    assert axes.texts[0].get_text() == "Wild start: not available, diverged after 1 to 3 updates in 3 of 3"


def test_only_available_replicas_count() -> None:
    study = synthetic.study(["good"])
    study["spectrum"]["good"]["available"][0, 2] = False
    picture = draw(study["spectrum"], study["fate"], styles=study["styles"], steps=["first"], values=4)
    ranks, middle = synthetic.line(picture.figure.axes[0], "Good start, median")
    assert (ranks, middle) == ([1, 2, 3, 4], pytest.approx([1.5, 0.15, 0.015, 0.0015]))
