import numpy as np
import pytest

from scripts.figures.tangent_fit import draw
from tests import synthetic


def test_regression_beside_the_trained_network() -> None:
    study = synthetic.study()
    picture = draw(study["data"], study["prediction"], study["tangent"], study["fate"], styles=study["styles"], replica=1)
    axes = synthetic.panel(picture.figure, "Good start")
    x, regression = synthetic.line(axes, "regression on tangent features")
    assert regression == pytest.approx(synthetic.truth(np.asarray(x)) - 0.1)
    x, trained = synthetic.line(axes, "trained network")
    assert trained == pytest.approx(synthetic.truth(np.asarray(x)) + 0.1)
    assert "Good start: regression on tangent features 0.0100, trained network 0.0100;" in picture.alt
