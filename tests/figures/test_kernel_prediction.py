from typing import Any

import numpy as np
import pytest

from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.kernel_prediction import draw
from tests import synthetic
from tests.figures.test_training_steps import shown

STEPS = np.array([0, 1, 2, 4, 8, 32, 64])


def drawn(study: dict[str, Any] | None = None, **options: Any) -> Picture:
    study = study or synthetic.study(["good"])
    return draw(**{name: study[name] for name in ("data", "prediction", "kernel_regression", "styles")}, **options)


def with_steps() -> dict[str, Any]:
    """A study whose network predicts s / 100 at step s, the infinite kernel twice and its own three times that."""
    study = synthetic.study(["good"])
    size = np.broadcast_to(STEPS[:, None, None] / 100, (len(STEPS), 3, synthetic.GRID))
    study["prediction"]["good"] = {"step": STEPS, "prediction_grid": size}
    regression = {"step": STEPS, "infinite_prediction_grid": 2 * size, "linearized_prediction_grid": 3 * size}
    gaps = {"kernel_prediction_gap": size[:, :, 0], "linearized_prediction_gap": 2 * size[:, :, 0]}
    study["kernel_regression"]["good"] = regression | gaps
    return study


def test_moments_are_spread_over_the_logarithm_of_the_step() -> None:
    figure = drawn(with_steps()).figure
    names = [f"Good start, {when}" for when in ("after 4 updates", "after 8 updates", "after training")]
    assert [axes.get_label() for axes in figure.axes] == names  # 64 ** (1 / 3) = 4, 64 ** (2 / 3) = 16
    for name, step in zip(names, (4, 8, 64), strict=True):
        axes = synthetic.panel(figure, name)
        for label, times in (("network", 1), ("infinite kernel", 2), ("own kernel at initialization", 3)):
            assert synthetic.line(axes, label)[1] == pytest.approx([times * step / 100] * 2)
        x, y = synthetic.line(axes, "truth")
        assert y == pytest.approx(synthetic.truth(np.array(x)))


def test_another_replica() -> None:
    figure = drawn(replica=2).figure
    x, y = synthetic.line(figure.axes[-1], "own kernel at initialization")
    assert y == pytest.approx(synthetic.truth(np.array(x)) - 0.2)
    with pytest.raises(UserError, match="there is no replica 3"):
        drawn(replica=3)


def test_what_is_not_finite_is_not_drawn_and_said() -> None:
    picture = drawn(synthetic.study(["wild"]))
    labels = {str(line.get_label()) for line in picture.figure.axes[-1].lines}
    assert labels == {"truth"}
    assert "infinite kernel not available, own kernel at initialization not available" in picture.alt


def test_gaps_are_told() -> None:
    assert "Good start, after training: infinite kernel 0.100, own kernel at initialization 0.0100." in drawn().alt


def test_the_explorer_has_all_moments() -> None:
    data = drawn(with_steps()).explorer
    assert data is not None
    assert data["stops"] == [f"step {step}" for step in STEPS]
    for stop, step in enumerate(STEPS):
        for label, times in (("network", 1), ("infinite kernel", 2), ("own kernel at initialization", 3)):
            assert shown(data, stop, "Good start", label) == pytest.approx([times * step / 100] * synthetic.GRID, abs=1e-6)
    assert data["readout"][-1] == ("Step 64, gap to the prediction: Good start, infinite kernel 0.640, own kernel at initialization 1.28.")
