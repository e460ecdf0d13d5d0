"""Paths that are known, and a made-up one against the same measures taken from its points, step by step."""

from itertools import pairwise

import numpy as np
import pytest

from scripts.common import numbers, storage
from scripts.common.seeds import replica_seeds
from scripts.measurements import path
from scripts.measurements.path import measure

SAMPLES, SIZE = 100, 25
BATCHES = {"kind": "permutations", "seed": 0, "size": SIZE}
PER_EPOCH = 4


def trained(points, step=None, loss=None):
    """Return what training stores of the `points` (S, R, P)."""
    step = np.arange(len(points)) if step is None else np.asarray(step)
    replicas = points.shape[1]
    evaluated = np.arange(0, step[-1] + 1, 2)
    falling = np.exp(-evaluated / 5.0)[:, None] * np.ones(replicas)
    return {
        "step": step,
        "parameters": points.astype(np.float32),
        "diverged_at": np.full(replicas, -1),
        "evaluated_step": evaluated,
        "train_loss": falling if loss is None else loss,
    }


def measured(train, **options):
    return measure({"train_x": np.zeros((SAMPLES, 3))}, train, options.pop("batches", BATCHES), **options)


def wandering(saved=41, replicas=3, size=50):
    generator = np.random.default_rng(0)
    steps = generator.standard_normal((saved - 1, replicas, size)) + 0.3 * generator.standard_normal(size)
    return np.concatenate([np.zeros((1, replicas, size)), (steps * np.linspace(2, 0.2, saved - 1)[:, None, None]).cumsum(axis=0)])


def with_speeds(speeds, directions=30):
    """Return a path (S, 1, P) with these lengths of its steps, each of which is at right angles to the others."""
    return np.concatenate(
        [np.zeros((1, 1, len(speeds) + directions)), np.diag(np.pad(speeds, (0, directions)))[: len(speeds), None].cumsum(axis=0)]
    )


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_all_measures_are_those_of_the_points():
    points, step = wandering(), np.concatenate([[0], 1 + np.cumsum([1, 2, 1, 3] * 10)])
    found = measured(trained(points, step), early=0.2, late=0.4)
    points, last, epochs = points.astype(np.float32).astype(np.float64), step[-1], -(-step[-1] // PER_EPOCH)
    assert found["epoch_speed"].shape == (3, epochs)
    for replica in range(3):
        own = points[:, replica]
        moves = [(step[place], step[place + 1], own[place + 1] - own[place]) for place in range(40)]
        np.testing.assert_allclose(found["distance_to_end"][:, replica], [np.linalg.norm(point - own[-1]) for point in own], atol=1e-9)
        by_epoch = [[move for move in moves if epoch * PER_EPOCH < move[1] <= (epoch + 1) * PER_EPOCH] for epoch in range(epochs)]
        length = [sum(np.linalg.norm(move[2]) for move in part) for part in by_epoch]
        updates = [sum(move[1] - move[0] for move in part) for part in by_epoch]
        np.testing.assert_allclose(found["epoch_path_length"][replica], length)
        np.testing.assert_allclose(found["epoch_speed"][replica], np.divide(length, updates))
        whole = [sum(move[2] for move in part) for part in by_epoch]
        between = [cosine(one, other) for one, other in pairwise(whole)]
        assert np.isnan(found["epoch_cosine"][replica, 0])
        np.testing.assert_allclose(found["epoch_cosine"][replica, 1:], between)
        for stage, inside in (("early", lambda move: move[1] <= 0.2 * last), ("late", lambda move: move[0] >= 0.6 * last)):
            some = [move for move in moves if inside(move)]
            speed = sum(np.linalg.norm(move[2]) for move in some) / sum(move[1] - move[0] for move in some)
            assert found[f"{stage}_speed"][replica] == pytest.approx(speed)
        assert found["speed_ratio"][replica] == pytest.approx(found["early_speed"][replica] / found["late_speed"][replica])
        early = sum(np.linalg.norm(move[2]) for move in moves if move[1] <= 0.2 * last)
        assert found["early_length_share"][replica] == pytest.approx(early / sum(length))
        assert found["directness"][replica] == pytest.approx(np.linalg.norm(own[-1] - own[0]) / sum(length))
        ends = [min((epoch + 1) * PER_EPOCH, last) for epoch in range(epochs)]
        at = {
            "early": [epoch for epoch in range(epochs) if max(move[1] for move in by_epoch[epoch]) <= 0.2 * last],
            "late": [epoch for epoch in range(1, epochs) if max(move[1] for move in by_epoch[epoch - 1]) >= 0.6 * last],
        }
        at["middle"] = [epoch for epoch in range(epochs) if epoch not in at["early"] + at["late"]]
        assert all(len(some) > 1 for some in at.values())
        assert ends[-1] == last
        for stage, some in at.items():
            expected = np.mean([between[epoch - 1] for epoch in some if epoch])
            assert found[f"{stage}_epoch_cosine"][replica] == pytest.approx(expected)


def test_turning_is_the_mean_cosine_within_an_epoch():
    points = wandering(saved=13)
    found = measured(trained(points))
    steps = np.diff(points.astype(np.float32).astype(np.float64), axis=0)
    for replica in range(3):
        turns = [np.nan] + [cosine(steps[place - 1, replica], steps[place, replica]) for place in range(1, 12)]
        expected = [np.mean(turns[1:4]), np.mean(turns[4:8]), np.mean(turns[8:12])]
        np.testing.assert_allclose(found["turning_cosine"][replica], expected)


def test_controls_are_measured_as_the_path_is():
    points = wandering()
    found = measured(trained(points), seed=3, early=0.2)
    seeds = replica_seeds(3, 3)
    for replica in range(3):
        steps = np.diff(points[:, replica].astype(np.float32).astype(np.float64), axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        walk = np.random.Generator(np.random.PCG64(seeds[replica])).standard_normal(steps.shape)
        walk *= (lengths / np.linalg.norm(walk, axis=1))[:, None]
        shuffled = steps[np.random.Generator(np.random.PCG64(seeds[replica])).permutation(len(steps))]
        for name, moves in (("walk", walk), ("shuffled", shuffled)):
            control = np.concatenate([np.zeros((1, moves.shape[1])), moves.cumsum(axis=0)])
            centered = control - control.mean(axis=0)
            values = np.linalg.svd(centered, compute_uv=False) ** 2
            np.testing.assert_allclose(found[f"{name}_variance"][replica], (values / values.sum())[:10], rtol=1e-8)
            np.testing.assert_allclose(
                found[f"{name}_distance_to_end"][:, replica], np.linalg.norm(control - control[-1], axis=1), atol=1e-9
            )
            whole = moves.reshape(10, 4, -1).sum(axis=1)
            between = [cosine(one, other) for one, other in pairwise(whole)]
            np.testing.assert_allclose(found[f"{name}_epoch_cosine"][replica, 1:], between, atol=1e-9)
            assert found[f"{name}_early_epoch_cosine"][replica] == pytest.approx(np.mean(between[:1]))
            assert found[f"{name}_late_epoch_cosine"][replica] == pytest.approx(np.mean(between[4:]))
        assert found["walk_directness"][replica] == pytest.approx(np.linalg.norm(walk.sum(axis=0)) / lengths.sum())
        blocks = np.linalg.norm(shuffled, axis=1)
        assert found["shuffled_speed_ratio"][replica] == pytest.approx(blocks[:8].mean() / blocks[20:].mean())


def test_a_straight_path_has_one_component_and_never_turns():
    points = np.outer(np.arange(17.0) ** 2, np.ones(6))[:, None]
    found = measured(trained(points))
    assert found["path_variance"][0, 0] == pytest.approx(1)
    assert not found["exists_path_variance"][0, 1:].any()
    assert found["path_crossings"][0, 0] == 1
    assert found["directness"][0] == pytest.approx(1)
    np.testing.assert_allclose(found["epoch_cosine"][0, 1:], 1)


def test_a_back_and_forth_turns_every_time():
    points = np.outer(np.arange(17) % 2, np.ones(6)).astype(float)[:, None]
    found = measured(trained(points))
    np.testing.assert_allclose(found["turning_cosine"][0], -1)
    assert found["directness"][0] == 0


@pytest.mark.parametrize(
    ("kind", "speed"),
    [
        ("two_speeds_fit", lambda epoch: np.where(epoch <= 7, 3.0, 0.2)),
        ("power_law_fit", lambda epoch: 3.0 * epoch**-1.5),
        ("exponential_fit", lambda epoch: 3.0 * np.exp(-0.2 * epoch)),
    ],
)
def test_the_fit_that_is_right_explains_all(kind, speed):
    speeds = np.repeat(speed(np.arange(1.0, 21)), PER_EPOCH)
    found = measured(trained(with_speeds(speeds)))
    fits = {name: found[name][0] for name in ("two_speeds_fit", "power_law_fit", "exponential_fit")}
    assert fits[kind] == pytest.approx(1, abs=1e-6)
    assert max(value for name, value in fits.items() if name != kind) < 0.97
    if kind == "two_speeds_fit":
        assert found["change_epoch"][0] == 7


def test_a_constant_speed_is_no_stage():
    found = measured(trained(with_speeds(np.ones(40))))
    assert found["speed_ratio"][0] == pytest.approx(1)
    assert found["shuffled_speed_ratio"][0] == pytest.approx(1)
    assert not found["exists_two_speeds_fit"][0]


def test_the_share_of_the_fall_of_the_loss():
    loss = np.array([[4.0], [2.0], [1.5]] + [[1.0]] * 18)  # at the steps 0, 2, 4, ... of 40
    found = measured(trained(wandering(replicas=1), loss=loss), early=0.1)
    assert found["early_loss_share"][0] == pytest.approx((4 - 1.5) / (4 - 1))


@pytest.mark.parametrize(
    ("batches", "epochs"),
    [
        ({"kind": "permutations", "size": 50}, 20),
        ({"kind": "independent", "size": 50}, 20),
        ({"kind": "subsets", "share": 0.25}, 10),
        ({"kind": "full"}, 40),
        ({"kind": "permutations", "size": 30}, 12),
    ],
)
def test_an_epoch_takes_as_many_samples_as_there_are(batches, epochs):
    found = measured(trained(wandering()), batches=batches)
    assert found["epoch_speed"].shape == (3, epochs)
    assert found["index_epoch_speed"].tolist() == list(range(1, epochs + 1))


def test_of_a_replica_that_diverged_there_is_nothing_and_the_others_are_as_without_it():
    points = wandering()
    train = trained(points)
    train["parameters"][30:, 1] = np.inf
    train["diverged_at"][1] = 30
    found, alone = measured(train), measured(trained(points))
    for key, array in path.KIND.arrays.items():
        if array.dtype == "float64":
            of_replica = np.moveaxis(found[key], 1 if array.axes.startswith("S") else 0, 0)
            other = np.moveaxis(alone[key], 1 if array.axes.startswith("S") else 0, 0)
            assert np.isnan(of_replica[1]).all(), key
            np.testing.assert_array_equal(of_replica[[0, 2]], other[[0, 2]], err_msg=key)


@pytest.mark.parametrize("saved", [2, 3, 4, 5])
def test_a_few_points_are_measured_as_far_as_they_go(saved, tmp_path):
    found = measured(trained(wandering(saved=saved), step=np.arange(saved) * 3))
    assert found["exists_path_variance"][0].tolist() == [place < saved - 1 for place in range(10)]
    storage.save(tmp_path / "path.npz", found, kind=path.KIND, digest="d")


def test_what_is_measured_is_a_file_of_its_kind_and_becomes_numbers(tmp_path):
    found = measured(trained(wandering()))
    storage.save(tmp_path / "path.npz", found, kind=path.KIND, digest="d")
    quantities = storage.quantities(tmp_path / "path.npz")
    rows = numbers.rows("study", "sgd", found, quantities)
    of = {quantity: [row for row in rows if row.quantity == quantity] for quantity in quantities}
    assert [row.index for row in of["path_variance"]][:10] == list(range(1, 11))
    assert of["epoch_cosine"][0].index == 2
    assert len(of["distance_to_end"]) == 41 * 3
    assert all(np.isfinite(row.value) for row in rows)
