from typing import Any

import numpy as np
import pytest

from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.solved_fits import draw_solved_fits
from tests import synthetic


def drawn(study: dict[str, Any], replica: int = 0) -> Picture:
    solved = {variant: measured["tangent_prediction_grid"] for variant, measured in study["tangent"].items()}
    made = study["data"], study["prediction"], solved, study["fate"]
    return draw_solved_fits(*made, styles=study["styles"], names=("solved", "trained"), replica=replica, columns=2)


def test_distances_are_medians_over_all_replicas() -> None:
    study = synthetic.study(["good"], replicas=4)
    study["tangent"]["good"]["tangent_prediction_grid"][2] = np.nan
    # of 0, 0.01, 0.09 and infinity
    assert "Good start: solved 0.0500, trained 0.0250." in drawn(study).alt


def test_what_is_not_there_is_said_in_words() -> None:
    study = synthetic.study()
    picture = drawn(study, replica=1)
    axes = synthetic.panel(picture.figure, "Wild start")
    assert [line.get_label() for line in axes.lines] == ["truth", "solved"]
    assert axes.texts[0].get_text().replace("\n", " ") == "trained: not available, diverged after 2 updates"
    study["tangent"]["good"]["tangent_prediction_grid"][1] = np.nan
    axes = synthetic.panel(drawn(study, replica=1).figure, "Good start")
    assert axes.texts[0].get_text() == "solved: not available, not finite"


def test_a_wild_solution_leaves_the_panel_and_does_not_stretch_it() -> None:
    study = synthetic.study(["good"])
    study["tangent"]["good"]["tangent_prediction_grid"] *= 1e30
    assert drawn(study).figure.axes[0].get_ylim()[1] < 2


def test_unknown_replica() -> None:
    with pytest.raises(UserError, match="there is no replica 3"):
        drawn(synthetic.study(), replica=3)
