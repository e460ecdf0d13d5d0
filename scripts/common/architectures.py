"""Networks as functions: each says in one go which layers there are and what becomes of values in them.

A function is given values of all replicas and samples, (R, D, N), and `layers`, which makes layers as it is asked for them: of what
comes in and the number of units that go out. It is run once to see which layers there are, and then for every prediction. Anything of
PyTorch that is differentiable may stand between layers. The autograd engine trains such a network; nothing else has to know of it.

A new kind of network is one more function in this file: its name is the `kind` in a study's YAML, its keyword-only parameters are options.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from scripts.common.networks import Layer, Shapes
from scripts.common.options import Count

Watch = Callable[[Layer, Tensor, Tensor], object]


class Layers:
    """What a network's function makes its layers with.

    Attributes:
        outputs: number of outputs of the network, C.
        made: the layers so far, in the order in which they were asked for.
    """

    def __init__(self, outputs: int, tensors: Iterator[Tensor] | None, watch: Watch | None = None) -> None:
        """Take the tensors (R, *shape) of all layers in order, or zeros where there are none yet; tell `watch` of every linear layer."""
        self.outputs = outputs
        self.made: list[Layer] = []
        self._tensors, self._watch = tensors, watch

    def linear(self, values: Tensor, units: int) -> Tensor:
        """Return weight times values plus bias, (R, units, ..., N) of values (R, I, ..., N)."""
        layer, (weight, bias) = self._next("linear", {"weight": (units, values.shape[1]), "bias": (units,)}, values)
        found = torch.baddbmm(bias[:, :, None], weight, values.flatten(2)).view(len(values), units, *values.shape[2:])
        if self._watch is not None:
            self._watch(layer, values, found)
        return found

    def parameter(self, values: Tensor, *shape: int) -> Tensor:
        """Return a parameter (R, *shape) that is 0 at initialization, as a scale or a shift of the values (R, ...) may be."""
        return self._next("parameter", {"weight": shape}, values)[1][0]

    def _next(self, kind: str, shapes: Shapes, values: Tensor) -> tuple[Layer, list[Tensor]]:
        layer = Layer(kind, len(self.made), shapes)
        self.made.append(layer)
        if self._tensors is None:
            return layer, [values.new_zeros(len(values), *shape) for shape in shapes.values()]
        return layer, [next(self._tensors) for _ in shapes]


def gated(x: Tensor, layers: Layers, *, widths: list[Count]) -> Tensor:
    """A fully connected network of gated linear units: in each, one sum is multiplied by the sigmoid of another (Dauphin et al. 2017).

    Args:
        x: inputs, (R, D, N).
        layers: makes the layers.
        widths: the widths of the hidden layers, from the input on.
    """
    for width in widths:
        x = layers.linear(x, width) * torch.sigmoid(layers.linear(x, width))
    return layers.linear(x, layers.outputs)
