"""The engine against PyTorch's own training of one network at a time, and against the stacked engine."""

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import bounds, forward_pass, losses, networks, parts
from scripts.common.autograd import Autograd
from scripts.common.engine import Task
from scripts.common.stacked import Stacked

CONVOLUTIONAL = {"kind": "convolutional", "channels": [3, 4], "kernel": 3, "activation": "relu"}
PERCEPTRON = {"kind": "perceptron", "hidden": [7, 5], "activation": "tanh"}
SAMPLES, REPLICAS, OUTPUTS = 70, 3, 4


def task(network=CONVOLUTIONAL, *, batches=None, optimizer=None, loss="cross_entropy", steps=12, dtype=torch.float64, x=None):
    generator = torch.Generator().manual_seed(0)
    shapes = networks.shapes(network, inputs=64, outputs=OUTPUTS)
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    classes = torch.randint(OUTPUTS, (SAMPLES,), generator=generator)
    parameters = 0.3 * torch.randn(REPLICAS, count, dtype=dtype, generator=generator)
    for name, tensor in zip(shapes, forward_pass.unflatten(parameters, shapes), strict=True):
        if name.endswith("running_var"):
            tensor.fill_(1.0)
    return Task(
        network=network,
        parameters=parameters,
        loss=parts.call(losses, {"kind": loss}),
        x=torch.rand(64, SAMPLES, dtype=dtype, generator=generator) if x is None else x,
        y=nn.functional.one_hot(classes, OUTPUTS).T.to(dtype),
        optimizer=optimizer or {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        batches=batches or {"kind": "permutations", "seed": 5, "size": 8},
        batch_seeds=[5, 6, 7],
        steps=steps,
        trained="all",
    )


def trained(engine, first=0, last=None):
    engine.advance(first, engine.task.steps if last is None else last, lambda _step: None)
    return engine


def by_torch(given, replica):
    """Return the parameters that PyTorch's modules and optimizers reach."""
    layers = [nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, OUTPUTS)).to(given.x.dtype)
    nn.utils.vector_to_parameters(given.parameters[replica].clone(), model.parameters())
    options = given.optimizer
    optimizer = (
        torch.optim.SGD(model.parameters(), options["learning_rate"], momentum=options["momentum"])
        if options["kind"] == "sgd"
        else torch.optim.Adam(model.parameters(), options["learning_rate"])
    )
    for indices in given.batch_indices()[:, replica]:
        prediction = model(given.x[:, indices].T.reshape(-1, 1, 8, 8))
        loss = nn.functional.cross_entropy(prediction, given.y[:, indices].argmax(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return nn.utils.parameters_to_vector(model.parameters()).detach().numpy()


BATCHES = [
    {"kind": "permutations", "seed": 5, "size": 8},
    {"kind": "independent", "seed": 5, "size": 8},
    {"kind": "subsets", "seed": 5, "share": 0.2},
    {"kind": "full", "seed": 5},
]


@pytest.mark.parametrize("batches", BATCHES, ids=lambda batches: batches["kind"])
@pytest.mark.parametrize(
    "optimizer", [{"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9}, {"kind": "adam", "learning_rate": 0.01}], ids=["sgd", "adam"]
)
def test_training_is_that_of_torch(batches, optimizer):
    given = task(batches=batches, optimizer=optimizer)
    found = trained(Autograd(given)).parameters()
    for replica in range(REPLICAS):
        np.testing.assert_allclose(found[replica], by_torch(given, replica), rtol=0, atol=1e-11)
    assert np.abs(found - given.parameters.numpy()).max() > 0.01


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("batches", BATCHES, ids=lambda batches: batches["kind"])
def test_a_perceptron_trains_as_with_the_stacked_engine(loss, batches):
    given = task(PERCEPTRON, loss=loss, batches=batches)
    ours, stacked = trained(Autograd(given)), trained(Stacked(given))
    np.testing.assert_allclose(ours.parameters(), stacked.parameters(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.losses(given.x, given.y), stacked.losses(given.x, given.y), rtol=1e-12)


@pytest.mark.parametrize("network", [CONVOLUTIONAL, PERCEPTRON], ids=lambda network: network["kind"])
def test_predictions_are_those_of_each_network_alone(network):
    given = task(network)
    engine = Autograd(given)
    found = engine.predict(given.x)
    assert SAMPLES > forward_pass.SAMPLES_AT_ONCE
    for replica in range(REPLICAS):
        alone = given.parameters[replica : replica + 1].numpy()
        expected = forward_pass.predict_all(alone, given.x.T.numpy(), network=network, outputs=OUTPUTS)
        np.testing.assert_allclose(found[replica].T.numpy(), expected[0], rtol=0, atol=1e-12)
    assert not found.requires_grad


@pytest.mark.parametrize("optimizer", [{"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9}, {"kind": "adam", "learning_rate": 0.01}])
def test_training_goes_on_from_a_state_as_if_it_had_not_stopped(optimizer):
    given = task(optimizer=optimizer, dtype=torch.float32)
    whole = trained(Autograd(given))
    first = trained(Autograd(given), last=5)
    state = {key: np.array(value) for key, value in first.state().items()}
    trained(first, 5)
    second = Autograd(given)
    second.restore(state)
    trained(second, 5)
    assert np.array_equal(whole.parameters(), second.parameters())
    assert np.array_equal(whole.parameters(), first.parameters())


def test_what_is_given_out_does_not_change_as_training_goes_on():
    given = task()
    start = given.parameters.clone()
    engine = Autograd(given)
    before = engine.parameters()
    trained(engine)
    assert np.array_equal(before, start.numpy())
    assert torch.equal(given.parameters, start)


BATCH = {**CONVOLUTIONAL, "normalization": "batch"}
BRANCHES = {"kind": "perceptron", "hidden": [6] * 7, "activation": "relu", "residual": True}
ATTENTION = {"kind": "attention", "hidden": [6], "activation": "relu", "normalization": "batch"}


@pytest.mark.parametrize("rate", [0.05, 1e4, 1e20, 1e36])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("network", [CONVOLUTIONAL, BATCH, BRANCHES, ATTENTION], ids=["plain", "batch", "branches", "attention"])
def test_replicas_that_diverge_are_found_at_the_step_at_which_they_do(rate, loss, network):
    """Against a look at all parameters and the full loss after every step."""
    given = task(network, optimizer={"kind": "sgd", "learning_rate": rate}, loss=loss, dtype=torch.float32, steps=10)
    given.parameters[1] *= 1e-3
    engine = Autograd(given)
    expected = np.full(REPLICAS, -1)
    for step in range(10):
        trained(engine, step, step + 1)
        gone = ~(np.isfinite(engine.parameters()).all(axis=1) & np.isfinite(engine.losses(given.x, given.y)))
        expected[gone & (expected < 0)] = step + 1
    assert engine.diverged_at.tolist() == expected.tolist()
    if network == CONVOLUTIONAL:
        assert (expected > 0).any() == (rate >= 1e20 or (loss == "mse" and rate > 1))
    assert rate < 1e36 or (expected > 0).any()


def test_a_safe_norm_is_safe_and_not_small():
    given = task(dtype=torch.float32)
    sizes = {"inputs": 64, "outputs": OUTPUTS, "largest_input": given.x.abs().max().item()}
    norm = bounds.safe_norm(lambda norm: bounds.output_bound(CONVOLUTIONAL, **sizes, norm=lambda _layer: norm), given.x, given.y)
    assert norm > 1e4
    for seed in range(5):
        torch.manual_seed(seed)
        parameters = torch.randn_like(given.parameters).abs()
        engine = Autograd(given)
        engine.held.copy_(parameters * norm / parameters.norm())
        assert np.isfinite(engine.losses(given.x, given.y)).all()
    engine.held.mul_(1e12)
    assert not np.isfinite(engine.losses(given.x, given.y)).all()
