import numpy as np
import pytest

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations import dropout_variance

SEEDS = replica_seeds(0, 4)
RATES = [0.0, 0.2, 0.5]
MASKS = 8000
VARIANCES = ("averaging_variance", "weighted_variance")


@pytest.fixture(scope="module")
def found():
    return {method: dropout_variance.simulate(SEEDS, method=method, rates=RATES, masks=MASKS) for method in dropout_variance.METHODS}


@pytest.mark.parametrize("method", dropout_variance.METHODS)
def test_measured_values_are_those_of_theory(found, method):
    """Means to five standard errors; the variance of a variance is at most that of values with heavier tails than normal ones."""
    for quantity in VARIANCES:
        np.testing.assert_allclose(found[method][quantity], found[method][f"predicted_{quantity}"], rtol=0.08, atol=1e-12)
    spread = np.sqrt(found[method]["averaging_variance"] / MASKS)
    for quantity in ("output_ratio", "corner_output_ratio"):
        assert (np.abs(found[method][quantity] - found[method][f"predicted_{quantity}"]) <= 5 * spread + 1e-12).all()


@pytest.mark.parametrize("method", ["dropout", "drop_connect"])
def test_dropout_adds_the_known_variance(found, method):
    for quantity in VARIANCES:
        np.testing.assert_allclose(found[method][f"predicted_{quantity}"], np.tile([0, 0.25, 1.0], (4, 1)))
    np.testing.assert_allclose(found[method]["predicted_output_ratio"], 1)


def test_without_rescaling_outputs_shrink(found):
    np.testing.assert_allclose(found["unscaled_drop_connect"]["predicted_output_ratio"], np.tile([1, 0.8, 0.5], (4, 1)))
    np.testing.assert_allclose(found["unscaled_drop_connect"]["predicted_averaging_variance"], np.tile([0, 0.16, 0.25], (4, 1)))


def test_drop_block_is_that_of_masks_counted_one_by_one():
    """The probabilities of theory, from all sets of blocks that a map of 3 by 3 can have."""
    rate, anchors = 0.3, [(row, column) for row in (0, 1) for column in (0, 1)]
    gamma = rate / 4 * 9 / 4
    kept, both = np.zeros(9), np.zeros((9, 9))
    for chosen in range(2 ** len(anchors)):
        mask, probability = np.ones((3, 3)), 1.0
        for bit, (row, column) in enumerate(anchors):
            standing = bool(chosen >> bit & 1)
            probability *= gamma if standing else 1 - gamma
            if standing:
                mask[row : row + 2, column : column + 2] = 0
        kept += probability * mask.ravel()
        both += probability * np.outer(mask, mask)
    scale = 1 / kept.mean()
    mean, covariance = dropout_variance._moments("drop_block", rate, side=3, block=2)
    np.testing.assert_allclose(mean, scale * kept)
    np.testing.assert_allclose(covariance, scale**2 * (both - np.outer(kept, kept)), atol=1e-14)


def test_blocks_add_more_to_an_average_and_favor_corners(found):
    block, plain = found["drop_block"], found["dropout"]
    assert (block["averaging_variance"][:, 1] > 1.5 * plain["averaging_variance"][:, 1]).all()
    assert (block["corner_output_ratio"][:, 2] > block["output_ratio"][:, 2] + 0.05).all()
    assert (block["output_ratio"][:, 2] < 0.98).all()


def test_nothing_is_added_at_rate_0_and_the_file_is_of_its_kind(found, tmp_path):
    for method, arrays in found.items():
        np.testing.assert_allclose(arrays["averaging_variance"][:, 0], 0, atol=1e-25)
        np.testing.assert_allclose(arrays["output_ratio"][:, 0], 1)
        assert arrays["index_output_ratio"].tolist() == ["0", "0.2", "0.5"]
        storage.save(tmp_path / f"{method}.npz", arrays, kind=dropout_variance.KIND, digest="d")


def test_replicas_do_not_depend_on_their_number(found):
    fewer = dropout_variance.simulate(SEEDS[:2], method="drop_block", rates=RATES, masks=MASKS)
    np.testing.assert_allclose(fewer["weighted_variance"], found["drop_block"]["weighted_variance"][:2])


def test_an_unknown_method_is_refused():
    with pytest.raises(UserError, match="unknown method 'drop_path'; known: dropout, drop_connect"):
        dropout_variance.simulate(SEEDS, method="drop_path", rates=RATES)
