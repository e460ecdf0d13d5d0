"""How alike the Jacobians of two variants are after rescaling: their spectra, and the spans of their principal features."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.storage import Array, Arrays, Kind

COMPARED = 4
"""Number of singular values and features that are compared: a network with zero biases and one input has no more."""

RESOLVED = 1e-10
"""A singular value below this share of the largest counts as zero."""

KIND = Kind(
    "likeness",
    {
        "step": Array("S", "int64"),
        "spectrum_distance": Array("S R", "float64", quantity=True),
        "exists_spectrum_distance": Array("S R", "bool"),
        "feature_likeness": Array("S R F", "float64", quantity=True),
        "exists_feature_likeness": Array("S R F", "bool"),
    },
)


def measure(spectrum: Arrays, reference_spectrum: Arrays, *, variant: str, reference: str) -> Arrays:
    """Compare each replica with the same replica of the reference, or, where both are one variant, with the variant's next replica.

    Args:
        spectrum: the spectrum of the variant.
        reference_spectrum: the spectrum of the reference, on the same points.
        variant: name of the variant.
        reference: name of the reference. If it is `variant`, the result is a control: how alike replicas of one variant are.

    Returns:
        ``spectrum_distance``: over the first four singular values, each divided by the first, the largest |log10| of the ratio between
        the two; infinite where one is zero and the other is not. ``feature_likeness``: for k from 1 to 4, the mean squared cosine of the
        principal angles between the spans of the first k features on the points (Björck and Golub 1973): 1 for the same span, 0 for
        orthogonal ones; it exists where both have k features.
    """
    step, mine, theirs = np.intersect1d(spectrum["step"], reference_spectrum["step"], return_indices=True)
    replicas = spectrum["available"].shape[1]
    shift = 1 if variant == reference else 0
    partner = (np.arange(replicas) + shift) % reference_spectrum["available"].shape[1]
    both = spectrum["available"][mine] & reference_spectrum["available"][theirs][:, partner]
    distance = np.full(both.shape, np.nan)
    likeness = np.full((*both.shape, COMPARED), np.nan)
    exists = np.zeros(likeness.shape, dtype=bool)
    for s, r in np.argwhere(both):
        one, other = (mine[s], r), (theirs[s], partner[r])
        distance[s, r] = _spectrum_distance(spectrum["singular_value"][one], reference_spectrum["singular_value"][other])
        exists[s, r] = np.arange(1, COMPARED + 1) <= min(spectrum["rank"][one], reference_spectrum["rank"][other])
        for k in np.flatnonzero(exists[s, r]) + 1:
            likeness[s, r, k - 1] = _likeness(spectrum["feature"][one][:, :k], reference_spectrum["feature"][other][:, :k])
    return {
        "step": step,
        "spectrum_distance": distance,
        "exists_spectrum_distance": both,
        "feature_likeness": likeness,
        "exists_feature_likeness": exists,
    }


def _spectrum_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    shares = np.stack([one[:COMPARED] / one[0], other[:COMPARED] / other[0]])
    shares = shares[:, (shares > RESOLVED).any(axis=0)]
    if (shares <= RESOLVED).any():
        return np.inf
    return float(np.abs(np.diff(np.log10(shares), axis=0)).max())


def _likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    bases = [np.linalg.qr(features / np.linalg.norm(features, axis=0))[0] for features in (one, other)]
    cosines = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    return float(np.mean(cosines**2))
