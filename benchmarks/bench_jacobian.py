"""Jacobian of one trained network at 1,500 points in float64, against a loop of backward() and against vmap(grad)."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import example
from benchmarks.comparison import Comparison, compare
from scripts.common.linearization import jacobian


def comparisons() -> list[Comparison]:
    """Time the whole matrix, one row for each point, one column for each parameter."""
    torch.set_num_threads(1)
    parameters, points = example.trained()["parameters"][-1, 0], example.data()["train_x"]
    model = example.torch_model().double()
    nn.utils.vector_to_parameters(torch.as_tensor(parameters).double(), model.parameters())
    x = torch.as_tensor(points)

    def ours() -> np.ndarray:
        return jacobian(parameters, points, network=example.NETWORK)[:, 0]

    def loop() -> np.ndarray:
        rows = []
        for index in range(len(x)):
            model.zero_grad()
            model(x[index : index + 1]).view(-1).backward()
            gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
            rows.append(np.concatenate([gradient.view(-1).numpy() for gradient in gradients]))
        return np.stack(rows)

    named = {name: parameter.detach() for name, parameter in model.named_parameters()}
    per_sample = torch.func.vmap(torch.func.grad(_output(model)), in_dims=(None, 0))

    def with_vmap() -> np.ndarray:
        gradients = per_sample(named, x)
        return torch.cat([gradient.flatten(1) for gradient in gradients.values()], dim=1).numpy()

    for plain in (loop, with_vmap):
        np.testing.assert_allclose(ours(), plain(), rtol=1e-9, atol=1e-12)
    work = f"Jacobian, {len(x):,} by {len(parameters):,}"
    first = compare(work, plain={"loop of backward()": (loop, 50)}, ours=ours, runs=5)
    return first + compare(work, plain={"vmap(grad)": (with_vmap, 1)}, ours=ours, runs=25)


def _output(model: nn.Module) -> Callable[[dict[str, Tensor], Tensor], Tensor]:
    def output(parameters: dict[str, Tensor], point: Tensor) -> Tensor:
        predicted: Tensor = torch.func.functional_call(model, parameters, (point,))
        return predicted.squeeze()

    return output
