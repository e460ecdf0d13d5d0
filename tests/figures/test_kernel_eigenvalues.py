from typing import Any

import numpy as np
import pytest

from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.kernel_eigenvalues import draw
from tests import synthetic
from tests.figures.test_training_steps import shown


def drawn(study: dict[str, Any] | None = None, **options: Any) -> Picture:
    study = study or synthetic.study()
    return draw(study["kernel"], styles=study["styles"], **options)


def test_medians_in_training_at_initialization_and_of_infinite_width() -> None:
    axes = synthetic.panel(drawn().figure, "Good start")
    assert synthetic.line(axes, "eigenvalue 2, median") == ([0, synthetic.LAST], pytest.approx([0.2, 0.4]))
    assert synthetic.line(axes, "eigenvalue 2, at initialization")[1] == pytest.approx([0.2, 0.2])
    assert synthetic.line(axes, "eigenvalue 2, infinite width")[1] == pytest.approx([0.3, 0.3])
    (band,) = [one for one in axes.collections if one.get_label() == "eigenvalue 2"]
    ends = band.get_paths()[0].vertices
    assert np.unique(ends[ends[:, 0] == synthetic.LAST, 1]) == pytest.approx([0.2, 0.6])


def test_ranks_are_those_that_there_are_or_those_asked_for() -> None:
    def ranks(picture: Picture) -> set[str]:
        return {str(line.get_label()).split(",")[0] for line in picture.figure.axes[0].lines}

    assert ranks(drawn()) == {f"eigenvalue {rank}" for rank in (1, 2, 3, 5, 10)}
    assert ranks(drawn(ranks=[4, 12])) == {"eigenvalue 4", "eigenvalue 12"}
    with pytest.raises(UserError, match="there is no eigenvalue 13; measured are the first 12"):
        drawn(ranks=[1, 13])


def test_replicas_that_diverged_are_counted_and_left_out() -> None:
    study = synthetic.study()
    kernel = study["kernel"]["wild"]
    kernel["ntk_eigenvalue"][1, 0], kernel["exists_ntk_eigenvalue"][1, 0] = 2.0, True
    axes = synthetic.panel(drawn(study).figure, "Wild start")
    assert axes.texts[0].get_text() == "diverged in 2 of 3"
    assert synthetic.line(axes, "eigenvalue 1, median")[1] == pytest.approx([2, 2])


def test_words_are_the_medians() -> None:
    picture = drawn()
    assert "Good start: eigenvalue 1 2, 4, 3; eigenvalue 2 0.200, 0.400, 0.300" in picture.alt
    assert "Wild start: eigenvalue 1 2, none, 3;" in picture.alt
    assert picture.note.startswith("n = 3 replicas;")


def test_the_explorer_moves_through_the_spectrum() -> None:
    data = drawn().explorer
    assert data is not None
    assert data["stops"] == ["step 0", f"step {synthetic.LAST}"]
    for stop, size in enumerate((2, 4)):
        assert shown(data, stop, "Good start", "now") == pytest.approx([size * 10.0**-rank for rank in range(12)])
        assert shown(data, stop, "Good start", "at initialization")[0] == pytest.approx(2)
        assert shown(data, stop, "Good start", "infinite width")[0] == pytest.approx(3)
    assert set(shown(data, 1, "Wild start", "now")) == {None}
    assert data["readout"][1] == "Step 20: the kernel has changed by Good start, 0.200; Wild start, not available."
