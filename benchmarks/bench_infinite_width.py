"""Closed-form kernels of an infinitely wide network with three hidden layers at 2,000 points, against ten arc cosines of such a matrix."""

from collections.abc import Callable

import numpy as np

from benchmarks.comparison import Comparison, compare
from scripts.common import infinite_width

POINTS, INPUTS, DEPTH = 2000, 10, 3
WEIGHT_VARIANCE, BIAS_VARIANCE = 2.0, 0.1
ARC_COSINES = 10
"""The kernel takes three of them, of half the matrix each, and some forty operations that are faster."""


def comparisons() -> list[Comparison]:
    """Time the tangent kernel, and both kernels at once."""
    generator = np.random.default_rng(0)
    points = generator.standard_normal((POINTS, INPUTS))
    cosines = generator.uniform(-1, 1, (POINTS, POINTS))
    terms = infinite_width.ntk_terms(DEPTH, weight_variance=WEIGHT_VARIANCE, bias_variance=BIAS_VARIANCE)

    def ntk() -> object:
        return infinite_width.tangent_kernel(points, weight_variance=WEIGHT_VARIANCE, bias_variance=BIAS_VARIANCE, terms=terms)

    def both() -> object:
        return infinite_width.kernels(points, depth=DEPTH, weight_variance=WEIGHT_VARIANCE, bias_variance=BIAS_VARIANCE)

    plain: dict[str, tuple[Callable[[], object], float]] = {f"{ARC_COSINES} arc cosines": (lambda: np.arccos(cosines), 1)}
    work = f"closed-form {{}}, {POINTS:,} points, {DEPTH} hidden layers"
    return [
        line
        for name, ours in (("NTK", ntk), ("NTK and NNGP", both))
        for line in compare(work.format(name), plain=plain, ours=ours, runs=15, plain_share=1 / ARC_COSINES)
    ]
