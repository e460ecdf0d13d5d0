"""Training of convolutional networks: 10 replicas stacked, against one network in a plain PyTorch loop, per replica and step."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.comparison import Comparison, compare
from scripts.common.storage import Arrays
from scripts.common.training import train
from scripts.datasets import digits

REPLICAS, STEPS, BATCH, MOMENTUM = 10, 150, 50, 0.9
SETTINGS: dict[str, Any] = {
    "initialization": {"kind": "torch_default", "seed": 0},
    "batches": {"kind": "permutations", "seed": 1000, "size": BATCH},
    "loss": {"kind": "cross_entropy"},
    "steps": STEPS,
    "evaluate_every": STEPS,
    "replicas": REPLICAS,
    "engine": "autograd",
}
NETWORKS: dict[str, tuple[list[int], float, str | None, int]] = {
    "phase 3 of training dynamics": ([16, 48], 0.02, None, 1000),
    "techniques": ([8, 16], 0.1, None, 300),
    "techniques, batch normalization": ([8, 16], 0.1, "batch", 300),
    "techniques, group normalization": ([8, 16], 0.1, "group", 300),
}
"""Channels, learning rate, normalization and number of training images."""
GROUPS = 4


def comparisons() -> list[Comparison]:
    """Time the training of all replicas, with the drawing of batches; both take the loss on all training samples at the end."""
    torch.set_num_threads(1)
    found = []
    for name, (channels, learning_rate, normalization, samples) in NETWORKS.items():
        data = digits.generate(seed=0, train_samples=samples, test_samples=10)
        network: dict[str, Any] = {"kind": "convolutional", "channels": channels, "kernel": 3, "activation": "relu"}
        network |= {"normalization": normalization} if normalization else {}
        network |= {"groups": GROUPS} if normalization == "group" else {}
        settings = SETTINGS | {"network": network, "optimizer": {"kind": "sgd", "learning_rate": learning_rate, "momentum": MOMENTUM}}
        plain, ours = partial(_plain_loop, data, channels, learning_rate, normalization), partial(train, data, **settings)
        losses = {"ours": ours()["train_loss"][-1, 0], "plain": plain()}
        assert abs(losses["ours"] - losses["plain"]) < 1e-3, (name, losses)
        found += compare(
            f"convolutional network of {name}, {REPLICAS} replicas, {STEPS} steps",
            plain={"PyTorch loop, one network at a time": (plain, 2)},
            ours=ours,
            runs=7,
            plain_share=1 / REPLICAS,
        )
    return found


def _plain_loop(data: Arrays, channels: list[int], learning_rate: float, normalization: str | None) -> float:
    """Train one network, the first replica, as one would write it with PyTorch."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    below, side = 1, 8
    for width in channels:
        layers += [nn.Conv2d(below, width, 3, padding=1)]
        if normalization:
            layers.append(nn.BatchNorm2d(width) if normalization == "batch" else nn.GroupNorm(GROUPS, width))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        below, side = width, side // 2
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(below * side * side, 10))
    optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum=MOMENTUM)
    criterion = nn.CrossEntropyLoss()
    images = torch.from_numpy(data["train_x"]).float().view(-1, 1, 8, 8)
    labels = torch.from_numpy(data["train_y"]).argmax(dim=1)
    generator = np.random.RandomState(1000)
    order = np.concatenate([generator.permutation(len(images)) for _ in range(-(-STEPS * BATCH // len(images)))])
    for step in range(STEPS):
        indices = torch.from_numpy(order[step * BATCH : (step + 1) * BATCH])
        loss = criterion(model(images[indices]), labels[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        return float(criterion(model(images), labels))
