import numpy as np
import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.learned import draw
from tests import synthetic


def drawn(study: dict[str, object] | None = None, **options: object) -> Picture:
    made = study or synthetic.study()
    options = {"steps": ["last"]} | options
    return draw(made["data"], made["prediction"], made["elbows"], made["fate"], styles=made["styles"], **options)  # type: ignore[arg-type]


def test_output_of_the_replica_and_the_truth() -> None:
    axes = synthetic.panel(drawn(replica=2).figure, "Good start")
    x, output = synthetic.line(axes, "network")
    assert output == pytest.approx(synthetic.truth(np.asarray(x)) + 0.2)
    assert (x[0], x[-1]) == (-1, 1)
    x, truth = synthetic.line(axes, "truth")
    assert truth == pytest.approx(synthetic.truth(np.asarray(x)))


def test_elbows_and_kinks_inside_are_marked_and_those_outside_counted() -> None:
    picture = drawn()
    axes = synthetic.panel(picture.figure, "Good start")
    assert synthetic.dots(axes, "elbows")[:, 0].tolist() == [-0.5, 0.5]
    assert synthetic.dots(axes, "kinks")[:, 0].tolist() == [0, 0.25]
    assert axes.texts[0].get_text().replace("\n", " ") == "1 of 3 elbows outside"
    assert "Good start 0 (1 of 3 elbows outside)" in picture.alt
    assert "Good start,elbows,-0.5," in pictures.tabulate(picture.figure).splitlines()


def test_networks_of_one_hidden_layer_have_no_kinks() -> None:
    study = synthetic.study(["good"])
    del study["elbows"]["good"]["kink"]
    picture = drawn(study)
    assert "kink" not in picture.alt
    assert "second" not in picture.note
    assert "kinks" not in pictures.tabulate(picture.figure)


def test_a_diverged_network_is_said_in_words() -> None:
    picture = drawn()
    axes = synthetic.panel(picture.figure, "Wild start")
    assert [line.get_label() for line in axes.lines] == ["truth"]
    assert axes.texts[0].get_text().replace("\n", " ") == "diverged after 1 update"
    assert "Wild start none, diverged after 1 update" in picture.alt


def test_several_steps_stand_in_the_titles_and_one_in_the_note() -> None:
    picture = drawn(steps=["first", "last"])
    axes = synthetic.panel(picture.figure, "Good start, at initialization")
    assert axes.texts[0].get_text().replace("\n", " ") == "at initialization; 1 of 3 elbows outside"
    assert "after training" not in picture.note
    assert drawn().note.startswith("One network, replica 0 (the source's seeds, 0 where it sets none), after training.")
    assert drawn(replica=1).note.startswith("One network, replica 1 (derived seeds), after training.")


def test_wild_output_leaves_the_panel_and_does_not_stretch_it() -> None:
    study = synthetic.study(["good"])
    study["prediction"]["good"]["prediction_grid"][-1] *= 1e30
    assert drawn(study).figure.axes[0].get_ylim()[1] < 2


def test_unknown_step_and_replica() -> None:
    with pytest.raises(UserError, match="unknown step '7'; known: first, last, 0, 20"):
        drawn(steps=["7"])
    with pytest.raises(UserError, match="there is no replica 3; replicas are numbered from 0 to 2"):
        drawn(replica=3)
