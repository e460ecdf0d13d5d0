import numpy as np
import pytest

from scripts.figures.gradient_flow import draw
from tests import synthetic
from tests.report import checks_explorers


def drawn():
    study = synthetic.study(["good", "other"], diverged=[])
    return draw(study["simulations"]["gradient_flow"], styles=study["styles"], levels=["0.1", "2"])


def test_some_scales_are_drawn_and_all_can_be_explored():
    picture = drawn()
    outputs = synthetic.panel(picture.figure, "Good start: norm of outputs")
    assert [line.get_label() for line in outputs.lines] == ["0.1, median", "2, median"]
    gradients = synthetic.panel(picture.figure, "Other start: norm of the source's gradient")
    assert synthetic.line(gradients, "2, median")[1] == pytest.approx([2e5, 2e4, 2e3, 200, 20])
    data = picture.explorer
    assert data["stops"] == ["scale 0.1", "scale 1", "scale 2"]
    assert data["readout"][0].endswith("relative to the last, is Good start 1.00 × 10⁻⁴, Other start 1.00 × 10⁻⁴.")
    assert data["readout"][2].endswith("relative to the last, is Good start 10000, Other start 10000.")


def test_the_explorer_shows_the_median_and_the_source():
    data = drawn().explorer
    names = [trace["name"] for trace in data["panels"][1]["traces"]]
    shown = checks_explorers.expected(data, 2)
    median, source = (shown[1][names.index(f"Other start, {which}")] for which in ("median", "the source's seed"))
    np.testing.assert_allclose(median["x"], [1, 2, 3, 4, 5])
    np.testing.assert_allclose(median["y"], [2e5, 2e4, 2e3, 200, 20], rtol=1e-6)
    np.testing.assert_allclose(source["y"], [1e5, 1e4, 1e3, 100, 10], rtol=1e-6)
    assert checks_explorers.expected(data, 1)[0][0]["y"] == [2, 2, 2, 2, 2]
    low, high = data["panels"][1]["y"]["low"], data["panels"][1]["y"]["high"]
    assert low <= 1e-5
    assert high >= 2e5
