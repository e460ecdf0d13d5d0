import numpy as np
import torch
from torch import nn

from scripts.common import storage
from scripts.measurements import prediction
from tests import oracle
from tests.examples import DEEP, sines, source_run


def test_predictions_are_those_of_the_network(tmp_path):
    train = source_run("deep_he")
    found = prediction.measure(sines(), train, DEEP)
    model = oracle.build("deep_he").double()
    for step in (0, 1):
        nn.utils.vector_to_parameters(torch.as_tensor(train["parameters"][step, 0]).double(), model.parameters())
        with torch.no_grad():
            grid, test = (model(torch.as_tensor(sines()[key]))[:, 0].numpy() for key in ("grid_x", "test_x"))
        np.testing.assert_allclose(found["prediction_grid"][step, 0], grid, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found["prediction_std"][step, 0], test.std(), rtol=1e-12)
    assert found["prediction_grid"].shape == (2, 20, 1000)
    storage.save(tmp_path / "prediction.npz", found, kind=prediction.KIND, digest="d")


def test_small_initialization_predicts_a_constant():
    found = prediction.measure(sines(), source_run("deep_small"), DEEP)
    assert (found["prediction_std"] < 1e-3 * sines()["train_y"].std()).all()


def test_spread_does_not_exist_where_a_replica_has_diverged():
    found = prediction.measure(sines(), source_run("deep_large"), DEEP)
    assert found["exists_prediction_std"].tolist() == [[True] * 20, [False] * 20]
