import numpy as np
import pytest
from matplotlib.contour import QuadContourSet

from scripts.common.errors import UserError
from scripts.figures.decision_boundaries import draw
from tests import synthetic


def drawn(study, **options):
    return draw(study["datasets"], study["decision_boundary"], styles=study["styles"], **{"data_set": "plane"} | options)


def boundaries(axes):
    """Return the mean x and the width of each boundary of a panel."""
    sets = [one for one in axes.collections if isinstance(one, QuadContourSet) and one.get_label() == "_boundary"]
    return [(float(one.get_paths()[0].vertices[:, 0].mean()), float(one.get_linewidths()[0])) for one in sets]


def test_boundaries_of_all_replicas_and_the_plane_of_one():
    picture = drawn(synthetic.study(["good", "other"], diverged=[]), replica=1)
    axes = synthetic.panel(picture.figure, "Other start")
    assert boundaries(axes) == [(pytest.approx(0, abs=0.02), 0.5), (pytest.approx(0.1, abs=0.02), 1.6), (pytest.approx(0.2, abs=0.02), 0.5)]
    filled = [one for one in axes.collections if one.get_label() == "_probability"]
    assert len(filled) == 1
    # the color of replica 1 changes where its probability does: 0.1 exceeds the level 0.1 at x = 0.1 - ln(9) / 2
    edge = filled[0].get_paths()[0].vertices[:, 0].max()
    assert edge == pytest.approx(0.1 - np.log(9) / 2, abs=0.1)
    assert synthetic.dots(axes, "class 1").tolist() == [[-1, 0.5], [-0.5, -1]]
    assert synthetic.dots(axes, "class 2").tolist() == [[0.5, 1], [1, -0.5]]
    assert "Other start: a boundary 5 long, with a slope of 0.500." in picture.alt
    assert picture.note.startswith("n = 3 replicas; in color and thick: replica 1 (derived seeds)")


def test_replicas_that_are_not_finite_are_counted():
    picture = drawn(synthetic.study(["good", "wild"]))
    axes = synthetic.panel(picture.figure, "Wild start")
    assert boundaries(axes) == []
    assert axes.texts[0].get_text().replace("\n", " ") == "not finite in 3 of 3 replicas"


def test_a_replica_without_a_boundary_has_no_line():
    study = synthetic.study(["good"])
    study["decision_boundary"]["good"]["probability_grid"][1] = 0.7
    assert len(boundaries(synthetic.panel(drawn(study).figure, "Good start"))) == 2


def test_what_there_is_not():
    study = synthetic.study(["good"])
    with pytest.raises(UserError, match="unknown data set 'space'"):
        drawn(study, data_set="space")
    with pytest.raises(UserError, match="there is no replica 3"):
        drawn(study, replica=3)
