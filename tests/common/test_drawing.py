import numpy as np
import pytest

from scripts.common import drawing, pictures
from scripts.common.drawing import Spread
from scripts.common.errors import UserError
from tests import synthetic


def test_spread_counts_what_is_not_finite_as_infinite() -> None:
    values = np.array([[1.0, 1.0], [2.0, np.nan], [3.0, -np.inf], [4.0, 2.0]])
    found = drawing.spread(values)
    assert found.median.tolist() == [2.5, np.inf]
    assert found.low.tolist() == [1, 1]
    assert found.high.tolist() == [4, np.inf]


def test_percentiles_are_values_of_replicas() -> None:
    values = np.arange(1.0, 21.0)
    values[-1] = np.inf
    found = drawing.spread(values)
    assert (float(found.median), float(found.low), float(found.high)) == (10.5, 1.0, 19.0)
    assert drawing.spread(np.array([7.0])) == Spread(*np.full(3, 7.0))


def test_existing_leaves_gaps_where_the_mask_says_so() -> None:
    arrays = {"pieces": np.arange(8).reshape(2, 2, 2), "exists_pieces": np.array([[True, False], [True, True]])}
    found = drawing.existing(arrays, "pieces")
    assert np.isnan(found[0, 1]).all()
    assert found[1].tolist() == [[4, 5], [6, 7]]
    assert drawing.existing({"loss": np.ones(2)}, "loss").tolist() == [1, 1]


def test_moments_by_name_and_by_step() -> None:
    step = np.array([0, 10, 20])
    assert [drawing.at(step, which) for which in ("first", "10", "last")] == [
        (0, "at initialization"),
        (1, "after 10 updates"),
        (2, "after training"),
    ]
    with pytest.raises(UserError, match="unknown step '11'; known: first, last, 0, 10, 20"):
        drawing.at(step, "11")


def test_thinned_keeps_both_ends() -> None:
    places = drawing.thinned(1000, 100)
    assert (len(places), places[0], places[-1]) == (100, 0, 999)
    assert drawing.thinned(3, 100).tolist() == [0, 1, 2]


def test_jitter_is_fixed_and_spread() -> None:
    offsets = drawing.jitter(20, 0.5)
    assert np.abs(offsets).max() <= 0.25
    assert len(np.unique(offsets.round(3))) == 20
    assert drawing.jitter(20, 0.5).tolist() == offsets.tolist()


def test_titles_and_words_below_them_fit_their_panels() -> None:
    figure, panels = drawing.small_multiples(4, columns=3)
    assert len(panels) == len(figure.axes) == 4
    drawing.entitle(panels[0], "A label that is much too long for one line of a panel", "diverged after 1 to 2 updates in 20 of 20")
    assert max(len(line) for line in panels[0].get_title(loc="left").split("\n")) <= 28
    assert panels[0].get_label().startswith("A label that is much too long")
    assert max(len(line) for line in panels[0].texts[0].get_text().split("\n")) <= 32


def test_corners_of_a_function_in_linear_pieces() -> None:
    x = np.linspace(0, 1, 101)
    y = np.interp(x, [0, 0.3, 0.31, 1], [0, 3, -1, 0])
    assert drawing.corners(x, y, within=1e-9).tolist() == [0, 30, 31, 100]
    assert drawing.corners(x, np.zeros(101), within=0.0).tolist() == [0, 100]


def test_corners_leave_nothing_far_from_the_line() -> None:
    x = np.sort(np.random.default_rng(0).random(300))
    y = np.sin(20 * x)
    some = drawing.corners(x, y, within=0.01)
    assert np.abs(np.interp(x, x[some], y[some]) - y).max() <= 0.01
    assert len(some) < 100


@pytest.mark.parametrize(
    ("limits", "marks"), [((1e-5, 1.0), [1e-4, 1e-2, 1e0]), ((0.03, 0.6), [0.05, 0.1, 0.2, 0.5]), ((0.42, 0.51), [0.425, 0.45, 0.475, 0.5])]
)
def test_a_logarithmic_axis_has_marks_whatever_it_spans(limits: tuple[float, float], marks: list[float]) -> None:
    _, (axes,) = drawing.new_figure(height=1.5)
    axes.set(yscale="log", ylim=limits)
    drawing.log_ticks(axes)
    shown = [mark for mark in axes.get_yticks() if limits[0] <= mark <= limits[1]]
    assert len(shown) >= 3
    assert set(np.round(marks, 6)) <= set(np.round(shown, 6))


def test_axis_of_steps() -> None:
    def marks(last: int, linear_to: int) -> list[float]:
        _, (axes,) = drawing.new_figure(height=1.5)
        drawing.step_axis(axes, last, linear_to=linear_to)
        low, high = axes.get_xlim()
        assert low <= 0 < last <= high
        return [float(mark) for mark in axes.get_xticks() if low <= mark <= high]

    assert marks(150_000, 1) == [0, 1, 10, 100, 1000, 10_000, 100_000]
    assert marks(150_000, 1000) == [0, 1000, 10_000, 100_000]
    assert marks(150_000, 150_000) == [0, 50_000, 100_000, 150_000]
    assert marks(94, 1000) == [0, 50]


def test_replicas_and_medians_stand_beside_their_mark_and_belong_to_it() -> None:
    figure, (axes,) = drawing.new_figure(height=1.5)
    axes.set_label("panel")
    values = [np.array([1.0, 2, 9]), np.array([3.0, np.nan, 0])]
    for turn in (0, 1):
        middle = drawing.replicas_and_medians(axes, [10, 40], values, label=f"line {turn}", color="red", turn=turn, turns=2)
        assert middle == [2, 3]
    drawing.doubling_axis(axes, [10, 40])
    rows = pictures.tabulate(figure).splitlines()[1:]
    assert [row for row in rows if "line 0" in row] == [
        'panel,"line 0, median",10,2',
        'panel,"line 0, median",40,3',
        *(f'panel,"line 0, replicas",{x},{y}' for x, y in ((10, 1), (10, 2), (10, 9), (40, 3))),
    ]
    first, second = (np.asarray(line.get_xdata()) for line in axes.lines)
    assert (first < second).all()


def test_spread_of_those_that_exist() -> None:
    values = np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan], [6.0, np.inf, np.nan]])
    found = drawing.spread_of_existing(values)
    assert found.median.tolist()[:2] == [2, np.inf]
    assert (found.low[:2].tolist(), found.high[:2].tolist()) == ([1, 3], [6, np.inf])
    assert np.isnan([edge[2] for edge in found]).all()
    assert drawing.spread_of_existing(values, levels=(0.5, 0.5)).high[0] == 2


def test_median_and_band_as_far_as_the_axis_can_hold_them() -> None:
    figure, (axes,) = drawing.new_figure(height=1.5)
    axes.set_label("panel")
    axes.set_yscale("log")
    values = np.array([[1.0, 2, 3], [0, 2, 3], [0, 0, 1], [np.nan, np.inf, 1]])
    drawing.median_and_band(axes, np.arange(4), drawing.spread(values.T), color="red", line="solid", label="loss")
    assert [row.partition(",")[2] for row in pictures.tabulate(figure).splitlines()[1:]] == [
        '"loss, median",0,2',
        '"loss, median",1,2',
        '"loss, low",0,1',
        '"loss, high",0,3',
    ]


def test_a_median_that_stands_alone_is_a_dot() -> None:
    _, (axes,) = drawing.new_figure(height=1.5)
    alone = drawing.spread(np.array([[1.0, np.nan]]))
    drawing.median_and_band(axes, np.arange(2), alone, color="red", line="solid", label="loss")
    assert axes.lines[0].get_marker() == "o"


def test_limits_of_a_fit_come_from_data_and_truth() -> None:
    _, (axes,) = drawing.new_figure(height=1.5)
    data = synthetic.data()
    axes.plot([-5, 5], [-100, 100])
    drawing.fit_limits(axes, [data], below=0.5)
    low, high = axes.get_ylim()
    span = np.ptp(data["grid_y"])
    assert axes.get_xlim() == (-1, 1)
    assert high == pytest.approx(data["grid_y"].max() + 0.1 * span, rel=0.01)
    assert low == pytest.approx(data["grid_y"].min() - 0.7 * span, rel=0.01)
