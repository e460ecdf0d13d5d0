import numpy as np
import pytest

from scripts.figures.loss_curves import draw
from tests import synthetic


def test_medians_of_both_losses() -> None:
    study = synthetic.study()
    picture = draw(study["data"], study["loss"], study["fate"], styles=study["styles"], losses=study["losses"])
    axes = synthetic.panel(picture.figure, "Good start")
    steps, train = synthetic.line(axes, "train loss, median")
    assert steps == [0, 7, 13, 20]
    assert train[-1] == pytest.approx(0.02)
    assert synthetic.line(axes, "test loss, median")[1][-1] == pytest.approx(0.04)
    assert synthetic.line(axes, "best constant")[1][0] == pytest.approx(study["data"]["good"]["train_y"].var())
    assert "Good start: train 0.0200, test 0.0400" in picture.alt


def test_divergence_is_said_in_words() -> None:
    study = synthetic.study()
    picture = draw(study["data"], study["loss"], study["fate"], styles=study["styles"], losses=study["losses"])
    words = synthetic.panel(picture.figure, "Wild start").texts[0].get_text().replace("\n", " ")
    assert words == "starts at 1.00 × 10⁶; diverged after 1 to 3 updates in 3 of 3"
    assert "Wild start: train infinite, test infinite" in picture.alt


def test_a_diverged_replica_counts_and_is_not_dropped() -> None:
    study = synthetic.study(["good"])
    study["loss"]["good"]["train_loss"][-1] = [0.01, np.nan, np.inf]
    picture = draw(study["data"], study["loss"], study["fate"], styles=study["styles"], losses=study["losses"])
    steps, _ = synthetic.line(picture.figure.axes[0], "train loss, median")
    assert steps == [0, 7, 13]
    assert "train infinite" in picture.alt
