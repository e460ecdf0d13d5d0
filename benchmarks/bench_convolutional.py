"""Training of convolutional networks: 10 replicas stacked, against one network in a plain PyTorch loop, per replica and step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.comparison import Comparison, compare
from scripts.common.training import train
from scripts.datasets import digits

REPLICAS, STEPS, BATCH, LEARNING_RATE, MOMENTUM = 10, 150, 50, 0.02, 0.9
SETTINGS: dict[str, Any] = {
    "network": {"kind": "convolutional", "channels": [16, 48], "kernel": 3, "activation": "relu"},
    "initialization": {"kind": "torch_default", "seed": 0},
    "optimizer": {"kind": "sgd", "learning_rate": LEARNING_RATE, "momentum": MOMENTUM},
    "batches": {"kind": "permutations", "seed": 1000, "size": BATCH},
    "loss": {"kind": "cross_entropy"},
    "steps": STEPS,
    "evaluate_every": STEPS,
    "replicas": REPLICAS,
    "engine": "autograd",
}


def comparisons() -> list[Comparison]:
    """Time the training of all replicas, with the drawing of batches; both take the loss on all training samples at the end."""
    torch.set_num_threads(1)
    data = digits.generate(seed=0, train_samples=1000, test_samples=10)
    losses = {"ours": train(data, **SETTINGS)["train_loss"][-1, 0], "plain": _plain_loop(data["train_x"], data["train_y"])}
    assert abs(losses["ours"] - losses["plain"]) < 1e-3, losses
    return compare(
        f"convolutional network, {REPLICAS} replicas, {STEPS} steps",
        plain={"PyTorch loop, one network at a time": (lambda: _plain_loop(data["train_x"], data["train_y"]), 2)},
        ours=lambda: train(data, **SETTINGS),
        runs=7,
        plain_share=1 / REPLICAS,
    )


def _plain_loop(train_x: np.ndarray, train_y: np.ndarray) -> float:
    """Train one network, the first replica, as one would write it with PyTorch."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 48, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(192, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=MOMENTUM)
    criterion = nn.CrossEntropyLoss()
    images = torch.from_numpy(train_x).float().view(-1, 1, 8, 8)
    labels = torch.from_numpy(train_y).argmax(dim=1)
    generator = np.random.RandomState(1000)
    order = np.concatenate([generator.permutation(len(images)) for _ in range(-(-STEPS * BATCH // len(images)))])
    for step in range(STEPS):
        indices = torch.from_numpy(order[step * BATCH : (step + 1) * BATCH])
        loss = criterion(model(images[indices]), labels[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float(criterion(model(images), labels))
