import numpy as np
import pytest

from scripts.common import forward_pass, storage
from scripts.common.errors import UserError
from scripts.datasets import two_moons
from scripts.measurements import decision_boundary

NETWORK = {"kind": "made up"}


def plane(side=81):
    """Return x and y on a grid from -2 to 2, and its step."""
    along = np.linspace(-2, 2, side)
    return np.meshgrid(along, along), along[1] - along[0]


def test_the_length_and_the_slope_of_a_circle():
    (x, y), step = plane()
    found = decision_boundary.boundary(np.hypot(x, y) - 1.234, step)
    assert found.length == pytest.approx(2 * np.pi * 1.234, rel=2e-3)
    assert found.slope == pytest.approx(1, rel=2e-3)
    steeper = decision_boundary.boundary(7 * (1.5 - np.hypot(x, y)), step)
    assert steeper.length == pytest.approx(2 * np.pi * 1.5, rel=2e-3)
    assert steeper.slope == pytest.approx(7, rel=2e-3)


@pytest.mark.parametrize(("a", "b", "c"), [(1, 0, 0.3), (0, 1, -0.71), (1, 1, 0.1), (2, -3, 0.4), (-1, 5, 0.013)])
def test_straight_lines_are_exact(a, b, c):
    (x, y), step = plane(21)
    found = decision_boundary.boundary(a * x + b * y + c, step)
    # the ends of the line in the square, where it leaves it
    cuts = [(-2, (-c + 2 * a) / b) if b else None, (2, (-c - 2 * a) / b) if b else None]
    cuts += [((-c + 2 * b) / a, -2) if a else None, ((-c - 2 * b) / a, 2) if a else None]
    inside = [np.array(cut) for cut in cuts if cut and max(map(abs, cut)) <= 2 + 1e-12]
    length = max(np.linalg.norm(one - other) for one in inside for other in inside)
    assert found.length == pytest.approx(length)
    assert found.slope == pytest.approx(np.hypot(a, b))


def test_what_has_no_boundary():
    (x, _), step = plane(5)
    assert decision_boundary.boundary(np.abs(x) + 1, step).length == 0
    assert np.isnan(decision_boundary.boundary(np.abs(x) + 1, step).slope)
    assert np.isnan(decision_boundary.boundary(np.where(x > 0, np.nan, x), step)).all()


@pytest.fixture
def data():
    return two_moons.generate(seed=0, samples=10, test_samples=10, noise=0.1, grid_samples=41)


def test_probabilities_and_boundaries_of_replicas(data, tmp_path, monkeypatch):
    def predict_all(parameters, x, *, network, outputs):
        assert (network, outputs) == (NETWORK, 2)
        assert parameters.tolist() == [[1.0], [4.0], [np.inf], [0.0]]
        logit = np.stack([scale * (x[:, 1] - 0.25) if scale else np.full(len(x), 3.0) for scale in parameters[:, 0]])
        return np.stack([-logit / 2, logit / 2], axis=2)

    monkeypatch.setattr(forward_pass, "predict_all", predict_all, raising=False)
    train = {"parameters": np.array([[[9.0]] * 4, [[1.0], [4.0], [np.inf], [0.0]]])}
    with np.errstate(invalid="ignore"):
        found = decision_boundary.measure(data, train, NETWORK)
    np.testing.assert_allclose(found["probability_grid"][1], 1 / (1 + np.exp(-4 * (data["grid_x"][:, 1] - 0.25))))
    assert found["boundary_length"][:2] == pytest.approx([4.5, 4.5])
    assert found["boundary_slope"][:2] == pytest.approx([0.25, 1.0])
    assert found["exists_boundary_length"].tolist() == [True, True, False, True]
    assert found["exists_boundary_slope"].tolist() == [True, True, False, False]
    assert found["boundary_length"][3] == 0
    storage.save(tmp_path / "decision_boundary.npz", found, kind=decision_boundary.KIND, digest="d")


def test_other_data_are_refused(data):
    other = data | {"grid_x": data["grid_x"][:, :1]}
    with pytest.raises(UserError, match="two inputs, two classes and a square grid"):
        decision_boundary.measure(other, {}, NETWORK)
