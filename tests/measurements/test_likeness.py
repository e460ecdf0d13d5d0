import numpy as np
import pytest

from scripts.common import storage
from scripts.measurements import likeness

VALUES = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.0])


def spectrum_of(values, features, *, steps=(0, 9), available=True):
    """A spectrum with the same replicas at every step: singular values (R, K), features (R, N, F)."""
    shape = (len(steps), len(values))
    return {
        "step": np.array(steps),
        "available": np.broadcast_to(np.asarray(available), shape),
        "singular_value": np.broadcast_to(values, (len(steps), *values.shape)),
        "rank": np.broadcast_to((values > 1e-10 * values[:, :1]).sum(axis=1), shape),
        "feature": np.broadcast_to(features, (len(steps), *features.shape)),
    }


@pytest.fixture
def basis():
    return np.linalg.qr(np.random.default_rng(0).normal(size=(50, 12)))[0]


def test_a_rescaled_network_is_the_same(basis, tmp_path):
    features = basis[:, :5] * VALUES[:5]
    found = likeness.measure(
        spectrum_of(1e4 * VALUES[None], -1e4 * features[None]), spectrum_of(VALUES[None], features[None]), variant="a", reference="b"
    )
    np.testing.assert_allclose(found["spectrum_distance"], 0, atol=1e-12)
    np.testing.assert_allclose(found["feature_likeness"], 1, rtol=1e-12)
    assert found["exists_feature_likeness"].all()
    assert found["feature_likeness"].shape == (2, 1, 4)
    storage.save(tmp_path / "likeness.npz", found, kind=likeness.KIND, digest="d")


def test_distance_is_the_largest_ratio_of_shares_in_powers_of_ten(basis):
    other = VALUES * [3, 3, 0.03, 30, 1, 1]
    found = likeness.measure(spectrum_of(other[None], basis[None]), spectrum_of(VALUES[None], basis[None]), variant="a", reference="b")
    np.testing.assert_allclose(found["spectrum_distance"], 2.0)


def test_likeness_is_of_spans_and_falls_from_1_to_0(basis):
    turned = basis[:, [1, 0, 2, 8]]
    tilted = basis[:, :4].copy()
    tilted[:, 0] = basis[:, 0] * np.cos(0.3) + basis[:, 9] * np.sin(0.3)
    values = VALUES[None]
    one = spectrum_of(values, basis[None, :, :4])
    found = likeness.measure(spectrum_of(values, turned[None]), one, variant="a", reference="b")["feature_likeness"][0, 0]
    np.testing.assert_allclose(found, [0, 1, 1, 0.75], atol=1e-12)
    found = likeness.measure(spectrum_of(values, tilted[None]), one, variant="a", reference="b")["feature_likeness"][0, 0]
    np.testing.assert_allclose(found, [(np.cos(0.3) ** 2 + k) / (k + 1) for k in range(4)], rtol=1e-12)


def test_a_missing_singular_value_is_infinitely_far_and_has_no_likeness(basis):
    lower = np.array([[8.0, 4.0, 0.0, 0.0, 0.0, 0.0]])
    found = likeness.measure(spectrum_of(lower, basis[None]), spectrum_of(VALUES[None], basis[None]), variant="a", reference="b")
    assert np.isinf(found["spectrum_distance"]).all()
    assert found["exists_spectrum_distance"].all()
    assert found["exists_feature_likeness"][0, 0].tolist() == [True, True, False, False]
    alike = likeness.measure(spectrum_of(lower, basis[None]), spectrum_of(lower, basis[None]), variant="a", reference="b")
    assert (alike["spectrum_distance"] == 0).all()


def test_the_control_compares_each_replica_with_the_next(basis):
    values = np.stack([VALUES, VALUES, VALUES * [1, 10, 1, 1, 1, 1]])
    own = spectrum_of(values, np.stack([basis] * 3))
    found = likeness.measure(own, own, variant="a", reference="a")
    np.testing.assert_allclose(found["spectrum_distance"][0], [0, 1, 1], atol=1e-12)


def test_what_is_not_available_in_both_does_not_exist(basis):
    values, features = np.stack([VALUES] * 3), np.stack([basis] * 3)
    one = spectrum_of(values, features, available=[[True, True, False], [False, True, True]])
    other = spectrum_of(values, features, available=[True, False, True])
    found = likeness.measure(one, other, variant="a", reference="b")
    assert found["exists_spectrum_distance"].tolist() == [[True, False, False], [False, False, True]]
    assert not found["exists_feature_likeness"][0, 1].any()


def test_only_steps_that_both_have_are_compared(basis):
    one = spectrum_of(VALUES[None], basis[None], steps=(0, 5, 9))
    other = spectrum_of(VALUES[None], basis[None], steps=(0, 9, 20))
    assert likeness.measure(one, other, variant="a", reference="b")["step"].tolist() == [0, 9]
