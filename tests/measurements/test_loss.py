import numpy as np

from scripts.common import storage
from scripts.measurements import loss
from tests.examples import source_run


def test_losses_are_those_that_the_training_recorded(tmp_path):
    train = source_run("deep_large")
    found = loss.measure(train)
    np.testing.assert_array_equal(found["step"], [0, *range(47, 468, 47), 468])
    np.testing.assert_array_equal(found["test_loss"], train["test_loss"])
    assert np.isfinite(found["train_loss"][0]).all()
    assert np.isnan(found["train_loss"][-1]).all()
    storage.save(tmp_path / "loss.npz", found, kind=loss.KIND, digest="d")
