from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from scripts.common import ensembles
from scripts.common.calibration import softmax
from tests import chapter_code

MEMBERS, CLASSES, SAMPLES = 4, 3, 60


def members(seed=0, samples=SAMPLES, sharpness=2.0):
    """Logits (K, C, N) that lean to the labels (N,)."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, samples)
    logits = generator.standard_normal((MEMBERS, CLASSES, samples))
    logits[:, labels, np.arange(samples)] += sharpness
    return logits, labels


LOGITS, LABELS = members()
PROBABILITIES = softmax(LOGITS)


def test_average_is_that_of_probabilities_sample_by_sample():
    found = ensembles.average(PROBABILITIES)
    for sample in range(SAMPLES):
        for number in range(CLASSES):
            expected = sum(float(PROBABILITIES[member, number, sample]) for member in range(MEMBERS)) / MEMBERS
            assert found[number, sample] == pytest.approx(expected, abs=1e-14)


def test_average_of_logits_is_the_geometric_mean_of_probabilities():
    geometric = np.prod(PROBABILITIES, axis=0) ** (1 / MEMBERS)
    np.testing.assert_allclose(ensembles.average_logits(LOGITS), geometric / geometric.sum(axis=0), atol=1e-13)
    assert np.abs(ensembles.average_logits(LOGITS) - ensembles.average(PROBABILITIES)).max() > 0.01


def test_votes_are_counted_and_ties_go_to_the_smallest_class():
    chosen = PROBABILITIES.argmax(axis=1)
    shares = ensembles.votes(PROBABILITIES)
    tied = 0
    for sample in range(SAMPLES):
        count = Counter(chosen[:, sample].tolist())
        np.testing.assert_allclose(shares[:, sample], [count[number] / MEMBERS for number in range(CLASSES)])
        most = max(count.values())
        winners = [number for number in range(CLASSES) if count[number] == most]
        assert ensembles.classes(shares)[sample] == min(winners)
        assert ensembles.ties(shares)[sample] == (len(winners) > 1)
        tied += len(winners) > 1
    assert 0 < tied < SAMPLES
    # the source's own way to find the winner
    np.testing.assert_array_equal(ensembles.classes(shares), torch.mode(torch.as_tensor(chosen), dim=0).values.numpy())


def test_leading_axes_are_independent():
    together = np.stack([PROBABILITIES, PROBABILITIES[::-1] ** 2])
    for function in (ensembles.average, ensembles.votes):
        np.testing.assert_array_equal(function(together)[1], function(together[1]))
    both = ensembles.average(together)
    for score in (ensembles.accuracy, ensembles.cross_entropy, ensembles.squared_error):
        np.testing.assert_allclose(score(both, LABELS), [score(both[0], LABELS), score(both[1], LABELS)])


def test_scores_are_those_of_plain_loops():
    one = PROBABILITIES[0]
    right = [int(np.argmax(one[:, n])) == LABELS[n] for n in range(SAMPLES)]
    assert ensembles.accuracy(one, LABELS) == pytest.approx(np.mean(right))
    target = torch.as_tensor(LABELS)
    expected = torch.nn.functional.cross_entropy(torch.as_tensor(LOGITS[0].T), target)
    assert ensembles.cross_entropy(one, LABELS) == pytest.approx(float(expected), abs=1e-12)
    squares = [sum((one[c, n] - (c == LABELS[n])) ** 2 for c in range(CLASSES)) for n in range(SAMPLES)]
    assert ensembles.squared_error(one, LABELS) == pytest.approx(np.mean(squares))


def test_squared_error_of_the_average_is_that_of_the_members_less_what_they_differ():
    """The decomposition of Krogh and Vedelsby (1995), which holds exactly."""
    middle = ensembles.average(PROBABILITIES)
    differ = ((PROBABILITIES - middle) ** 2).sum(axis=1).mean()
    of_members = ensembles.squared_error(PROBABILITIES, LABELS).mean()
    assert ensembles.squared_error(middle, LABELS) == pytest.approx(of_members - differ, abs=1e-12)


def test_disagreement_is_a_mean_over_pairs():
    chosen = PROBABILITIES.argmax(axis=1)
    pairs = [np.mean(chosen[one] != chosen[other]) for one, other in combinations(range(MEMBERS), 2)]
    assert ensembles.disagreement(PROBABILITIES) == pytest.approx(np.mean(pairs))
    assert ensembles.disagreement(PROBABILITIES[:1].repeat(3, axis=0)) == 0
    assert np.isnan(ensembles.disagreement(PROBABILITIES[:1]))


def test_a_member_without_numbers_is_wrong_everywhere():
    broken = PROBABILITIES.copy()
    broken[0] = np.nan
    assert ensembles.accuracy(broken, LABELS)[0] == 0
    assert ensembles.cross_entropy(broken, LABELS)[0] == np.inf
    assert ensembles.accuracy(ensembles.average(broken), LABELS) == 0


def test_folds_are_a_partition_as_even_as_can_be():
    found = ensembles.folds(23, 5, seed=3)
    assert sorted(np.bincount(found).tolist()) == [4, 4, 5, 5, 5]
    np.testing.assert_array_equal(found, ensembles.folds(23, 5, seed=3))
    assert (found != ensembles.folds(23, 5, seed=4)).any()
    for samples, count in ((3, 4), (10, 1)):
        with pytest.raises(ValueError, match="cannot be split"):
            ensembles.folds(samples, count, seed=0)


def stacked(fit=None, probabilities=PROBABILITIES, labels=LABELS, **options):
    test = softmax(members(seed=5, samples=20)[0])
    options = {"strengths": [0.1, 1.0, 10.0], "count": 5, "seed": 0} | options
    return ensembles.stack(probabilities, labels, test, fit=fit, **options), test


def test_no_meta_model_predicts_a_sample_that_it_was_fitted_to():
    """A spy in place of the regression: it knows its samples by a number in a feature, and what each model is asked to predict."""
    numbered = PROBABILITIES.copy()
    numbered[0, 0] = np.arange(SAMPLES) + 10.0
    asked = []

    def fit(features, labels, strength):
        seen = set(features[:, 0].tolist())
        np.testing.assert_array_equal(LABELS[features[:, 0].astype(int) - 10], labels)

        def predict(new):
            asked.append((strength, seen, set(new[:, 0].tolist())))
            return np.full((len(new), CLASSES), 1 / CLASSES)

        return predict

    found, test = stacked(fit, probabilities=numbered)
    everything = set(numbered[0, 0].tolist())
    *of_folds, last = asked
    assert len(of_folds) == 3 * 5
    for _, seen, predicted in of_folds:
        assert not seen & predicted
        assert seen | predicted == everything
    for strength in (0.1, 1.0, 10.0):
        own = [predicted for other, _, predicted in of_folds if other == strength]
        assert sum(len(predicted) for predicted in own) == SAMPLES
        assert set().union(*own) == everything
    assert last[1] == everything
    assert last[2] == set(test[0, 0].tolist())
    assert found.strength == 0.1


def test_a_label_that_a_fold_could_see_would_betray_itself():
    """With labels drawn at random and one feature that names each sample, whoever sees a sample knows it, and others can only guess."""
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 2, 200)
    known = {float(number): int(label) for number, label in enumerate(labels)}
    probabilities = np.zeros((1, 2, 200))
    probabilities[0, 0] = np.arange(200)

    def fit(features, seen_labels, _):
        seen = dict(zip(features[:, 0].tolist(), seen_labels.tolist(), strict=True))

        def predict(new):
            guessed = [seen.get(value, 1 - known[value]) for value in new[:, 0].tolist()]
            return np.eye(2)[guessed] * 0.98 + 0.01

        return predict

    found = ensembles.stack(probabilities, labels, probabilities, strengths=[1.0], count=4, seed=1, fit=fit)
    assert ensembles.accuracy(found.held_out, labels) == 0
    assert ensembles.accuracy(found.test, labels) == 1


def test_stacking_is_that_of_scikit_learn():
    found, test = stacked()
    features, new = (np.concatenate(list(one)).T for one in (PROBABILITIES, test))
    model = LogisticRegression(C=found.strength, max_iter=1000).fit(features, LABELS)
    np.testing.assert_allclose(found.test, model.predict_proba(new).T, atol=1e-12)
    fold = ensembles.folds(SAMPLES, 5, seed=0)
    losses = {}
    for strength in (0.1, 1.0, 10.0):
        held_out = np.empty((SAMPLES, CLASSES))
        for number in range(5):
            model = LogisticRegression(C=strength, max_iter=1000).fit(features[fold != number], LABELS[fold != number])
            held_out[fold == number] = model.predict_proba(features[fold == number])
        losses[strength] = -np.log(held_out[np.arange(SAMPLES), LABELS]).mean()
        if strength == found.strength:
            np.testing.assert_allclose(found.held_out, held_out.T, atol=1e-12)
    assert found.strength == min(losses, key=losses.get)


def test_stacking_learns_which_member_is_right():
    """One member knows the class, three say at random: the average is misled, the meta-model is not."""
    generator = np.random.default_rng(4)
    labels = generator.integers(0, CLASSES, 300)
    logits = 4 * generator.standard_normal((MEMBERS, CLASSES, 300))
    logits[0] = 1.5 * np.eye(CLASSES)[labels].T
    probabilities = softmax(logits)
    found = ensembles.stack(probabilities[..., :200], labels[:200], probabilities[..., 200:], strengths=[10.0], count=5, seed=0)
    assert ensembles.accuracy(found.test, labels[200:]) > 0.95
    assert ensembles.accuracy(ensembles.average(probabilities[..., 200:]), labels[200:]) < 0.7


def test_a_class_that_is_not_among_the_samples_has_no_probability():
    few = LABELS < 2
    fitted = ensembles.logistic_regression(CLASSES)(PROBABILITIES[0].T[few], LABELS[few], 1.0)
    found = fitted(PROBABILITIES[0].T)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found[:, 2] == 0).all()


def test_code_of_the_chapter_stacks_as_well():
    """Its folds are others, but the strength that they choose here is the same, and with it the meta-model."""
    code = chapter_code.run("techniques", "stack", np=np, LogisticRegression=LogisticRegression)
    found, test = stacked()
    chapter = code([one.T for one in PROBABILITIES], LABELS, [one.T for one in test])
    np.testing.assert_allclose(chapter.T, found.test, atol=1e-10)
