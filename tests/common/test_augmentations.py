import functools

import numpy as np
import pytest
import torch

from scripts.common import augmentations, parts
from scripts.common.errors import UserError

REPLICAS, SIDE, CLASSES, BATCH = 4, 8, 5, 12


def generators(count=REPLICAS, seed=0):
    return [np.random.default_rng([seed, replica]) for replica in range(count)]


def batch(seed=0):
    """Return images whose pixels all tell of which sample they are, and targets that tell it too, in float64."""
    numbers = torch.randperm(REPLICAS * BATCH, generator=torch.Generator().manual_seed(seed)).double().view(REPLICAS, 1, BATCH)
    return numbers.expand(REPLICAS, SIDE * SIDE, BATCH).clone() + 1, torch.cat([numbers + 1, -numbers.expand(-1, CLASSES - 1, -1)], dim=1)


def mixed(kind, alpha=1.0, *, seed=0, count=REPLICAS):
    x, y = batch()
    return parts.call(augmentations, {"kind": kind, "alpha": alpha}, x[:count], y[:count], generators=generators(count, seed))


def test_mixup_is_that_of_the_formula_sample_by_sample():
    x, y = batch()
    new_x, new_y = mixed("mixup")
    for replica, generator in enumerate(generators()):
        share, order = generator.beta(1.0, 1.0), generator.permutation(BATCH)
        for sample in range(BATCH):
            for old, new in ((x, new_x), (y, new_y)):
                expected = share * old[replica, :, sample] + (1 - share) * old[replica, :, int(order[sample])]
                torch.testing.assert_close(new[replica, :, sample], expected)


def test_lambda_has_the_moments_of_its_distribution():
    count = 4000
    x, y = (torch.tensor([[samples]]).double().expand(count, 1, 2) for samples in ([0.0, 1.0], [1.0, 0.0]))
    for alpha in (0.2, 1.0, 4.0):
        found = augmentations.mixup(x, y, generators=generators(count), alpha=alpha)[0][:, 0, 0].numpy()
        # Half of the orders mix a sample with itself, which leaves 0; the others 1 - lambda.
        assert found.mean() == pytest.approx(0.25, abs=0.02)
        assert (found[found > 0]).var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_the_target_of_cutmix_is_mixed_by_the_pixels_pasted():
    seen = set()
    for seed in range(60):
        x, _ = batch()
        new_x, new_y = mixed("cutmix", seed=seed)
        for replica in range(REPLICAS):
            for sample in range(BATCH):
                own, image = x[replica, 0, sample], new_x[replica, :, sample]
                others = image[image != own]
                assert len(others.unique()) <= 1
                other = others[0] if len(others) else own
                expected = (own * (image == own).sum() + other * len(others)) / SIDE**2
                torch.testing.assert_close(new_y[replica, 0, sample], expected)
                torch.testing.assert_close(new_y[replica, 1, sample], 1 - expected)
                seen.add(len(others))
    assert len(seen) > 20


@functools.cache
def boxes(count=3000, alpha=1.0):
    """Return the pixels pasted (count, side, side), and the generators' lambdas, centers before them drawn again."""
    x = torch.zeros(count, SIDE * SIDE, 2).double()
    x[:, :, 1] = 1
    made, _ = augmentations.cutmix(x, torch.zeros(count, 1, 2), generators=generators(count), alpha=alpha)
    again = generators(count)
    lambdas = np.array([generator.beta(alpha, alpha) for generator in again])
    centers = np.array([generator.random(2) for generator in again]) * SIDE
    orders = np.array([generator.permutation(2)[0] for generator in again])
    return made[:, :, 0].view(count, SIDE, SIDE).numpy()[orders == 1], lambdas[orders == 1], centers[orders == 1]


def test_boxes_are_rectangles_around_their_center_of_the_area_of_lambda():
    pasted, lambdas, centers = boxes()
    whole = 0
    for image, share, center in zip(pasted, lambdas, centers, strict=True):
        half = SIDE * np.sqrt(1 - share) / 2
        expected = np.zeros((SIDE, SIDE))
        edges = [(round(middle - half), round(middle + half)) for middle in center]
        for row in range(SIDE):
            for column in range(SIDE):
                expected[row, column] = all(low <= place < high for place, (low, high) in zip((row, column), edges, strict=True))
        np.testing.assert_array_equal(image, expected)
        inside = (center - half >= 0).all() and (center + half <= SIDE).all()
        whole += inside
        if inside:
            sides = np.sqrt([expected.sum(), 64 * (1 - share)])
            assert abs(sides[0] - sides[1]) <= 1
    assert whole > 100


def test_every_pixel_of_the_border_and_of_the_middle_is_pasted_at_times():
    share = boxes()[0].mean(axis=0)
    assert share.min() > 0.1
    assert np.abs(share - share[::-1, ::-1]).max() < 0.06
    assert np.abs(share - share.T).max() < 0.06
    assert share[3:5, 3:5].mean() > share[[0, 0, -1, -1], [0, -1, 0, -1]].mean() + 0.1


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_replicas_do_not_depend_on_their_number_and_differ(kind):
    many, few = mixed(kind), mixed(kind, count=2)
    for new, fewer in zip(many, few, strict=True):
        assert torch.equal(new[:2], fewer)
    x, _ = batch()
    assert (many[0] != x).any(dim=(1, 2)).all()
    assert all(torch.equal(one, again) for one, again in zip(many, mixed(kind), strict=True))


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_what_is_given_stays_as_it_is_and_precision_is_kept(kind):
    x, y = (values.float() for values in batch())
    before = x.clone(), y.clone()
    new_x, new_y = parts.call(augmentations, {"kind": kind, "alpha": 0.5}, x, y, generators=generators())
    assert (new_x.dtype, new_y.dtype) == (torch.float32, torch.float32)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])


def test_images_that_are_no_square_are_refused():
    with pytest.raises(UserError, match=r"augmentation\.kind: cutmix takes square images; 60 inputs are none; choose mixup"):
        augmentations.cutmix(torch.zeros(1, 60, 3), torch.zeros(1, 2, 3), generators=generators(1), alpha=1.0)
