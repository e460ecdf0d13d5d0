import numpy as np
import pytest

from scripts.common import calibration

generator = np.random.default_rng(0)
LOGITS = generator.normal(size=(2, 3, 10, 400)) * 3
LABELS = np.where(generator.random(400) < 0.5, LOGITS[0, 0].argmax(axis=0), generator.integers(10, size=400))


def in_a_loop(logits, labels, bins):
    """Return count, sum of confidences and of hits by bin, and the error of one network, sample by sample."""
    table = [[0, 0.0, 0] for _ in range(bins)]
    for outputs, label in zip(logits.T, labels, strict=True):
        powers = [np.exp(output) for output in outputs]
        probabilities = [power / sum(powers) for power in powers]
        confidence = max(probabilities)
        for number in range(bins):
            if number / bins < confidence <= (number + 1) / bins:
                table[number][0] += 1
                table[number][1] += confidence
                table[number][2] += probabilities.index(confidence) == label
    error = sum(abs(confidence - hits) for _, confidence, hits in table) / len(labels)
    return table, error


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_bins_and_error_are_those_of_a_plain_loop(bins):
    probabilities = calibration.softmax(LOGITS)
    found = calibration.reliability(probabilities, LABELS, bins=bins)
    error = calibration.expected_calibration_error(probabilities, LABELS, bins=bins)
    assert error.shape == (2, 3)
    for place in np.ndindex(2, 3):
        table, expected = in_a_loop(LOGITS[place], LABELS, bins)
        assert error[place] == pytest.approx(expected, rel=1e-12)
        for number, (count, confidence, hits) in enumerate(table):
            assert found.samples[place][number] == count
            if count:
                assert found.confidence[place][number] == pytest.approx(confidence / count)
                assert found.accuracy[place][number] == pytest.approx(hits / count)
            else:
                assert np.isnan([found.confidence[place][number], found.accuracy[place][number]]).all()
    assert error.max() > 0.05


def test_a_confidence_at_the_edge_of_two_bins_is_in_the_lower():
    probabilities = np.array([[0.5, 1.0], [0.5, 0.0]])  # (C, N)
    assert calibration.reliability(probabilities, np.array([0, 0]), bins=4).samples.tolist() == [0, 1, 0, 1]


def test_known_errors():
    sure = np.stack([np.ones(10), np.zeros(10)])
    half_right = np.arange(10) % 2
    assert calibration.expected_calibration_error(sure, half_right) == pytest.approx(0.5)
    assert calibration.expected_calibration_error(np.full((2, 10), 0.5), half_right) == pytest.approx(0)


def test_large_outputs_do_not_overflow_and_what_is_not_finite_has_no_error():
    logits = np.stack([LOGITS[0, 0] + 1e4, LOGITS[0, 0], LOGITS[0, 0]])
    logits[2, 3, 7] = np.inf
    error = calibration.expected_calibration_error(calibration.softmax(logits), LABELS)
    assert error[0] == pytest.approx(error[1])
    assert np.isnan(error[2])
    assert calibration.reliability(calibration.softmax(logits), LABELS).samples.sum(axis=-1).tolist() == [400, 400, 0]
