import numpy as np
import pytest

from scripts.common import pictures
from scripts.figures.reliability import FEWEST, draw
from tests import synthetic


def drawn(study):
    return draw(study["calibration"], styles=study["styles"])


def test_accuracy_against_confidence_of_bins_with_enough_samples():
    picture = drawn(synthetic.study(["good", "other"], diverged=[]))
    axes = synthetic.panel(picture.figure, "Good start")
    dots = synthetic.dots(axes, "Good start, replicas")
    assert FEWEST == 10  # the bin with 5 samples has too few, the empty one as well
    assert dots.tolist() == pytest.approx(np.array([[c, c - gap] for gap in (0.1, 0.2, 0.3) for c in (0.6, 0.9)]))
    x, y = synthetic.line(axes, "Good start")
    assert x == pytest.approx([0.4, 0.6, 0.9])  # all replicas together have 15 there
    assert y == pytest.approx([0.2, 0.4, 0.7])
    assert axes.texts[0].get_text() == "calibration error 0.200"
    assert "Good start: calibration error 0.200, 0.700 at a confidence of 0.900." in picture.alt
    assert picture.note.startswith("n = 3 replicas")


def test_replicas_together_are_weighted_by_their_samples():
    study = synthetic.study(["good"])
    measured = study["calibration"]["good"]
    measured["bin_samples"][:, 3] = [10, 20, 70]
    x, y = synthetic.line(synthetic.panel(drawn(study).figure, "Good start"), "Good start")
    assert y[-1] == pytest.approx(0.9 - (10 * 0.1 + 20 * 0.2 + 70 * 0.3) / 100)
    assert x[-1] == pytest.approx(0.9)


def test_shares_of_the_samples_below():
    picture = drawn(synthetic.study(["good"]))
    rows = pictures.tabulate(picture.figure).splitlines()
    found = [row.rsplit(",", 2)[1:] for row in rows if "share of samples" in row.split(",", 1)[1]]
    assert [[float(value) for value in row] for row in found] == [[0.125, 0], [0.375, 0.05], [0.625, 0.4], [0.875, 0.55]]


def test_networks_that_diverged_have_no_bins():
    picture = drawn(synthetic.study(["good", "wild"]))
    axes = synthetic.panel(picture.figure, "Wild start")
    assert axes.texts[0].get_text().replace("\n", " ") == "no calibration error: the outputs are not finite"
    assert synthetic.line(axes, "Wild start") == ([], [])
    assert "Wild start: no calibration error" in picture.alt
