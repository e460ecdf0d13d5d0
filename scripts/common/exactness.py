"""Arithmetic of a GPU that gives the same bits each time, and all the digits of its format."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from scripts.common.devices import CPU, ENVIRONMENT


@contextmanager
def exact_on(device: str) -> Iterator[None]:
    """Let a GPU add in one order, compute products of float32 without TF32, and leave no choice to cuDNN, while the body runs.

    Nothing is changed for "cpu".
    """
    if device == CPU:
        yield
        return
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    deterministic, precision = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    with ExitStack() as stack:
        stack.callback(torch.use_deterministic_algorithms, deterministic)
        stack.callback(torch.set_float32_matmul_precision, precision)
        stack.callback(setattr, torch.utils.deterministic, "fill_uninitialized_memory", filled)
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        torch.use_deterministic_algorithms(mode=True)
        torch.set_float32_matmul_precision("highest")
        # every number is written before it is read
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        yield
