import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.errors import UserError
from scripts.figures.alignment import draw
from tests import synthetic


def test_medians_before_and_after_training() -> None:
    study = synthetic.study()
    picture = draw(study["tangent"], study["fate"], styles=study["styles"])
    axes = synthetic.panel(picture.figure, "Good start")
    ranks = np.array([1, 2, 5, 10, 20, 50])
    assert synthetic.line(axes, "at initialization, median") == (ranks.tolist(), pytest.approx((2 / (ranks + 2)).tolist()))
    assert synthetic.line(axes, "after training, median")[1] == pytest.approx((1 / (ranks + 1)).tolist())
    assert 'Good start,"after training, high",10,0.130435' in pictures.tabulate(picture.figure).splitlines()
    assert "Median outside of the first 10: Good start 16.7 % at initialization, 9.09 % after training; Wild start" in picture.alt


def test_a_diverged_variant_is_said_in_words() -> None:
    study = synthetic.study()
    picture = draw(study["tangent"], study["fate"], styles=study["styles"], features=20)
    axes = synthetic.panel(picture.figure, "Wild start")
    assert axes.texts[0].get_text().replace("\n", " ") == "diverged after 1 to 3 updates in 3 of 3"
    assert synthetic.line(axes, "after training, median") == ([], [])
    assert "not available after training (diverged after 1 to 3 updates in 3 of 3)" in picture.alt


def test_replicas_without_so_many_features_do_not_count() -> None:
    study = synthetic.study(["good"])
    measured = study["tangent"]["good"]
    measured["exists_alignment"] = np.ones(measured["alignment"].shape, dtype=bool)
    measured["exists_alignment"][:, 0, 4] = measured["exists_alignment"][:, :, 5] = False
    picture = draw(study["tangent"], study["fate"], styles=study["styles"])
    ranks, middle = synthetic.line(picture.figure.axes[0], "after training, median")
    assert ranks == [1, 2, 5, 10, 20]
    assert middle[-1] == pytest.approx((1 / 21 + 1.5 / 21.5) / 2)


def test_unknown_number_of_features() -> None:
    study = synthetic.study(["good"])
    with pytest.raises(UserError, match="unknown number of features '7'; known: 1, 2, 5, 10, 20, 50"):
        draw(study["tangent"], study["fate"], styles=study["styles"], features=7)
