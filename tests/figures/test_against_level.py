import numpy as np
import pandas as pd
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.against_level import draw
from tests import synthetic


def drawn(study: dict[str, object] | None = None, **options: object) -> Picture:
    made = study or synthetic.study()
    options = {"quantities": ["steps_by_rate"], "level_title": "rate"} | options
    return draw(made["numbers"], styles=made["styles"], bootstrap=made["bootstrap"], **options)  # type: ignore[arg-type]


def with_rows(study: dict[str, object], variant: str, quantity: str, values: dict[str, list[float]]) -> dict[str, object]:
    """Return a study with further numbers: of each index those of its replicas."""
    numbers = study["numbers"]
    rows = [("made_up", variant, r, None, quantity, index, value) for index, own in values.items() for r, value in enumerate(own)]
    new = pd.DataFrame(rows, columns=list(numbers.columns)).astype({"step": "Int64"})  # type: ignore[attr-defined]
    return study | {"numbers": pd.concat([numbers, new], ignore_index=True)}  # type: ignore[list-item]


def test_medians_dots_and_intervals_at_the_levels_of_an_index() -> None:
    picture = drawn()
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "Good start, median") == ([0.01, 0.1], [80, 8])
    assert sorted(synthetic.dots(axes, "Good start, replicas")[:, 1].tolist()) == [4, 8, 12, 40, 80, 120]
    rows = pictures.tabulate(picture.figure).splitlines()
    assert 'steps by rate,"Good start, median",0.01,80' in rows
    assert 'steps by rate,"Good start, interval",0.01,40' in rows
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "Good start 80 at 0.01, 8 at 0.1" in picture.alt
    assert picture.note.startswith("n = 3 replicas")


def test_levels_in_order_though_their_labels_are_not() -> None:
    study = with_rows(synthetic.study(["good"]), "good", "distance", {"1024": [1.0], "16": [8.0], "256": [2.0]})
    axes = drawn(study, quantities=["distance"], slopes=True).figure.axes[0]
    assert synthetic.line(axes, "Good start, median") == ([16, 256, 1024], [8, 2, 1])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["16", "256", "1024"]


def test_slopes_are_fitted_for_each_replica_and_stand_in_the_legend() -> None:
    study = with_rows(synthetic.study(["good"]), "good", "distance", {"1": [9.0, 9.0], "4": [2.0, 8.0], "16": [1.0, 2.0]})
    picture = drawn(study, quantities=["distance"], slopes=True, slopes_from=4.0, reference=-0.5)
    words = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert words == ["Good start, slope −0.750 (−1.000 to −0.500)", "one replica", "slope −0.5"]
    assert synthetic.line(picture.figure.axes[0], "slope −0.5") == ([1, 16], [9, 2.25])
    assert "from 4 on" in picture.note


def test_lines_through_several_variants() -> None:
    study = synthetic.study(["good", "other", "wild"], diverged=[])
    study["loss"]["other"]["test_loss"] *= 10
    study["numbers"] = synthetic.numbers(study)
    options = {"quantities": ["test_loss"], "levels": [64.0, 16.0, 16.0], "steps": ["last"], "lines": ["deep", "deep", "wide"]}
    picture = drawn(study, **options, level_title="width")
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "deep, median") == ([16, 64], pytest.approx([0.4, 0.04]))
    assert synthetic.line(axes, "wide, median") == ([16], pytest.approx([0.04]))
    assert axes.get_xlabel() == "width"


def test_an_element_of_a_quantity_at_a_step() -> None:
    study = synthetic.study(["good", "other"], diverged=[])
    options = {"quantities": ["gradient_norm"], "levels": [1.0, 2.0], "steps": ["20"], "indices": ["10.weight"]}
    axes = drawn(study, **options).figure.axes[0]
    assert synthetic.line(axes, "median, median") == ([1, 2], [100, 100])


def test_theory_is_drawn_where_there_is_one() -> None:
    study = with_rows(synthetic.study(["good", "other"], diverged=[]), "good", "predicted", {"0.01": [90.0] * 3, "0.1": [9.0] * 3})
    picture = drawn(study, theory=["predicted"])
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "Good start, theory") == ([0.01, 0.1], [90, 9])
    assert "Other start, theory" not in [line.get_label() for line in axes.lines]
    assert "theory" in [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_what_is_not_finite_or_missing_is_said_in_words() -> None:
    study = synthetic.study(["good", "wild"])
    study["simulations"]["normal_fit"]["good"]["steps_by_rate"][0, 0] = np.inf
    study["numbers"] = synthetic.numbers(study)
    picture = drawn(study)
    (axes,) = picture.figure.axes
    words = axes.texts[0].get_text().replace("\n", " ")
    assert words == "Good start: not finite at 0.01 (1 of 3); Wild start: not finite at 0.01, 0.1"
    assert synthetic.line(axes, "Good start, median") == ([0.01, 0.1], [120, 8])
    assert synthetic.line(axes, "Wild start, median") == ([], [])
    numbers = study["numbers"]
    study["numbers"] = numbers[numbers["variant"] == "good"]
    assert "Wild start: not available" in drawn(study).figure.axes[0].texts[0].get_text().replace("\n", " ")


def test_a_panel_for_each_quantity_with_slopes_below_its_title() -> None:
    study = with_rows(synthetic.study(["good"]), "good", "distance", {"1": [4.0], "4": [1.0]})
    picture = drawn(study, quantities=["distance", "steps_by_rate"], titles=["far", "long"], slopes=True, linear=["steps_by_rate"])
    assert [axes.get_label() for axes in picture.figure.axes] == ["far", "long"]
    assert picture.figure.axes[0].texts[0].get_text().replace("\n", " ") == "Good start: slope −1.000 (−1.000 to −1.000)"
    assert picture.figure.axes[1].get_yscale() == "linear"


def test_what_does_not_go_together() -> None:
    with pytest.raises(UserError, match="there are no numbers of quantity 'patience'"):
        drawn(quantities=["patience"])
    with pytest.raises(UserError, match=r"the index of quantity 'gradient_norm' is no level: 0\.weight"):
        drawn(quantities=["gradient_norm"], steps=["last"])
    with pytest.raises(UserError, match="variants 2, levels 1"):
        drawn(levels=[1.0])
    with pytest.raises(UserError, match="quantities 1, titles 2"):
        drawn(titles=["one", "two"])


def rates(study: dict[str, object]) -> dict[str, object]:
    """Return a study in which both "good" and "other" have a quantity at the rates 0, 0.2 and 0.4."""
    good = {"0": [1.0, 3.0, 2.0], "0.2": [4.0, 4.0, 4.0], "0.4": [0.0, 6.0, 6.0]}
    study = with_rows(study, "good", "accuracy", good)
    return with_rows(study, "other", "accuracy", {rate: [10 * value for value in values] for rate, values in good.items()})


def test_levels_on_a_linear_axis_begin_at_0() -> None:
    study = rates(synthetic.study(["good", "other"], diverged=[]))
    picture = drawn(study, quantities=["accuracy"], linear=["accuracy"], linear_levels=True)
    (axes,) = picture.figure.axes
    assert axes.get_xscale() == "linear"
    assert synthetic.line(axes, "Good start, median") == ([0, 0.2, 0.4], [2, 4, 6])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.2", "0.4"]
    assert len(synthetic.dots(axes, "Good start, replicas")) == 9  # a value of 0 as well
    with pytest.raises(UserError, match="leave out 'linear_levels', or 'slopes' and 'reference'"):
        drawn(study, quantities=["accuracy"], linear_levels=True, slopes=True)


def test_a_row_of_panels_for_each_quantity() -> None:
    study = rates(synthetic.study(["good", "other", "wild"], diverged=[]))
    study = with_rows(study, "wild", "accuracy", {"0": [7.0], "0.2": [8.0]})
    made = {"quantities": ["accuracy", "accuracy"], "titles": ["first", "second"], "panels": ["few", "many", "few"]}
    picture = drawn(study, **made, linear=["accuracy"], linear_levels=True)
    panels = {axes.get_label(): axes for axes in picture.figure.axes}
    assert list(panels) == ["first, few", "first, many", "second, few", "second, many"]
    assert synthetic.line(panels["first, few"], "Good start, median")[1] == [2, 4, 6]
    assert synthetic.line(panels["second, few"], "Wild start, median")[1] == [7, 8]
    assert synthetic.line(panels["first, many"], "Other start, median")[1] == [20, 40, 60]
    assert len([line for line in panels["first, many"].lines if "median" in str(line.get_label())]) == 1
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["Good start", "Wild start", "Other start", "one replica"]
    assert panels["first, few"].get_ylim() == panels["first, many"].get_ylim()
    assert "Second, many: Other start 20 at 0, 40 at 0.2, 60 at 0.4." in picture.alt
    with pytest.raises(UserError, match="variants 3 and panels 1"):
        drawn(study, quantities=["accuracy"], panels=["few"])
    with pytest.raises(UserError, match="leave out 'levels'"):
        drawn(study, quantities=["accuracy"], panels=["a", "b", "c"], levels=[1.0, 2.0, 3.0])


def test_a_constant_is_drawn_across_at_its_last_step() -> None:
    study = with_rows(synthetic.study(["good", "other"], diverged=[]), "good", "test_loss", {"1": [0.3] * 3, "10": [0.5] * 3})
    picture = drawn(study, quantities=["test_loss"], constant="other", linear=["test_loss"])
    (axes,) = picture.figure.axes
    assert synthetic.line(axes, "Good start, median") == ([1, 10], [0.3, 0.5])
    assert synthetic.line(axes, "Other start, median")[1] == pytest.approx([0.04, 0.04])
    assert "Other start 0.0400" in picture.alt
    assert "Other start" in [text.get_text() for text in picture.figure.legends[0].get_texts()]
    with pytest.raises(UserError, match="nothing to show but a constant"):
        drawn(synthetic.study(["good"]), quantities=["test_loss"], constant="good")
