import numpy as np
import pytest

from scripts.common import best_constant, losses
from scripts.figures import final_test_loss, loss_curves
from tests import synthetic

LABELS = np.eye(4)[[0, 0, 0, 1, 1, 2, 3, 3]]
POINTS = np.array([[1.0, 10.0], [2.0, 40.0], [4.0, 20.0]])


@pytest.mark.parametrize(("kind", "targets"), [("mse", POINTS), ("mse", POINTS[:, :1]), ("cross_entropy", LABELS)])
def test_no_constant_is_better(kind, targets):
    least, generator = best_constant.loss_of(targets, kind), np.random.default_rng(0)
    best = targets.mean(axis=0) if kind == "mse" else np.log(targets.mean(axis=0))

    def loss(constant):
        prediction = np.broadcast_to(constant[:, None], targets.T.shape)[None]
        return float(getattr(losses, kind)().value(prediction, targets.T)[0])

    assert least == pytest.approx(loss(best))
    assert all(loss(best + generator.normal(size=best.size)) > least for _ in range(100))


def test_a_class_that_is_in_no_row_costs_nothing():
    assert best_constant.loss_of(np.eye(3)[[0, 1]], "cross_entropy") == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(["mse", "mse"], "mean squared error"), (["cross_entropy"], "cross-entropy"), (["mse", "own"], "loss"), ([], "loss")],
)
def test_an_axis_is_called_by_its_loss(kinds, expected):
    assert best_constant.name(kinds) == expected


@pytest.mark.parametrize(("figure", "along"), [(loss_curves, 1), (final_test_loss, 0)])
def test_figures_draw_the_best_constant_of_the_loss_that_they_show(figure, along):
    study = synthetic.study(["good"])
    study["data"]["good"] = {"train_y": LABELS, "test_y": LABELS}
    given = {"data": study["data"], "loss": study["loss"], "fate": study["fate"], "styles": study["styles"]}
    picture = figure.draw(**given, losses={"good": "cross_entropy"})
    (line,) = [line for line in picture.figure.axes[0].lines if line.get_label() == "best constant"]
    assert line.get_data()[along][0] == pytest.approx(best_constant.loss_of(LABELS, "cross_entropy"))
    assert "the entropy of the shares of the" in picture.note
    own = figure.draw(**given, losses={"good": "own"})
    assert not [line for line in own.figure.axes[0].lines if line.get_label() == "best constant"]
    assert "constant" not in own.note + own.alt
    assert "cross-entropy" not in own.note + own.alt
