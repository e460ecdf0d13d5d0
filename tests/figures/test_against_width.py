import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.against_width import draw
from tests import synthetic

NETWORKS = {"trained": ["good", "other", "good"], "output_layer": ["other", "good", "wild"], "widths": [40, 10, 10], "depths": [1, 1, 2]}


def drawn(study: dict[str, object] | None = None, **options: object) -> Picture:
    made = study or synthetic.study(["good", "other", "wild"])
    return draw(made["data"], made["numbers"], bootstrap=made["bootstrap"], **NETWORKS | options)  # type: ignore[arg-type]


def test_a_line_for_each_paradigm_in_order_of_width() -> None:
    study = synthetic.study(["good", "other", "wild"])
    study["loss"]["other"]["test_loss"] *= 10
    study["numbers"] = synthetic.numbers(study)
    picture = drawn(study)
    axes = synthetic.panel(picture.figure, "1 hidden layer")
    assert [synthetic.line(axes, f"{name}, median")[1] for name in ("all parameters by SGD", "output layer by SGD")] == [
        pytest.approx([0.4, 0.04]),
        pytest.approx([0.04, 0.4]),
    ]
    assert synthetic.line(axes, "output layer solved exactly, median")[1] == pytest.approx([0.02, 0.02])
    assert synthetic.line(axes, "tangent features solved exactly, median")[1] == pytest.approx([0.2, 0.2])
    assert synthetic.line(axes, "linearized network, as many updates, median")[1] == pytest.approx([0.3, 0.3])
    assert len(synthetic.dots(axes, "all parameters by SGD, replicas")) == 6
    assert "all parameters by SGD: 0.400 at width 10, 0.0400 at width 40." in picture.alt
    assert '1 hidden layer,"all parameters by SGD, median",10,0.4' in pictures.tabulate(picture.figure).splitlines()


def test_what_diverged_or_leaves_the_panel_is_said_in_words() -> None:
    study = synthetic.study(["good", "other", "wild"])
    study["tangent"]["good"]["tangent_test_loss"] *= 1e7
    study["numbers"] = synthetic.numbers(study)
    axes = synthetic.panel(drawn(study).figure, "2 hidden layers")
    words = axes.texts[0].get_text().replace("\n", " ")
    assert words == "output layer by SGD: infinite at width 10; tangent features solved exactly: 2.00 × 10⁶ at width 10"
    constant = study["data"]["good"]["test_y"].var()
    assert axes.get_ylim()[1] == pytest.approx(30 * constant)
    assert synthetic.line(axes, "best constant")[1][0] == pytest.approx(constant)


def test_note_names_the_replicas() -> None:
    study = synthetic.study(["good", "other", "wild"])
    assert drawn(study).note.startswith("n = 3 replicas of each network")
    numbers = study["numbers"]
    study["numbers"] = numbers[(numbers["variant"] != "other") | (numbers["replica"] == 0)]
    assert drawn(study).note.startswith("n = 1 to 3 replicas of each network")


def test_lists_of_different_lengths() -> None:
    with pytest.raises(UserError, match="they have: trained 3, output_layer 3, widths 2 and depths 3"):
        drawn(widths=[10, 20])


def test_no_paradigm_hides_another() -> None:
    axes = drawn().figure.axes[0]
    lines = [line for line in axes.lines if str(line.get_label()).endswith("median")]
    assert len({np.round(float(line.get_xdata()[0]), 3) for line in lines}) == 5
