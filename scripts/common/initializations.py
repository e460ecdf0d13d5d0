"""Initializations of a whole network: each fills the weight (outputs, inputs, ...) and the bias (outputs,) of every layer in place.

Each draws from `generator` what a model of ``torch.nn.Linear`` layers draws from PyTorch's global generator with the same seed, in the
same order: layer by layer, the weight first, then the bias where it is random.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from scripts.common.errors import UserError
from scripts.common.options import Count, NonNegative, Positive

Layers = Sequence[tuple[Tensor, Tensor]]


def torch_default(layers: Layers, *, generator: Generator) -> None:
    """PyTorch's default: weight and bias uniform within 1 / sqrt(inputs)."""
    for weight, bias in layers:
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(weight[0].numel())
        nn.init.uniform_(bias, -bound, bound, generator=generator)


def uniform(layers: Layers, *, generator: Generator, scale: Positive) -> None:
    """Weight uniform within `scale`, bias zero."""
    for weight, bias in layers:
        nn.init.uniform_(weight, -scale, scale, generator=generator)
        nn.init.zeros_(bias)


def normal(layers: Layers, *, generator: Generator, scale: Positive, bias_scale: NonNegative = 0.0) -> None:
    """Weight normal with standard deviation `scale` / sqrt(inputs), bias with `bias_scale` (Poole et al. 2016)."""
    for weight, bias in layers:
        nn.init.normal_(weight, std=scale / math.sqrt(weight[0].numel()), generator=generator)
        if bias_scale:
            nn.init.normal_(bias, std=bias_scale, generator=generator)
        else:
            nn.init.zeros_(bias)


def zeros(layers: Layers, *, generator: Generator) -> None:  # noqa: ARG001 - nothing is drawn
    """Weight and bias zero: all units of a layer are the same, and stay so (what not to do)."""
    for weight, bias in layers:
        nn.init.zeros_(weight)
        nn.init.zeros_(bias)


def he_normal(layers: Layers, *, generator: Generator, slope: NonNegative = 0.0) -> None:
    """Weight normal with variance 2 / (1 + slope^2) / inputs (He et al. 2015, equations 10 and 15), bias zero.

    The slope is that of the activation left of zero: 0 for ReLU, 0.25 for PReLU as it starts.
    """
    for weight, bias in layers:
        nn.init.kaiming_normal_(weight, a=slope, nonlinearity="leaky_relu", generator=generator)
        nn.init.zeros_(bias)


def he_uniform(layers: Layers, *, generator: Generator) -> None:
    """Weight uniform with variance 2 / inputs (He et al. 2015), bias zero."""
    for weight, bias in layers:
        nn.init.kaiming_uniform_(weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(bias)


def xavier_uniform(layers: Layers, *, generator: Generator) -> None:
    """Weight uniform with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, equation 16), bias zero."""
    for weight, bias in layers:
        nn.init.xavier_uniform_(weight, generator=generator)
        nn.init.zeros_(bias)


def xavier_normal(layers: Layers, *, generator: Generator) -> None:
    """Weight normal with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, equation 12), bias zero."""
    for weight, bias in layers:
        nn.init.xavier_normal_(weight, generator=generator)
        nn.init.zeros_(bias)


def orthogonal(layers: Layers, *, generator: Generator) -> None:
    """Weight sqrt(2), the gain of ReLU, times a matrix with orthonormal rows or columns (Saxe et al. 2014), bias zero."""
    for weight, bias in layers:
        nn.init.orthogonal_(weight, gain=nn.init.calculate_gain("relu"), generator=generator)
        nn.init.zeros_(bias)


def lsuv(
    layers: Layers, *, generator: Generator, outputs_of: Callable[[int], Tensor], tolerance: Positive = 0.1, tries: Count = 10
) -> None:
    """Orthonormal weights, divided layer by layer until the layer's outputs have unit variance; bias zero (Mishkin and Matas 2016).

    Args:
        layers: weight and bias of each layer, from the input on.
        generator: draws the orthonormal weights.
        outputs_of: returns what layer i puts out before its activation, (units, ..., N), with the weights as they are now.
        tolerance: a layer is done once its variance, over all units and samples together, is less than this from 1.
        tries: so often a layer is divided at most; one whose outputs are all equal, or not finite, is left as it is.
    """
    for weight, bias in layers:
        nn.init.orthogonal_(weight, generator=generator)
        nn.init.zeros_(bias)
    for place, (weight, _) in enumerate(layers):
        for _ in range(tries):
            variance = outputs_of(place).double().var(correction=0).item()
            if abs(variance - 1) < tolerance or not 0 < variance < math.inf:
                break
            weight /= math.sqrt(variance)


def fixup(layers: Layers, *, generator: Generator) -> None:
    """Blocks that start as the identity: what a residual perceptron needs to begin at any depth as if it had none (Zhang et al. 2019).

    The layers are the first, two for each of the L residual blocks, and that of the output. The first has He's normal weights; so has the
    first of each block, times 1 / sqrt(L); the second of each block and the output are zero. All biases are zero, and the paper's scalar
    multipliers and biases are left out.

    Raises:
        UserError: the layers between the first and the last are no pairs.
    """
    blocks, odd = divmod(len(layers) - 2, 2)
    if odd or blocks < 1:
        raise UserError(
            "fixup is for residual blocks of two layers between the first and that of the output, "
            f"but the network has {len(layers)} layers; give it an odd number of hidden layers, at least 3"
        )
    he_normal(layers, generator=generator)
    for place, (weight, _) in enumerate(layers[1:]):
        if place % 2 == 0 and place < 2 * blocks:
            weight /= math.sqrt(blocks)
        else:
            nn.init.zeros_(weight)


def standard_normal(layers: Layers, *, generator: Generator) -> None:
    """Weight and bias standard normal, as the ntk parametrization has them (Jacot et al. 2018)."""
    for weight, bias in layers:
        nn.init.normal_(weight, generator=generator)
        nn.init.normal_(bias, generator=generator)


def standard_normal_antisymmetric(layers: Layers, *, generator: Generator) -> None:
    """As `standard_normal`, but with every unit of the last hidden layer twice, with opposite output weights (Chizat et al. 2019).

    The network is the difference of two equal networks, and so zero everywhere; its output biases are zero. Of an odd number of units the
    last has no twin, and an output weight of zero.
    """
    standard_normal(layers, generator=generator)
    (weight, bias), (output_weight, output_bias) = layers[-2:]
    half = len(weight) // 2
    weight[half : 2 * half], bias[half : 2 * half] = weight[:half], bias[:half]
    output_weight[:, half : 2 * half] = -output_weight[:, :half]
    output_weight[:, 2 * half :] = 0
    output_bias.zero_()


def elbows_inside(layers: Layers, *, generator: Generator) -> None:
    """PyTorch's default, but with biases of hidden layers such that every unit of ReLU has an elbow in [0, 1], uniform there.

    With the layers below as they are, unit i of a hidden layer is zero before its activation at the i-th of as many sorted uniform
    points e_i as the layer has units: b_i = -(W h(e_i))_i, where h is the output of the layer below.
    """

    def bias_above(weight: Tensor, bias: Tensor, elbows: NDArray[np.float64], outputs: Callable[[Tensor], Tensor]) -> Tensor:  # noqa: ARG001
        below = outputs(torch.as_tensor(elbows)[:, None])  # (units, width below)
        return -(weight.double() * below).sum(dim=1)

    _place_elbows(layers, generator, bias_above)


def elbows_as_in_source(layers: Layers, *, generator: Generator) -> None:
    """As `elbows_inside`, but for layers above the first with the bias that the source gives them: b_i = -e_i b_i, from their default one.

    The source takes the layer's bias where its formula asks for a weight. With one hidden layer there is no difference.
    """

    def bias_above(weight: Tensor, bias: Tensor, elbows: NDArray[np.float64], outputs: Callable[[Tensor], Tensor]) -> Tensor:  # noqa: ARG001
        return -torch.as_tensor(elbows) * bias.double()

    _place_elbows(layers, generator, bias_above)


def _place_elbows(
    layers: Layers,
    generator: Generator,
    bias_above: Callable[[Tensor, Tensor, NDArray[np.float64], Callable[[Tensor], Tensor]], Tensor],
) -> None:
    """Fill `layers` by PyTorch's default, then give the first new biases for its elbows, and each hidden one above what `bias_above` says.

    The elbows come from numpy's generator with the seed of `generator`, as in the source. `bias_above` is given the weight and the bias
    of the layer, its elbows, and a function from inputs (N, 1) to the outputs (N, width) of the layer below; all is computed in float64.
    """
    inputs = layers[0][0].shape[1]
    if inputs != 1:
        raise UserError(
            f"elbows are placed on an axis, but the network has {inputs} inputs; choose another initialization, or data with one input"
        )
    torch_default(layers, generator=generator)
    numbers = RandomState(generator.initial_seed())
    for depth, (weight, bias) in enumerate(layers[:-1]):
        elbows = np.sort(numbers.rand(len(bias)))
        if depth == 0:
            bias.copy_(-torch.as_tensor(elbows) * weight[:, 0].double())
        else:
            bias.copy_(bias_above(weight, bias, elbows, lambda x, depth=depth: _outputs(layers[:depth], x)))  # type: ignore[misc]


def _outputs(layers: Layers, x: Tensor) -> Tensor:
    """Return the outputs (N, width) of the last of `layers`, after its activation, at the points x (N, 1), in float64."""
    for weight, bias in layers:
        x = torch.relu(x @ weight.double().T + bias.double())
    return x
