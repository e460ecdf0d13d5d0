"""Kinds of dropout: each sets a random part of what it is given to zero and rescales the rest, in training.

A network is evaluated without any of them: nothing is dropped, and nothing needs to be rescaled, since the expectation of what they
return is what they are given. Masks are drawn replica by replica, each from its own generator, so that a replica has the same masks
whatever the number of replicas. At rate 0 the input is returned as it is, and nothing is drawn.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scripts.common.options import Count, Share


def dropout(values: Tensor, *, generators: Sequence[np.random.Generator], rate: Share) -> Tensor:
    """Return values of which each is zero with probability `rate`, the others divided by 1 - rate (Srivastava et al. 2014, section 10).

    Args:
        values: activations (R, C, ..., N), or any other values with the replicas as the first axis.
        generators: a generator for each replica.
        rate: the probability that a value is dropped.
    """
    if not rate:
        return values
    kept = _uniform(generators, values.shape[1:]).ge_(rate)
    return values * kept.to(values).div_(1 - rate)


def drop_block(values: Tensor, *, generators: Sequence[np.random.Generator], rate: Share, block: Count) -> Tensor:
    """Return activations with square blocks of each map set to zero (Ghiasi et al. 2018, algorithm 1).

    A block stands with probability gamma at each of the positions where it fits into the map, in each channel and sample by itself.
    With gamma = rate / block^2 H W / ((H - block + 1) (W - block + 1)) the blocks have `rate` H W values of a map on average; less is
    dropped, as blocks overlap, and more of it in the middle than at the border. What is left is multiplied by the number of values
    over that of those left, counted in each replica over the whole batch.

    Args:
        values: activations (R, C, H, W, N).
        generators: a generator for each replica.
        rate: the share that is dropped if no blocks overlap.
        block: the side of the blocks; in a map that is smaller, the side of the map.
    """
    if not rate:
        return values
    replicas, channels, height, width, samples = values.shape
    high, wide = min(block, height), min(block, width)
    rows, columns = height - high + 1, width - wide + 1
    gamma = rate / (high * wide) * (height * width) / (rows * columns)
    anchors = _uniform(generators, (channels, rows, columns, samples)).to(values.device) < gamma
    dropped = torch.zeros((replicas, channels, height, columns, samples), dtype=torch.bool, device=values.device)
    for down in range(high):
        dropped[:, :, down : down + rows] |= anchors
    kept = torch.ones((replicas, channels, height, width, samples), dtype=torch.bool, device=values.device)
    for right in range(wide):
        kept[:, :, :, right : right + columns] &= ~dropped
    mask = kept.to(values)
    left = kept.flatten(1).sum(dim=1).clamp_(min=1).to(values)
    return values * mask.mul_((kept[0].numel() / left).view(-1, 1, 1, 1, 1))


def drop_connect(weight: Tensor, *, generators: Sequence[np.random.Generator], rate: Share) -> Tensor:
    """Return weights of which each is zero with probability `rate`, the others divided by 1 - rate (after Wan et al. 2013).

    One mask holds for all samples of a batch, where Wan et al. draw one for each sample. They do not rescale in training, nor does the
    source: a network is then trained with weights that are smaller, by 1 - rate on average, than those that it is evaluated with.

    Args:
        weight: the weights of a layer, (R, O, ...).
        generators: a generator for each replica.
        rate: the probability that a weight is dropped.
    """
    return dropout(weight, generators=generators, rate=rate)


def _uniform(generators: Sequence[np.random.Generator], shape: Sequence[int]) -> Tensor:
    """Return random numbers (R, *shape) from 0 to 1, float32, of each replica from its own generator."""
    drawn = np.empty((len(generators), *shape), dtype=np.float32)
    for row, generator in zip(drawn, generators, strict=True):
        generator.random(out=row, dtype=np.float32)
    return torch.from_numpy(drawn)
