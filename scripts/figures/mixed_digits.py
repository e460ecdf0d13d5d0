"""Pairs of images mixed by mixup and by CutMix, at several shares of the first image."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from scripts.common import drawing, patches
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import check_known, counted, listing
from scripts.common.options import Count, DataSetName, Seed, Share
from scripts.common.storage import Arrays

WAYS = ("mixup", "CutMix")


def draw(datasets: dict[str, Arrays], *, data_set: DataSetName, seed: Seed, pairs: Count = 2, shares: list[Share] | None = None) -> Picture:
    """Draw two rows for each pair, of mixup and of CutMix, from the first image of the pair to the second, each with its target below.

    Args:
        datasets: arrays of storage.DATA by name of the data set.
        data_set: which of them: square images with one-hot targets.
        seed: seed of the pairs, two training images of different classes each, and of the middles of the boxes of CutMix.
        pairs: how many pairs.
        shares: the shares lambda of the first image, in the order in which they are shown; 0.8, 0.6, 0.4 and 0.2 if not given.

    Raises:
        UserError: there is no such data set, or its inputs are no square images of several classes.
    """
    check_known(data_set, datasets, "data set")
    images, labels = datasets[data_set]["train_x"], datasets[data_set]["train_y"].argmax(axis=1)
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1] or len(np.unique(labels)) < 2:
        raise UserError(f"mixed_digits: data set '{data_set}' has no square images of several classes; choose another 'data_set'")
    generator = np.random.default_rng(seed)
    lambdas = [1.0, *(shares or [0.8, 0.6, 0.4, 0.2]), 0.0]
    figure, panels = drawing.new_figure(2 * pairs, len(lambdas), height=1.18 * 2 * pairs + 0.3)
    grid = np.array(panels).reshape(pairs, 2, len(lambdas))
    told = []
    for row in range(pairs):
        one = int(generator.integers(len(images)))
        other = int(generator.choice(np.flatnonzero(labels != labels[one])))
        center = side * generator.random(2)
        told.append(f"a {labels[one]} and a {labels[other]}")
        for way, name in enumerate(WAYS):
            for axes, share in zip(grid[row, way], lambdas, strict=True):
                mixed, pasted = _mixed(name, images[[one, other]], share, center)
                kept = 1 - float(pasted.mean())
                axes.imshow(mixed.reshape(side, side), cmap="Greys", vmin=0, vmax=images.max(), interpolation="nearest")
                if name == "CutMix" and 0 < kept < 1:
                    _outline(axes, pasted.reshape(side, side))
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)
                axes.spines[:].set_visible(True)
                axes.set_label(f"pair {row + 1}, {name}, λ = {share:g}")
                target = f"{labels[one]}: {kept:.2f}, {labels[other]}: {1 - kept:.2f}"
                words = axes.annotate(
                    target, (0.5, 0), xycoords="axes fraction", xytext=(0, -3), textcoords="offset points", ha="center", va="top"
                )
                words.set(fontsize=6.8, label="message")
                if row == way == 0:
                    axes.set_title(f"λ = {share:g}", loc="center")
            grid[row, way, 0].set_ylabel(name)
    alt = (
        f"{counted(pairs, 'pair')} of training images, {listing(told)}, each mixed in {counted(len(lambdas) - 2, 'way')} between the "
        "first image on the left and the second on the right. In the rows of mixup both shine through each other; in those of CutMix a "
        "box of the second, with an orange edge, lies on the first. Below each image stand the shares of both classes in its target."
    )
    return Picture(
        figure, alt, "Below each image: its target. λ is the share of the first image that is drawn, before a box is cut at the border."
    )


def _mixed(
    way: str, pair: NDArray[np.float64], share: float, center: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a mixed image (D,), and how much of each of its pixels comes from the second of a pair (2, D)."""
    size = pair.shape[1]
    if way == "mixup" or not share:
        pasted = np.full(size, 1 - share)
    else:
        pasted = patches.box(math.isqrt(size), 1 - share, center).reshape(-1).astype(np.float64)
    return (1 - pasted) * pair[0] + pasted * pair[1], pasted


def _outline(axes: Axes, pasted: NDArray[np.float64]) -> None:
    """Draw the edge of the box of pixels (side, side) that were pasted."""
    (top, left), (bottom, right) = (edge(np.argwhere(pasted), axis=0) for edge in (np.min, np.max))
    box = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False, edgecolor=drawing.SECOND, linewidth=1.3)
    box.set_label("_box")
    axes.add_patch(box)
