import numpy as np
import pytest

from scripts.common import storage
from scripts.common.seeds import replica_seeds
from scripts.simulations import stopping_rule

SOURCE = [0.5, 0.4, 0.35, 0.36, 0.37, 0.38, 0.39, 0.40, 0.41]
OPTIONS = {
    "scores": SOURCE,
    "patience": 5,
    "patiences": [1, 5, 6, 7],
    "minimal_change": 0.001,
    "minimal_changes": [0.001, 0.06, 0.2],
}


def simulated(replicas=4, **options):
    return stopping_rule.simulate(replica_seeds(0, replicas), **OPTIONS | options)


def test_sequence_of_the_source_in_replica_0(tmp_path):
    found = simulated(noise=0.02)
    np.testing.assert_array_equal(found["score"][:, 0], SOURCE)
    assert found["stopped_by_patience"][0].tolist() == [3, 7, 8, np.inf]
    assert found["best_by_patience"][0].tolist() == [2, 2, 2, 2]
    np.testing.assert_allclose(found["lost_by_patience"][0], [0.01, 0.05, 0.06, 0.06])
    # an improvement by more than 0.06 is the first one alone; by more than 0.2 there is none
    assert found["stopped_by_change"][0].tolist() == [7, 6, 5]
    assert found["best_by_change"][0].tolist() == [2, 1, 0]
    np.testing.assert_allclose(found["lost_by_change"][0], [0.05, -0.01, -0.12])
    assert found["index_stopped_by_change"].tolist() == ["0.001", "0.06", "0.2"]
    storage.save(tmp_path / "rule.npz", found, kind=stopping_rule.KIND, digest="d")


def test_the_other_mode_takes_the_first_score_for_the_best():
    found = simulated(mode="max")
    assert found["stopped_by_patience"][0].tolist() == [1, 5, 6, 7]
    assert (found["best_by_patience"] == 0).all()
    np.testing.assert_allclose(found["lost_by_patience"][0], [0.1, 0.12, 0.11, 0.1])


def test_noise_is_that_of_a_replicas_seed_alone():
    few, many = simulated(3, noise=0.02), simulated(200, noise=0.02)
    np.testing.assert_array_equal(few["score"], many["score"][:, :3])
    assert (many["score"] - np.array(SOURCE)[:, None])[:, 1:].std() == pytest.approx(0.02, rel=0.05)
    np.testing.assert_array_equal(simulated()["score"], np.tile(np.array(SOURCE)[:, None], 4))
