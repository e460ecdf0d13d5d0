import numpy as np

from scripts.common import runs
from scripts.measure import measure
from tests.examples import tiny_data, tiny_run


def test_a_measurement_sees_the_moments_alone():
    train = tiny_run(save_every=1)
    inputs = {"data": tiny_data(), "train": train}
    network = {"kind": "perceptron", "hidden": [5, 4], "activation": "tanh"}
    found, kind = measure(inputs, kind="prediction", moments=5, network=network)
    everything, _ = measure(inputs, kind="prediction", network=network)
    chosen = runs.moments(train["step"], 5)
    assert len(chosen) == 5
    assert kind.name == "prediction"
    np.testing.assert_array_equal(found["step"], train["step"][chosen])
    np.testing.assert_array_equal(everything["step"], train["step"])
    np.testing.assert_array_equal(found["prediction_std"], everything["prediction_std"][chosen])
    assert len(inputs["train"]["step"]) == 26
