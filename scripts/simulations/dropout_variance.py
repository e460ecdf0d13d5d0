"""What dropout and its variants do to the output of one unit: its mean over many masks, and the variance that they add."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from scripts.common import dropouts
from scripts.common.formatting import check_known
from scripts.common.levels import level_labels
from scripts.common.options import Count, Share
from scripts.common.storage import Array, Arrays, Kind

METHODS = ("dropout", "drop_connect", "unscaled_drop_connect", "drop_block")

KIND = Kind(
    "dropout_variance",
    {
        "rate": Array("X", "float64"),
        "output_ratio": Array("R X", "float64", quantity=True),
        "index_output_ratio": Array("X", "str"),
        "corner_output_ratio": Array("R X", "float64", quantity=True),
        "index_corner_output_ratio": Array("X", "str"),
        "averaging_variance": Array("R X", "float64", quantity=True),
        "index_averaging_variance": Array("X", "str"),
        "weighted_variance": Array("R X", "float64", quantity=True),
        "index_weighted_variance": Array("X", "str"),
        "predicted_output_ratio": Array("R X", "float64", quantity=True),
        "index_predicted_output_ratio": Array("X", "str"),
        "predicted_corner_output_ratio": Array("R X", "float64", quantity=True),
        "index_predicted_corner_output_ratio": Array("X", "str"),
        "predicted_averaging_variance": Array("R X", "float64", quantity=True),
        "index_predicted_averaging_variance": Array("X", "str"),
        "predicted_weighted_variance": Array("R X", "float64", quantity=True),
        "index_predicted_weighted_variance": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    method: str,
    rates: list[Share],
    masks: Count = 4000,
    side: Count = 8,
    window: Count = 3,
    block: Count = 2,
) -> Arrays:
    """Return mean and variance over masks of the output of units that see a window of a map, by rate.

    A unit's output is sum_i w_i a_i over the `window` by `window` activations a_i that it sees, each the size of a standard normal number.
    One unit has equal weights, as average pooling has, one standard normal weights; both see the middle of the map. A third has equal
    weights and sees its corner.

    Without a mask a term of the output is v_i = w_i a_i. If it is kept with probability p_i, two of them together with probability p_ij,
    and what is kept is multiplied by c, the output has the mean c sum_i p_i v_i and the variance c^2 sum_ij (p_ij - p_i p_j) v_i v_j. For
    dropout that is rate / (1 - rate) sum_i v_i^2.

    Args:
        seeds: seed of each replica, which draws activations, weights and masks.
        method: "dropout", "drop_connect", "drop_block", or "unscaled_drop_connect", which multiplies what is left by 1.
        rates: the rates.
        masks: how many masks are drawn for each rate.
        side: height and width of the map.
        window: height and width of what a unit sees.
        block: side of the blocks of "drop_block".

    Returns:
        By rate, ``rate`` (X,): ``output_ratio`` and ``corner_output_ratio`` (R, X), the mean over masks of the outputs of the units with
        equal weights, divided by their output without masks; ``averaging_variance`` and ``weighted_variance`` (R, X), the variance of the
        outputs of the unit with equal weights and of that with normal ones, divided by sum_i v_i^2; and of each what theory predicts.

    Raises:
        UserError: there is no such method.
    """
    check_known(method, METHODS, "method")
    generators = [np.random.default_rng(seed) for seed in seeds]
    activations = np.stack([np.abs(generator.normal(size=(side, side))) for generator in generators])
    normal = np.stack([generator.normal(size=(window, window)) for generator in generators])
    begin = (side - window) // 2
    units = np.zeros((3, len(seeds), side, side))  # the weights of each
    units[0, :, begin : begin + window, begin : begin + window] = 1 / window**2
    units[1, :, begin : begin + window, begin : begin + window] = normal
    units[2, :, :window, :window] = 1 / window**2
    terms = (units * activations).reshape(3, len(seeds), -1)  # (units, R, H W)
    plain, squares = terms.sum(axis=2), (terms**2).sum(axis=2)
    mean, variance, expected_mean, expected_variance = (np.empty((3, len(seeds), len(rates))) for _ in range(4))
    for place, rate in enumerate(rates):
        scales = _scales(generators, method, rate, masks=masks, side=side, block=block)
        outputs = np.matmul(terms[:, :, None], scales)[:, :, 0]  # (units, R, masks)
        mean[:, :, place], variance[:, :, place] = outputs.mean(axis=2) / plain, outputs.var(axis=2, ddof=1) / squares
        first, second = _moments(method, rate, side=side, block=block)
        expected_mean[:, :, place] = terms @ first / plain
        expected_variance[:, :, place] = np.einsum("uri,ij,urj->ur", terms, second, terms) / squares
    found = {
        "output_ratio": (mean[0], expected_mean[0]),
        "corner_output_ratio": (mean[2], expected_mean[2]),
        "averaging_variance": (variance[0], expected_variance[0]),
        "weighted_variance": (variance[1], expected_variance[1]),
    }
    labels = level_labels(rates)
    arrays: Arrays = {"rate": np.array(rates, dtype=np.float64)}
    for quantity, (measured, predicted) in found.items():
        arrays |= {quantity: measured, f"predicted_{quantity}": predicted}
        arrays |= {f"index_{quantity}": labels, f"index_predicted_{quantity}": labels}
    return arrays


def _scales(
    generators: Sequence[np.random.Generator], method: str, rate: float, *, masks: int, side: int, block: int
) -> NDArray[np.float64]:
    """Return what each term of the map is multiplied by under each mask, (R, H W, masks)."""
    count = len(generators)
    if method == "drop_block":
        ones = torch.ones((count, 1, side, side, masks), dtype=torch.float64)
        found = dropouts.drop_block(ones, generators=generators, rate=rate, block=block)
        return found.view(count, side * side, masks).numpy()
    ones = torch.ones((count, side * side, masks), dtype=torch.float64)
    if method == "dropout":
        return dropouts.dropout(ones, generators=generators, rate=rate).numpy()
    found = dropouts.drop_connect(ones, generators=generators, rate=rate)
    return (found * (1 - rate) if method == "unscaled_drop_connect" else found).numpy()


def _moments(method: str, rate: float, *, side: int, block: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means (H W,) and covariances (H W, H W) of what the terms of the map are multiplied by, for very many samples."""
    places = side * side
    if method != "drop_block":
        scale = 1.0 if method == "unscaled_drop_connect" else 1 / (1 - rate)
        return np.full(places, scale * (1 - rate)), scale**2 * rate * (1 - rate) * np.eye(places)
    wide = min(block, side)
    positions = side - wide + 1
    along = np.arange(side)[:, None] - np.arange(positions)  # how far a row or column is from the first of a block
    covered = ((along >= 0) & (along < wide)).astype(np.float64)
    blocks = np.kron(covered, covered)  # (H W, positions^2): which blocks hold a place
    gamma = rate / wide**2 * places / positions**2
    held = blocks.sum(axis=1)
    kept = (1 - gamma) ** held
    both = (1 - gamma) ** (held[:, None] + held - blocks @ blocks.T)
    scale = 1 / kept.mean()
    return scale * kept, scale**2 * (both - np.outer(kept, kept))
