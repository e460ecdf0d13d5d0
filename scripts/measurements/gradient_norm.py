"""Norm of the gradient of the loss on all training samples with respect to each weight matrix."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from scripts.common import losses, parts, perceptron
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "gradient_norm",
    {
        "step": Array("S", "int64"),
        "gradient_norm": Array("S R L", "float64", quantity=True),
        "index_gradient_norm": Array("L", "str"),
        "exists_gradient_norm": Array("S R", "bool"),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], loss_function: Mapping[str, Any]) -> Arrays:
    """Return the Euclidean norms, computed in float64, at each saved step and for each replica.

    Args:
        data: the data set that the network was trained on.
        train: its parameters.
        network: ``hidden`` and ``activation``.
        loss_function: ``kind`` (a function of `scripts.common.losses`) and its options.
    """
    x, y = (torch.as_tensor(np.ascontiguousarray(data[key].T)) for key in ("train_x", "train_y"))
    inputs = perceptron.with_constant(x)
    norms = []
    for parameters in train["parameters"]:
        layers = perceptron.to_layers(parameters, network, inputs=len(x), dtype=torch.float64)
        gradients = [torch.empty_like(layer) for layer in layers]
        compute = perceptron.gradient_function(
            layers,
            gradients,
            samples=x.shape[1],
            activation=perceptron.activation_of(network),
            loss=parts.call(losses, loss_function),
        )
        compute(inputs.expand(len(parameters), *inputs.shape), y)
        norms.append(torch.stack([gradient[:, :, :-1].flatten(1).norm(dim=1) for gradient in gradients], dim=1).numpy())
    return {
        "step": train["step"],
        "gradient_norm": np.stack(norms),
        "index_gradient_norm": train["parameter_name"][::2],
        "exists_gradient_norm": intact(train),
    }
