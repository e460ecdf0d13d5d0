import numpy as np
import pytest

from scripts.common.runs import at_moments, intact, moments


def test_a_replica_is_intact_while_its_parameters_are_finite_and_until_it_diverges():
    parameters = np.zeros((3, 4, 2), dtype=np.float32)
    parameters[2, 1, 0] = np.nan
    parameters[1:, 2, 1] = np.inf
    train = {"step": np.array([0, 5, 10]), "parameters": parameters, "diverged_at": np.array([-1, 7, 4, 5])}
    np.testing.assert_array_equal(
        intact(train),
        [[True, True, True, True], [True, True, False, False], [True, False, False, False]],
    )


LONG = np.array([0, 1, *range(1000, 150001, 1000)])


@pytest.mark.parametrize("count", [None, 152, 1000])
def test_all_saved_steps_are_moments_where_there_are_no_more_than_asked_for(count):
    np.testing.assert_array_equal(moments(LONG, count), np.arange(152))


def test_moments_are_at_most_as_many_as_asked_for_with_the_first_and_the_last():
    for count in (2, 3, 4, 10, 32, 60, 100, 151):
        found = moments(LONG, count)
        assert found.dtype == np.int64
        assert (np.diff(found) > 0).all()
        assert found[[0, -1]].tolist() == [0, 151]
        assert max(2, count - 3) <= len(found) <= count
    assert moments(np.array([0]), 2).tolist() == [0]
    assert moments(np.array([0, 5, 9]), 2).tolist() == [0, 2]


def test_moments_are_even_on_a_log_scale():
    powers = np.array([0, *2 ** np.arange(11)])
    assert powers[moments(powers, 7)].tolist() == [0, 1, 4, 16, 64, 256, 1024]
    dense = np.arange(10001)
    gaps = np.diff(np.log(dense[moments(dense, 21)[1:]]))
    assert gaps[-8:].max() < 1.05 * gaps[-8:].min()


def test_what_is_trained_is_thinned_and_its_losses_are_not():
    train = {"step": LONG, "parameters": np.random.default_rng(0).normal(size=(152, 2, 3)), "train_loss": np.ones((152, 2))}
    found = at_moments(train, 10)
    chosen = moments(LONG, 10)
    np.testing.assert_array_equal(found["step"], LONG[chosen])
    np.testing.assert_array_equal(found["parameters"], train["parameters"][chosen])
    np.testing.assert_array_equal(found["train_loss"], train["train_loss"])
    np.testing.assert_array_equal(at_moments(train, None)["parameters"], train["parameters"])
