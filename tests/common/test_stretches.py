import numpy as np
import pytest
import torch

from scripts.common import stretches
from scripts.common.stretches import Stretches, Update

LIMIT = 100.0


class Walk:
    """Updates that add their number and a random one to a place, with memory of the last; it is not safe for as long as it is large."""

    def __init__(self, jumps=None):
        self.place, self.memory, self.number = torch.zeros(3), torch.zeros(3), torch.zeros(())
        self.generator, self.jumps = np.random.default_rng(0), jumps or {}
        self.looked, self.made, self.told = [], [], []

    def prepare(self, step):
        self.number.fill_(self.jumps.get(step, 0.0))

    def make(self):
        self.made.append(float(self.number))
        self.memory.mul_(0.5).add_(float(self.generator.random()))
        self.place.mul_(0.9).add_(self.memory, alpha=0.01).add_(self.number)

    def update(self, record=lambda function: function):
        square = lambda: self.place.dot(self.place)  # noqa: E731
        changes = [self.place, self.memory]
        return Update(self.prepare, self.make, square, LIMIT, self.looked.append, changes, [self.generator], record)


def plain(steps, jumps):
    walk, unsafe = Walk(jumps), []
    for step in range(1, steps + 1):
        walk.prepare(step)
        walk.make()
        if not walk.place.dot(walk.place).item() <= LIMIT:
            unsafe.append(step)
    return walk, unsafe


@pytest.mark.parametrize("jumps", [{}, {1: 50.0}, {100: 30.0}, {64: 30.0}, {65: 30.0}, {200: float("nan")}, {10: 1e30, 11: -9e29}], ids=str)
def test_updates_in_stretches_are_those_made_one_by_one_and_each_that_is_not_safe_is_looked_at(jumps):
    expected, unsafe = plain(210, jumps)
    walk = Walk(jumps)
    made = Stretches(walk.update())
    for first, last in ((0, 70), (70, 71), (71, 210)):
        made.advance(first, last, walk.told.append)
    for found, wanted in ((walk.place, expected.place), (walk.memory, expected.memory)):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert walk.generator.random() == expected.generator.random()
    assert walk.looked == unsafe
    assert walk.told == sorted(set(walk.told))
    assert {70, 71, 210} <= set(walk.told)


def test_a_stretch_that_is_safe_is_waited_for_once():
    walk = Walk()
    Stretches(walk.update()).advance(0, 2 * stretches.LENGTH + 5, walk.told.append)
    assert walk.told == [stretches.LENGTH, 2 * stretches.LENGTH, 2 * stretches.LENGTH + 5]
    assert len(walk.made) == 2 * stretches.LENGTH + 5


def test_recording_runs_the_update_and_leaves_no_trace():
    walk, recorded = Walk(), []

    def record(function):
        recorded.append(function)
        for _ in range(3):
            function()
        return function

    made = Stretches(walk.update(record))
    for first in (0, 40, 80):
        made.advance(first, first + 40, walk.told.append)
    assert len(recorded) == 1
    expected, _ = plain(120, {})
    np.testing.assert_array_equal(walk.place.numpy(), expected.place.numpy())
