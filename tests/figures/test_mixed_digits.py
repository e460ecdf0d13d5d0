import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.figures.mixed_digits import draw
from tests import synthetic


def drawn(**options):
    return draw(synthetic.study(["good"])["datasets"], **{"data_set": "images", "seed": 3} | options)


def images(picture):
    """Return the pixels and the words below each panel, by its name."""
    return {axes.get_label(): (np.asarray(axes.images[0].get_array()), axes.texts[0].get_text()) for axes in picture.figure.axes}


def test_mixup_is_the_weighted_sum_and_the_ends_are_the_images():
    found = images(drawn(shares=[0.75]))
    assert list(found)[:3] == ["pair 1, mixup, λ = 1", "pair 1, mixup, λ = 0.75", "pair 1, mixup, λ = 0"]
    for pair in (1, 2):
        (one, _), (mixed, words), (other, _) = (found[f"pair {pair}, mixup, λ = {share}"] for share in ("1", "0.75", "0"))
        np.testing.assert_allclose(mixed, 0.75 * one + 0.25 * other)
        labels = [int(image.max()) - 1 for image in (one, other)]
        assert labels[0] != labels[1]
        assert words == f"{labels[0]}: 0.75, {labels[1]}: 0.25"
        assert all(np.array_equal(found[f"pair {pair}, CutMix, λ = {end}"][0], found[f"pair {pair}, mixup, λ = {end}"][0]) for end in "01")


def test_cutmix_pastes_a_box_and_tells_its_true_share():
    for seed in range(8):
        picture = drawn(seed=seed, shares=[0.5])
        found = images(picture)
        one, mixed, other = (found[f"pair 1, CutMix, λ = {share}"] for share in ("1", "0.5", "0"))
        upper = mixed[0][:2]  # the lower halves of all images are white
        assert set(np.unique(upper)) <= {one[0].max(), other[0].max()}
        kept = float(mixed[1].split(": ")[1].split(",")[0])
        pasted = (mixed[0] == other[0]) & (other[0] != one[0])
        assert pasted.sum() <= round((1 - kept) * 16)
        axes = next(axes for axes in picture.figure.axes if axes.get_label() == "pair 1, CutMix, λ = 0.5")
        (box,) = axes.patches
        assert box.get_width() * box.get_height() == pytest.approx((1 - kept) * 16, abs=0.1)
        rows, columns = np.nonzero(pasted)
        assert ((rows > box.get_y()) & (rows < box.get_y() + box.get_height())).all()
        assert ((columns > box.get_x()) & (columns < box.get_x() + box.get_width())).all()


def test_pairs_come_from_the_seed():
    first, again, *others = (drawn(seed=seed).alt for seed in (0, 0, 1, 2))
    assert first == again
    assert {first} != {first, *others}
    assert len(drawn(pairs=1, shares=[0.9, 0.1]).figure.axes) == 8


def test_what_is_no_image_is_refused():
    with pytest.raises(UserError, match="data set 'whole' has no square images of several classes"):
        drawn(data_set="whole")
    with pytest.raises(UserError, match="unknown data set 'photographs'"):
        drawn(data_set="photographs")
