"""Where the units of the first two hidden layers bend, as places x: elbows of the first layer, kinks of the second."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import activations, linearization, parts
from scripts.common.errors import UserError
from scripts.common.options import Positive
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

BENDING = ("relu", "leaky_relu")
"""Activations that bend at 0 and are linear elsewhere."""

KIND = Kind(
    "elbows",
    {
        "step": Array("S", "int64"),
        "elbow": Array("S R W", "float64"),
        "kink": Array("S R Q", "float64"),
        "elbows_inside": Array("S R", "int64", quantity=True),
        "exists_elbows_inside": Array("S R", "bool"),
        "elbow_groups": Array("S R", "int64", quantity=True),
        "exists_elbow_groups": Array("S R", "bool"),
        "kinks_inside": Array("S R", "int64", quantity=True),
        "exists_kinks_inside": Array("S R", "bool"),
    },
    optional=frozenset({"kink", "kinks_inside", "exists_kinks_inside"}),
)


def measure(train: Arrays, network: Mapping[str, Any], data: Arrays, *, apart: Positive = 0.01) -> Arrays:
    """Return the places where units bend, computed in float64, at each saved step and for each replica.

    Args:
        train: the parameters of a network with one input.
        network: ``hidden`` and ``activation``, one that bends at 0 and is linear elsewhere.
        data: the data set that the network was trained on; its grid says from where to where units are looked at.
        apart: neighboring elbows farther apart than this, as a share of that range, belong to different groups.

    Returns:
        ``elbow`` is -b / w of each of the W units of the first hidden layer, in their order, wherever it lies; nan where w is 0.
        ``elbows_inside`` counts those within the grid, ``elbow_groups`` the groups that they form. With two or more hidden layers,
        ``kink`` holds the places within the grid where the input of a unit of the second hidden layer changes its sign, of all its units
        together, in ascending order, then nan; and ``kinks_inside`` counts the units with at least one. What a replica has no finite
        parameters for is nan and not counted.

    Raises:
        UserError: the network has several inputs, or its activation does not bend at 0 alone.
    """
    tensors = linearization.slices(network, inputs=data["train_x"].shape[1], outputs=data["train_y"].shape[1])
    if data["train_x"].shape[1] != 1:
        raise UserError(f"elbows are measured of networks with one input, this one has {data['train_x'].shape[1]}; leave the variant out")
    if network["activation"] not in BENDING:
        allowed = " and ".join(BENDING)
        raise UserError(f"elbows are measured of networks with {allowed}, this one has {network['activation']}; leave the variant out")
    low, high = float(data["grid_x"].min()), float(data["grid_x"].max())
    width, deep = network["hidden"][0], len(network["hidden"]) > 1
    available = intact(train)
    elbow = np.full((*available.shape, width), np.nan)
    kinks_inside = np.zeros(available.shape, dtype=np.int64)
    kinks: dict[tuple[int, int], NDArray[np.float64]] = {}
    for step, replica in np.argwhere(available):
        values = train["parameters"][step, replica].astype(np.float64)
        tensor = {name: values[part] for name, part in tensors.items()}
        weight, bias = tensor["0.weight"], tensor["0.bias"]
        np.divide(-bias, weight, out=elbow[step, replica], where=weight != 0)
        if deep:
            bends = elbow[step, replica][np.isfinite(elbow[step, replica])]
            x = np.unique(np.concatenate([[low], bends[(bends > low) & (bends < high)], [high]]))
            layer = tensor["2.weight"].reshape(-1, width), tensor["2.bias"]
            found = [_crossings(x, unit) for unit in _second_layer(x, weight, bias, *layer, network=network)]
            kinks[step, replica] = np.sort(np.concatenate(found))
            kinks_inside[step, replica] = sum(len(places) > 0 for places in found)
    with np.errstate(invalid="ignore"):
        inside = np.where((elbow >= low) & (elbow <= high), elbow, np.nan)
        gaps = np.diff(np.sort(inside, axis=2), axis=2) > apart * (high - low)  # what is not a number is last, and has no gap
    elbows_inside = np.isfinite(inside).sum(axis=2)
    found_elbows: Arrays = {
        "step": train["step"],
        "elbow": elbow,
        "elbows_inside": elbows_inside,
        "exists_elbows_inside": available,
        "elbow_groups": gaps.sum(axis=2) + (elbows_inside > 0),
        "exists_elbow_groups": available,
    }
    if not deep:
        return found_elbows
    kink = np.full((*available.shape, max((len(places) for places in kinks.values()), default=0)), np.nan)
    for here, places in kinks.items():
        kink[here][: len(places)] = places
    return found_elbows | {"kink": kink, "kinks_inside": kinks_inside, "exists_kinks_inside": available}


def _second_layer(
    x: NDArray[np.float64],
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    second_weight: NDArray[np.float64],
    second_bias: NDArray[np.float64],
    *,
    network: Mapping[str, Any],
) -> NDArray[np.float64]:
    """Return the inputs (width of the second layer, N) of the units of the second hidden layer at the places x (N,)."""
    hidden = x[:, None] * weight + bias
    parts.call(activations, {"kind": network["activation"]}).apply(hidden, hidden)
    inputs: NDArray[np.float64] = second_weight @ hidden.T + second_bias[:, None]
    return inputs


def _crossings(x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places where a function changes its sign that is linear between the ascending x (N,), where it has the `values` (N,).

    A zero that the function only touches is none. Where it changes its sign by being 0 for a while, the place is the first such x.
    """
    signed = np.flatnonzero(values)
    changes = np.flatnonzero(np.diff(np.sign(values[signed])))
    left = signed[changes]
    share = values[left] / (values[left] - values[left + 1])  # 1 where the function is 0 at the next x
    return x[left] + share * (x[left + 1] - x[left])
