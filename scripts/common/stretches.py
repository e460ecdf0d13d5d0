"""Updates on a GPU, made in stretches: only at the end of each does the processor wait for what has come of them.

Whether a replica has diverged has to be known for each update, and asking a GPU after each takes longer than the update itself. The
largest squared norm of a stretch is kept on the GPU instead. As long as it is safe no replica can have diverged, and that is almost
always. Where it is not, the GPU goes back to the beginning of the stretch, and its updates are made and looked at one by one, which
gives the same bits since every operation has one order of its sums.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from numpy.random import Generator
from torch import Tensor

LENGTH = 64
"""Most updates of a stretch."""


class Update(NamedTuple):
    """An update that is the same operations on the same memory each time.

    Attributes:
        prepare: writes what belongs to an update of a certain number to where `make` reads it.
        make: makes the update that was prepared.
        square: returns the squared norm, one number, of what must not exceed `limit`.
        limit: up to which squared norm no replica can have diverged.
        look: finds out which replicas have diverged in the update of a certain number, the last one made.
        changes: all tensors that `make` changes and a later update reads.
        generators: the generators that it draws from.
        record: makes of `make` what does the same, faster.
    """

    prepare: Callable[[int], None]
    make: Callable[[], None]
    square: Callable[[], Tensor]
    limit: float
    look: Callable[[int], None]
    changes: Sequence[Tensor]
    generators: Sequence[Generator]
    record: Callable[[Callable[[], None]], Callable[[], None]]


class Stretches:
    """Makes updates, and remembers from one call to the next how, and whether they have to be looked at one by one."""

    def __init__(self, update: Update) -> None:
        self._update = update
        self._largest = torch.zeros_like(update.square())
        self._kept = [torch.empty_like(tensor) for tensor in update.changes]
        self._states: list[dict[str, object]] = []
        self._recorded: Callable[[], None] | None = None
        self._one_by_one = False

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`; tell after each stretch, or each update that is looked at, which was the last."""
        for begin, end in pairwise([*range(first, last, LENGTH), last]):
            self._keep()
            make = self._made_to_record(begin + 1)
            if not self._one_by_one:
                self._largest.zero_()
                for step in range(begin + 1, end + 1):
                    self._update.prepare(step)
                    make()
                if self._is_safe():
                    tell(end)
                    continue
                self._go_back()
            self._one_by_one = False
            for step in range(begin + 1, end + 1):
                self._largest.zero_()
                self._update.prepare(step)
                make()
                if not self._is_safe():
                    self._one_by_one = True
                    self._update.look(step)
                tell(step)

    def _made_to_record(self, step: int) -> Callable[[], None]:
        """Return what makes an update, recorded when it is first asked for; all is then as it was before."""
        if self._recorded is None:
            self._update.prepare(step)
            self._recorded = self._update.record(self._make)
            self._go_back()
        return self._recorded

    def _make(self) -> None:
        self._update.make()
        torch.maximum(self._largest, self._update.square(), out=self._largest)  # nan if either is

    def _is_safe(self) -> bool:
        return bool(self._largest.item() <= self._update.limit)

    def _keep(self) -> None:
        for kept, tensor in zip(self._kept, self._update.changes, strict=True):
            kept.copy_(tensor)
        self._states = [dict(generator.bit_generator.state) for generator in self._update.generators]

    def _go_back(self) -> None:
        for kept, tensor in zip(self._kept, self._update.changes, strict=True):
            tensor.copy_(kept)
        for generator, state in zip(self._update.generators, self._states, strict=True):
            generator.bit_generator.state = state
