"""Augmentations: each makes of a batch of samples another, mixed with itself in another order, and mixes the targets alike.

All that is random is drawn replica by replica, each from its own generator, so that a replica has the same batches whatever the number
of replicas. One lambda holds for a whole batch.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import patches
from scripts.common.errors import UserError
from scripts.common.options import Positive


def mixup(x: Tensor, y: Tensor, *, generators: Sequence[np.random.Generator], alpha: Positive) -> tuple[Tensor, Tensor]:
    """Return lambda x_i + (1 - lambda) x_j, and targets alike, with lambda from a Beta(alpha, alpha) distribution (Zhang et al. 2018).

    Args:
        x: samples (R, D, B).
        y: their targets (R, C, B).
        generators: a generator for each replica.
        alpha: near 0 samples are hardly mixed; at 1 every lambda is as probable as any other; far above 1 most are near a half.
    """
    shares = torch.as_tensor([generator.beta(alpha, alpha) for generator in generators], dtype=torch.float64)
    partners = _partners(generators, x.shape[2])
    return _mixed(x, partners, shares), _mixed(y, partners, shares)


def cutmix(x: Tensor, y: Tensor, *, generators: Sequence[np.random.Generator], alpha: Positive) -> tuple[Tensor, Tensor]:
    """Return images with a box of another image pasted in, and targets mixed by the share of pixels (Yun et al. 2019, section 3.1).

    With lambda from a Beta(alpha, alpha) distribution the box has the share 1 - lambda of the image: its sides are sqrt(1 - lambda) of
    those of the image. Its center is uniform in the image; its edges are rounded to whole pixels and cut at the border. Targets are
    mixed by the pixels that were truly pasted, so that their lambda is the share of an image that is left of it.

    Args:
        x: square images (R, D, B), D pixels row by row.
        y: their targets (R, C, B).
        generators: a generator for each replica.
        alpha: as for `mixup`.

    Raises:
        UserError: D is no square.
    """
    side = math.isqrt(x.shape[1])
    if side * side != x.shape[1]:
        raise UserError(f"augmentation.kind: cutmix takes square images; {x.shape[1]} inputs are none; choose mixup")
    pasted = torch.from_numpy(np.stack([_box(generator, side, alpha) for generator in generators])).to(x.device)  # (R, D)
    partners = _partners(generators, x.shape[2])
    images = torch.where(pasted[:, :, None], _taken(x, partners), x)
    return images, _mixed(y, partners, 1 - pasted.double().mean(dim=1))


def _box(generator: np.random.Generator, side: int, alpha: float) -> NDArray[np.bool_]:
    """Return which pixels (side * side,) of an image are in a box drawn for `cutmix`."""
    lost = 1 - generator.beta(alpha, alpha)
    return patches.box(side, lost, side * generator.random(2)).reshape(-1)


def _partners(generators: Sequence[np.random.Generator], samples: int) -> Tensor:
    """Return an order of the samples for each replica, (R, B): whom each sample is mixed with."""
    return torch.from_numpy(np.stack([generator.permutation(samples) for generator in generators]))


def _taken(values: Tensor, partners: Tensor) -> Tensor:
    """Return the values (R, ..., B) of each sample's partner."""
    return values.gather(2, partners.to(values.device)[:, None, :].expand_as(values))


def _mixed(values: Tensor, partners: Tensor, shares: Tensor) -> Tensor:
    """Return a share (R,) of each sample's values (R, ..., B) and the rest of its partner's."""
    return _taken(values, partners).lerp_(values, shares.to(values)[:, None, None].expand_as(values))
