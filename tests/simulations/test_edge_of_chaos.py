import numpy as np
import pytest

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations.edge_of_chaos import KIND, _crossing, simulate


def test_the_edge_is_where_theory_has_it(tmp_path):
    found = simulate(replica_seeds(0, 4), bias_variances=[0.05, 0.3], weight_variances=[1.25, 1.5, 2.0, 3.0, 4.0], depth=30, settled=15)
    np.testing.assert_allclose(np.median(found["edge"], axis=0), found["edge_theory"][0], rtol=0.06)
    assert found["edge_theory"][0, 0] == pytest.approx(1.76, abs=0.005)
    assert found["exists_edge"].all()
    storage.save(tmp_path / "edge.npz", found, kind=KIND, digest="d")


def test_factors_are_those_of_a_plain_loop():
    (seed,) = replica_seeds(3, 1)
    options = {"depth": 5, "settled": 2, "width": 8, "samples": 3}
    found = simulate([seed], bias_variances=[0.1, 0.2], weight_variances=[1.0, 1.7], **options)
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((8, 3))
    drawn = [(generator.standard_normal((8, 8)), generator.standard_normal((8, 1))) for _ in range(5)]
    gradient = generator.standard_normal((8, 3))
    values = [x]
    for weight, bias in drawn:
        values.append(np.tanh(np.sqrt(1.7 / 8) * weight @ values[-1] + np.sqrt(0.2) * bias))
    squares = {}
    for layer in (5, 4, 3, 2):
        gradient = gradient * (1 - values[layer] ** 2)
        squares[layer] = np.mean(gradient**2)
        gradient = np.sqrt(1.7 / 8) * drawn[layer - 1][0].T @ gradient
    assert found["gradient_factor"][0, 1, 1] == pytest.approx((squares[2] / squares[5]) ** (1 / 3))


def test_the_crossing_is_read_off_logarithmic_axes():
    assert _crossing([1.0, 2.0, 8.0], np.array([0.25, 0.5, 2.0])) == pytest.approx(4)
    assert np.isnan(_crossing([1.0, 2.0], np.array([0.25, 0.5])))
    assert np.isnan(_crossing([1.0, 2.0], np.array([1.5, 2.0])))


def test_an_edge_outside_of_the_list_is_not_there():
    found = simulate([0, 1], bias_variances=[0.05], weight_variances=[0.5, 0.6], depth=6, settled=3, width=50)
    assert not found["exists_edge"].any()


def test_what_does_not_go_together():
    with pytest.raises(UserError, match=r"settled \(5\) must be below depth \(5\)"):
        simulate([0], bias_variances=[0.1], weight_variances=[1.0], settled=5, depth=5)
    with pytest.raises(UserError, match="weight variances must ascend"):
        simulate([0], bias_variances=[0.1], weight_variances=[2.0, 1.0])
