import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.errors import UserError
from scripts.figures.training_data import draw
from tests import synthetic


def test_one_panel_a_data_set_with_its_range() -> None:
    datasets = synthetic.study()["datasets"]
    picture = draw(datasets, data_sets=["whole", "part"], titles=["all of it", "a part"])
    whole, part = picture.figure.axes
    assert (whole.get_title(loc="left"), part.get_title(loc="left")) == ("all of it", "a part")
    assert synthetic.dots(part, "training points") == pytest.approx(np.hstack([datasets["part"]["train_x"], datasets["part"]["train_y"]]))
    assert "a part: 40 points, x from −1 to 0.400" in picture.alt
    assert picture.note == "n = 40 and 40 points."
    rows = pictures.tabulate(picture.figure).splitlines()
    assert [row for row in rows if "training range" in row] == [
        "all of it,training range,-1,",
        "all of it,training range,1,",
        "a part,training range,-1,",
        "a part,training range,0.4,",
    ]


def test_panels_bear_the_names_of_data_sets_without_titles() -> None:
    picture = draw(synthetic.study()["datasets"], data_sets=["part"])
    assert picture.figure.axes[0].get_title(loc="left") == "part"


def test_wrong_names_and_titles() -> None:
    datasets = synthetic.study()["datasets"]
    with pytest.raises(UserError, match="unknown data set 'all'; known: whole, part"):
        draw(datasets, data_sets=["all"])
    with pytest.raises(UserError, match="1 title for 2 data sets; give one for each"):
        draw(datasets, data_sets=["whole", "part"], titles=["one"])


def test_without_a_true_function_the_points_are_drawn_alone() -> None:
    datasets = synthetic.study()["datasets"]
    for data in datasets.values():
        data.pop("grid_y", None)
    picture = draw(datasets, data_sets=["part"])
    assert picture.figure.axes[0].lines[:] == []
    assert picture.alt.startswith("Training points. Part: 40 points")
