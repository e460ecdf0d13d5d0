"""The forward pass of a network of any kind, on the tensors of many replicas at once, in training and in evaluation mode.

Values within are (R, C, ..., N): channels or units are the second axis, samples the last. In training, batches are normalized by their own
statistics, and dropout draws its masks; in evaluation, running statistics stand for those of batches, and nothing is dropped.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import activations, architectures, convolutional, dropouts, networks, normalization, parts
from scripts.common.architectures import Layers
from scripts.common.errors import UserError
from scripts.common.networks import Layer, Shapes

SAMPLES_AT_ONCE = 64
"""Images whose values are in memory together where many are predicted: they then fit into the cache."""
ROWS_AT_ONCE = 1024
"""The same for networks without images within, whose values are few and whose layers may be many."""

Tensors = Mapping[str, Tensor]
Watch = Callable[[Layer, Tensor, Tensor], object]


class Mode(NamedTuple):
    """How a pass is made.

    Attributes:
        generators: in training, where each replica's masks are drawn from; None in evaluation mode.
        watch: told of every linear layer and convolution, the values that it takes in, and those that it yields.
    """

    generators: Sequence[Generator] | None = None
    watch: Watch | None = None


EVALUATION = Mode()


def layers_of(network: Mapping[str, Any], *, inputs: int, outputs: int) -> list[Layer]:
    """Return the layers of a network of any kind: those of `networks.layers`, or those that its function asks for.

    Raises:
        UserError: as of `networks.layers`; or the function does not end in a linear layer, or returns values of another shape.
    """
    if network["kind"] in networks.KINDS:
        return networks.layers(network, inputs=inputs, outputs=outputs)
    layers, (replicas, samples) = Layers(outputs, None), (2, 3)
    with torch.no_grad():
        found = _called(network, torch.zeros(replicas, inputs, samples), layers)
    if tuple(found.shape) != (replicas, outputs, samples) or not layers.made or layers.made[-1].tensors.get("bias") != (outputs,):
        raise UserError(
            f"scripts/common/architectures.py: network '{network['kind']}' returns values of the shape {tuple(found.shape)} for {replicas} "
            f"replicas, {outputs} outputs and {samples} samples; end it with: return layers.linear(values, layers.outputs)"
        )
    return layers.made


def shapes(network: Mapping[str, Any], *, inputs: int, outputs: int) -> Shapes:
    """Return the shape of each tensor of a network of any kind by its name, in the order in which they are stored; as of `layers_of`."""
    found = layers_of(network, inputs=inputs, outputs=outputs)
    return {name: shape for layer in found for name, shape in zip(layer.names(), layer.tensors.values(), strict=True)}


def _called(network: Mapping[str, Any], x: Tensor, layers: Layers) -> Tensor:
    found: Tensor = parts.call(architectures, network, x, layers)
    return found


def forward(tensors: Sequence[Tensor], x: Tensor, *, network: Mapping[str, Any], mode: Mode = EVALUATION) -> Tensor:
    """Return the predictions (R, C, N) of all replicas of a network, differentiable once in all `tensors`.

    Args:
        tensors: the tensors of `shapes`, of all replicas: (R, *shape) each. In training, running statistics are brought up to
            date in place.
        x: inputs (D, N) for all replicas, or (R, D, N).
        network: ``kind`` and the options of the network.
        mode: training or evaluation.
    """
    if network["kind"] not in networks.KINDS:
        x = x.expand(len(tensors[0]), *x.shape[-2:])
        return _called(network, x, Layers(tensors[-1].shape[-1], iter(tensors), mode.watch))
    layers = networks.layers(network, inputs=x.shape[-2], outputs=tensors[-1].shape[-1])
    names = [name for layer in layers for name in layer.names()]
    held = dict(zip(names, tensors, strict=True))
    x = x.expand(len(tensors[0]), *x.shape[-2:])
    made = _Pass(network, held, mode)
    if network["kind"] == "recurrent":
        return _recurrent(made, layers, x)
    if network["kind"] == "attention":
        return _attention(made, layers, x)
    return _sequence(made, layers, x)


def predict(tensors: Sequence[Tensor], x: Tensor, *, network: Mapping[str, Any]) -> Tensor:
    """Return what `forward` does at many points x (D, N) in evaluation mode, some at a time, and not differentiable."""
    count = SAMPLES_AT_ONCE if network["kind"] == "convolutional" else ROWS_AT_ONCE
    with torch.no_grad():
        return torch.cat([forward(tensors, some, network=network) for some in torch.split(x, count, dim=1)], dim=2)


def predict_all(parameters: NDArray[Any], x: NDArray[np.float64], *, network: Mapping[str, Any], outputs: int) -> NDArray[np.float64]:
    """Return the predictions (R, N, C), computed in float64, at the points x (N, D) of networks with the flat `parameters` (R, P)."""
    of_tensors = shapes(network, inputs=x.shape[1], outputs=outputs)
    tensors = unflatten(torch.as_tensor(np.asarray(parameters, dtype=np.float64)), of_tensors)
    found = predict(tensors, torch.as_tensor(np.ascontiguousarray(x.T)), network=network)
    return np.ascontiguousarray(found.mT.numpy())


def unflatten(parameters: Tensor, shapes: Shapes) -> list[Tensor]:
    """Return the tensors (R, *shape), views of the flat `parameters` (R, P), in the order of `shapes`."""
    ends = [0, *accumulate(math.prod(shape) for shape in shapes.values())]
    return [
        parameters[:, begin:end].view(len(parameters), *shape) for (begin, end), shape in zip(pairwise(ends), shapes.values(), strict=True)
    ]


class _Pass(NamedTuple):
    """One pass: the network, its tensors (R, *shape) by name, and its mode."""

    network: Mapping[str, Any]
    tensors: Tensors
    mode: Mode

    def tensor(self, layer: Layer, name: str) -> Tensor:
        return self.tensors[f"{layer.number}.{name}"]

    def linear(self, layer: Layer, values: Tensor) -> Tensor:
        """Return weight times values plus bias, (R, O, ..., N) of values (R, I, ..., N)."""
        found = torch.baddbmm(self.tensor(layer, "bias")[:, :, None], self.weight(layer), values.flatten(2))
        return self.watched(layer, values, found.view(len(found), -1, *values.shape[2:]))

    def convolution(self, layer: Layer, values: Tensor) -> Tensor:
        return self.watched(layer, values, convolutional.convolve(values, self.weight(layer), self.tensor(layer, "bias")))

    def weight(self, layer: Layer) -> Tensor:
        """Return the weight of a layer, with connections dropped in training, but for those that come from the input."""
        weight, dropout = self.tensor(layer, "weight"), self.network.get("dropout")
        if not layer.number or self.mode.generators is None or not dropout or dropout["kind"] != "drop_connect":
            return weight
        return self.drop(weight)

    def normalized(self, layer: Layer | None, values: Tensor, *, place: int | None = None) -> Tensor:
        """Return values (R, C, ..., N) normalized, by the running statistics of a place where there are several; as they are for None."""
        if layer is None:
            return values
        kept = [self.tensor(layer, name) for name in networks.RUNNING if name in layer.tensors]
        running = tuple(one if place is None else one[:, place] for one in kept)
        return normalization.normalize(
            values,
            self.tensor(layer, "weight"),
            self.tensor(layer, "bias"),
            kind=self.network["normalization"],
            groups=self.network.get("groups"),
            running=running or None,  # type: ignore[arg-type]
            training=self.mode.generators is not None,
        )

    def activated(self, layer: Layer, values: Tensor) -> Tensor:
        if layer.tensors:
            slope = self.tensor(layer, "weight").view(-1, *[1] * (values.dim() - 1))
            return torch.where(values > 0, values, slope * values)
        return convolutional.activate(values, parts.call(activations, {"kind": self.network["activation"]}))

    def drop(self, values: Tensor) -> Tensor:
        """Return values of which some are dropped, in training."""
        if self.mode.generators is None:
            return values
        found: Tensor = parts.call(dropouts, self.network["dropout"], values, generators=self.mode.generators)
        return found

    def watched(self, layer: Layer, below: Tensor, values: Tensor) -> Tensor:
        if self.mode.watch is not None:
            self.mode.watch(layer, below, values)
        return values


def _sequence(made: _Pass, layers: Sequence[Layer], values: Tensor) -> Tensor:
    """Return the predictions of a perceptron or a convolutional network.

    A perceptron with residual branches adds, before every second activation but the first, what came in two linear layers before:
    h = activation(h + W_b activation(W_a h + b_a) + b_b), with normalizations within the branch.

    An activation that never falls does not change which of four values is the largest: it is applied after the pooling.
    """
    branches = bool(made.network.get("residual"))
    linear, entered = 0, values
    pooled = any(layer.kind == "pooling" for layer in layers)
    for layer in layers:
        if layer.kind == "convolution":
            if values.dim() == 3:
                side = math.isqrt(values.shape[1])
                values = values.unflatten(1, (1, side, side))  # type: ignore[no-untyped-call]
            values = made.convolution(layer, values)
        elif layer.kind == "linear":
            if branches and linear % 2 == 1:
                entered = values
            values, linear = made.linear(layer, values), linear + 1
        elif layer.kind == "normalization":
            values = made.normalized(layer, values)
        elif layer.kind == "activation":
            if branches and linear > 1 and linear % 2 == 1:
                values = entered + values
            values = made.activated(layer, convolutional.pool(values) if pooled else values)
        elif layer.kind == "dropout":
            values = made.drop(values)
        elif layer.kind == "flatten":
            values = values.flatten(1, -2)
    return values


def _recurrent(made: _Pass, layers: Sequence[Layer], x: Tensor) -> Tensor:
    """Return the predictions of a recurrent network, which reads an image row by row.

    h_t = activation(normalized(W (x_t, h_(t-1)) + b)) from h_0 = 0; the output layer reads the last one.
    """
    inner, output = layers[0], layers[-1]
    within = {layer.kind: layer for layer in layers[1:-1]}
    each = made.network.get("normalization") == "batch"  # running statistics are those of one row
    side = math.isqrt(x.shape[1])
    rows = x.unflatten(1, (side, side)).unbind(1)  # type: ignore[no-untyped-call]
    state = x.new_zeros(len(x), inner.tensors["bias"][0], x.shape[2])
    for place, row in enumerate(rows):
        sums = made.linear(inner, torch.cat([row, state], dim=1))
        state = made.activated(within["activation"], made.normalized(within.get("normalization"), sums, place=place if each else None))
    return made.linear(output, made.drop(state) if "dropout" in within else state)


def _attention(made: _Pass, layers: Sequence[Layer], x: Tensor) -> Tensor:
    """Return the predictions of one attention block on the rows of an image as tokens (Vaswani et al. 2017), averaged over tokens.

    z = W_e x + b_e + positions;  z += W_o attention(normalized(z)) + b_o;  z += W_2 activation(W_1 normalized(z) + b_1) + b_2, with one
    head of attention, softmax(q k^T / sqrt(width)) v.
    """
    embed, queries, project, widen, narrow, output = (layer for layer in layers if layer.kind == "linear")
    before, between = [layer for layer in layers if layer.kind == "normalization"] or (None, None)
    activation = next(layer for layer in layers if layer.kind == "activation")
    side = math.isqrt(x.shape[1])
    tokens = x.unflatten(1, (side, side)).transpose(1, 2)  # type: ignore[no-untyped-call]  # (R, D, T, N)
    values = made.linear(embed, tokens)
    width = values.shape[1]
    values = values + _positions(width, side, like=values)[:, :, None]
    query, key, value = (
        part.movedim(-1, 1) for part in made.linear(queries, made.normalized(before, values)).chunk(3, dim=1)
    )  # (R, N, E, T)
    weights = torch.softmax(query.mT @ key / math.sqrt(width), dim=-1)  # (R, N, T, T), from each token to all
    values = values + made.linear(project, (value @ weights.mT).movedim(1, -1))
    branch = made.linear(narrow, made.activated(activation, made.linear(widen, made.normalized(between, values))))
    values = (values + branch).mean(2)
    return made.linear(output, made.drop(values) if any(layer.kind == "dropout" for layer in layers) else values)


def _positions(width: int, places: int, *, like: Tensor) -> Tensor:
    """Return sines and cosines (width, places) of the place of a token, of wavelengths from 2 pi to 2 pi 10,000 (Vaswani et al. 2017)."""
    half = -(-width // 2)
    place, number = (torch.arange(count, dtype=like.dtype, device=like.device) for count in (places, half))
    phases = place[None] * 10000.0 ** (-number[:, None] / half)
    return torch.cat([phases.sin(), phases.cos()])[:width]
