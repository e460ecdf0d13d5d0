"""Mean and deviation of normalized random images: over the whole array, as the source has them, and over the sets that tell kinds apart."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scripts.common.normalization import KINDS, normalize
from scripts.common.options import Count
from scripts.common.storage import Array, Arrays, Kind

NAMES = ("none", *KINDS)
"""What is done to the images: nothing, or a kind of normalization."""
SETS = {"channel": (0, 3, 4), "sample": (1, 2, 3, 4), "sample and channel": (3, 4), "sample and group": (2, 3, 4)}
"""Of images (N, groups, channels of a group, H, W) the axes that a set of values runs over, by the name of what each set is of."""

KIND = Kind(
    "normalization_statistics",
    {
        "array_mean": Array("R X", "float64", quantity=True),
        "index_array_mean": Array("X", "str"),
        "array_deviation": Array("R X", "float64", quantity=True),
        "index_array_deviation": Array("X", "str"),
        "largest_mean": Array("R Y", "float64", quantity=True),
        "index_largest_mean": Array("Y", "str"),
        "largest_deviation_change": Array("R Y", "float64", quantity=True),
        "index_largest_deviation_change": Array("Y", "str"),
    },
)


def simulate(
    seeds: Sequence[int], *, samples: Count = 32, channels: Count = 16, height: Count = 28, width: Count = 28, groups: Count = 4
) -> Arrays:
    """Return statistics of standard normal images (samples, channels, height, width), in float32, after each kind of normalization.

    The images are what the source draws when its cells are run in order. It seeds PyTorch with 42 at its top and again in exercise 3,
    draws there a batch and the weights of four layers, and goes on from there in exercise 5. The generator of each replica does the
    same from its own seed, so that with 42 these are the source's images and its means and deviations, to rounding.

    Args:
        seeds: seed of each replica's generator.
        samples: number of images, N.
        channels: channels of each, a multiple of the number of groups.
        height: height of an image.
        width: width of an image.
        groups: groups of channels of group normalization.

    Returns:
        By what is done to the images ("none", "batch", "layer", "instance", "group"): ``array_mean`` and ``array_deviation`` (R, X), of
        all values, the latter divided by their number less one, as in the source. By "what is done/what a set is of": ``largest_mean``
        (R, Y), the largest absolute mean of a set, and ``largest_deviation_change`` (R, Y), how far the deviation of a set (divided
        by its size) is from 1 at most.
    """
    means, deviations, largest_means, changes = [], [], [], []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        _draw_as_before(generator)
        images = torch.randn(samples, channels, height, width, generator=generator)
        normalized = [_normalized(images, name, groups).double().numpy() for name in NAMES]
        means.append([values.mean() for values in normalized])
        deviations.append([values.std(ddof=1) for values in normalized])
        split = [values.reshape(samples, groups, -1, height, width) for values in normalized]
        largest_means.append([np.abs(values.mean(axis=axes)).max() for values in split for axes in SETS.values()])
        changes.append([np.abs(values.std(axis=axes) - 1).max() for values in split for axes in SETS.values()])
    crossed = np.array([f"{name}/{of}" for name in NAMES for of in SETS])
    return {
        "array_mean": np.array(means),
        "index_array_mean": np.array(NAMES),
        "array_deviation": np.array(deviations),
        "index_array_deviation": np.array(NAMES),
        "largest_mean": np.array(largest_means),
        "index_largest_mean": crossed,
        "largest_deviation_change": np.array(changes),
        "index_largest_deviation_change": crossed,
    }


def _draw_as_before(generator: torch.Generator) -> None:
    """Draw what the source draws in exercise 3 between its seed and exercise 5: a batch, and four times a layer and its new weights."""
    torch.randn(1000, 100, generator=generator)
    for _ in range(4):
        torch.empty(100, 100).uniform_(generator=generator)
        torch.empty(100).uniform_(generator=generator)
        torch.empty(100, 100).normal_(generator=generator)


def _normalized(images: Tensor, name: str, groups: int) -> Tensor:
    """Return images (N, C, H, W), normalized with weight 1 and bias 0 unless the name is "none"."""
    if name == NAMES[0]:
        return images
    weight = torch.ones(1, images.shape[1])
    values = images.movedim(0, -1)[None]
    found = normalize(values, weight, torch.zeros_like(weight), kind=name, groups=groups if name == "group" else None, training=True)
    return found[0].movedim(-1, 0)
