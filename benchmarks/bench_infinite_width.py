"""Closed-form tangent kernel of infinitely wide networks with three hidden layers at 2,000 points, against one arc cosine of such a matrix."""

import numpy as np

from benchmarks.comparison import Comparison, compare
from scripts.common import infinite_width

POINTS, INPUTS, DEPTH = 2000, 10, 3
VARIANCES = {"weight_variance": 2.0, "bias_variance": 0.1}
ARC_COSINES = 10
"""The kernel takes three of them, of half the matrix each, and some forty operations that are faster."""


def comparisons() -> list[Comparison]:
    """Time the tangent kernel, and both kernels at once."""
    generator = np.random.default_rng(0)
    points = generator.standard_normal((POINTS, INPUTS))
    cosines = generator.uniform(-1, 1, (POINTS, POINTS))
    terms = infinite_width.ntk_terms(DEPTH, **VARIANCES)
    plain = {"one arc cosine": (lambda: np.arccos(cosines), 1 / ARC_COSINES)}
    work = f"closed-form {{}}, {POINTS:,} points, {DEPTH} hidden layers"
    return [
        *compare(work.format("NTK"), plain=plain, ours=lambda: infinite_width.tangent_kernel(points, **VARIANCES, terms=terms), runs=15),
        *compare(work.format("NTK and NNGP"), plain=plain, ours=lambda: infinite_width.kernels(points, depth=DEPTH, **VARIANCES), runs=15),
    ]
