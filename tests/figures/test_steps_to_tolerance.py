import numpy as np
import pandas as pd
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.steps_to_tolerance import draw
from tests import synthetic


def drawn(study: dict[str, object] | None = None, **options: object) -> Picture:
    made = study or synthetic.study()
    options = {"quantities": ["steps_to_tolerance"], "titles": ["steps"]} | options
    return draw(made["numbers"], styles=made["styles"], **options)  # type: ignore[arg-type]


def test_every_replica_and_the_median() -> None:
    picture = drawn()
    (axes,) = picture.figure.axes
    assert synthetic.dots(axes, "Good start")[:, 0] == pytest.approx([4, 8, 12])
    assert synthetic.line(axes, "Good start, median") == ([8], [0])
    assert 'steps,"Good start, median",8,Good start' in pictures.tabulate(picture.figure).splitlines()
    assert "Steps: Good start 8; Wild start infinite (never in 3 of 3)." in picture.alt
    assert picture.note.startswith("n = 3 replicas")


def test_what_was_never_reached_is_counted_in_words_and_in_the_median() -> None:
    study = synthetic.study(["good"])
    study["simulations"]["normal_fit"]["good"]["steps_to_tolerance"][:] = [4, np.inf, 6]
    study["numbers"] = synthetic.numbers(study)
    picture = drawn(study)
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "Good start, median") == ([6], [0])
    assert len(synthetic.dots(axes, "Good start, never")) == 1
    assert "never in 1 of 3" in [text.get_text() for text in axes.texts]
    study["simulations"]["normal_fit"]["good"]["steps_to_tolerance"][:] = [4, np.inf, np.inf]
    study["numbers"] = synthetic.numbers(study)
    assert "Good start, median" not in [line.get_label() for line in drawn(study).figure.axes[0].lines]


def test_what_stands_beside_the_rows() -> None:
    study = synthetic.study()
    rows = study["numbers"][study["numbers"]["quantity"] == "steps_to_tolerance"]
    study["numbers"] = pd.concat([study["numbers"], rows.assign(quantity="best_learning_rate", value=0.05)])
    (axes,) = drawn(study, beside="best_learning_rate", beside_title="rate").figure.axes
    assert [text.get_text() for text in axes.texts] == ["rate 0.05", "never in 3 of 3, rate 0.05"]


def test_a_panel_for_each_quantity_and_rows_without_numbers() -> None:
    study = synthetic.study()
    numbers = study["numbers"]
    study["numbers"] = numbers[(numbers["variant"] == "good") | (numbers["quantity"] != "exact_test_loss")]
    picture = drawn(study, quantities=["steps_to_tolerance", "exact_test_loss"], titles=["steps", "loss"])
    assert [axes.get_label() for axes in picture.figure.axes] == ["steps", "loss"]
    assert "not available" in [text.get_text() for text in picture.figure.axes[1].texts]
    assert "Loss: Good start 0.0200; Wild start not available." in picture.alt


def test_unknown_quantities_and_wrong_lists() -> None:
    with pytest.raises(UserError, match="there are no numbers of quantity 'patience'"):
        drawn(quantities=["patience"])
    with pytest.raises(UserError, match="they have: quantities 1 and titles 2"):
        drawn(titles=["one", "two"])
