import pytest

from scripts.common.errors import UserError
from scripts.figures.ensemble_size import draw
from tests import synthetic


def drawn(**options):
    made = synthetic.study(["good"], diverged=[], **options)
    return draw(made["numbers"], styles=made["styles"])


def test_a_line_for_each_way_to_combine_the_members():
    picture = drawn(replicas=5)
    accuracy, loss, calibration, variance = picture.figure.axes
    assert synthetic.line(loss, "average of probabilities, median") == ([1, 2, 4], pytest.approx([0.3, 0.15, 0.075]))
    assert synthetic.line(loss, "mean of the members, median") == ([1, 2, 4], pytest.approx([0.3, 0.3, 0.3]))
    assert synthetic.line(accuracy, "average of probabilities, median") == ([1, 2, 4], pytest.approx([0.97, 0.985, 0.9925]))
    assert synthetic.line(calibration, "stacking, median")[0] == [2, 4]
    assert [line for line in loss.lines if str(line.get_label()).startswith("majority vote")] == []
    assert synthetic.line(variance, "average of probabilities, median") == ([1, 2], pytest.approx([0.3, 0.15]))
    assert synthetic.line(variance, "one over the number of members") == ([1, 2], pytest.approx([0.3, 0.15]))
    assert "average of probabilities 0.0750 with 4" in picture.alt
    assert picture.note.startswith("n = 5 ensembles of each size, which overlap")
    assert [label.get_text() for label in loss.get_xticklabels()] == ["1", "2", "3"]


def test_one_member_has_no_variance():
    variance = drawn(replicas=1).figure.axes[3]
    assert "too few replicas" in variance.texts[0].get_text()


def test_there_have_to_be_ensembles():
    made = synthetic.study(["good"])
    numbers = made["numbers"][made["numbers"]["quantity"] != "average_accuracy"]
    with pytest.raises(UserError, match="no numbers of ensembles of 'good'"):
        draw(numbers, styles=made["styles"])
