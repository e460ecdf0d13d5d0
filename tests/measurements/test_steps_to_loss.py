import numpy as np

from scripts.measurements.steps_to_loss import measure

TRAIN = {
    "evaluated_step": np.array([0, 5, 10, 20]),
    "train_loss": np.array([[1.0, 1.0, np.nan], [0.5, 0.9, np.inf], [0.6, 0.4, np.nan], [0.1, 0.05, np.nan]]),
}


def test_the_first_step_at_or_below_each_loss_counts_and_never_is_infinite():
    found = measure(TRAIN, 0.5, losses=[0.5, 0.06])
    np.testing.assert_array_equal(found["steps_to_loss"], [[5, np.inf], [10, 20], [np.inf, np.inf]])
    np.testing.assert_array_equal(found["seconds_to_loss"], [[2.5, np.inf], [5, 10], [np.inf, np.inf]])
    assert found["index_steps_to_loss"].tolist() == ["0.5", "0.06"]
    assert found["exists_seconds_to_loss"].all()


def test_without_a_measured_pace_there_are_no_seconds():
    assert not measure(TRAIN, None, losses=[0.5])["exists_seconds_to_loss"].any()
