import numpy as np
import pytest

from scripts.common import drawing, pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.curves import _line_styles, draw
from tests import synthetic


def drawn(study: dict[str, object] | None = None, **options: object) -> Picture:
    made = study or synthetic.study()
    options = {"quantities": ["train_loss", "test_loss"]} | options
    return draw(made["numbers"], styles=made["styles"], variants=made["variants"], **options)  # type: ignore[arg-type]


def test_medians_and_bands_at_every_step() -> None:
    picture = drawn()
    axes = synthetic.panel(picture.figure, "test loss")
    steps, middle = synthetic.line(axes, "Good start, median")
    assert steps == [0, 7, 13, 20]
    assert middle[-1] == pytest.approx(0.04)
    rows = pictures.tabulate(picture.figure).splitlines()
    assert 'test loss,"Good start, low",20,0.02' in rows
    assert 'test loss,"Good start, high",20,0.06' in rows
    assert "Train loss: Good start 0.0200; Wild start infinite; Wild start: not finite in 3 of 3." in picture.alt
    assert "25th to 75th percentile" in picture.note


def test_elements_of_quantities_titles_and_axes() -> None:
    picture = drawn(
        quantities=["tangent_test_loss", "test_loss"],
        indices=["all", ""],
        titles=["regression", "network"],
        linear=["tangent_test_loss"],
    )
    left, right = picture.figure.axes
    assert (left.get_label(), right.get_label()) == ("regression", "network")
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    assert synthetic.line(left, "Good start, median") == ([0, 20], pytest.approx([0.2, 0.2]))
    assert picture.alt.startswith("Regression and network along training")


def test_what_a_variant_does_not_have_is_said_in_words() -> None:
    study = synthetic.study()
    numbers = study["numbers"]
    study["numbers"] = numbers[(numbers["variant"] == "good") | (numbers["quantity"] != "test_loss")]
    picture = drawn(study)
    axes = synthetic.panel(picture.figure, "test loss")
    assert axes.texts[0].get_text() == "Wild start: not available"
    assert [line.get_label() for line in axes.lines] == ["Good start, median"]


def test_replicas_without_a_number_are_left_out_and_said_in_words() -> None:
    """The regression of diverged replicas has numbers at the first step alone, which is not the last."""
    study = synthetic.study(["good", "wild"])
    study["tangent"]["good"]["exists_tangent_test_loss"][1, 2] = False
    study["numbers"] = synthetic.numbers(study)
    picture = drawn(study, quantities=["tangent_test_loss"], indices=["all"])
    assert "Good start 0.150; Good start: no number in 1 of 3; Wild start: no number in 3 of 3." in picture.alt
    assert synthetic.line(picture.figure.axes[0], "Wild start, median") == ([0], [0.2])


def test_a_diverged_replica_counts_and_is_not_dropped() -> None:
    study = synthetic.study(["good"])
    study["loss"]["good"]["train_loss"][-1] = [0.01, np.nan, np.inf]
    study["numbers"] = synthetic.numbers(study)
    picture = drawn(study)
    assert synthetic.line(synthetic.panel(picture.figure, "train loss"), "Good start, median")[0] == [0, 7, 13]
    assert picture.figure.axes[0].texts[0].get_text() == "Good start: not finite in 2 of 3"


def test_variants_of_one_color_have_lines_of_their_own() -> None:
    styles = _line_styles(["red", "blue", "green", "black", "red", "blue"])
    assert styles[:4] == list(drawing.LINES)
    assert styles[4:] == [drawing.LINES[1], drawing.LINES[2]]


def test_unknown_numbers_and_wrong_lists() -> None:
    with pytest.raises(UserError, match="no numbers of quantity 'tangent_test_loss' with index '7' along training"):
        drawn(quantities=["tangent_test_loss"], indices=["7"])
    with pytest.raises(UserError, match="no numbers of quantity 'exact_test_loss' along training"):
        drawn(quantities=["exact_test_loss"])
    with pytest.raises(UserError, match="equally many entries; they have: quantities 2, indices 1 and titles 2"):
        drawn(indices=["all"])
