"""A stand-in for a CUDA graph on a machine without a GPU: operations are recorded one by one, and replayed on the same memory.

As of a graph, nothing but what is in the recorded tensors can differ from one replay to the next: a number that was taken into the
recording as a number, or a batch that came in other memory, stays what it was.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):
    """Operations on tensors as they are made, each with what it was given and what came out."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, operation, _types, arguments=(), keywords=None):
        found = operation(*arguments, **(keywords or {}))
        self.made.append((operation, arguments, keywords or {}, found))
        return found

    def replay(self):
        with torch.no_grad():
            for operation, arguments, keywords, kept in self.made:
                again = operation(*arguments, **keywords)
                for old, new in zip(tree_leaves(kept), tree_leaves(again), strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


RECORDED = []
"""The tapes of this process, in the order of their making."""


def record(function):
    """Do what `scripts.common.cuda_graphs.record` does: run the function some times, record it, and return what replays it."""
    for _ in range(3):
        function()
    tape = Tape()
    with tape:
        function()
    RECORDED.append(tape)
    return tape.replay
