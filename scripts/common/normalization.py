"""Normalization of the values of a layer, many replicas at once: batch, layer, instance and group normalization.

Values are (R, C, *spatial, N): channels (the units of a layer without images) second, samples last, and between them the positions of
an image, any axes or none. Each kind has its sets of values; mean and variance are those of a set, and y is what comes out,

    x^ = (x - mean) / sqrt(variance + EPSILON),    y = weight x^ + bias        weight, bias (R, C): one of each for every channel

    batch     a set for each channel: all samples and positions     (Ioffe and Szegedy 2015)
    layer     a set for each sample: all channels and positions     (Ba, Kiros and Hinton 2016)
    instance  a set for each sample and channel: all positions      (Ulyanov, Vedaldi and Lempitsky 2016)
    group     a set for each sample and group of channels: all positions of them     (Wu and He 2018)

Replicas never share a set. The variance is that of the set, divided by its size; only the running variance of batch normalization is
the estimate for new samples, divided by the size less one, as in PyTorch.

How large an output can be, for bounds: |x^| is at most the square root of the size of its set, so |y| <= |weight| sqrt(size) + |bias|,
whatever the values are. Not so for batch normalization in evaluation, where the running statistics are not those of the values:
|y| <= |weight| (|x| + |running mean|) / sqrt(EPSILON) + |bias|, which is |weight| 2 max|x| / sqrt(EPSILON) + |bias| as long as
the running mean is no larger than the values.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from scripts.common.errors import UserError

EPSILON = 1e-5
MOMENTUM = 0.1
"""Weight of a batch in the running statistics."""
KINDS = ("batch", "layer", "instance", "group")


def normalize(
    values: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    kind: str,
    groups: int | None = None,
    running: tuple[Tensor, Tensor] | None = None,
    training: bool,
) -> Tensor:
    """Return normalized values, differentiable once in `values`, `weight` and `bias`.

    Args:
        values: (R, C, *spatial, N); the positions may have any number of axes, or none.
        weight: what the normalized values of each channel are multiplied by, (R, C).
        bias: what is added to them then, (R, C).
        kind: one of `KINDS`.
        groups: with kind "group" how many groups of successive channels there are, a divisor of C.
        running: with kind "batch" the running mean and variance (R, C), used in evaluation and updated in place in training,
            outside of any graph; they may be views of other tensors. Without them training keeps none.
        training: whether batch normalization takes the statistics of these values, or the running ones; the others make no difference.

    Raises:
        UserError: an unknown kind, groups that do not fit, or sets of a single value, of which the normalized value is always 0.
        ValueError: batch normalization in evaluation without running statistics.
    """
    if kind == "batch":
        return _over_batch(values, weight, bias, running=running, training=training)
    channels = values.shape[1]
    found: Tensor = _WithinSamples.apply(values, weight, bias, _groups(values, kind, channels, groups))  # type: ignore[no-untyped-call]
    return found


def _groups(values: Tensor, kind: str, channels: int, groups: int | None) -> int:
    """Return into how many groups the channels of a sample fall, each with a mean and a variance of its own."""
    if kind == "layer":
        return 1
    if kind == "instance":
        if math.prod(values.shape[2:-1]) == 1:
            raise UserError(
                "network.normalization: 'instance' needs more than one position of each channel, and these values have none but one; "
                "allowed here: batch, layer, group"
            )
        return channels
    if kind == "group":
        if groups is None or groups < 1 or channels % groups:
            raise UserError(f"network.groups: wrong value {groups}; allowed: a divisor of the number of channels, {channels}")
        return groups
    raise UserError(f"network.normalization: unknown kind '{kind}'; known: {', '.join(KINDS)}")


def _over_batch(values: Tensor, weight: Tensor, bias: Tensor, *, running: tuple[Tensor, Tensor] | None, training: bool) -> Tensor:
    """Return the values normalized by batch: to PyTorch all replicas' channels are the channels of a single sample, (1, R C, L)."""
    replicas, channels = values.shape[:2]
    rows = values.reshape(1, replicas * channels, -1)
    flat = weight.reshape(-1), bias.reshape(-1)
    if not training:
        if running is None:
            raise ValueError("batch normalization in evaluation needs running statistics")
        mean, variance = (statistic.detach().reshape(-1) for statistic in running)
        return torch.nn.functional.batch_norm(rows, mean, variance, *flat, training=False, eps=EPSILON).view(values.shape)
    if rows.shape[2] == 1:
        raise UserError(
            "batches.size: batch normalization cannot train on a batch of one sample, whose values are their own mean; "
            "give batches of at least 2, or another normalization"
        )
    # With a momentum of 1 the "running" statistics are those of this batch, the variance divided by its size less one.
    mean, variance = (values.new_zeros(replicas * channels) for _ in range(2))
    found = torch.nn.functional.batch_norm(rows, mean, variance, *flat, training=True, momentum=1.0, eps=EPSILON)
    if running is not None:
        with torch.no_grad():
            for kept, new in zip(running, (mean, variance), strict=True):
                kept.lerp_(new.view(replicas, channels), MOMENTUM)
    return found.view(values.shape)


class _WithinSamples(torch.autograd.Function):
    """Normalization of values over the channels of each group and all positions, sample by sample.

    With g = d loss / d y, and means over a set of `count` values,

        d loss / d x = (weight g - mean(weight g) - x^ mean(weight g x^)) / sqrt(variance + EPSILON)

    Values are seen as (R groups, count, N), so that sums run over the middle axis, and as one row for each replica and channel.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
        replicas, channels, samples = values.shape[0], values.shape[1], values.shape[-1]
        sets = values.contiguous().view(replicas * groups, -1, samples)
        normalized = sets - sets.mean(dim=1, keepdim=True)
        found = normalized.square()
        scale = found.mean(dim=1, keepdim=True).add_(EPSILON).rsqrt_()
        normalized *= scale
        rows = found.view(replicas * channels, -1)  # the memory of the squares
        torch.mul(normalized.view(rows.shape), weight.reshape(-1, 1), out=rows).add_(bias.reshape(-1, 1))
        ctx.save_for_backward(normalized, scale, weight)
        return rows.view(values.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        normalized, scale, weight = ctx.saved_tensors
        replicas, channels, samples = gradient.shape[0], gradient.shape[1], gradient.shape[-1]
        rows = gradient.contiguous().view(replicas * channels, -1)
        found = rows * normalized.view(rows.shape)
        # sums over the positions of each channel, (R C, N), from which all other sums are made
        plain, chained = (each.view(replicas * channels, -1, samples).sum(dim=1) for each in (rows, found))
        of_weight, of_bias = (each.sum(dim=1).view(replicas, channels) for each in (chained, plain))
        share = weight.reshape(-1, 1) / normalized.shape[1]
        mean, along = ((each * share).view(len(normalized), -1, samples).sum(dim=1, keepdim=True) for each in (plain, chained))
        torch.mul(rows, weight.reshape(-1, 1), out=found)
        found.view(normalized.shape).sub_(mean).addcmul_(normalized, along, value=-1).mul_(scale)
        return found.view(gradient.shape), of_weight, of_bias, None
