import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.data_sweep import draw
from tests import synthetic


def drawn(**options: object) -> Picture:
    study = synthetic.study(["good", "other", "wild"])
    study["loss"]["other"]["test_loss"] *= 10
    options = {"quantities": ["test_loss"], "samples": [200, 50, 50], "noise": [0.1, 0.1, 0]} | options
    return draw(
        synthetic.numbers(study),
        styles=study["styles"],
        variants=study["variants"],
        bootstrap=study["bootstrap"],
        **options,  # type: ignore[arg-type]
    )


def test_a_line_for_each_level_of_noise_in_order_of_samples() -> None:
    picture = drawn()
    axes = synthetic.panel(picture.figure, "test loss")
    assert synthetic.line(axes, "noise 0.1, median")[1] == pytest.approx([0.4, 0.04])
    assert len(synthetic.dots(axes, "noise 0.1, replicas")) == 6
    assert "noise 0.1: 0.400 with 50 points, 0.0400 with 200 points." in picture.alt
    assert '"noise 0.1, median",200,0.04' in pictures.tabulate(picture.figure)


def test_a_diverged_variant_is_said_in_words() -> None:
    picture = drawn()
    assert picture.figure.axes[0].texts[0].get_text() == "noise 0: infinite with 50 points"
    assert "noise 0: infinite with 50 points" in picture.alt


def test_a_panel_for_each_loss() -> None:
    picture = drawn(quantities=["test_loss", "train_loss"], titles=["without noise", "with noise"])
    assert [axes.get_label() for axes in picture.figure.axes] == ["without noise", "with noise"]


def test_wrong_lists() -> None:
    with pytest.raises(UserError, match="they have: variants 3, samples 2 and noise 3"):
        drawn(samples=[50, 200])
    with pytest.raises(UserError, match="quantities and titles go together"):
        drawn(titles=["one", "two"])
