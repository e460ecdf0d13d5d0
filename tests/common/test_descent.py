import numpy as np
import pytest
import torch

from scripts.common import descent

CURVES = torch.tensor([1.0, 10.0, 0.1], dtype=torch.float64)


def by_torch(optimizer, steps):
    """The path of an optimizer of PyTorch on half the sum of CURVES x^2, from (1, 2, 3)."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    chosen = optimizer([x])
    path = []
    for _ in range(steps):
        chosen.zero_grad()
        (CURVES * x**2).sum().div(2).backward()
        chosen.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


def own(method, steps, **settings):
    x, path = np.array([1.0, 2.0, 3.0]), []
    memory = descent.empty_memory(x.shape)
    for count in range(1, steps + 1):
        change, memory = descent.update(method, CURVES.numpy() * x, memory, count=count, **settings)
        x = x + change
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize(
    ("method", "optimizer"),
    [
        ("gradient_descent", lambda x: torch.optim.SGD(x, lr=0.05)),
        ("natural_gradient", lambda x: torch.optim.SGD(x, lr=0.05)),
        ("momentum", lambda x: torch.optim.SGD(x, lr=0.05, momentum=0.8)),
        ("adam", lambda x: torch.optim.Adam(x, lr=0.05)),
    ],
)
def test_rules_are_those_of_pytorch(method, optimizer):
    np.testing.assert_allclose(own(method, 40, learning_rate=0.05, momentum=0.8), by_torch(optimizer, 40), rtol=1e-10)


def test_many_learning_rates_at_once():
    gradient = np.ones((2, 3))
    change, _ = descent.update(
        "gradient_descent", gradient, descent.empty_memory((2, 3)), count=1, learning_rate=np.array([[0.1], [0.2]]), momentum=0.0
    )
    np.testing.assert_allclose(change, [[-0.1] * 3, [-0.2] * 3])


def test_the_best_rate_has_the_smallest_median_and_then_the_least_left():
    never = np.inf
    assert descent.best_rate(np.array([[9, 9, 9], [1, 8, 100], [never, 7, never]]), np.zeros((3, 3))) == 1
    assert descent.best_rate(np.full((3, 2), never), np.array([[3.0, 3.0], [1.0, 2.0], [np.nan, np.nan]])) == 1
    assert descent.best_rate(np.full((2, 2), never), np.full((2, 2), np.nan)) == 0
