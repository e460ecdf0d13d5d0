"""The ways to fit a target that are compared with each other, from fixed features to learned ones, and the test loss that each reaches."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common.findings import Runs
from scripts.common.formatting import check_lengths


class Paradigm(NamedTuple):
    """One way to fit.

    Attributes:
        label: what figures and tables call it.
        variants: whose numbers tell its test loss: those of the networks with all parameters "trained", or the "output_layer" alone.
        quantity: the quantity that is its test loss.
        step: the training step of the quantity, or None where it has none.
        element: which element of the quantity, "" where it has no index.
    """

    label: str
    variants: Literal["trained", "output_layer"]
    quantity: str
    step: int | str | None
    element: str = ""


PARADIGMS = (
    Paradigm("output layer by SGD", "output_layer", "test_loss", "last"),
    Paradigm("output layer solved exactly", "output_layer", "exact_test_loss", None),
    Paradigm("tangent features solved exactly", "trained", "tangent_test_loss", 0, "all"),
    Paradigm("linearized network, as many updates", "trained", "linearized_test_loss", None),
    Paradigm("all parameters by SGD", "trained", "test_loss", "last"),
)


def losses_of_paradigms(runs: Runs, *, trained: Sequence[str], output_layer: Sequence[str]) -> dict[Paradigm, list[NDArray[np.float64]]]:
    """Return the test loss of each paradigm: for each network that of its replicas, (R,) float64, nan where it does not exist.

    Args:
        runs: the study's numbers.
        trained: the variant of each network of which all parameters are trained.
        output_layer: the variant of the same network of which the output layer alone is trained.

    Raises:
        UserError: `trained` and `output_layer` do not have one variant for each network.
    """
    check_lengths(trained=trained, output_layer=output_layer)
    chosen = {"trained": trained, "output_layer": output_layer}
    return {
        paradigm: [
            runs.values(variant, paradigm.quantity, step=paradigm.step, index=paradigm.element) for variant in chosen[paradigm.variants]
        ]
        for paradigm in PARADIGMS
    }
