"""Paths through the space of parameters: all that is measured of one follows from the products of its steps with each other.

A path of S points has T = S - 1 steps d_t, the differences of successive points, and G = d d^T (T, T) has their inner products. Lengths are
on its diagonal, angles beside it, and the squared length of a sum of steps is a sum of its entries. The points less their mean, C (S, P),
have the Gram matrix C C^T = H L G L^T H, where L adds up steps and H takes off the mean; its eigenvectors and eigenvalues are the
principal components of the path: exact, and small, as S is much smaller than P.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Principal(NamedTuple):
    """Principal components of a path.

    Attributes:
        share: share of the variance that lies along each component, (K,), descending.
        coordinate: coordinates of the points along each, (S, K); the one of largest magnitude is positive.
    """

    share: Matrix
    coordinate: Matrix


def gram_of_steps(points: NDArray[np.floating]) -> Matrix:
    """Return the inner products (T, T) of the steps of a path through `points` (S, P)."""
    steps = np.diff(points.astype(np.float64), axis=0)
    return np.asarray(steps @ steps.T)


def gram_of_walk(lengths: Matrix, *, dimension: int, seed: int) -> Matrix:
    """Return the inner products (T, T) of the steps of a random walk: steps of these `lengths` (T,), in random directions.

    A direction is uniform on the sphere of so many dimensions: normal numbers divided by their norm.
    """
    steps = Generator(PCG64(seed)).standard_normal((len(lengths), dimension))
    steps *= (lengths / np.linalg.norm(steps, axis=1))[:, None]
    return np.asarray(steps @ steps.T)


def gram_of_shuffled(gram: Matrix, *, seed: int) -> Matrix:
    """Return the inner products (T, T) of the same steps in random order."""
    order = Generator(PCG64(seed)).permutation(len(gram))
    return np.asarray(gram[np.ix_(order, order)])


def principal(gram: Matrix, count: int) -> Principal:
    """Return the first `count` principal components of the path whose steps have these inner products (T, T).

    A path in fewer directions has nan for those that it does not have; of no length, for all.
    """
    points = len(gram) + 1
    products = np.zeros((points, points))
    products[1:, 1:] = gram.cumsum(axis=0).cumsum(axis=1)  # of the points less the first one
    products -= products.mean(axis=0)
    products -= products.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh((products + products.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    share, coordinate = np.full(count, np.nan), np.full((points, count), np.nan)
    some = min(count, int(np.sum(values > 1e-12 * max(values[0], 0.0))))
    if values[0] > 0:
        share[:some] = values[:some] / np.trace(products)
        found = vectors[:, :some] * np.sqrt(values[:some])
        largest = found[np.abs(found).argmax(axis=0), np.arange(some)]
        coordinate[:, :some] = found * np.where(largest < 0, -1.0, 1.0)
    return Principal(share, coordinate)


def directions(points: NDArray[np.floating], coordinate: Matrix) -> Matrix:
    """Return the unit vectors (K, P) of principal components of `points` (S, P) from their coordinates (S, K)."""
    centered = points.astype(np.float64)
    centered -= centered.mean(axis=0)
    found = coordinate.T @ centered  # coordinate^T C = diag(eigenvalues) directions
    return np.asarray(found / np.sum(coordinate**2, axis=0)[:, None])


def distances_to_end(gram: Matrix) -> Matrix:
    """Return the distance of every point to the last one, (S,)."""
    left = gram[::-1, ::-1].cumsum(axis=0).cumsum(axis=1).diagonal()[::-1]  # squared length of the sum of all steps from here on
    return np.asarray(np.sqrt(np.maximum(np.append(left, 0.0), 0.0)))


def sums_of_steps(gram: Matrix, group: NDArray[np.int64], groups: int) -> Matrix:
    """Return the inner products (groups, groups) of the sums of the steps of each group; `group` (T,) says which a step is in."""
    member = np.zeros((groups, len(gram)))
    member[group, np.arange(len(gram))] = 1.0
    return np.asarray(member @ gram @ member.T)


def cosines(gram: Matrix) -> Matrix:
    """Return the cosine (n - 1,) between each of the n steps and the next; nan where one has no length."""
    lengths = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Matrix = gram.diagonal(1) / (lengths[1:] * lengths[:-1])
    return found
