import itertools
import math

import pytest
import torch
from torch import nn

from scripts.common import initializations, parts

WIDTHS = [1, 20, 20, 1]


def in_place(function):
    """What the source does: draw for each layer in turn, from the global generator."""

    def apply(module):
        if isinstance(module, nn.Linear):
            function(module.weight)
            nn.init.zeros_(module.bias)

    return apply


EXPECTED = {
    "uniform": in_place(lambda weight: nn.init.uniform_(weight, -0.5, 0.5)),
    "he_normal": in_place(lambda weight: nn.init.normal_(weight, 0.0, math.sqrt(2 / weight.shape[1]))),
    "he_uniform": in_place(lambda weight: nn.init.uniform_(weight, -math.sqrt(6 / weight.shape[1]), math.sqrt(6 / weight.shape[1]))),
    "xavier_normal": in_place(lambda weight: nn.init.normal_(weight, 0.0, math.sqrt(2 / sum(weight.shape)))),
    "orthogonal": in_place(lambda weight: nn.init.orthogonal_(weight, math.sqrt(2))),
    "torch_default": lambda _module: None,
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_draws_what_a_torch_model_with_the_same_seed_draws(kind):
    torch.manual_seed(7)
    model = nn.Sequential(*(nn.Linear(fan_in, fan_out) for fan_in, fan_out in itertools.pairwise(WIDTHS)))
    if kind != "torch_default":
        torch.manual_seed(7)
    model.apply(EXPECTED[kind])

    generator = torch.Generator().manual_seed(7)
    options = {"scale": 0.5} if kind == "uniform" else {}
    for layer in model:
        weight, bias = torch.full_like(layer.weight, torch.nan), torch.full_like(layer.bias, torch.nan)
        parts.call(initializations, {"kind": kind, **options}, weight.data, bias.data, generator=generator)
        torch.testing.assert_close(weight, layer.weight, rtol=0, atol=0)
        torch.testing.assert_close(bias, layer.bias, rtol=0, atol=0)


@pytest.mark.parametrize(("kind", "variance"), [("he_normal", 2 / 400), ("he_uniform", 2 / 400), ("xavier_normal", 2 / 1000)])
def test_variance_is_the_one_of_the_paper(kind, variance):
    weight, bias = torch.empty(600, 400), torch.empty(600)
    parts.call(initializations, {"kind": kind}, weight, bias, generator=torch.Generator().manual_seed(0))
    assert weight.var().item() == pytest.approx(variance, rel=0.02)
    assert not bias.any()


def test_orthogonal_keeps_lengths_up_to_the_gain_of_relu():
    weight, bias = torch.empty(30, 30), torch.empty(30)
    initializations.orthogonal(weight, bias, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weight.T @ weight, 2 * torch.eye(30), atol=1e-5, rtol=0)
