"""Members are perceptrons without a hidden layer to speak of: their predictions are written out by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from scripts.common import ensembles, storage
from scripts.common.calibration import expected_calibration_error
from scripts.measurements import ensemble

REPLICAS, INPUTS, CLASSES, HIDDEN = 6, 3, 4, 5
NETWORK = {"kind": "perceptron", "hidden": [HIDDEN], "activation": "tanh"}
SIZES = [1, 2, 3, 4, 6]


def data(generator):
    centers = 1.5 * generator.standard_normal((CLASSES, INPUTS))

    def some(count):
        labels = np.arange(count) % CLASSES
        return centers[labels] + generator.standard_normal((count, INPUTS)), np.eye(CLASSES)[labels]

    made = {}
    for part, count in (("train", 12), ("validation", 40), ("test", 60)):
        made[f"{part}_x"], made[f"{part}_y"] = some(count)
    return made


GENERATOR = np.random.default_rng(0)
DATA = data(GENERATOR)
PARAMETERS = GENERATOR.standard_normal((2, REPLICAS, HIDDEN * INPUTS + HIDDEN + CLASSES * HIDDEN + CLASSES))
OPTIONS = {"sizes": SIZES, "stacked_sizes": [2, 6], "strengths": [0.1, 1.0], "folds": 4, "seed": 3}


def logits(part, replica):
    """Logits (C, N) of one network after training."""
    first, bias, second, last = np.split(PARAMETERS[-1, replica], np.cumsum([HIDDEN * INPUTS, HIDDEN, CLASSES * HIDDEN]))
    hidden = np.tanh(DATA[f"{part}_x"] @ first.reshape(HIDDEN, INPUTS).T + bias)
    return (hidden @ second.reshape(CLASSES, HIDDEN).T + last).T


TEST = np.stack([softmax(logits("test", replica), axis=0) for replica in range(REPLICAS)])
LABELS = DATA["test_y"].argmax(axis=1)


@pytest.fixture(scope="module")
def found():
    return ensemble.measure({"parameters": PARAMETERS}, DATA, NETWORK, **OPTIONS)


def test_the_oracle_is_the_network(found):
    np.testing.assert_allclose(found["average_accuracy"][:, 0], [(TEST[r].argmax(axis=0) == LABELS).mean() for r in range(REPLICAS)])
    expected = [-np.log(TEST[r][LABELS, np.arange(60)]).mean() for r in range(REPLICAS)]
    np.testing.assert_allclose(found["average_loss"][:, 0], expected)


def test_ensembles_are_members_in_a_row(found, tmp_path):
    for place, size in enumerate(SIZES):
        for replica in range(REPLICAS):
            members = [(replica + further) % REPLICAS for further in range(size)]
            mean = sum(TEST[one] for one in members) / size
            assert found["average_accuracy"][replica, place] == pytest.approx((mean.argmax(axis=0) == LABELS).mean())
            assert found["average_loss"][replica, place] == pytest.approx(-np.log(mean[LABELS, np.arange(60)]).mean())
            expected = expected_calibration_error(mean, LABELS)
            assert found["average_calibration_error"][replica, place] == pytest.approx(float(expected))
            geometric = softmax(sum(logits("test", one) for one in members) / size, axis=0)
            assert found["logits_loss"][replica, place] == pytest.approx(-np.log(geometric[LABELS, np.arange(60)]).mean())
            chosen = np.stack([TEST[one].argmax(axis=0) for one in members])
            most = [np.bincount(column, minlength=CLASSES).argmax() for column in chosen.T]
            assert found["vote_accuracy"][replica, place] == pytest.approx(np.mean(most == LABELS))
            single = [(TEST[one].argmax(axis=0) == LABELS).mean() for one in members]
            assert found["member_accuracy"][replica, place] == pytest.approx(np.mean(single))
            if size > 1:
                assert found["disagreement"][replica, place] == pytest.approx(ensembles.disagreement(TEST[members]))
            spread = np.mean([((TEST[one] - mean) ** 2).sum(axis=0).mean() for one in members])
            error = np.mean([((TEST[one] - DATA["test_y"].T) ** 2).sum(axis=0).mean() for one in members])
            assert found["variance_share"][replica, place] == pytest.approx(spread / error, abs=1e-12)
    assert found["index_vote_accuracy"].tolist() == ["1", "2", "3", "4", "6"]
    storage.save(tmp_path / "ensemble.npz", found, kind=ensemble.KIND, digest="d")


def test_train_loss_is_that_on_training_samples(found):
    mean = np.mean([softmax(logits("train", one), axis=0) for one in (4, 5, 0)], axis=0)
    right = DATA["train_y"].argmax(axis=1)
    assert found["average_train_loss"][4, 2] == pytest.approx(-np.log(mean[right, np.arange(12)]).mean())


def test_variance_is_that_between_ensembles_without_a_common_member(found):
    first, second = TEST[[5, 0]].mean(axis=0), TEST[[1, 2]].mean(axis=0)
    assert found["prediction_variance"][5, 1] == pytest.approx(((first - second) ** 2).sum(axis=0).mean() / 2)
    assert found["exists_prediction_variance"].tolist() == [[True, True, True, False, False]] * REPLICAS
    assert found["exists_disagreement"].tolist() == [[False, True, True, True, True]] * REPLICAS


def test_variance_of_independent_members_falls_with_their_number():
    many = np.random.default_rng(1).standard_normal((1, 40, PARAMETERS.shape[2]))
    found = ensemble.measure(
        {"parameters": many}, DATA, NETWORK, **OPTIONS | {"sizes": [1, 5, 20], "stacked_sizes": [1], "strengths": [1.0], "folds": 2}
    )
    variance = found["prediction_variance"].mean(axis=0)
    np.testing.assert_allclose(variance[0] / variance[1:], [5, 20], rtol=0.25)


def test_the_meta_model_is_fitted_to_validation_samples_alone(found):
    validation = np.stack([softmax(logits("validation", replica), axis=0) for replica in range(REPLICAS)])
    own = ensembles.stack(validation[2:4], DATA["validation_y"].argmax(axis=1), TEST[2:4], strengths=[0.1, 1.0], count=4, seed=3)
    assert found["stacked_loss"][2, 0] == pytest.approx(float(ensembles.cross_entropy(own.test, LABELS)))
    assert found["stacked_accuracy"][2, 0] == pytest.approx(float(ensembles.accuracy(own.test, LABELS)))
    assert np.ptp(found["stacked_loss"][:, 1]) == 0


def test_few_replicas_are_members_more_than_once(tmp_path):
    found = ensemble.measure({"parameters": PARAMETERS[:, :2]}, DATA, NETWORK, **OPTIONS)
    np.testing.assert_allclose(found["average_loss"][0, 3], found["average_loss"][0, 1])
    np.testing.assert_allclose(found["stacked_loss"][:, 0], found["stacked_loss"][:, 1])
    storage.save(tmp_path / "ensemble.npz", found, kind=ensemble.KIND, digest="d")


def test_a_member_without_numbers_spoils_its_ensembles_and_no_others():
    broken = PARAMETERS.copy()
    broken[-1, 0] = np.nan
    found = ensemble.measure({"parameters": broken}, DATA, NETWORK, **OPTIONS)
    assert found["average_accuracy"][0, 0] == 0
    assert found["average_loss"][0, 1] == np.inf
    assert found["stacked_loss"][0, 0] == np.inf
    assert np.isfinite(found["average_loss"][2, 1])
