import itertools

import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from torch import nn

from scripts.common import perceptron, sampling, stacked, storage, training
from scripts.common.seeds import replica_seeds
from scripts.common.training import train
from tests import oracle
from tests.examples import (
    SOURCE,
    TINY,
    pieces,
    pieces_settings,
    sines,
    source_run,
    source_settings,
    tiny_data,
    tiny_run,
    tiny_settings,
    validated,
)


@pytest.mark.parametrize("variant", SOURCE)
def test_replica_0_of_the_stack_is_the_network_of_the_source(variant):
    found = source_run(variant)
    model = oracle.build(variant)
    np.testing.assert_array_equal(found["parameters"][0, 0], oracle.flat_parameters(model), err_msg="initial parameters")

    train_x, train_y = oracle.training_data()
    test_x, test_y = oracle.noise_free_data()
    losses, diverged = {}, []

    def look(step):
        train_loss = oracle.full_loss(model, train_x, train_y)
        if step in found["evaluated_step"]:
            losses[step] = train_loss, oracle.full_loss(model, test_x, test_y)
        if not (np.isfinite(train_loss) and np.isfinite(oracle.flat_parameters(model)).all()):
            diverged.append(step)

    look(0)
    oracle.train_model(model, 468, 32, 0.1, SOURCE[variant][2], train_x, train_y, look)
    assert found["evaluated_step"].tolist() == list(losses) == [0, *range(47, 468, 47), 468]
    expected_train, expected_test = np.array(list(losses.values())).T
    np.testing.assert_allclose(found["train_loss"][:, 0], expected_train, rtol=1e-4)
    np.testing.assert_allclose(found["test_loss"][:, 0], expected_test, rtol=1e-4)
    assert found["diverged_at"][0] == (diverged[0] if diverged else -1)


def test_large_initialization_diverges_in_every_replica_and_the_others_do_not():
    assert (source_run("deep_large")["diverged_at"] >= 1).all()
    assert np.isnan(source_run("deep_large")["train_loss"][1:]).all()
    for variant in ("shallow", "deep_small"):
        assert (source_run(variant)["diverged_at"] == -1).all()
        assert np.isfinite(source_run(variant)["train_loss"]).all()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"network": {**TINY, "activation": "relu"}, "initialization": {"kind": "he_normal", "seed": 3}},
        {"network": {**TINY, "hidden": [6], "activation": "leaky_relu"}, "loss": {"kind": "cross_entropy"}},
        {"optimizer": {"kind": "adam", "learning_rate": 0.01}, "loss": {"kind": "cross_entropy"}},
        {"batches": {"kind": "full", "seed": 0}},
        {"batches": {"kind": "independent", "size": 5, "seed": 0}},
    ],
)
def test_a_replica_of_the_stack_is_the_network_trained_alone(changes):
    stacked = tiny_run(**changes)
    settings = tiny_settings(**changes)
    for replica in range(4):
        seeds = {part: replica_seeds(settings[part]["seed"], 4)[replica] for part in ("initialization", "batches")}
        alone = (
            tiny_run(**changes, replicas=1)
            if replica == 0
            else tiny_run(**{**changes, **{part: {**settings[part], "seed": seed} for part, seed in seeds.items()}}, replicas=1)
        )
        for key, axis in {"parameters": 1, "train_loss": 1, "test_loss": 1}.items():
            np.testing.assert_allclose(stacked[key].take([replica], axis), alone[key], rtol=1e-10, atol=1e-12, err_msg=key)


def test_stacked_training_is_that_of_torch_in_float64():
    settings = tiny_settings()
    found = tiny_run(save_every=1)
    data = tiny_data()
    x, y = torch.as_tensor(data["train_x"]), torch.as_tensor(data["train_y"])
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    nn.utils.vector_to_parameters(torch.as_tensor(found["parameters"][0, 0]), model.parameters())
    optimizer = torch.optim.SGD(model.parameters(), 0.2, momentum=0.9)
    generator = np.random.RandomState(settings["batches"]["seed"])
    order = np.concatenate([generator.permutation(30) for _ in range(7)])
    for step in range(25):
        chosen = order[8 * step : 8 * step + 8]
        optimizer.zero_grad()
        nn.MSELoss()(model(x[chosen]), y[chosen]).backward()
        optimizer.step()
        np.testing.assert_allclose(found["parameters"][step + 1, 0], oracle.flat_parameters(model), rtol=1e-10, atol=1e-12)


def test_more_replicas_leave_the_first_as_they_were():
    few, many = tiny_run(replicas=3), tiny_run(replicas=9)
    for key in ("parameters", "train_loss", "test_loss"):
        np.testing.assert_allclose(many[key][:, :3], few[key], rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(many["batch_seed"][:3], few["batch_seed"])


def test_two_runs_give_the_same_bytes():
    first, second = (train(sines(), **source_settings("deep_he", steps=60)) for _ in range(2))
    assert {key: array.tobytes() for key, array in first.items()} == {key: array.tobytes() for key, array in second.items()}


WILD = {
    "network": {**TINY, "hidden": [6, 6, 6], "activation": "relu"},
    "precision": "float32",
    "replicas": 12,
    "steps": 40,
    "evaluate_every": 1,
    "save_every": 1,
}


@pytest.mark.parametrize(
    ("scale", "learning_rate"), [(0.5, 0.1), (2.0, 0.3), (2.5, 0.2), (3.0, 1.0), (1e3, 0.0), (6e4, 0.0), (2e5, 0.0), (1e9, 1e-9)]
)
def test_step_of_divergence_is_the_first_at_which_a_parameter_or_the_full_loss_is_not_finite(scale, learning_rate):
    found = tiny_run(
        **WILD,
        initialization={"kind": "uniform", "scale": scale, "seed": 5},
        optimizer={"kind": "sgd", "learning_rate": learning_rate, "momentum": 0.9},
    )
    wrong = ~(np.isfinite(found["parameters"]).all(axis=2) & np.isfinite(found["train_loss"]))[1:]
    expected = np.where(wrong.any(axis=0), wrong.argmax(axis=0) + 1, -1)
    np.testing.assert_array_equal(found["diverged_at"], expected)


def test_the_cases_above_hold_every_way_to_diverge():
    def run(scale, learning_rate):
        return tiny_run(
            **WILD,
            initialization={"kind": "uniform", "scale": scale, "seed": 5},
            optimizer={"kind": "sgd", "learning_rate": learning_rate, "momentum": 0.9},
        )

    assert (run(0.5, 0.1)["diverged_at"] == -1).all(), "none"
    some = run(2.0, 0.3)["diverged_at"]
    assert len(set(some)) > 2, "some, one after another"
    assert (some == -1).any(), "and others not"
    through_loss = run(2e5, 0.0)
    assert np.isfinite(through_loss["parameters"]).all(), "not through a parameter"
    assert (through_loss["diverged_at"] == 1).all(), "but through the loss"
    large = run(1e4, 0.0)
    norms = np.linalg.norm(large["parameters"][-1], axis=1)
    assert (norms > perceptron.safe_norm([2, 6, 6, 6, 3], torch.ones(2, 30), torch.ones(3, 30))).any(), "large enough to be looked at"
    assert (large["diverged_at"] == -1).all(), "and found to be finite"


def test_replicas_that_diverge_do_not_disturb_the_others():
    changes = {
        **WILD,
        "precision": "float64",
        "steps": 300,
        "evaluate_every": 50,
        "save_every": 300,
        "initialization": {"kind": "uniform", "scale": 6.0, "seed": 5},
        "optimizer": {"kind": "sgd", "learning_rate": 1.0, "momentum": 0.9},
    }
    stacked = tiny_run(**changes)
    diverged = stacked["diverged_at"] > 0
    assert diverged.any()
    assert not diverged.all()
    for replica in np.flatnonzero(~diverged):
        seeds = {part: replica_seeds(tiny_settings(**changes)[part]["seed"], 12)[replica] for part in ("initialization", "batches")}
        alone = tiny_run(
            **{**changes, "replicas": 1, **{part: {**tiny_settings(**changes)[part], "seed": seed} for part, seed in seeds.items()}}
        )
        np.testing.assert_allclose(stacked["train_loss"][:, replica], alone["train_loss"][:, 0], rtol=1e-10)


def test_steps_that_are_recorded():
    found = tiny_run(steps=25, evaluate_every=10, save_every=7)
    assert found["evaluated_step"].tolist() == [0, 10, 20, 25]
    assert found["step"].tolist() == [0, 7, 14, 21, 25]
    assert found["parameters"].shape == (5, 4, 15 + 24 + 15)
    assert tiny_run(steps=20, evaluate_every=10)["evaluated_step"].tolist() == [0, 10, 20]
    assert tiny_run(steps=5, evaluate_every=10)["step"].tolist() == [0, 5]


def test_recording_changes_nothing_and_what_is_gathered_at_once_neither(monkeypatch):
    plain = tiny_run()
    recorded = tiny_run(evaluate_every=1, save_every=1)
    monkeypatch.setattr(stacked, "STEPS_IN_MEMORY", 4)
    gathered = tiny_run()
    for other in (recorded, gathered):
        np.testing.assert_array_equal(other["parameters"][-1], plain["parameters"][-1])


def test_result_is_a_file_of_its_kind(tmp_path):
    storage.save(tmp_path / "train.npz", source_run("shallow"), kind=storage.TRAIN, digest="d")
    loaded = storage.load(tmp_path / "train.npz", kind="train")
    assert loaded["parameter_name"].tolist() == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert loaded["initialization_seed"].tolist() == replica_seeds(100, 20)


def test_progress_is_told_with_the_time_left(monkeypatch):
    clock = itertools.count(0.0, 0.5)
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    told = []
    tiny_run(report=told.append)
    assert told[0] == "step 4 of 25, 10 s left"
    assert told[-1] == "step 25 of 25, 0 s left"
    assert len(told) == 7


def test_numbers_too_small_for_their_type_are_kept_elsewhere():
    tiny_run()
    assert torch.tensor([1e-40]).mul(1.0).item() > 0


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-3), ("float64", 1e-9)])
@pytest.mark.parametrize("hidden", [(10,), (40,), (10, 10), (40, 40)], ids=str)
def test_replica_0_of_the_kernel_is_the_network_of_the_source(hidden, precision, tolerance):
    found = train(
        pieces(),
        **pieces_settings(
            *hidden,
            initialization={"kind": "elbows_as_in_source", "seed": 0},
            precision=precision,
            steps=2000,
            evaluate_every=200,
            save_every=200,
        ),
    )
    train_x, train_y, test_x, test_y = oracle.pieces_data()
    net = oracle.elbow_net(*hidden, seed=0) if len(hidden) == 1 else oracle.elbow_net_2layer(hidden[0], seed=0)[0]
    net = net.to(getattr(torch, precision))
    np.testing.assert_array_equal(found["parameters"][0, 0], oracle.flat_parameters(net), err_msg="initial parameters")
    subsets = sampling.subsets(sampling.words(Generator(PCG64(0)), 2000, 40), 200)

    def loss(x, y):
        with torch.no_grad():
            prediction = net(torch.as_tensor(x, dtype=next(net.parameters()).dtype))[:, 0].double().numpy()
        return np.mean((prediction - y) ** 2)

    def look(step):
        if step % 200 == 0:
            place = step // 200
            np.testing.assert_allclose(found["train_loss"][place, 0], loss(train_x, train_y), rtol=tolerance)
            np.testing.assert_allclose(found["test_loss"][place, 0], loss(test_x, test_y), rtol=tolerance)
            expected = oracle.flat_parameters(net)
            np.testing.assert_allclose(found["parameters"][place, 0], expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())

    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    oracle.train_network(train_x, train_y, net, optimizer, 2000, lambda s: subsets[s], look)
    assert np.abs(found["parameters"][-1, 0] - found["parameters"][0, 0]).max() > 0.1


STOPPING = {"score": "validation_loss", "mode": "min", "patience": 3, "minimal_change": 1e-4}
LONG = {
    "steps": 200,
    "evaluate_every": 5,
    "save_every": 5,
    "loss": {"kind": "cross_entropy"},
    "optimizer": {"kind": "sgd", "learning_rate": 0.5},
}


@pytest.mark.parametrize("engine", ["stacked", "autograd"])
def test_early_stopping_goes_back_to_the_best_parameters_of_a_training_without_it(engine):
    """Against the whole course of the same training, looked at replica by replica as the rule says it."""
    settings = tiny_settings(engine=engine, **LONG)
    whole, found = train(validated(), **settings), train(validated(), **settings, early_stopping=STOPPING)
    course = whole["validation_loss"]
    for replica in range(4):
        best, waited, stopped = 0, 0, None
        for place in range(1, len(course)):
            if course[place, replica] < course[best, replica] - 1e-4:
                best, waited = place, 0
            else:
                waited += 1
                if waited == 3:
                    stopped = place
                    break
        assert found["stopped_at"][replica] == (5 * stopped if stopped else -1)
        assert found["best_step"][replica] == 5 * best
        np.testing.assert_array_equal(found["parameters"][-1, replica], whole["parameters"][best, replica])
        end = stopped or len(course) - 2
        for score in ("train_loss", "validation_loss", "test_accuracy"):
            np.testing.assert_array_equal(found[score][: end + 1, replica], whole[score][: end + 1, replica])
            np.testing.assert_array_equal(found[score][end + 1 :, replica], whole[score][best, replica])
    assert (found["stopped_at"] > 0).any()
    assert len(set(found["best_step"].tolist())) > 1


def test_scores_on_validation_samples_are_recorded_where_there_are_some():
    found = train(validated(), **tiny_settings())
    assert found["validation_loss"].shape == found["test_loss"].shape
    assert not np.array_equal(found["validation_loss"], found["test_loss"])
    assert "validation_loss" not in tiny_run()


TECHNIQUES = [
    {"network": {**TINY, "normalization": "batch"}},
    {"network": {**TINY, "normalization": "layer", "dropout": {"kind": "dropout", "rate": 0.3}}},
    {"network": {**TINY, "dropout": {"kind": "drop_connect", "rate": 0.3}}},
    {"augmentation": {"kind": "mixup", "alpha": 0.5}},
    {
        "network": {**TINY, "activation": "prelu"},
        "initialization": {"kind": "lsuv", "seed": 1},
        "optimizer": {"kind": "sgd", "learning_rate": 0.01},
    },
]


@pytest.mark.parametrize("changes", TECHNIQUES, ids=str)
def test_a_replica_with_techniques_does_not_depend_on_the_number_of_replicas(changes):
    few, many = (tiny_run(engine="autograd", **changes, replicas=replicas) for replicas in (2, 4))
    np.testing.assert_allclose(few["parameters"], many["parameters"][:, :2], rtol=1e-9, atol=1e-12)
    assert np.abs(many["parameters"][-1] - many["parameters"][0]).max() > 1e-3
    assert np.array_equal(tiny_run(engine="autograd", **changes)["parameters"], many["parameters"])


def test_lsuv_is_given_the_outputs_of_each_layer_on_the_training_inputs():
    network = {"kind": "perceptron", "hidden": [30, 20], "activation": "relu"}
    data = tiny_data(samples=200)
    found = train(data, **tiny_settings(network=network, initialization={"kind": "lsuv", "seed": 0}, steps=1, engine="stacked"))
    for replica in range(4):
        values, begin, held = data["train_x"], 0, found["parameters"][0, replica]
        for fan_in, fan_out in ((2, 30), (30, 20), (20, 3)):
            weight = held[begin : begin + fan_in * fan_out].reshape(fan_out, fan_in)
            bias = held[begin + fan_in * fan_out : begin + (fan_in + 1) * fan_out]
            values = values @ weight.T + bias
            assert values.var() == pytest.approx(1, abs=0.1)
            values, begin = np.maximum(values, 0), begin + (fan_in + 1) * fan_out
