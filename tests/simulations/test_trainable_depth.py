import numpy as np
import pytest
from scipy import integrate, optimize, stats

from scripts.common import storage
from scripts.simulations.trainable_depth import KIND, simulate

OPTIONS = {"low": 0.01, "high": 10.0, "scales": 7, "depths": [4, 32], "bias_scale": 0.2236}


def expected(function, variance):
    """The mean of a function of a normal number, by adaptive quadrature."""
    return integrate.quad(lambda z: function(np.sqrt(variance) * z) * stats.norm.pdf(z), -12, 12, limit=400, points=[0])[0]


def limit(scale):
    """Six depth scales, from the fixed point that the variance map is brought to step by step."""
    variance = 1.0
    for _ in range(300):
        variance = scale**2 * expected(lambda u: np.tanh(u) ** 2, variance) + 0.2236**2
    return 6 / abs(np.log(scale**2 * expected(lambda u: 1 / np.cosh(u) ** 4, variance)))


@pytest.mark.slow
def test_the_limit_is_six_depth_scales():
    found = simulate([0], **OPTIONS)
    for place in (1, 3, 5):
        scale = float(found["index_depth_limit"][place])
        assert found["depth_limit"][0, place] == pytest.approx(limit(scale), rel=1e-4)


def test_a_depth_trains_between_the_scales_where_the_limit_is_that_depth(tmp_path):
    found = simulate([0, 1], **OPTIONS)
    edge = found["edge_scale"][0]
    assert edge**2 == pytest.approx(1.761, abs=1e-3)  # Schoenholz et al. 2017: 1.76
    assert (found["lowest_scale"] < edge).all()
    assert (found["highest_scale"] > edge).all()
    again = simulate([0], **OPTIONS | {"low": found["lowest_scale"][0, 1], "high": found["highest_scale"][0, 1], "scales": 2})
    np.testing.assert_allclose(again["depth_limit"][0], 32, rtol=1e-6)
    beside = simulate([0], **OPTIONS | {"low": 0.999 * edge, "high": 1.001 * edge, "scales": 2})
    assert (beside["depth_limit"] > 1000).all()
    np.testing.assert_array_equal(found["depth_limit"][0], found["depth_limit"][1])
    assert found["index_lowest_scale"].tolist() == ["4", "32"]
    storage.save(tmp_path / "depth.npz", found, kind=KIND, digest="d")


def test_a_range_is_cut_where_the_scales_are():
    found = simulate([0], **OPTIONS | {"low": 1.2, "high": 1.5})
    assert (found["lowest_scale"][0, 0], found["highest_scale"][0, 0]) == (1.2, 1.5)


def test_without_biases_the_edge_is_at_a_scale_of_one():
    assert simulate([0], **OPTIONS | {"bias_scale": 0.0})["edge_scale"][0] == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
def test_the_crossing_is_found_by_another_solver():
    found = simulate([0], **OPTIONS)

    def gap(scale):
        return simulate([0], **OPTIONS | {"low": scale, "high": 2 * scale, "scales": 2})["depth_limit"][0, 0] - 4

    assert found["lowest_scale"][0, 0] == pytest.approx(optimize.brentq(gap, 0.1, 1.0), rel=1e-6)
