import numpy as np
import pytest

from scripts.common import storage
from scripts.common.quadratics import draw_problem
from scripts.common.seeds import replica_seeds
from scripts.simulations import stability

SEEDS = replica_seeds(0, 4)
FRACTIONS = [0.25, 0.5, 0.9, 1.0, 1.01]


@pytest.fixture(scope="module")
def found():
    return stability.simulate(SEEDS, fractions=FRACTIONS, condition=50.0, dimension=6, steps=40)


def test_each_direction_is_multiplied_by_its_factor(found):
    problem = draw_problem(SEEDS, dimension=6, condition=50.0)
    begin = np.einsum("rd,rdk->rk", problem.start, problem.vectors)[:, [0, -1]]
    for place, fraction in enumerate(FRACTIONS):
        factors = 1 - 2 * fraction * np.array([1 / 50, 1.0])
        expected = begin * factors ** np.arange(41)[:, None, None]
        np.testing.assert_allclose(found["extreme_coordinates"][:, :, place], expected, atol=1e-9)


def test_steps_are_those_of_a_plain_loop(found):
    problem = draw_problem(SEEDS, dimension=6, condition=50.0)
    hessian, place = problem.hessian[1], problem.start[1].copy()
    first = place @ hessian @ place
    for _ in range(40):
        place -= 0.9 * 2 / np.linalg.eigvalsh(hessian)[-1] * (hessian @ place)
    assert found["loss_ratio"][-1, 1, 2] == pytest.approx(place @ hessian @ place / first)
    np.testing.assert_array_equal(found["final_loss_ratio"], found["loss_ratio"][-1])
    np.testing.assert_allclose(found["loss_ratio"][0], 1)


def test_growth_and_turns_tell_where_the_limit_is(found, tmp_path):
    np.testing.assert_allclose(found["growth_factor"][:, [0, 2, 3, 4]], np.tile([0.5, 0.8, 1.0, 1.02], (4, 1)), rtol=1e-3)
    assert (found["turns"][:, 2:] == 40).all()
    assert (found["turns"][:, :2] == 0).all()
    assert (found["growth_factor"][:, 1] < 1e-12).all()  # half the limit ends it in one step, up to rounding
    assert found["index_turns"].tolist() == ["0.25", "0.5", "0.9", "1", "1.01"]
    storage.save(tmp_path / "stability.npz", found, kind=stability.KIND, digest="d")
