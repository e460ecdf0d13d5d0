import numpy as np
import pytest

from scripts.common import storage
from scripts.measurements import segments

GRID = np.linspace(-1, 1, 1000)


def kinks(*places):
    return 0.3 * GRID - 0.1 + sum(np.maximum(GRID - place, 0) * (-1) ** k for k, place in enumerate(places))


def jumps(*places):
    return 0.5 * GRID + sum((place < GRID) * (1.0 + k) for k, place in enumerate(places))


KNOWN = {
    "a constant": (np.full(1000, 0.7), 1),
    "zero": (np.zeros(1000), 1),
    "a line": (3 * GRID - 1, 1),
    "a kink": (kinks(0.1234), 2),
    "a kink on a grid point": (np.abs(GRID - GRID[300]), 2),
    "kinks between all sorts of points": (kinks(-0.95, -0.5003, 0.0, 0.10007, 0.4, 0.999), 7),
    "a jump": (jumps(0.25), 2),
    "jumps": (jumps(-0.9, -0.3, 0.31), 4),
    "kinks and jumps": (kinks(-0.7, 0.2) + jumps(-0.4, 0.6), 5),
    "a kink and a jump in one place": (kinks(0.2) + jumps(0.2), 2),
    "twenty kinks": (kinks(*np.linspace(-0.97, 0.93, 20)), 21),
    "three spacings apart": (kinks(GRID[500] + 1e-3, GRID[503] + 1e-3), 3),
    "a step of one point": (np.where(np.arange(1000) == 7, 1.0, 0.0), 3),
    "a jump at the first point": (np.where(np.arange(1000) == 0, 1.0, 0.0), 2),
}


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e6])
@pytest.mark.parametrize(("values", "pieces"), KNOWN.values(), ids=KNOWN.keys())
def test_pieces_of_known_functions(values, pieces, scale):
    assert segments.count_pieces(scale * values, tolerance=1e-6) == pieces
    assert segments.count_pieces(-scale * values[::-1], tolerance=1e-6) == pieces


def test_breaks_in_neighboring_intervals_may_count_as_fewer():
    assert segments.count_pieces(kinks(GRID[500] + 1e-3, GRID[501] + 1e-3), tolerance=1e-6) in (2, 3)


def test_tolerance_parts_breaks_from_noise():
    faint = kinks(0.1) * 1e-4 + GRID
    assert segments.count_pieces(faint, tolerance=1e-6) == 1
    assert segments.count_pieces(faint, tolerance=1e-9) == 2
    noisy = GRID + 1e-9 * np.random.default_rng(0).normal(size=1000)
    assert segments.count_pieces(noisy, tolerance=1e-6) == 1
    assert segments.count_pieces(noisy, tolerance=1e-12) > 100


def test_features_that_do_not_exist_are_not_counted(tmp_path):
    features = np.full((1, 3, 1000, 2), np.nan)
    features[0, 0] = np.stack([kinks(0.1), jumps(0.2, 0.3)], axis=1)
    features[0, 1] = np.stack([GRID, np.zeros(1000)], axis=1)
    spectrum = {
        "step": np.array([0]),
        "available": np.array([[True, True, False]]),
        "rank": np.array([[2, 1, 0]]),
        "feature_grid": features,
    }
    found = segments.measure(spectrum, tolerance=1e-6)
    assert found["segments"].tolist() == [[[2, 3], [1, 0], [0, 0]]]
    assert found["exists_segments"].tolist() == [[[True, True], [True, False], [False, False]]]
    storage.save(tmp_path / "segments.npz", found, kind=segments.KIND, digest="d")
