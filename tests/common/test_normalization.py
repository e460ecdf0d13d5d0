"""Normalization against PyTorch's own layers, one replica at a time, in float64; and the layer that the chapter shows."""

import copy
import re

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common.errors import UserError
from scripts.common.normalization import EPSILON, MOMENTUM, normalize
from scripts.common.places import PROJECT, chapter_path

REPLICAS, CHANNELS, GROUPS = 3, 6, 2
SHAPES = {"perceptron": (), "tokens": (5,), "image": (4, 3), "blocks": (2, 2, 2, 3)}
TOLERANCE = 1e-10


def example(spatial, *, samples=7, seed=0):
    """Return values, weight, bias, all of which want gradients, and the gradient of what comes out."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    values = 3 * drawn(REPLICAS, CHANNELS, *spatial, samples) + 2
    return [each.requires_grad_() for each in (values, drawn(REPLICAS, CHANNELS), drawn(REPLICAS, CHANNELS))], drawn(*values.shape)


def statistics():
    """Return a running mean and variance (R, C)."""
    mean, variance = torch.rand(2, REPLICAS, CHANNELS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return mean, variance + 0.5


def layer(kind, spatial):
    """Return PyTorch's layer, for one replica of values (N, C, *spatial)."""
    if kind == "batch":
        found = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[min(len(spatial), 2)](CHANNELS)
    elif kind == "layer":
        found = nn.LayerNorm([CHANNELS, *spatial], elementwise_affine=False)
    elif kind == "instance":
        found = nn.InstanceNorm2d(CHANNELS, affine=True)
    else:
        found = nn.GroupNorm(GROUPS, CHANNELS)
    return found.double()


def expected(module, values, weight, bias, gradient, *, spatial):
    """Return the output and the gradients in values, weight and bias of PyTorch's layer for one replica: (C, *spatial, N) and (C,)."""
    x, w, b = (each.detach().clone().requires_grad_() for each in (values, weight, bias))
    rows = x.movedim(-1, 0)
    if isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
        rows = rows.reshape(len(rows), CHANNELS, -1, 1)  # two axes of positions, however many there are
    scale = (1, CHANNELS, *[1] * len(spatial))
    found = module(rows).reshape(x.shape[-1], CHANNELS, *spatial)
    found = (found * w.view(scale) + b.view(scale)).movedim(0, -1)
    return found.detach(), torch.autograd.grad(found, (x, w, b), gradient)


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=TOLERANCE, atol=TOLERANCE)


CASES = [(kind, name) for kind in ("batch", "layer", "instance", "group") for name in SHAPES if (kind, name) != ("instance", "perceptron")]


@pytest.mark.parametrize(("kind", "name"), CASES)
@pytest.mark.parametrize("training", [True, False])
def test_outputs_and_gradients_are_those_of_pytorch_replica_by_replica(kind, name, training):
    spatial = SHAPES[name]
    (values, weight, bias), gradient = example(spatial)
    running = statistics()
    modules = [layer(kind, spatial).train(training) for _ in range(REPLICAS)]
    if kind == "batch":
        for replica, module in enumerate(modules):
            module.running_mean.copy_(running[0][replica])
            module.running_var.copy_(running[1][replica])
    found = normalize(values, weight, bias, kind=kind, groups=GROUPS if kind == "group" else None, running=running, training=training)
    gradients = torch.autograd.grad(found, (values, weight, bias), gradient)
    for replica, module in enumerate(modules):
        own = (each[replica] for each in (values, weight, bias, gradient))
        wanted, wanted_gradients = expected(module, *own, spatial=spatial)
        close(found[replica].detach(), wanted)
        for each, wanted_gradient in zip(gradients, wanted_gradients, strict=True):
            close(each[replica], wanted_gradient)


@pytest.mark.parametrize("name", SHAPES)
def test_running_statistics_are_those_of_pytorch_over_several_batches(name):
    spatial = SHAPES[name]
    # views of the flat parameters of replicas, as networks store them
    flat = torch.zeros(REPLICAS, 40, dtype=torch.float64)
    running = flat[:, 5 : 5 + CHANNELS], flat[:, 20 : 20 + CHANNELS]
    running[1].fill_(1)
    modules = [layer("batch", spatial) for _ in range(REPLICAS)]
    for step in range(4):
        (values, weight, bias), _ = example(spatial, seed=step)
        normalize(values, weight, bias, kind="batch", running=running, training=True)
        for replica, module in enumerate(modules):
            own = values[replica].detach().movedim(-1, 0)
            module(own.flatten(2).unsqueeze(-1) if len(spatial) > 1 else own)
    for replica, module in enumerate(modules):
        close(running[0][replica], module.running_mean)
        close(running[1][replica], module.running_var)
    assert not any(statistic.requires_grad for statistic in running)
    assert flat.abs().sum(dim=1).sub(sum(statistic.abs().sum(dim=1) for statistic in running)).abs().max() < TOLERANCE  # nothing else


def test_outputs_have_the_biased_variance_and_running_statistics_the_unbiased_one():
    (values, weight, bias), _ = example((2, 2), samples=3)
    plain = values.detach().numpy().reshape(REPLICAS, CHANNELS, -1)
    running = torch.zeros(REPLICAS, CHANNELS).double(), torch.zeros(REPLICAS, CHANNELS).double()
    found = normalize(values, torch.ones_like(weight), torch.zeros_like(bias), kind="batch", running=running, training=True)
    biased = (plain - plain.mean(-1, keepdims=True)) / np.sqrt(plain.var(-1, keepdims=True) + EPSILON)
    np.testing.assert_allclose(found.detach().numpy().reshape(plain.shape), biased, rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(running[1].numpy(), MOMENTUM * plain.var(-1, ddof=1), rtol=TOLERANCE)
    ratio = running[1].numpy() / (MOMENTUM * plain.var(-1))
    np.testing.assert_allclose(ratio, 12 / 11, rtol=TOLERANCE)


def test_in_evaluation_running_statistics_stay_and_a_sample_does_not_see_the_others():
    (values, weight, bias), _ = example((2,))
    running = statistics()
    kept = [statistic.clone() for statistic in running]
    found = normalize(values, weight, bias, kind="batch", running=running, training=False)
    alone = normalize(values[..., :1], weight, bias, kind="batch", running=running, training=False)
    close(found[..., :1], alone)
    for statistic, before in zip(running, kept, strict=True):
        assert torch.equal(statistic, before)


@pytest.mark.parametrize("kind", ["layer", "instance", "group"])
def test_a_sample_does_not_see_the_others_in_training_either(kind):
    (values, weight, bias), _ = example((2, 2))
    options = {"kind": kind, "groups": GROUPS, "training": True}
    close(normalize(values, weight, bias, **options)[..., :1], normalize(values[..., :1], weight, bias, **options))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_replica_does_not_see_the_others(kind, name):
    (values, weight, bias), _ = example(SHAPES[name])
    options = {"kind": kind, "groups": GROUPS, "training": True}
    alone = [normalize(*(each[one : one + 1] for each in (values, weight, bias)), **options) for one in range(REPLICAS)]
    close(normalize(values, weight, bias, **options), torch.cat(alone))


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_values_and_gradients_may_be_any_views(kind):
    (values, weight, bias), gradient = example((2, 2))
    options = {"kind": kind, "groups": GROUPS, "training": True}
    turned = values.movedim(-1, 0).detach().contiguous().movedim(0, -1).requires_grad_()
    weight, bias = (torch.stack([each, each], dim=2).detach()[..., 0].requires_grad_() for each in (weight, bias))
    wanted = torch.autograd.grad(normalize(values, weight, bias, **options), (values, weight, bias), gradient)
    viewed = gradient.movedim(0, -1).contiguous().movedim(-1, 0)
    found = torch.autograd.grad(normalize(turned, weight, bias, **options), (turned, weight, bias), viewed)
    for each, one in zip(found, wanted, strict=True):
        close(each, one)
    (of_bias,) = torch.autograd.grad(normalize(turned, weight, bias, **options).sum(), bias)
    close(of_bias, torch.full_like(bias, 28))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_outputs_stay_within_the_bound_that_is_documented(kind, training):
    (values, weight, bias), _ = example((2, 2))
    values = values.detach() ** 5
    values[..., 1:] *= 1e-6  # one sample with nearly all of the variance
    running = torch.zeros(REPLICAS, CHANNELS).double(), torch.zeros(REPLICAS, CHANNELS).double()
    found = normalize(values, weight, bias, kind=kind, groups=GROUPS, running=running, training=training)
    sizes = {"batch": 28, "layer": 24, "instance": 4, "group": 12}
    largest = sizes[kind] ** 0.5 if training or kind != "batch" else values.abs().max() / EPSILON**0.5
    bound = (weight.abs() * largest + bias.abs())[:, :, None, None, None]
    assert (found.abs() <= bound).all()


@pytest.mark.parametrize(
    ("options", "spatial", "samples", "message"),
    [
        ({"kind": "batch"}, (), 1, "batch of one sample"),
        ({"kind": "instance"}, (), 5, "more than one position"),
        ({"kind": "group"}, (2, 2), 5, "wrong value None"),
        ({"kind": "group", "groups": 4}, (2, 2), 5, "divisor of the number of channels, 6"),
        ({"kind": "power"}, (2, 2), 5, "known: batch, layer, instance, group"),
    ],
)
def test_errors_say_what_is_wrong(options, spatial, samples, message):
    (values, weight, bias), _ = example(spatial, samples=samples)
    with pytest.raises(UserError, match=message):
        normalize(values, weight, bias, training=True, **options)


def test_evaluation_of_batch_normalization_needs_running_statistics():
    (values, weight, bias), _ = example(())
    with pytest.raises(ValueError, match="running statistics"):
        normalize(values, weight, bias, kind="batch", training=False)


# the layer that the chapter gives as the solution of its coding task


def chapter_layer():
    text = (PROJECT / chapter_path("techniques")).read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(class BatchNorm\(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = {"nn": nn, "torch": torch}
    exec(code, found)  # noqa: S102 - the code of the chapter is what is tested
    return found["BatchNorm"](CHANNELS).double()


@pytest.mark.parametrize("spatial", [(), (4, 3)])
def test_the_layer_of_the_chapter_is_that_of_pytorch(spatial):
    own, theirs = chapter_layer(), layer("batch", spatial)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for scale in (own.gamma, theirs.weight):
            scale.copy_(torch.linspace(-1, 2, CHANNELS))
        for shift in (own.beta, theirs.bias):
            shift.copy_(torch.linspace(1, -1, CHANNELS))
    for training in (True, True, False):
        own.train(training)
        theirs.train(training)
        x = torch.randn(5, CHANNELS, *spatial, generator=generator, dtype=torch.float64) * 3 + 1
        along = torch.randn(*x.shape, generator=generator, dtype=torch.float64)
        results = []
        for module in (own, theirs):
            given = x.clone().requires_grad_()
            found = module(given)
            results.append([found.detach(), *torch.autograd.grad(found, (given, *module.parameters()), along)])
        for one, other in zip(*results, strict=True):
            close(one, other)
        close(own.running_mean, theirs.running_mean)
        close(own.running_var, theirs.running_var)
    copy.deepcopy(own)  # unlike the source's layer
