"""Random subsets of the training samples: a partial Fisher-Yates shuffle, from random words of 32 bits.

Of N samples, element i of a subset is drawn from the N - i that are left: the word w chooses the one at position
i + floor(w (N - i) / 2^32) of the order so far, which changes places with the one at position i. Every subset starts from the same
order, 0, 1, ..., so that a step needs nothing of those before it but the state of the generator. A choice is uniform up to (N - i) / 2^32.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def subset_size(samples: int, share: float) -> int:
    """Return how many of the samples a share of them is, 1 at least."""
    return max(1, round(share * samples))


def words(generator: Generator, steps: int, size: int) -> NDArray[np.uint32]:
    """Return the next random words of `generator`, (steps, size): the same ones whether they are drawn at once or in parts."""
    return generator.integers(0, 2**32, size=(steps, size), dtype=np.uint32)


def subsets(words: NDArray[np.uint32], samples: int) -> NDArray[np.int64]:
    """Return the subset that the words of each step choose, (steps, size)."""
    steps, size = words.shape
    order = np.tile(np.arange(samples), (steps, 1))
    rows = np.arange(steps)
    for position in range(size):
        chosen = position + (words[:, position].astype(np.uint64) * np.uint64(samples - position) >> np.uint64(32)).astype(np.int64)
        order[rows, chosen], order[:, position] = order[:, position].copy(), order[rows, chosen]
    return order[:, :size]
