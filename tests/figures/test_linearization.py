import pytest

from scripts.common import pictures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.linearization import draw
from tests import synthetic


def drawn(*variants: str, **options: object) -> Picture:
    study = synthetic.study(variants)
    return draw(study["spectrum"], study["fate"], styles=study["styles"], **({"steps": ["first", "last"]} | options))  # type: ignore[arg-type]


def test_three_panels_before_and_after() -> None:
    picture = drawn("good")
    bars = synthetic.panel(picture.figure, "after training: singular values")
    assert [bar.get_height() for bar in bars.patches] == pytest.approx([2 * 10.0**-k for k in range(10)])
    assert bars.get_yscale() == "log"
    features = synthetic.panel(picture.figure, "at initialization: principal features")
    places = synthetic.dots(features, "feature 3")
    assert places[:, 1] == pytest.approx(3 * places[:, 0] + 2)
    pair = synthetic.panel(picture.figure, "at initialization: top two features")
    assert synthetic.dots(pair, "point")[:, 1] == pytest.approx(2 * synthetic.dots(pair, "point")[:, 0] + 1)
    assert len([axes for axes in picture.figure.axes if axes.get_label() == "<colorbar>"]) == 2


def test_alt_holds_the_largest_singular_values() -> None:
    assert "At initialization, the largest singular values are 1, 0.100 and 0.0100; above 10⁻¹⁰ of the largest: 10." in drawn("good").alt


def test_diverged_network_is_not_available() -> None:
    picture = drawn("wild")
    for name in ("singular values", "principal features", "top two features"):
        axes = synthetic.panel(picture.figure, f"after training: {name}")
        assert axes.texts[0].get_text() == "not available:\ndiverged after 1 update"
        assert not axes.collections
        assert not axes.patches
    assert synthetic.panel(picture.figure, "at initialization: singular values").patches
    assert "After training, not available: diverged after 1 update." in picture.alt
    assert picture.figure.get_figheight() < drawn("good").figure.get_figheight()


def test_options() -> None:
    picture = drawn("good", steps=["20"], replica=1, values=3, features=2, logarithmic=False)
    bars = synthetic.panel(picture.figure, "after training: singular values")
    assert [bar.get_height() for bar in bars.patches] == pytest.approx([4.0, 0.4, 0.04])
    assert bars.get_yscale() == "linear"
    assert [key.get_text() for key in picture.figure.legends[0].get_texts()] == ["feature 1", "feature 2"]
    assert "replica 1 (derived seeds)" in picture.note


def test_rows_of_several_variants_bear_their_labels() -> None:
    picture = drawn("good", "other", steps=["first"])
    assert synthetic.panel(picture.figure, "Other start, at initialization: singular values")


def test_constant_features_look_constant() -> None:
    study = synthetic.study(["good"])
    study["spectrum"]["good"]["feature"][:] = 1.0
    study["spectrum"]["good"]["feature"][..., 1] = 1e-9
    picture = draw(study["spectrum"], study["fate"], styles=study["styles"], steps=["first"])
    axes = synthetic.panel(picture.figure, "at initialization: top two features")
    assert axes.get_xlim() == pytest.approx((0.95, 1.05))
    assert axes.get_ylim() == pytest.approx((-0.05, 0.05))


def test_unknown_step() -> None:
    with pytest.raises(UserError, match="unknown step 'middle'; known: first, last, 0, 20"):
        drawn("good", steps=["middle"])


def test_unknown_replica() -> None:
    with pytest.raises(UserError, match="there is no replica 3; replicas are numbered from 0 to 2"):
        drawn("good", replica=3)


def test_table_holds_bars_and_words() -> None:
    rows = pictures.tabulate(drawn("wild").figure).splitlines()
    assert "at initialization: singular values,singular value,2,0.1" in rows
    assert "after training: top two features,not available: diverged after 1 update,," in rows
