"""Updates of every kind on a pretended GPU: ``python -m tests.pretended_gpu`` prints what of each was not on it, as JSON.

PyTorch knows the pretended device, but tensors there have shapes and no numbers: a number that is asked for is an error, and so is an
operation with a tensor that is elsewhere. It is a process of its own because automatic differentiation takes no device that comes later.
"""

import json
from unittest.mock import patch

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from scripts.common import losses, networks, parts, training
from scripts.common.engine import Task
from tests.examples import TINY, tiny_settings

NTK = {"parametrization": "ntk", "weight_variance": 2.0, "bias_variance": 0.1, "output_scale": 1.0}
IMAGES = {"kind": "convolutional", "channels": [3, 4], "kernel": 3, "activation": "relu"}
ADAM = {"kind": "adam", "learning_rate": 0.01}
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "linear")
UPDATES = {
    **{f"{name} stacked": ("stacked", {"network": {**TINY, "activation": name}}) for name in ACTIVATIONS},
    "ntk": ("stacked", {"network": {**TINY, **NTK}}),
    "adam": ("stacked", {"optimizer": ADAM, "loss": {"kind": "cross_entropy"}}),
    "all samples": ("stacked", {"batches": {"kind": "full", "seed": 0}}),
    **{f"{name}": ("autograd", {"network": {**TINY, "activation": name}}) for name in (*ACTIVATIONS, "prelu")},
    **{f"{kind} normalization": ("autograd", {"network": {**TINY, "normalization": kind}}) for kind in ("batch", "layer")},
    "group normalization": ("autograd", {"network": {**TINY, "hidden": [6, 4], "normalization": "group", "groups": 2}}),
    "residual": ("autograd", {"network": {**TINY, "hidden": [6, 6, 6], "residual": True}, "optimizer": ADAM}),
    "convolutional": ("autograd", {"network": {**IMAGES, "normalization": "instance"}, "inputs": 64}),
    "recurrent": ("autograd", {"network": {**TINY, "kind": "recurrent", "hidden": [6], "normalization": "batch"}, "inputs": 64}),
    "attention": ("autograd", {"network": {**TINY, "kind": "attention", "hidden": [6], "normalization": "layer"}, "inputs": 64}),
    "dropout": ("autograd", {"network": {**TINY, "dropout": {"kind": "dropout", "rate": 0.3}}}),
    "dropped connections": ("autograd", {"network": {**TINY, "dropout": {"kind": "drop_connect", "rate": 0.3}}}),
    "dropped blocks": ("autograd", {"network": {**IMAGES, "dropout": {"kind": "drop_block", "rate": 0.3, "block": 2}}, "inputs": 64}),
    "mixup": ("autograd", {"augmentation": {"kind": "mixup", "alpha": 0.5}}),
    "cutmix": ("autograd", {"augmentation": {"kind": "cutmix", "alpha": 0.5}, "network": IMAGES, "inputs": 64}),
}


class Elsewhere(TorchDispatchMode):
    """Operations with a tensor that is not on the GPU."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, operation, _types, arguments=(), keywords=None):
        found = operation(*arguments, **(keywords or {}))
        if any(isinstance(one, torch.Tensor) and one.device.type != "pretended" for one in tree_leaves((arguments, keywords, found))):
            self.found.add(str(operation))
        return found


def a_task(network=TINY, *, device="cpu", inputs=2, **changes):
    settings = tiny_settings(**changes)
    size = sum(int(np.prod(shape)) for shape in networks.shapes(network, inputs=inputs, outputs=3).values())
    parameters, x, y = (torch.rand(shape, device=device) for shape in ((4, size), (inputs, 30), (3, 30)))
    return Task(
        network=network,
        parameters=parameters,
        loss=parts.call(losses, settings["loss"]),
        x=x,
        y=y,
        optimizer=settings["optimizer"],
        batches=settings["batches"],
        batch_seeds=[1, 2, 3, 4],
        steps=25,
        trained="all",
        augmentation=settings.get("augmentation"),
    )


def elsewhere_in(engine, changes):
    """Return the operations of an update that had a tensor that was not on the pretended GPU."""
    with FakeTensorMode():
        task = a_task(device="pretended", **changes)
        # bounds are numbers, and are asked for once
        with patch.object(torch.Tensor, "item", lambda _number: 1.0), patch.object(Task, "on_gpu", lambda _task: True):
            update = training.ENGINES[engine](task)._stretches._update
        update.prepare(1)
        with Elsewhere() as elsewhere:
            update.make()
            update.square()
    return sorted(elsewhere.found)


def told(function, *arguments):
    """Return what a function returns, or the error that it raises, in words."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
        return f"{type(error).__name__}: {error}"


def waits():
    with FakeTensorMode():
        torch.ones(3, device="pretended").sum().item()


def mixes():
    with FakeTensorMode():
        torch.ones(3, device="pretended").add(torch.ones(3))


def moves():
    with FakeTensorMode(), Elsewhere() as elsewhere:
        torch.ones(3).to("pretended")
    return sorted(elsewhere.found)


if __name__ == "__main__":
    _setup_privateuseone_for_python_backend("pretended")
    updates = {case: told(elsewhere_in, *UPDATES[case]) for case in UPDATES}
    print(json.dumps({"updates": updates, "wrong": {function.__name__: told(function) for function in (waits, mixes, moves)}}))
