"""Orders of the training samples: each returns the indices (steps, size) of the samples of every batch of one replica."""

import numpy as np
from numpy.random import Generator, RandomState
from numpy.typing import NDArray

from scripts.common import sampling
from scripts.common.options import Count, Share


def permutations(samples: int, steps: int, *, generator: RandomState, size: Count) -> NDArray[np.int64]:
    """Permutations of all samples joined end to end, cut into batches of `size`: a batch may straddle two of them."""
    needed = steps * size
    rounds = -(-needed // samples)
    return np.concatenate([generator.permutation(samples) for _ in range(rounds)])[:needed].reshape(steps, size)


def independent(samples: int, steps: int, *, generator: RandomState, size: Count) -> NDArray[np.int64]:
    """Samples drawn independently, with replacement."""
    return generator.randint(samples, size=(steps, size))


def full(samples: int, steps: int, *, generator: RandomState) -> NDArray[np.int64]:  # noqa: ARG001
    """All samples, in order, in every step; draws nothing."""
    return np.broadcast_to(np.arange(samples), (steps, samples))


def subsets(samples: int, steps: int, *, generator: Generator, share: Share) -> NDArray[np.int64]:
    """A random share of all samples in each step, without replacement.

    Args:
        samples: number of samples.
        steps: number of steps.
        generator: where the random numbers come from.
        share: how much of the samples a step takes; their number is rounded, and 1 at least.
    """
    words = sampling.words(generator, steps, sampling.subset_size(samples, share))
    return sampling.subsets(words, samples)
