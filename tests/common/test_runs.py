import numpy as np

from scripts.common.runs import intact


def test_a_replica_is_intact_while_its_parameters_are_finite_and_until_it_diverges():
    parameters = np.zeros((3, 4, 2), dtype=np.float32)
    parameters[2, 1, 0] = np.nan
    parameters[1:, 2, 1] = np.inf
    train = {"step": np.array([0, 5, 10]), "parameters": parameters, "diverged_at": np.array([-1, 7, 4, 5])}
    np.testing.assert_array_equal(
        intact(train),
        [[True, True, True, True], [True, True, False, False], [True, False, False, False]],
    )
