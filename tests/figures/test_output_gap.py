import pytest

from scripts.common import pictures
from scripts.figures.output_gap import draw
from tests import synthetic


def test_measured_and_predicted_gap() -> None:
    study = synthetic.study()
    picture = draw(study["exact_output"], study["fate"], styles=study["styles"])
    axes = synthetic.panel(picture.figure, "Good start")
    assert synthetic.line(axes, "measured, median") == ([0, 20], pytest.approx([0.2, 0.02]))
    assert synthetic.line(axes, "predicted, median") == ([0, 20], pytest.approx([0.2, 0.01]))
    assert 'Good start,"measured, high",20,0.03' in pictures.tabulate(picture.figure).splitlines()
    assert "Good start: measured 0.0200, predicted 0.0100, slow directions 1;" in picture.alt


def test_a_diverged_variant_is_said_in_words() -> None:
    study = synthetic.study()
    picture = draw(study["exact_output"], study["fate"], styles=study["styles"])
    axes = synthetic.panel(picture.figure, "Wild start")
    assert axes.texts[0].get_text().replace("\n", " ") == "diverged after 1 to 3 updates in 3 of 3"
    assert synthetic.line(axes, "measured, median") == ([0], pytest.approx([0.2]))
    assert "Wild start: measured infinite, predicted 0.0100" in picture.alt


def test_steps_up_to_a_number_stand_on_a_linear_axis() -> None:
    study = synthetic.study(["good"])
    scales = [
        draw(study["exact_output"], study["fate"], styles=study["styles"], linear_to=to).figure.axes[0].get_xscale() for to in (1, 20)
    ]
    assert scales == ["symlog", "linear"]
