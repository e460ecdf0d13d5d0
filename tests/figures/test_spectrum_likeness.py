import pytest

from scripts.common.errors import UserError
from scripts.figures.spectrum_likeness import draw
from tests import synthetic


def test_rescaled_spectra_distances_and_likeness() -> None:
    study = synthetic.study()
    picture = draw(study["spectrum"], study["likeness"], styles=study["styles"], control="good", values=5)
    left, middle, right = picture.figure.axes
    assert synthetic.line(left, "Wild start, median")[1] == pytest.approx([10.0**-k for k in range(5)])
    (places,) = [line.get_ydata() for line in middle.lines if line.get_xdata() == [0]]
    assert places == pytest.approx([0.2])
    assert synthetic.line(right, "Good start, median")[1] == pytest.approx([0.8, 0.9, 1 - 0.2 / 3, 0.95])
    assert "Good start (control: against its own other replicas): distance 0.200, likeness of the top feature 0.800" in picture.alt


def test_variant_without_spectrum() -> None:
    study = synthetic.study()
    picture = draw(study["spectrum"], study["likeness"], styles=study["styles"], control="good", step="last")
    assert picture.figure.axes[0].texts[0].get_text() == "Wild start: not available"
    assert "Wild start (against the same replica): distance not available" in picture.alt


def test_unknown_control() -> None:
    study = synthetic.study(["good"])
    with pytest.raises(UserError, match="unknown control 'best'; known: good"):
        draw(study["spectrum"], study["likeness"], styles=study["styles"], control="best")
