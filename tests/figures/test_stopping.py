import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.errors import UserError
from scripts.figures.stopping import draw
from tests import synthetic


def drawn(patience=1, **options):
    made = synthetic.study(["good"], diverged=[], **options)
    return draw(made["stopping"], styles=made["styles"], patience=patience)


def test_courses_and_the_marks_of_each_replica():
    picture = drawn()
    losses, accuracy = picture.figure.axes
    assert synthetic.line(losses, "test loss, median") == (
        list(range(0, 21, 2)),
        pytest.approx([*np.arange(1, 0.2, -0.15), *np.arange(0.3, 0.51, 0.05)]),
    )
    assert synthetic.line(losses, "train loss, median")[1][5] == pytest.approx(0.125)
    best = synthetic.dots(losses, "best state, restored")
    np.testing.assert_allclose(best, [[10, 0.25]] * 3)
    stops = synthetic.dots(losses, "state at the stop")
    np.testing.assert_allclose(stops[:, 0], 10 + 10 * np.array([1, 2, 3]) / 3)
    np.testing.assert_allclose(stops[:, 1], 0.25 + 0.25 * np.array([1, 2, 3]) / 3)
    np.testing.assert_allclose(synthetic.dots(accuracy, "state at the stop")[:, 1], 1 - stops[:, 1] / 2)
    assert "stopped in 3 of 3 replicas" in picture.alt
    assert "at the end of the whole training 0.500" in picture.alt
    assert accuracy.get_ylim()[0] > 0.5
    assert 'loss,"best state, restored",10,0.25' in pictures.tabulate(picture.figure)


def test_a_replica_that_is_not_stopped_is_marked_at_its_end():
    picture = drawn(patience=5)
    assert synthetic.dots(picture.figure.axes[0], "state at the stop")[:, 0].tolist() == [20, 20, 20]
    assert "edian step of the stop infinite" in picture.alt


def test_a_patience_that_was_not_measured_is_refused():
    with pytest.raises(UserError, match="unknown patience '3'; known: 1, 5"):
        drawn(patience=3)
