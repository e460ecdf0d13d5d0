import numpy as np
import pytest

from scripts.figures.loss_by_time import draw
from tests import synthetic


def test_the_same_losses_stand_against_steps_and_against_seconds() -> None:
    study = synthetic.study(["good"])
    picture = draw(study["loss"], study["steps_to_loss"], styles=study["styles"], floor=0.03)
    by_step, by_time = picture.figure.axes
    steps, losses = synthetic.line(by_step, "Good start, median")
    assert steps == [7, 13, 20]
    assert losses[-1] == pytest.approx(0.02)
    assert synthetic.line(by_time, "Good start, median") == ([3.5, 6.5, 10.0], losses)
    assert synthetic.line(by_time, "marked loss")[1] == [0.03, 0.03]
    assert "Good start: 0.0200 after 20 steps, 10 s" in picture.alt


def test_a_variant_whose_time_is_not_known_stands_against_steps_alone() -> None:
    study = synthetic.study(["good", "other"])
    study["steps_to_loss"]["good"]["seconds_per_step"] = np.array(np.nan)
    picture = draw(study["loss"], study["steps_to_loss"], styles=study["styles"])
    by_step, by_time = picture.figure.axes
    assert len(synthetic.line(by_step, "Good start, median")[0]) == 3
    assert [line.get_label() for line in by_time.lines] == ["Other start, median"]
    assert "Good start: 0.0200 after 20 steps;" in picture.alt
