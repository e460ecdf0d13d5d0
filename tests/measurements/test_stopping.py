import numpy as np
import pytest

from scripts.common import storage
from scripts.measurements import stopping

STEP = np.arange(0, 60, 6)
VALIDATION = np.array(
    [
        [2.0, 1.0, 0.6, 0.7, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],  # patience 1 stops at the fourth, patience 3 at the eighth
        [2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1],  # never
    ]
).T


def trained(**more):
    loss = VALIDATION + 0.1
    return {
        "evaluated_step": STEP,
        "train_loss": VALIDATION / 2,
        "validation_loss": VALIDATION,
        "validation_accuracy": 1 - VALIDATION / 4,
        "test_loss": loss,
        "test_accuracy": 1 - loss / 4,
        **more,
    }


def measured(train=None, **options):
    return stopping.measure(train or trained(), **{"patiences": [1, 3, 20], "minimal_change": 0.0} | options)


def test_stops_and_what_they_save_and_cost(tmp_path):
    found = measured()
    assert found["stopped_at"].tolist() == [[18, 42, np.inf], [np.inf] * 3]
    assert found["best_step"].tolist() == [[12, 24, 24], [54] * 3]
    np.testing.assert_allclose(found["steps_saved"], [[1 - 18 / 54, 1 - 42 / 54, 0], [0, 0, 0]])
    np.testing.assert_allclose(found["stopped_test_loss"], [[0.8, 0.9, 1.1], [1.2] * 3])
    np.testing.assert_allclose(found["restored_test_loss"], [[0.7, 0.6, 0.6], [1.2] * 3])
    np.testing.assert_allclose(found["restored_test_accuracy"], 1 - found["restored_test_loss"] / 4)
    np.testing.assert_allclose(found["stopped_test_accuracy"], 1 - found["stopped_test_loss"] / 4)
    np.testing.assert_allclose(found["last_test_loss"], [1.1, 1.2])
    np.testing.assert_allclose(found["lowest_test_loss"], [0.6, 1.2])
    assert found["lowest_test_loss_step"].tolist() == [24, 54]
    np.testing.assert_allclose(found["highest_test_accuracy"], 1 - np.array([0.6, 1.2]) / 4)
    assert found["exists_stopped_at"].all()
    assert found["index_stopped_at"].tolist() == ["1", "3", "20"]
    assert "training_stopped_at" not in found
    storage.save(tmp_path / "stopping.npz", found, kind=stopping.KIND, digest="d")


def test_another_score_and_mode_give_the_same_stops():
    other = measured(score="validation_accuracy", mode="max")
    np.testing.assert_array_equal(other["stopped_at"], measured()["stopped_at"])


def test_of_a_training_that_was_stopped_no_patience_tells_what_comes_after(tmp_path):
    frozen = trained(stopped_at=np.array([18, -1]), best_step=np.array([12, -1]))
    for key in ("validation_loss", "test_loss"):
        frozen[key] = frozen[key].copy()
        frozen[key][4:, 0] = frozen[key][2, 0]  # its best state, restored
    found = measured(frozen)
    assert found["training_stopped_at"].tolist() == [18, np.inf]
    assert found["exists_stopped_at"].tolist() == [[True, False, False], [True] * 3]
    assert found["stopped_at"][0, 0] == 18
    assert found["restored_test_loss"][0, 0] == pytest.approx(0.7)
    storage.save(tmp_path / "stopping.npz", found, kind=stopping.KIND, digest="d")


def test_a_loss_that_is_no_number_is_infinite():
    broken = trained()
    broken["test_loss"] = broken["test_loss"].copy()
    broken["test_loss"][5:, 0] = np.nan
    found = measured(broken)
    assert found["last_test_loss"][0] == np.inf
    assert found["lowest_test_loss"][0] == pytest.approx(0.6)
