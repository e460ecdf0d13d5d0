from typing import Any

import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.errors import UserError
from scripts.common.storage import Arrays
from scripts.common.style import Style
from scripts.figures.by_layer import draw
from tests import synthetic
from tests.report import checks_explorers

STYLES = {"one": Style("One net", "#0072B2"), "two": Style("Another net", "#D55E00")}


def profiles(*, factor: float = 1.0) -> Arrays:
    return synthetic.layer_profiles(3, diverged=False, factor=factor)


def drawn(simulated: dict[str, Arrays] | None = None, **options: Any) -> Any:
    simulated = simulated or {"one": profiles(), "two": profiles(factor=10.0)}
    return draw(simulated, styles={name: STYLES[name] for name in simulated}, **{"quantities": ["size"]} | options)


def test_a_column_for_each_simulation_and_a_row_for_each_quantity() -> None:
    picture = drawn(quantities=["size", "slope"], titles=["size of it", "its slope"], linear=["slope"], theory=False)
    names = [axes.get_label() for axes in picture.figure.axes]
    assert names == ["One net: size of it", "Another net: size of it", "One net: its slope", "Another net: its slope"]
    size = synthetic.panel(picture.figure, "Another net: size of it")
    x, y = synthetic.line(size, "large, median")
    assert x == [1, 2, 3, 4, 5]
    assert y == pytest.approx([200, 2e3, 2e4, 2e5, 2e6])
    assert size.get_yscale() == "log"
    slope = synthetic.panel(picture.figure, "One net: its slope")
    assert slope.get_yscale() == "linear"
    assert synthetic.line(slope, "small, median")[1] == pytest.approx([-0.2, -0.02, -0.002, -2e-4, -2e-5])
    assert (
        "One net: size of it: small from 0.200 to 2.00 × 10⁻⁵; edge from 2 to 2; large from 20 to 200000; none: 0 everywhere."
        in picture.alt
    )
    assert "n = 3 replicas" in picture.note


def test_theory_is_dashed_beside_the_median() -> None:
    picture = drawn({"one": profiles()}, theory=True)
    (axes,) = picture.figure.axes
    (line,) = [line for line in axes.lines if line.get_label() == "large, theory"]
    assert line.get_linestyle() == "--"
    assert synthetic.line(axes, "large, theory")[1] == pytest.approx(synthetic.line(axes, "large, median")[1])
    assert not [line for line in axes.lines if line.get_label() == "none, theory"]


def test_levels_are_chosen_and_named() -> None:
    picture = drawn(levels=["edge", "large"], level_names=["the edge", "twice"], level_title="weights")
    assert {line.get_label() for line in picture.figure.axes[0].lines} == {"the edge, median", "twice, median"}
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["weights:", "the edge", "twice"]


def test_what_is_not_finite_is_told() -> None:
    picture = drawn({"one": synthetic.layer_profiles(3, diverged=True)})
    assert "large: 0 everywhere" not in picture.alt
    assert "large: not finite" in picture.alt


def test_depths_stand_on_a_logarithmic_axis() -> None:
    arrays = profiles() | {"depth": np.array([2, 5, 10, 20, 50])}
    (axes,) = drawn({"one": arrays}, along="depth", logarithmic=True).figure.axes
    assert axes.get_xscale() == "log"
    drawn_at, _ = synthetic.line(axes, "small, median")
    assert drawn_at == [2, 5, 10, 20, 50]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "5", "10", "20", "50"]


def test_the_layers_of_a_deep_network_are_thinned_for_the_eye() -> None:
    deep: Arrays = {"level": np.array(["a"]), "layer": np.arange(1, 1001), "size": np.ones((2, 1, 1000))}
    picture = drawn({"one": deep})
    x, _ = synthetic.line(picture.figure.axes[0], "a, median")
    assert (x[0], x[-1]) == (1, 1000)
    assert len(x) <= 40
    assert len(pictures.tabulate(picture.figure)) < 10_000


def test_wrong_names() -> None:
    with pytest.raises(UserError, match="unknown array 'sizes'"):
        drawn(quantities=["sizes"])
    with pytest.raises(UserError, match="unknown level 'huge'; known: small, edge, large, none"):
        drawn(levels=["huge"])
    fewer = {key: values[:, :2] if key in ("size", "slope") else values[:2] for key, values in profiles().items() if key != "layer"}
    with pytest.raises(UserError, match="simulations side by side have as many levels each"):
        drawn({"one": profiles(), "two": fewer | {"layer": np.arange(1, 6)}})


def moving(*, styles: dict[str, Style] | None = None, **options: Any) -> Any:
    study = synthetic.study(["good", "other"], diverged=[])
    return draw(
        study["simulations"]["gradient_flow"],
        styles=styles or study["styles"],
        quantities=["output_norm", "simplified_gradient_norm"],
        titles=["norm of outputs", "norm of the source's gradient"],
        levels=["0.1", "2"],
        level_title="scale",
        slider="Scale of the weights",
        readout="gradient_ratio",
        readout_words="the gradient of the first layer, relative to the last, is",
        **options,
    )


def test_some_levels_are_drawn_and_all_can_be_explored() -> None:
    picture = moving()
    outputs = synthetic.panel(picture.figure, "Good start: norm of outputs")
    assert [line.get_label() for line in outputs.lines] == ["0.1, median", "2, median"]
    gradients = synthetic.panel(picture.figure, "Other start: norm of the source's gradient")
    assert synthetic.line(gradients, "2, median")[1] == pytest.approx([2e5, 2e4, 2e3, 200, 20])
    data = picture.explorer
    assert data["stops"] == ["scale 0.1", "scale 1", "scale 2"]
    assert data["readout"][0].endswith("relative to the last, is Good start 1.00 × 10⁻⁴, Other start 1.00 × 10⁻⁴.")
    assert data["readout"][2].endswith("relative to the last, is Good start 10000, Other start 10000.")


def test_the_explorer_shows_the_median_and_the_source() -> None:
    data = moving().explorer
    names = [trace["name"] for trace in data["panels"][1]["traces"]]
    shown = checks_explorers.expected(data, 2)
    median, source = (shown[1][names.index(f"Other start, {which}")] for which in ("median", "the source's seed"))
    np.testing.assert_allclose(median["x"], [1, 2, 3, 4, 5])
    np.testing.assert_allclose(median["y"], [2e5, 2e4, 2e3, 200, 20], rtol=1e-6)
    np.testing.assert_allclose(source["y"], [1e5, 1e4, 1e3, 100, 10], rtol=1e-6)
    assert checks_explorers.expected(data, 1)[0][0]["y"] == [2, 2, 2, 2, 2]
    low, high = data["panels"][1]["y"]["low"], data["panels"][1]["y"]["high"]
    assert low <= 1e-5
    assert high >= 2e5


def test_words_are_no_tags_and_no_formats_in_the_explorer() -> None:
    data = moving(styles={name: Style("<b>%{x} & co", "#0072B2") for name in ("good", "other")}, along_title="<i>%{y}").explorer
    shown = [text for panel in data["panels"] for text in (panel["x"]["title"], *(trace["told"] for trace in panel["traces"])) if text]
    assert {text.split(",")[0] for text in shown} == {"&lt;b&gt;&#37;{x} &amp; co", "&lt;i&gt;&#37;{y}"}


def test_without_a_slider_there_is_no_explorer() -> None:
    assert drawn().explorer is None
    assert moving().explorer is not None
