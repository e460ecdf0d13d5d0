"""The kinds of networks: of which layers each consists, and which tensors these have.

Names and shapes are those of the same network as a ``torch.nn.Sequential``: of a perceptron of

    Linear, activation, Linear, ..., Linear

and of a convolutional network, on square gray images, with convolutions of step 1 that keep the size, of

    Conv2d, activation, MaxPool2d(2), Conv2d, ..., MaxPool2d(2), Flatten, Linear

A normalization stands before each of those activations, a dropout behind each of them (and its pooling); each takes a place of its own,
and so shifts the numbers of the layers after it. Recurrent networks and attention, of which there is no such sequence, number their
layers in the order in which values first come to them.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from scripts.common.errors import UserError

Shapes = dict[str, tuple[int, ...]]

KINDS = ("perceptron", "convolutional", "recurrent", "attention")
"""The kinds of networks here, which may have techniques; others are functions in `scripts.common.architectures`."""

RUNNING = ("running_mean", "running_var")
"""Tensors that training updates by the way rather than by a gradient: the running statistics of batch normalization."""
START = {"normalization.weight": 1.0, "running_var": 1.0, "activation.weight": 0.25}
"""What tensors are at initialization that no initialization fills, by their layer and name, or by their name; else 0."""
GROWTH = 2
"""How many times as wide as the tokens the hidden layer of an attention block is."""


class Layer(NamedTuple):
    """A layer of a network.

    Attributes:
        kind: linear, convolution, normalization, activation, pooling, dropout or flatten; parameter, one of a function's own.
        number: its number, with which the names of its tensors begin.
        tensors: the shapes of its tensors by their names without the number.
    """

    kind: str
    number: int
    tensors: Shapes

    def names(self) -> list[str]:
        """Return the whole names of its tensors."""
        return [f"{self.number}.{name}" for name in self.tensors]


def layers(network: Mapping[str, Any], *, inputs: int, outputs: int) -> list[Layer]:
    """Return the layers of a network, from the input on.

    Args:
        network: ``kind`` and its options: ``hidden``, the widths of a perceptron's hidden layers, or the one width of a recurrent network
            and of attention; ``channels`` of each convolution, from the image on, and ``kernel``, the side of their patches, an odd
            number; for all of them ``activation``, ``normalization`` and ``dropout``, and ``residual`` for a perceptron.
        inputs: number of inputs, D: of images, of their pixels.
        outputs: number of outputs, C.

    Raises:
        UserError: the network is a function, whose layers are not told here; the pixels are no square image, or nothing of the image is
            left after the pooling; what the kinds have or have not is checked with the configuration.
    """
    kind = network.get("kind", "perceptron")
    if kind not in KINDS:
        raise UserError(f"network.kind: what is measured here takes networks of the kinds {', '.join(KINDS)}, not '{kind}'; leave it out")
    side = math.isqrt(inputs)
    if kind != "perceptron" and side * side != inputs:
        raise UserError(f"network.kind: a {kind} network takes square images; {inputs} inputs are none; choose a perceptron")
    build = {"perceptron": _perceptron, "convolutional": _convolutional, "recurrent": _recurrent, "attention": _attention}[kind]
    unnumbered = build(network, inputs if kind == "perceptron" else side, outputs)
    return [Layer(name, number, tensors) for number, (name, tensors) in enumerate(unnumbered)]


def shapes(network: Mapping[str, Any], *, inputs: int, outputs: int) -> Shapes:
    """Return the shape of each tensor of a network by its name, in the order in which they are stored; arguments as of `layers`."""
    found = layers(network, inputs=inputs, outputs=outputs)
    return {name: shape for layer in found for name, shape in zip(layer.names(), layer.tensors.values(), strict=True)}


def sizes(network: Mapping[str, Any], *, inputs: int, outputs: int) -> dict[str, int]:
    """Return how many parameters each tensor has, by its name, in the order in which they are stored; arguments as of `layers`."""
    return {name: math.prod(shape) for name, shape in shapes(network, inputs=inputs, outputs=outputs).items()}


def is_trained(name: str) -> bool:
    """Whether the tensor of this name is trained by its gradient."""
    return name.rpartition(".")[2] not in RUNNING


def start(layer: Layer, name: str) -> float:
    """Return what all of a tensor of a layer is at initialization, where no initialization fills it."""
    return START.get(f"{layer.kind}.{name}", START.get(name, 0.0))


Unnumbered = Iterator[tuple[str, Shapes]]


def _linear(fan_in: int, fan_out: int) -> tuple[str, Shapes]:
    return "linear", {"weight": (fan_out, fan_in), "bias": (fan_out,)}


def _perceptron(network: Mapping[str, Any], inputs: int, outputs: int) -> Unnumbered:
    widths = [inputs, *network["hidden"]]
    for below, width in pairwise(widths):
        yield _linear(below, width)
        yield from _activated(network, width)
    yield _linear(widths[-1], outputs)


def _convolutional(network: Mapping[str, Any], side: int, outputs: int) -> Unnumbered:
    kernel = network["kernel"]
    if kernel % 2 == 0:
        raise UserError(f"network.kernel: wrong value {kernel}; allowed: an odd number, so that a patch has a middle")
    if side >> len(network["channels"]) == 0:
        raise UserError(
            f"network.channels: {len(network['channels'])} poolings leave nothing of {side} by {side} pixels; give fewer channels"
        )
    below = 1
    for channels in network["channels"]:
        if network.get("normalization") and side % 2:
            raise UserError(
                f"network.normalization: pooling leaves out a row of an image of {side} by {side} pixels, which statistics would miss; "
                "give fewer channels, or images whose side can be halved as often"
            )
        yield "convolution", {"weight": (channels, below, kernel, kernel), "bias": (channels,)}
        yield from _activated(network, channels, pooling=True)
        below, side = channels, side // 2
    yield "flatten", {}
    yield _linear(below * side * side, outputs)


def _recurrent(network: Mapping[str, Any], side: int, outputs: int) -> Unnumbered:
    (width,) = network["hidden"]
    yield _linear(side + width, width)
    yield from _activated(network, width, places=side)
    yield _linear(width, outputs)


def _attention(network: Mapping[str, Any], side: int, outputs: int) -> Unnumbered:
    (width,) = network["hidden"]
    yield _linear(side, width)
    yield from _normalization(network, width)
    yield _linear(width, 3 * width)
    yield _linear(width, width)
    yield from _normalization(network, width)
    yield _linear(width, GROWTH * width)
    yield "activation", {}
    yield _linear(GROWTH * width, width)
    yield from _dropout(network)
    yield _linear(width, outputs)


def _activated(network: Mapping[str, Any], width: int, *, pooling: bool = False, places: int | None = None) -> Unnumbered:
    """Yield what follows a layer of units, before the next one."""
    yield from _normalization(network, width, places=places)
    yield "activation", {"weight": (1,)} if network["activation"] == "prelu" else {}
    if pooling:
        yield "pooling", {}
    yield from _dropout(network)


def _normalization(network: Mapping[str, Any], width: int, *, places: int | None = None) -> Unnumbered:
    """Yield the normalization of a layer of units, if there is one; running statistics are those of each of the `places`, if given."""
    if network.get("normalization"):
        running = (width,) if places is None else (places, width)
        kept: Shapes = dict.fromkeys(RUNNING, running) if network["normalization"] == "batch" else {}
        yield "normalization", {"weight": (width,), "bias": (width,), **kept}


def _dropout(network: Mapping[str, Any]) -> Unnumbered:
    """Yield the dropout of units, if there is one; that of connections is a part of the layer that they lead to."""
    if network.get("dropout") and network["dropout"]["kind"] != "drop_connect":
        yield "dropout", {}
