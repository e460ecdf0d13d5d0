"""How far the inputs of the output layer shift while the layers below it learn: internal covariate shift."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import forward_pass
from scripts.common.forward_pass import Mode
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "covariate_shift",
    {
        "step": Array("S", "int64"),
        "input_shift": Array("S R", "float64", quantity=True),
        "covariate_shift": Array("R", "float64", quantity=True),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any]) -> Arrays:
    """Return by how much the distribution of what the output layer takes in changes from one saved step to the next.

    Internal covariate shift is the change of the distribution of a layer's inputs by the updates of the layers before it (Ioffe and
    Szegedy 2015, section 2). Of a layer with inputs u, whose mean over the training samples is m_u and whose variance is v_u,

        shift = sqrt(sum_u (m_u' - m_u)^2 / sum_u v_u')

    where a prime stands for the later of two steps: the distance that the mean moves, in units of the spread of the samples around it.
    Values are those of training, so that a batch normalization has the statistics of all training samples.

    Args:
        data: the data set.
        train: the networks, at the saved steps.
        network: ``kind`` and the options of the network.

    Returns:
        ``input_shift`` (S, R), the shift since the saved step before, 0 at the first, and ``covariate_shift`` (R,), their sum; infinite
        where inputs are not finite or do not vary.
    """
    means, spreads = zip(
        *(_moments(saved, data["train_x"], network, data["train_y"].shape[1]) for saved in train["parameters"]), strict=True
    )
    mean, spread = np.array(means), np.array(spreads)  # (S, R, U), (S, R)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.sqrt((np.diff(mean, axis=0) ** 2).sum(axis=2) / spread[1:])
    shift = np.concatenate([np.zeros((1, mean.shape[1])), np.where(np.isfinite(shift), shift, np.inf)])
    return {"step": train["step"], "input_shift": shift, "covariate_shift": shift.sum(axis=0)}


def _moments(
    parameters: NDArray[Any], x: NDArray[np.float64], network: Mapping[str, Any], outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (R, U) and summed variance (R,) over samples x (N, D) of the inputs of the output layer."""
    shapes = forward_pass.shapes(network, inputs=x.shape[1], outputs=outputs)
    tensors = forward_pass.unflatten(torch.as_tensor(np.array(parameters, dtype=np.float64)), shapes)
    taken: list[Tensor] = []
    mode = Mode(generators=(), watch=lambda _layer, below, _values: taken.append(below))
    with torch.no_grad():
        forward_pass.forward(tensors, torch.as_tensor(np.ascontiguousarray(x.T)), network=network, mode=mode)
    inputs: NDArray[np.float64] = taken[-1].numpy()  # (R, U, N)
    return inputs.mean(axis=2), inputs.var(axis=2).sum(axis=1)
