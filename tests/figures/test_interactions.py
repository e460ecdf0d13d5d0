import pytest

from scripts.common.errors import UserError
from scripts.figures.interactions import draw
from tests import synthetic

OPTIONS = {"factors": ["start", "middle", "end"], "second": ["none", "b"], "third": ["none", "c"], "quantities": ["final_loss"]}


def drawn(diverged=(), **options):
    made = synthetic.study(["good", "other"], diverged=diverged)
    return draw(made["numbers"], styles=made["styles"], bootstrap=made["bootstrap"], **OPTIONS | options)


def test_means_over_the_third_factor_of_each_pair():
    picture = drawn(titles=["loss"])
    by_middle, by_end, of_start = picture.figure.axes
    # v + [b] (1 + 2 [c]) + r / 10, of r = 0, 1, 2
    assert synthetic.line(by_middle, "Good start, median")[1] == pytest.approx([0.1, 2.1])
    assert synthetic.line(by_middle, "Other start, median")[1] == pytest.approx([1.1, 3.1])
    assert synthetic.line(by_end, "none, median")[1] == pytest.approx([0.6, 0.6])
    assert synthetic.line(by_end, "b, median")[1] == pytest.approx([1.6, 3.6])
    assert synthetic.line(of_start, "Other start, median")[1] == pytest.approx([1.6, 2.6])
    assert [axes.get_label() for axes in picture.figure.axes] == ["loss, start by middle", "loss, middle by end", "loss, start by end"]
    assert [label.get_text() for label in by_end.get_xticklabels()] == ["none", "c"]
    intervals = next(one for one in by_end.collections if one.get_label() == "b, interval").get_segments()
    assert intervals[0][:, 1].tolist() == pytest.approx([1.5, 1.7])
    assert "n = 3 replicas" in picture.note


def test_what_is_not_finite_is_left_out():
    picture = drawn(diverged=["other"])
    by_middle, by_end, _ = picture.figure.axes
    assert synthetic.line(by_middle, "Other start, median") == ([], [])
    assert "not finite at any level" in by_end.texts[0].get_text()


def test_options_that_do_not_go_together():
    with pytest.raises(UserError, match="names 2 factors; name 3"):
        drawn(factors=["one", "two"])
    with pytest.raises(UserError, match="quantities 1 and titles 2"):
        drawn(titles=["one", "two"])
