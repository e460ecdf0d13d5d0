import pytest
import torch

from scripts.common import optimizers, parts

CASES = [
    ({"kind": "sgd", "learning_rate": 0.1}, lambda p: torch.optim.SGD(p, 0.1)),
    ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    ({"kind": "adam", "learning_rate": 0.01}, lambda p: torch.optim.Adam(p, 0.01)),
    (
        {"kind": "adam", "learning_rate": 0.01, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3},
        lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.9), eps=1e-3),
    ),
]


@pytest.mark.parametrize(("settings", "build"), CASES)
def test_twenty_updates_are_those_of_torch(settings, build):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(50, generator=generator, dtype=torch.float64)
    ours, gradient, theirs = start.clone(), torch.empty_like(start), start.clone().requires_grad_()
    tested = parts.call(optimizers, settings, ours, gradient)
    optimizer = build([theirs])
    for number in range(1, 21):
        gradient.copy_(torch.randn(50, generator=generator, dtype=torch.float64) + theirs.detach())
        theirs.grad = gradient.clone()
        tested.update(number)
        optimizer.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-14)
    assert (ours - start).abs().max() > 0.1
