"""A trained network in numpy: its predictions, the gradient of its loss, and the Jacobian of its output in its parameters.

Training has its own form of the same network (`scripts.common.perceptron`), which is fast for many replicas and small batches; this
one is for analysis: whole data sets, float64, nothing but numpy. Parameters are flat, in the order of their names (``0.weight``,
``0.bias``, ``2.weight``, ...). With h_0 = x and h_l = activation(h_(l-1) W_l^T + b_l), the Jacobian follows from the last layer down:

    d y_c / d b_l = D_l            D_L = identity,  D_(l-1) = (D_l W_l) * activation'(z_(l-1))
    d y_c / d W_l = D_l outer h_(l-1)

Where the parametrization of the network is not the standard one, W and b are the parameters times their scales, and so are derivatives.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scripts.common import activations, networks, parametrization, parts
from scripts.common.activations import Activation
from scripts.common.losses import Loss

Layers = list[tuple[NDArray[Any], NDArray[Any]]]


def slices(network: Mapping[str, Any], *, inputs: int, outputs: int) -> dict[str, slice]:
    """Return where each tensor stands in the flat parameters (P,), by its name, in order."""
    sizes = networks.sizes(network, inputs=inputs, outputs=outputs)
    ends = [0, *accumulate(sizes.values())]
    return {name: slice(begin, end) for name, (begin, end) in zip(sizes, pairwise(ends), strict=True)}


def predict(parameters: NDArray[Any], x: NDArray[Any], *, network: Mapping[str, Any]) -> NDArray[Any]:
    """Return the predictions (N, C) at the points x (N, D) of one network with the flat `parameters` (P,), in the dtype of x."""
    return _outputs(_layers(parameters, network, x), x, _activation(network))[-1]


def loss_gradient(parameters: NDArray[Any], x: NDArray[Any], y: NDArray[Any], *, network: Mapping[str, Any], loss: Loss) -> NDArray[Any]:
    """Return the gradient (P,) of the loss on all samples x (N, D), y (N, C), in the dtype of x."""
    layers, activation = _layers(parameters, network, x), _activation(network)
    outputs = _outputs(layers, x, activation)
    found: list[NDArray[Any]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        delta = np.empty_like(outputs[-1])
        loss.gradient(outputs[-1].T, y.T, delta.T)
        for layer in range(len(layers) - 1, -1, -1):
            below = outputs[layer - 1] if layer else x
            found = [(delta.T @ below).ravel(), delta.sum(axis=0), *found]
            if layer:
                delta = delta @ layers[layer][0]
                activation.chain(delta, below)
    return _scaled(np.concatenate(found), network, x, outputs=y.shape[1])


def jacobian(parameters: NDArray[Any], x: NDArray[Any], *, network: Mapping[str, Any], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return d output_c / d parameter_p, (N, C, P) of `dtype`, at the points x (N, D) of one network with the flat `parameters` (P,).

    The parameters are cast to `dtype` before anything is computed. Where one of them is not finite, all is nan.
    """
    x = x.astype(dtype, copy=False)
    layers, activation = _layers(parameters, network, x), _activation(network)
    samples, outputs = len(x), len(layers[-1][1])
    out = np.empty((samples, outputs, len(parameters)), dtype=dtype)
    if not np.isfinite(parameters).all():
        out.fill(np.nan)
        return out
    below = [x, *_outputs(layers, x, activation)[:-1]]
    delta = np.broadcast_to(np.eye(outputs, dtype=dtype), (samples, outputs, outputs))
    end = len(parameters)
    for (weight, _), values in zip(reversed(layers), reversed(below), strict=True):
        fan_out, fan_in = weight.shape
        middle, begin = end - fan_out, end - fan_out - fan_out * fan_in
        out[:, :, middle:end] = delta
        block = out[:, :, begin:middle].reshape(samples, outputs, fan_out, fan_in, copy=False)
        np.einsum("nco,ni->ncoi", delta, values, out=block)
        if begin:
            delta = delta @ weight
            activation.chain(delta, np.broadcast_to(values[:, None, :], delta.shape))
        end = begin
    return _scaled(out, network, x, outputs=outputs)


def _activation(network: Mapping[str, Any]) -> Activation:
    chosen: Activation = parts.call(activations, {"kind": network["activation"]})
    return chosen


def _layers(parameters: NDArray[Any], network: Mapping[str, Any], x: NDArray[Any]) -> Layers:
    """Return weight (outputs, inputs) and bias (outputs,) of each layer; the number of outputs of the network follows from P."""
    hidden = [x.shape[1], *network["hidden"]]
    outputs = (len(parameters) - sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(hidden))) // (hidden[-1] + 1)
    rest, found = _scaled(parameters.astype(x.dtype, copy=False), network, x, outputs=outputs), []
    for fan_in, fan_out in pairwise([*hidden, outputs]):
        size = fan_in * fan_out
        found.append((rest[:size].reshape(fan_out, fan_in), rest[size : size + fan_out]))
        rest = rest[size + fan_out :]
    return found


def _scaled(values: NDArray[Any], network: Mapping[str, Any], x: NDArray[Any], *, outputs: int) -> NDArray[Any]:
    """Return values (..., P), one for each parameter, times the scales of the parameters; x (N, D) has the inputs of the network."""
    scales = parametrization.scales(network, inputs=x.shape[1], outputs=outputs)
    return values if scales is None else values * scales.astype(values.dtype)


def _outputs(layers: Layers, x: NDArray[Any], activation: Activation) -> list[NDArray[Any]]:
    """Return the outputs of all layers, (N, width) each, activated but for the last; what is not finite is a result."""
    found: list[NDArray[Any]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for weight, bias in layers:
            if found:
                activation.apply(found[-1], found[-1])
            found.append((found[-1] if found else x) @ weight.T + bias)
    return found
