"""The loss of the best constant, which figures draw beside the losses of networks, and what losses are called."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

WORDS = {"mse": "mean squared error", "cross_entropy": "cross-entropy"}
MEANINGS = {"mse": "the variance of the {part} outputs", "cross_entropy": "the entropy of the shares of the {part} labels"}


def loss_of(y: NDArray[np.floating], kind: str) -> float:
    """Return the least loss that a constant has on targets (N, C), one-hot for cross-entropy; nan for a loss of one's own."""
    if kind == "mse":
        return float(y.var(axis=0).mean())
    if kind == "cross_entropy":
        shares = y.mean(axis=0)
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    return float("nan")


def name(kinds: Iterable[str]) -> str:
    """Return what an axis of losses of these kinds is called."""
    found = set(kinds)
    return WORDS.get(found.pop(), "loss") if len(found) == 1 else "loss"


def in_words(losses: Mapping[str, str], part: Literal["training", "test"]) -> str:
    """Return in words what the loss of the best constant is, where variants have these kinds of losses: "; dotted: ..."."""
    meanings = [MEANINGS[kind].format(part=part) for kind in dict.fromkeys(losses.values()) if kind in MEANINGS]
    return f"; dotted: loss of the best constant, {' or '.join(meanings)}" if meanings else ""
