"""Small networks as PyTorch builds them: the independent side of the comparisons."""

import itertools

import numpy as np
import torch
from torch import nn

MODULES = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
LOSSES = {"mse": nn.MSELoss(), "cross_entropy": nn.CrossEntropyLoss()}
REPLICAS, SAMPLES, INPUTS, OUTPUTS = 3, 6, 2, 4


def network(activation, hidden=(5, 7)):
    return {"kind": "perceptron", "hidden": list(hidden), "activation": activation}


def torch_model(activation, hidden, parameters):
    widths = [INPUTS, *hidden, OUTPUTS]
    modules = itertools.chain.from_iterable((nn.Linear(a, b), MODULES[activation]()) for a, b in itertools.pairwise(widths))
    model = nn.Sequential(*list(modules)[:-1]).double()
    nn.utils.vector_to_parameters(torch.as_tensor(parameters), model.parameters())
    return model


def example_batch():
    """Parameters of three replicas (R, P), inputs (N, D) and targets (N, C)."""
    generator = np.random.default_rng(0)
    size = (INPUTS + 1) * 5 + 6 * 7 + 8 * OUTPUTS
    targets = generator.dirichlet(np.ones(OUTPUTS), size=SAMPLES)
    return generator.normal(size=(REPLICAS, size)), torch.as_tensor(generator.normal(size=(SAMPLES, INPUTS))), torch.as_tensor(targets)


def stacked_layers(parameters, hidden):
    """The layers that `scripts.common.perceptron` computes with, (R, outputs, inputs + 1) each, from flat parameters (R, P)."""
    models = [torch_model("linear", hidden, flat) for flat in parameters]
    return [
        torch.stack([torch.column_stack([model[depth].weight, model[depth].bias]).detach() for model in models])
        for depth in range(0, len(models[0]), 2)
    ]
