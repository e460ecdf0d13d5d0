from typing import Any

import numpy as np
import pytest

from scripts.common import normal_model
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.normal_model import Sample
from scripts.figures import descent_paths
from scripts.figures.descent_paths import draw
from tests import synthetic
from tests.report import checks_explorers


def drawn(study: dict[str, Any] | None = None) -> Picture:
    made = study or synthetic.study()
    return draw(made["simulations"]["normal_fit"], styles=made["styles"])


def test_paths_and_losses_of_replica_0() -> None:
    picture = drawn()
    plane, losses = picture.figure.axes
    assert synthetic.line(plane, "Good start") == ([-1, -0.25, 0.5, 1.25, 2], [3, 2.375, 1.75, 1.125, 0.5])
    assert synthetic.line(losses, "Good start") == ([0, 1, 2, 3, 4], pytest.approx([1, 0.1, 0.01, 1e-3, 1e-4]))
    assert synthetic.line(plane, "best fit") == ([2], [0.5])
    assert "Good start with learning rate 0.1: 4 steps; Wild start with learning rate 0.1: never there." in picture.alt
    assert picture.note.startswith("One replica, 0")
    assert "the best of 2 rates tried, by the median over 3 replicas" in picture.note


def test_contours_have_their_loss() -> None:
    sample = Sample(np.array([2.0]), np.array([0.25]))
    contours = descent_paths._contours(sample, (-2.0, 3.0), (0.0, 4.0))
    assert len(contours) == len(descent_paths.CONTOURS)
    for level, pieces in zip(descent_paths.CONTOURS, contours, strict=True):
        points = np.concatenate(pieces)
        inside = points[np.isfinite(points).all(axis=1)]
        assert len(inside) > 10
        np.testing.assert_allclose(normal_model.excess_loss(inside[:, None], sample)[:, 0], level, rtol=1e-9)


def test_ellipses_have_the_length_of_the_fisher_information() -> None:
    plane = drawn().figure.axes[0]
    found = [patch for patch in plane.patches if patch.get_label() == "_metric"]
    assert len(found) == descent_paths.ROWS * descent_paths.COLUMNS
    for ellipse in found[:3]:
        center = np.array(ellipse.center)
        for way in (np.array([ellipse.width / 2, 0]), np.array([0, ellipse.height / 2])):
            length = np.sqrt(way @ np.diag(normal_model.fisher(center[None], "deviation")[0]) @ way)
            assert length == pytest.approx(descent_paths.RADIUS)


def test_the_explorer_moves_a_marker_along_each_path() -> None:
    data = drawn().explorer
    assert data is not None
    assert data["stops"] == ["step 0", "step 1", "step 2", "step 3", "step 4"]
    names = [trace["name"] for trace in data["panels"][0]["traces"]]
    shown = checks_explorers.expected(data, 2)[0]
    assert (shown[names.index("Good start, now")]["x"], shown[names.index("Good start, now")]["y"]) == ([0.5], [1.75])
    assert len(shown[names.index("Good start")]["x"]) == 5
    assert data["readout"][2] == "Step 2: loss above its smallest value, in nats: Good start 0.010; Wild start not a number."


def test_names_are_no_tags_and_no_formats_in_the_explorer() -> None:
    study = synthetic.study()
    study["styles"] = {name: style._replace(label="<b>%{x} & co") for name, style in study["styles"].items()}
    data = drawn(study).explorer
    assert data is not None
    told = [trace["told"] for panel in data["panels"] for trace in panel["traces"] if trace.get("told")]
    assert len(told) > 2
    assert {text.partition(": ")[0] for text in told if "b&gt;" in text} == {"&lt;b&gt;&#37;{x} &amp; co"}
    assert not [text for text in told if "<b>" in text]


def test_a_rule_that_is_there_stays_there() -> None:
    study = synthetic.study(["good", "other"], diverged=[])
    fit = study["simulations"]["normal_fit"]["good"]
    for key in ("step", "path", "excess_loss"):
        fit[key] = fit[key][:3]
    fit["steps_to_tolerance"][:] = 2
    data = drawn(study).explorer
    assert data is not None
    names = [trace["name"] for trace in data["panels"][0]["traces"]]
    assert checks_explorers.expected(data, 4)[0][names.index("Good start, now")]["x"] == [0.5]


def test_a_path_that_overshoots_does_not_stretch_the_plane() -> None:
    study = synthetic.study(["good"])
    study["simulations"]["normal_fit"]["good"]["path"][2] = [1e6, 1e6]
    plane = drawn(study).figure.axes[0]
    assert plane.get_xlim()[1] < 6
    assert plane.get_ylim()[1] < 6


def test_paths_of_other_samples_do_not_belong_together() -> None:
    study = synthetic.study()
    study["simulations"]["normal_fit"]["wild"]["sample_mean"] += 0.1
    with pytest.raises(UserError, match="the same sample and start"):
        drawn(study)
