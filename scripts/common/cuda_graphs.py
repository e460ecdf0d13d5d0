"""CUDA graphs: operations on a GPU recorded once and then launched as one, where launching each takes longer than computing it."""

import warnings
from collections.abc import Callable

import torch

RUNS_BEFORE = 3
"""Runs before the recording, in which libraries reserve what they need; they may not do so in it."""


def record(function: Callable[[], None]) -> Callable[[], None]:
    """Return what does again what `function` does, on the same memory; it is run a few times for that.

    All that differs from one run to the next has to be in tensors that stay where they are. Where `function` cannot be recorded,
    because it waits for the GPU or moves data to it, it is returned as it is, with a warning.

    Raises:
        torch.OutOfMemoryError: there is too little memory on the GPU.
    """
    side, main = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]
    side.wait_stream(main)
    with torch.cuda.stream(side):
        for _ in range(RUNS_BEFORE):
            function()
    main.wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            function()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        warnings.warn(f"updates are launched operation by operation, since they cannot be recorded: {reason}", RuntimeWarning, stacklevel=2)
        return function
    return graph.replay
