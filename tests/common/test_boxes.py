import numpy as np
import pytest

from scripts.common import boxes, drawing
from scripts.common.boxes import Eye


@pytest.mark.parametrize(
    ("eye", "expected"),
    [
        (Eye(0, 0), (2.0, 3.0)),  # from the end of the first axis: the second runs to the right, the third up
        (Eye(90, 0), (-1.0, 3.0)),  # from the end of the second: the first runs to the left
        (Eye(0, 90), (2.0, -1.0)),  # from above: the first comes down, toward the reader
        (Eye(180, 0), (-2.0, 3.0)),
    ],
)
def test_what_is_seen_from_the_ends_of_axes(eye, expected):
    assert boxes.seen(np.array([[1.0, 2.0, 3.0]]), eye)[0] == pytest.approx(expected)


def test_lengths_across_the_line_of_sight_are_kept():
    eye = Eye(33, 21)
    around, above = np.radians(eye)
    toward = np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])
    points = np.random.default_rng(0).standard_normal((20, 3))
    across = points - np.outer(points @ toward, toward)
    np.testing.assert_allclose(np.linalg.norm(boxes.seen(points, eye), axis=1), np.linalg.norm(across, axis=1))


def test_limits_become_the_sides_of_the_box():
    points = np.array([[0.0, -2.0, 5.0], [10.0, 2.0, 6.0], [5.0, 0.0, 5.5]])
    np.testing.assert_allclose(boxes.scaled(points, [(0, 10), (-2, 2), (5, 6)]), [[-1, -1, -1], [1, 1, 1], [0, 0, 0]])


@pytest.mark.parametrize("eye", [Eye(-60, 22), Eye(30, 22), Eye(120, 10), Eye(200, -15)])
def test_a_box_has_twelve_edges_of_which_the_hidden_three_are_dotted(eye):
    _, (axes,) = drawing.new_figure(height=2)
    boxes.draw_box(axes, ["one", "two", "three"], eye)
    assert [text.get_text() for text in axes.texts] == ["one", "two", "three"]
    dotted = [line for line in axes.lines if line.get_linestyle() != "-"]
    assert (len(axes.lines), len(dotted)) == (12, 3)
    around, above = np.radians(eye)
    toward = np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])
    far = boxes.seen(-np.sign(toward)[None], eye)[0]
    for line in dotted:
        ends = np.stack(line.get_data(), axis=1)
        assert min(np.linalg.norm(ends - far, axis=1)) < 1e-9
    assert all(abs(value) < boxes.SEEN for line in axes.lines for data in line.get_data() for value in data)
