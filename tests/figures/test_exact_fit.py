import numpy as np
import pytest

from scripts.figures.exact_fit import draw
from tests import synthetic


def test_exact_solution_beside_what_training_reached() -> None:
    study = synthetic.study()
    picture = draw(study["data"], study["prediction"], study["exact_output"], study["fate"], styles=study["styles"], replica=1)
    axes = synthetic.panel(picture.figure, "Good start")
    x, solved = synthetic.line(axes, "output layer solved exactly")
    assert solved == pytest.approx(synthetic.truth(np.asarray(x)) + 0.05)
    x, trained = synthetic.line(axes, "output layer by SGD")
    assert trained == pytest.approx(synthetic.truth(np.asarray(x)) + 0.1)
    assert "Good start: output layer solved exactly 0.00250, output layer by SGD 0.0100;" in picture.alt
