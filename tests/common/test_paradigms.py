import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.common.findings import Runs
from scripts.common.paradigms import losses_of_paradigms
from tests import synthetic


def runs() -> Runs:
    study = synthetic.study(["good", "other", "wild"])
    study["loss"]["other"]["test_loss"] *= 10
    return Runs(synthetic.numbers(study), **study["bootstrap"])


def test_losses_of_all_replicas_by_network() -> None:
    losses = losses_of_paradigms(runs(), trained=["good", "wild"], output_layer=["other", "good"])
    found = {paradigm.label: [values.tolist() for values in networks] for paradigm, networks in losses.items()}
    each = np.array([1.0, 2, 3])
    assert found["all parameters by SGD"][0] == pytest.approx(0.02 * each)
    assert np.isnan(found["all parameters by SGD"][1]).all()
    assert found["output layer by SGD"] == [pytest.approx(0.2 * each), pytest.approx(0.02 * each)]
    assert found["output layer solved exactly"] == [pytest.approx(0.01 * each)] * 2
    # at initialization, also of a network that diverges later
    assert found["tangent features solved exactly"] == [pytest.approx(0.1 * each)] * 2
    assert found["linearized network, as many updates"] == [pytest.approx(0.15 * each)] * 2


def test_one_of_each_is_needed_for_a_network() -> None:
    with pytest.raises(UserError, match="trained and output_layer go together"):
        losses_of_paradigms(runs(), trained=["good"], output_layer=["good", "other"])
