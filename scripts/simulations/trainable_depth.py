"""How deep networks that train can be by the scale of their weights, as mean-field theory has it: a few depth scales."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common import mean_field
from scripts.common.levels import level_labels
from scripts.common.options import Count, NonNegative, Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "trainable_depth",
    {
        "edge_scale": Array("R", "float64", quantity=True),
        "depth_limit": Array("R X", "float64", quantity=True),
        "index_depth_limit": Array("X", "str"),
        "lowest_scale": Array("R L", "float64", quantity=True),
        "index_lowest_scale": Array("L", "str"),
        "highest_scale": Array("R L", "float64", quantity=True),
        "index_highest_scale": Array("L", "str"),
    },
)
HALVINGS = 40


def simulate(
    seeds: Sequence[int],
    *,
    low: Positive,
    high: Positive,
    scales: Count,
    depths: list[Count],
    bias_scale: NonNegative,
    depth_scales: Positive = 6.0,
    activation: str = "tanh",
) -> Arrays:
    """Return at which depth training is expected to end at each scale, and from which scale to which one networks of each depth train.

    Weights have the standard deviation scale / sqrt(inputs), biases `bias_scale`. Where the variance of units has come to its fixed
    point q*, gradients shrink or grow by e in 1 / |log chi(q*)| layers, and networks train as long as they are not much deeper than some
    six of these (Schoenholz et al. 2017). Nothing is drawn: all replicas are the same.

    Args:
        seeds: seed of each replica, R.
        low: the lowest scale.
        high: the highest scale.
        scales: number of scales, X, evenly spaced on a logarithmic axis.
        depths: numbers of hidden layers, L.
        bias_scale: standard deviation of the biases.
        depth_scales: of how many depth scales a network may be deep.
        activation: name of the activation, one that is bounded.

    Returns:
        ``edge_scale`` (R,), where gradients neither shrink nor grow; ``depth_limit`` (R, X); and ``lowest_scale`` and ``highest_scale``
        (R, L), between which the limit is above a depth, as far as they are between `low` and `high`.
    """
    kind = {"kind": activation}

    def limit(scale: float) -> float:
        fixed = mean_field.fixed_point(activation=kind, weight_variance=scale**2, bias_variance=bias_scale**2)
        return depth_scales * mean_field.depth_scale(mean_field.susceptibility(fixed, activation=kind, weight_variance=scale**2))

    def crossing(outer: float, inner: float, depth: int) -> float:
        """Return where between a scale and the edge networks of a depth begin to train; `outer` if they do there."""
        if limit(outer) >= depth:
            return outer
        for _ in range(HALVINGS):
            middle = float(np.sqrt(outer * inner))
            outer, inner = (middle, inner) if limit(middle) < depth else (outer, middle)
        return inner

    edge = float(np.sqrt(mean_field.edge_of_chaos(bias_scale**2, activation=kind)))
    along = np.geomspace(low, high, scales)
    ends = {"lowest": [crossing(low, edge, depth) for depth in depths], "highest": [crossing(high, edge, depth) for depth in depths]}

    def repeated(values: Sequence[float]) -> NDArray[np.float64]:
        return np.tile(np.array(values, dtype=np.float64), (len(seeds), 1))

    return {
        "edge_scale": np.full(len(seeds), edge),
        "depth_limit": repeated([limit(float(scale)) for scale in along]),
        "index_depth_limit": level_labels(along.tolist()),
        **{f"{end}_scale": repeated(found) for end, found in ends.items()},
        **{f"index_{end}_scale": level_labels(depths) for end in ends},
    }
