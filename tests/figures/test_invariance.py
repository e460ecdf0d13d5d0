from typing import Any

import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.invariance import draw
from tests import synthetic
from tests.report import checks_explorers


def drawn(made: dict[str, Any] | None = None) -> Picture:
    study = made or synthetic.study(["good"])
    return draw(study["simulations"]["natural_paths"], styles=study["styles"], bootstrap=study["bootstrap"])


def test_paths_at_the_smallest_step_size() -> None:
    study = synthetic.study(["good"])
    study["simulations"]["natural_paths"]["good"]["natural_path"][0] = 7.0  # of the larger one
    plane = drawn(study).figure.axes[0]
    one, other = (synthetic.line(plane, f"natural gradient in (mu, {name})") for name in ("sigma", "logsigma"))
    assert one == other
    assert one[0][0] == -1
    descent, apart = (synthetic.line(plane, f"gradient descent in (mu, {name})")[1] for name in ("sigma", "logsigma"))
    assert apart == pytest.approx([height / 2 for height in descent])


def test_differences_and_slopes() -> None:
    picture = drawn()
    axes = picture.figure.axes[1]
    assert synthetic.line(axes, "natural gradient, median") == ([0.01, 0.1], pytest.approx([0.02, 0.2]))
    assert synthetic.line(axes, "gradient descent, median")[1] == [0.5, 0.5]
    x, y = synthetic.line(axes, "slope 1")
    assert y[1] / y[0] == pytest.approx(x[1] / x[0])
    words = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert "natural gradient: slope 1.000 (1.000 to 1.000)" in words
    assert "at most 10⁻¹²" in picture.note.replace("1.00 × ", "")
    assert 'largest difference of the two paths,"natural gradient, median",0.01,0.02' in pictures.tabulate(picture.figure).splitlines()


def test_the_slider_changes_the_step_size() -> None:
    data = drawn().explorer
    assert data is not None
    assert data["stops"] == ["step size 0.1", "step size 0.01"]
    assert "natural gradient differ by 0.0100, those of gradient descent by 0.500" in data["readout"][1]
    names = [trace["name"] for trace in data["panels"][1]["traces"]]
    shown = checks_explorers.expected(data, 1)[1][names.index("natural gradient, here")]
    assert (shown["x"], shown["y"]) == (pytest.approx([0.01]), pytest.approx([0.01]))


def test_one_simulation_is_shown() -> None:
    with pytest.raises(UserError, match="shows one simulation; 'simulations' names 2: good, wild"):
        drawn(synthetic.study())


def test_paths_that_broke_off_are_left_out() -> None:
    picture = drawn(synthetic.study(["good"], diverged=["good"]))
    assert synthetic.line(picture.figure.axes[1], "gradient descent, median") == ([], [])
    assert np.isfinite(picture.figure.axes[0].get_xlim()).all()
