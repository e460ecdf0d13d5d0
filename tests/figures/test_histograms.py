from typing import Any

import pytest

from scripts.common import pictures
from scripts.common.errors import UserError
from scripts.common.storage import Arrays
from scripts.common.style import Style
from scripts.figures.histograms import draw
from tests import synthetic

STYLES = {"one": Style("One layer", "#0072B2"), "two": Style("Another layer", "#D55E00")}


def histograms(levels: int = 2) -> Arrays:
    return synthetic.histograms(2, diverged=False, levels=levels)


def drawn(arrays: Arrays) -> Any:
    return draw({"one": arrays}, styles=STYLES, title="activation")


def test_bars_are_the_counts_of_replica_0() -> None:
    picture = drawn(histograms())
    first, second = picture.figure.axes
    assert [bar.get_height() for bar in second.patches] == [2, 4, 8, 16]
    assert [bar.get_x() for bar in second.patches] == [0, 2, 4, 6]
    assert [bar.get_width() for bar in first.patches] == [1, 1, 1, 1]
    assert first.get_yscale() == "log"
    assert "level 1: mean 2, deviation 20, 7% in the lowest bar." in picture.alt
    assert "level 1,7,16" in pictures.tabulate(picture.figure)


def test_five_levels_take_two_rows() -> None:
    figure = drawn(histograms(5)).figure
    assert len(figure.axes) == 5
    assert synthetic.panel(figure, "level 4").get_ylabel() == "count"


def test_several_simulations() -> None:
    with pytest.raises(UserError, match="shows one simulation; 'simulations' names 2: one, two"):
        draw({"one": histograms(), "two": histograms()}, styles=STYLES)
