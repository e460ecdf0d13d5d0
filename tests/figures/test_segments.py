import pytest

from scripts.common import pictures
from scripts.figures.segments import draw
from tests import synthetic


def test_pieces_by_rank() -> None:
    study = synthetic.study()
    picture = draw(study["segments"], study["fate"], styles=study["styles"], steps=["first", "last"])
    after = synthetic.panel(picture.figure, "after training")
    assert synthetic.line(after, "Good start, median")[1] == pytest.approx([11, 21, 31, 41])
    assert len(synthetic.dots(after, "Good start, replicas")) == 12
    assert "After training, median over replicas and ranks: Good start 26; Wild start: not available" in picture.alt
    assert 'after training,"Good start, median",3,31' in pictures.tabulate(picture.figure).splitlines()


def test_features_that_do_not_exist_are_left_out() -> None:
    study = synthetic.study(["good"])
    picture = draw(study["segments"], study["fate"], styles=study["styles"], steps=["first"])
    _, middle = synthetic.line(picture.figure.axes[0], "Good start, median")
    assert middle == pytest.approx([11, 21])


def test_variant_without_features_is_named() -> None:
    study = synthetic.study(["wild"])
    picture = draw(study["segments"], study["fate"], styles=study["styles"], steps=["last"])
    words = picture.figure.axes[0].texts[0].get_text().replace("\n", " ")
    assert words == "Wild start: not available, diverged after 1 to 3 updates in 3 of 3"
