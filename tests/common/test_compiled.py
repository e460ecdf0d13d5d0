import itertools

import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from torch import nn

from scripts.common import compiled, divergence, sampling
from scripts.common.seeds import replica_seeds
from scripts.common.training import train
from tests.examples import pieces, pieces_settings, tiny_data


def run(*hidden, **changes):
    return train(pieces(), **pieces_settings(*hidden, **changes))


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-11), ("float32", 1e-4)])
@pytest.mark.parametrize(("hidden", "momentum"), [((10,), 0.0), ((12, 7), 0.5), ((5, 6, 4), 0.9)])
def test_training_is_that_of_the_stacked_engine(hidden, momentum, precision, tolerance):
    changes = {"precision": precision, "optimizer": {"kind": "sgd", "learning_rate": 0.05, "momentum": momentum}, "save_every": 30}
    found, expected = run(*hidden, **changes), run(*hidden, **changes, engine="stacked")
    assert found["parameters"].dtype == precision
    for key, values in found.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(values, expected[key], rtol=tolerance, atol=tolerance, err_msg=key)
        else:
            np.testing.assert_array_equal(values, expected[key], err_msg=key)
    assert np.abs(found["parameters"][-1] - found["parameters"][0]).max() > 0.05


def test_training_takes_several_inputs_and_outputs():
    changes = {"precision": "float64", "initialization": {"kind": "he_normal", "seed": 3}}
    found, expected = (train(tiny_data(), **pieces_settings(9, 5, **changes, engine=engine)) for engine in ("compiled", "stacked"))
    np.testing.assert_allclose(found["parameters"], expected["parameters"], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 1e-4)])
@pytest.mark.parametrize(("hidden", "momentum"), [((10,), 0.0), ((12, 7), 0.9)])
def test_output_layer_is_trained_alone_and_as_by_torch(hidden, momentum, precision, tolerance):
    optimizer = {"kind": "sgd", "learning_rate": 0.2, "momentum": momentum}
    found = run(*hidden, trained="output_layer", precision=precision, optimizer=optimizer)
    below = -(hidden[-1] + 1)
    np.testing.assert_array_equal(found["parameters"][1, :, :below], found["parameters"][0, :, :below])

    sizes = [1, *hidden, 1]
    modules = [module for pair in itertools.pairwise(sizes) for module in (nn.Linear(*pair), nn.ReLU())]
    data = pieces()
    x, y = torch.as_tensor(data["train_x"]), torch.as_tensor(data["train_y"])
    for replica, seed in enumerate(replica_seeds(0, 2)):
        model = nn.Sequential(*modules[:-1]).double()
        nn.utils.vector_to_parameters(torch.tensor(found["parameters"][0, replica], dtype=torch.float64), model.parameters())
        plain = torch.optim.SGD(list(model.parameters())[-2:], lr=0.2, momentum=momentum)
        words = sampling.words(Generator(PCG64(seed)), 100, 40)
        for subset in sampling.subsets(words, 200):
            plain.zero_grad()
            nn.MSELoss()(model(x[subset]), y[subset]).backward()
            plain.step()
        expected = nn.utils.parameters_to_vector(model.parameters()).detach().numpy()
        np.testing.assert_allclose(found["parameters"][1, replica], expected, rtol=tolerance, atol=tolerance)
        assert np.abs(expected[below:] - found["parameters"][0, replica, below:]).max() > 0.1


def test_a_replica_is_the_network_trained_alone_and_two_runs_give_the_same_bytes():
    together = run(10, 10, replicas=3)
    again = run(10, 10, replicas=3)
    assert {key: values.tobytes() for key, values in together.items()} == {key: values.tobytes() for key, values in again.items()}
    for replica, seed in enumerate(replica_seeds(0, 3)):
        parts = {"initialization": {"kind": "elbows_inside", "seed": seed}, "batches": {"kind": "subsets", "share": 0.2, "seed": seed}}
        alone = run(10, 10, **parts, replicas=1)
        np.testing.assert_array_equal(together["parameters"][:, replica], alone["parameters"][:, 0])


def test_recording_and_the_length_of_calls_change_nothing(monkeypatch):
    plain = run(10, evaluate_every=100)
    recorded = run(10, evaluate_every=7, save_every=9, save_at=[1, 2])
    monkeypatch.setattr(compiled, "STEPS_IN_MEMORY", 13)
    in_parts = run(10, evaluate_every=100)
    for other in (recorded, in_parts):
        np.testing.assert_array_equal(other["parameters"][-1], plain["parameters"][-1])
    assert recorded["step"].tolist() == [0, 1, 2, *range(9, 100, 9), 100]
    assert recorded["evaluated_step"].tolist() == [0, 1, 2, *range(7, 100, 7), 100]


WILD = {
    (0.5, 0.1, "all", "float32"): [-1, -1, -1],
    (3.0, 0.5, "all", "float32"): [4, -1, 3],
    (3.0, 0.5, "all", "float64"): [-1, -1, -1],
    (30.0, 0.02, "all", "float32"): [1, -1, 2],
    (1e9, 0.0, "all", "float32"): [1, 1, 1],
    (1e38, 0.0, "all", "float32"): [1, 1, 1],
    (1e38, 0.1, "all", "float64"): [1, 1, 1],
    (3.0, 0.1, "output_layer", "float32"): [7, 21, 11],
    (1e9, 0.0, "output_layer", "float32"): [1, 1, 1],
}
"""Steps of divergence of three replicas, by scale of the initialization, learning rate, what is trained, and precision."""


@pytest.mark.parametrize("case", WILD, ids=str)
def test_step_of_divergence_is_the_first_at_which_a_parameter_or_the_full_loss_is_not_finite(case):
    scale, learning_rate, trained, precision = case
    found = run(
        6,
        6,
        6,
        trained=trained,
        precision=precision,
        initialization={"kind": "uniform", "scale": scale, "seed": 5},
        optimizer={"kind": "sgd", "learning_rate": learning_rate, "momentum": 0.9},
        replicas=8,
        steps=40,
        evaluate_every=1,
        save_every=1,
    )
    wrong = ~(np.isfinite(found["parameters"]).all(axis=2) & np.isfinite(found["train_loss"]))[1:]
    np.testing.assert_array_equal(found["diverged_at"], np.where(wrong.any(axis=0), wrong.argmax(axis=0) + 1, -1))
    assert found["diverged_at"][:3].tolist() == WILD[case]


def test_a_large_norm_is_looked_at_and_found_to_be_finite(monkeypatch):
    looked_at = []
    look = divergence.have_diverged
    monkeypatch.setattr(divergence, "have_diverged", lambda layers, task: looked_at.append(len(layers)) or look(layers, task))
    initialization = {"kind": "uniform", "scale": 3e4, "seed": 5}
    optimizer = {"kind": "sgd", "learning_rate": 0.0}
    found = run(6, 6, 6, initialization=initialization, optimizer=optimizer, replicas=1, steps=9)
    assert found["diverged_at"].tolist() == [-1]
    assert looked_at == [4] * 9
