import numpy as np
import pytest

from scripts.common import boxes
from scripts.common.errors import UserError
from scripts.figures import path_3d
from tests import synthetic


def drawn(study, **options):
    return path_3d.draw(study["path"], styles=study["styles"], **options)


def test_two_views_of_the_path_and_of_each_control():
    study = synthetic.study(["good"])
    figure = drawn(study, replica=1).figure
    points = study["path"]["good"]["walk_coordinate"][:, 1, :3]
    limits = path_3d._limits(points)
    for view, eye in enumerate(path_3d.VIEWS):
        panel = synthetic.panel(figure, f"random walk, view {view + 1}")
        seen = boxes.seen(boxes.scaled(points, limits), eye)
        np.testing.assert_allclose(synthetic.dots(panel, "saved points, as seen"), seen)
        assert synthetic.line(panel, "start") == ([seen[0, 0]], [seen[0, 1]])
        assert synthetic.line(panel, "end") == ([seen[-1, 0]], [seen[-1, 1]])
    (shades,) = [one for one in panel.collections if one.get_label() == "saved points, as seen"]
    assert np.asarray(shades.get_array()).tolist() == list(range(synthetic.LAST + 1))


def test_shares_of_the_variance_are_told():
    picture = drawn(synthetic.study(["good"]))
    assert "path of training: 80, 16 and 3.2 %; random walk: 40, 8.0 and 1.6 %" in picture.alt
    assert picture.note.startswith("One network, replica 0")


def test_its_explorer_has_all_points_and_turns_all_around():
    study = synthetic.study(["good"])
    data = drawn(study).explorer
    assert data is not None
    assert len(data["stops"]) == 60
    assert data["stops"][:2] == ["0 degrees", "6 degrees"]
    assert data["view"] == {"azimuth": -60.0, "elevation": 22.0}
    assert [panel["title"].partition(",")[0] for panel in data["panels"]] == ["Path of training", "Random walk", "Shuffled steps"]
    assert all(panel["traces"][0]["points"] == synthetic.LAST + 1 for panel in data["panels"])
    assert [entry["words"] for entry in data["key"]] == ["step 0", "step 10", "step 20"]


def test_a_network_that_diverged_has_no_path_and_no_explorer():
    picture = drawn(synthetic.study(["wild"]))
    assert picture.explorer is None
    assert "path of training: none" in picture.alt
    assert not synthetic.panel(picture.figure, "path of training, view 1").lines


def test_a_path_in_two_directions_has_no_box():
    study = synthetic.study(["good"])
    for key in ("path_coordinate", "path_variance"):
        study["path"]["good"][key][..., 2:] = np.nan
    picture = drawn(study)
    assert picture.explorer is None
    assert "path of training: 80 and 16 %" in picture.alt


def test_one_variant_and_a_replica_that_there_is():
    with pytest.raises(UserError, match="shows one variant; 'variants' names 2: good, wild"):
        drawn(synthetic.study())
    with pytest.raises(UserError, match="there is no replica 3"):
        drawn(synthetic.study(["good"]), replica=3)
