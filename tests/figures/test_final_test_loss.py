import numpy as np
import pytest

from scripts.common import pictures
from scripts.figures.final_test_loss import draw
from tests import synthetic


def test_every_replica_and_the_median() -> None:
    study = synthetic.study()
    picture = draw(study["data"], study["loss"], study["fate"], styles=study["styles"], losses=study["losses"])
    (axes,) = picture.figure.axes
    assert synthetic.dots(axes, "Good start")[:, 0] == pytest.approx([0.02, 0.04, 0.06])
    assert synthetic.dots(axes, "Good start, replica 0")[:, 0] == pytest.approx([0.02])
    assert synthetic.line(axes, "Good start, median") == ([pytest.approx(0.04)], [0])
    assert synthetic.line(axes, "best constant")[0][0] == pytest.approx(study["data"]["good"]["test_y"].var())
    assert "Good start 0.0400; Wild start infinite (3 diverged of 3)" in picture.alt
    rows = pictures.tabulate(picture.figure).splitlines()
    assert 'test loss after training,"Good start, median",0.04,Good start' in rows


def test_diverged_replicas_are_counted_in_words_and_in_the_median() -> None:
    study = synthetic.study()
    study["loss"]["good"]["test_loss"][-1, 0] = np.inf
    picture = draw(study["data"], study["loss"], study["fate"], styles=study["styles"], losses=study["losses"])
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "Good start, median")[0] == pytest.approx([0.06])
    assert not len(synthetic.dots(axes, "Wild start"))
    assert "Wild start, median" not in [line.get_label() for line in axes.lines]
    assert [text.get_text() for text in axes.texts] == ["", "3 diverged"]
