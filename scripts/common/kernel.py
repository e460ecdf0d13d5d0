"""The compiled kernel of long training: many steps of one replica in one call, written for the sizes of its network.

A network is linear layers with ReLU between them, its loss the mean square, its optimizer gradient descent with or without momentum,
its batches random subsets (`scripts.common.sampling`). Everything stands in rows of whole vectors, one after another:

    parameters  for each unit of each layer a row: its weights, and its bias as the weight of an input that is constantly 1
    values      for each unit of each layer a row over the samples of the batch, of what it passes on; below them all, the inputs; and for
                each layer but the last a row of ones, the constant input of the next
    deltas      for each unit of each layer a row over the samples of the batch: d loss / d what its activation is given

    values_l  = relu(weights_l values_(l-1) + bias_l)                      values of the last layer: predictions, without relu
    deltas_l  = (weights_(l+1)^T deltas_(l+1)) where values_l > 0          deltas of the last layer: d loss / d prediction
    gradient of parameter [unit, input] of layer l = sum over samples of deltas_l[unit] values_(l-1)[input]

A row of parameters that is shorter than a vector is padded to a power of two, so that a vector holds those of several units.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common.vectors import Program, Value, aligned_zeros, lanes, many_registers, whole_vectors

BLOCK = (5, 3) if many_registers() else (4, 1)
"""Units and vectors whose sums are kept in registers at once; it changes nothing in what is computed."""


class Rows(NamedTuple):
    """Rows of numbers in an array: where the first begins, and how far each is from the one before."""

    begin: int
    stride: int


class Kernel:
    """Trains one replica by steps of gradient descent; its code is written and compiled when it is made.

    Attributes:
        size: length of an array of parameters.
    """

    def __init__(
        self, widths: Sequence[int], *, samples: int, batch: int, dtype: np.dtype[Any], learning_rate: float, momentum: float
    ) -> None:
        """Write the kernel for a network, a training set and an optimizer.

        Args:
            widths: width of every layer, inputs and outputs included.
            samples: number of training samples, N.
            batch: how many of them a step takes.
            dtype: numpy's float32 or float64.
            learning_rate: how far a step goes.
            momentum: as in ``torch.optim.SGD``.
        """
        self._widths = list(widths)
        self._rows: list[Rows] = []
        self.size = 0
        for fan_in, fan_out in pairwise(widths):
            self._rows.append(Rows(self.size, _stride(fan_in + 1, dtype)))
            self.size += whole_vectors(fan_out * self._rows[-1].stride, dtype)
        row = whole_vectors(batch, dtype)
        heights = [*(width + 1 for width in widths[:-1]), *widths[1:], widths[-1]]  # of values, of deltas, of targets
        *places, end = (int(begin) * row for begin in np.cumsum([0, *heights]))
        self._dtype = dtype
        self._scratch = aligned_zeros((end,), dtype)
        for width, begin in zip(widths[:-1], places, strict=False):
            self._scratch[begin + width * row :][:row] = 1
        self._order = np.stack([np.arange(samples, dtype=np.uint32)] * 2)
        layers = len(self._rows)
        writer = _Writer(
            widths=self._widths,
            samples=samples,
            batch=batch,
            dtype=dtype,
            parameters=self._rows,
            values=[Rows(begin, row) for begin in places[:layers]],
            deltas=[Rows(begin, row) for begin in places[layers : 2 * layers]],
            targets=Rows(places[-1], row),
        )
        self._run = writer.write(learning_rate, momentum)

    def parameters(self, replicas: int) -> NDArray[Any]:
        """Return new arrays of parameters, all zero, (replicas, size)."""
        return aligned_zeros((replicas, self.size), self._dtype)

    def layers(self, parameters: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the layers, (..., outputs, inputs + 1) each, with the bias last, as views of arrays of parameters (..., size)."""
        found = []
        for rows, (fan_in, fan_out) in zip(self._rows, pairwise(self._widths), strict=True):
            part = parameters[..., rows.begin : rows.begin + fan_out * rows.stride]
            found.append(part.reshape(*parameters.shape[:-1], fan_out, rows.stride, copy=False)[..., : fan_in + 1])
        return found

    def run(
        self, words: NDArray[np.uint32], x: NDArray[Any], y: NDArray[Any], parameters: NDArray[Any], velocity: NDArray[Any], *, limit: float
    ) -> int:
        """Make one step for each row of random words, and return how many were made.

        Args:
            words: what chooses the batches, (steps, batch).
            x: inputs of all training samples, (D, N).
            y: their targets, (C, N).
            parameters: parameters (size,), changed in place; see `layers`.
            velocity: what momentum keeps from step to step, (size,), changed in place where there is momentum.
            limit: the step after which the squared norm of all parameters is above this or not a number is the last one; negative for none.
        """
        return self._run(len(words), words, *self._order, x, y, parameters, velocity, self._scratch, limit=limit)


def _stride(length: int, dtype: np.dtype[Any]) -> int:
    """Return how far rows of `length` parameters are from each other: a power of two below a vector, or whole vectors."""
    return 1 << (length - 1).bit_length() if length < lanes(dtype) else whole_vectors(length, dtype)


class _Writer:
    """Writes the code of a kernel."""

    def __init__(
        self,
        *,
        widths: list[int],
        samples: int,
        batch: int,
        dtype: np.dtype[Any],
        parameters: list[Rows],
        values: list[Rows],
        deltas: list[Rows],
        targets: Rows,
    ) -> None:
        self.widths, self.samples, self.batch = widths, samples, batch
        self.values, self.deltas, self.targets, self.parameter_rows = values, deltas, targets, parameters
        self.program = Program(dtype, arrays=8)
        self.words, self.start, self.order, self.x, self.y, self.parameters, self.velocity, self.scratch = self.program.arrays

    def write(self, learning_rate: float, momentum: float) -> Callable[..., int]:
        """Return the compiled function: steps, arrays in the order above, limit -> steps that were made."""
        program = self.program
        with program.loop(program.steps) as step:
            self._draw_batch(program.times(step, self.batch))
            for layer in range(len(self.parameter_rows)):
                self._pass_on(layer)
            norm = program.variable(program.zero())
            for layer in reversed(range(len(self.parameter_rows))):
                if layer:
                    self._pass_back(layer)
                self._update(layer, learning_rate, momentum, norm)
            program.return_above_limit(program.lane_sum(program.get(norm)), program.sum(step, 1))
        return program.finish(program.steps)

    def _draw_batch(self, first_word: Value) -> None:
        """Shuffle the first places of the order of all samples, from the start, and gather the samples there."""
        program = self.program
        program.copy(self.order, self.start, 4 * self.samples)
        with program.loop(self.batch) as place:
            word = program.word(self.words, program.sum(first_word, place))
            chosen = program.sum(place, program.scaled(word, program.less(self.samples, place)))
            here, there = program.word(self.order, place), program.word(self.order, chosen)
            program.store_one(there, self.order, place)
            program.store_one(here, self.order, chosen)
        for array, height, rows in ((self.x, self.widths[0], self.values[0]), (self.y, self.widths[-1], self.targets)):
            with program.loop(height) as row, program.loop(self.batch) as place:
                sample = program.long(program.word(self.order, place))
                number = program.load_one(program.number, array, program.sum(program.times(row, self.samples), sample))
                program.store_one(number, self.scratch, program.sum(rows.begin, program.times(row, rows.stride), place))

    def _pass_on(self, layer: int) -> None:
        """Compute what a layer passes on, or of the last one its deltas."""
        program, rows, fan_in = self.program, self.parameter_rows[layer], self.widths[layer]

        def bias(unit: Value) -> Value:
            return program.spread(self._parameter(program.sum(rows.begin + fan_in, program.times(unit, rows.stride))))

        def pass_on(place: Value, value: Value) -> None:
            program.store(program.where_positive(value, value), self.scratch, program.sum(self.values[layer + 1].begin, place))

        def compare(place: Value, prediction: Value) -> None:
            target = program.load(self.scratch, program.sum(self.targets.begin, place))
            delta = program.scaled_difference(prediction, target, 2 / (self.batch * self.widths[-1]))
            program.store(delta, self.scratch, program.sum(self.deltas[layer].begin, place))

        last = layer == len(self.parameter_rows) - 1
        self._product(
            units=self.widths[layer + 1],
            terms=fan_in,
            coefficient=lambda unit, term: program.sum(rows.begin, program.times(unit, rows.stride), term),
            factors=self.values[layer],
            start=bias,
            finish=compare if last else pass_on,
        )
        left = self.batch % program.lanes
        if last and left:  # beyond the batch there are no samples
            with program.loop(self.widths[-1]) as unit:
                place = program.sum(self.deltas[layer].begin + self.batch - left, program.times(unit, self.deltas[layer].stride))
                program.store(program.first_lanes(left, program.load(self.scratch, place)), self.scratch, place)

    def _pass_back(self, layer: int) -> None:
        """Compute the deltas of the layer below."""
        program, rows = self.program, self.parameter_rows[layer]

        def chain(place: Value, delta: Value) -> None:
            value = program.load(self.scratch, program.sum(self.values[layer].begin, place))
            delta = program.where_positive(value, delta)
            program.store(delta, self.scratch, program.sum(self.deltas[layer - 1].begin, place))

        self._product(
            units=self.widths[layer],
            terms=self.widths[layer + 1],
            coefficient=lambda unit, term: program.sum(rows.begin, program.times(term, rows.stride), unit),
            factors=self.deltas[layer],
            start=lambda _unit: program.zero(),
            finish=chain,
        )

    def _product(
        self,
        *,
        units: int,
        terms: int,
        coefficient: Callable[[Value, Value], Value],
        factors: Rows,
        start: Callable[[Value], Value],
        finish: Callable[[Value, Value], None],
    ) -> None:
        """Compute for each unit the sum over all terms of a coefficient times the row of factors of the term.

        Args:
            units: number of units.
            terms: number of terms.
            coefficient: place of the coefficient of a unit and a term among the parameters.
            factors: the row of each term.
            start: what the sum of a unit starts from.
            finish: what is done with a vector of a sum; it is given its place, from the beginning of such rows.
        """
        program = self.program
        for first_unit, height in program.blocks(units, BLOCK[0]):
            block = [program.sum(first_unit, number) for number in range(height)]
            for first_vector, width in program.blocks(factors.stride // program.lanes, BLOCK[1]):
                places = [program.times(program.sum(first_vector, number), program.lanes) for number in range(width)]
                sums = [[program.variable(start(unit)) for _ in places] for unit in block]
                with program.loop(terms) as term:
                    row = program.sum(factors.begin, program.times(term, factors.stride))
                    vectors = [program.load(self.scratch, program.sum(row, place)) for place in places]
                    for unit, of_unit in zip(block, sums, strict=True):
                        factor = program.spread(self._parameter(coefficient(unit, term)))
                        for total, vector in zip(of_unit, vectors, strict=True):
                            program.set(total, program.fused(factor, vector, program.get(total)))
                for unit, of_unit in zip(block, sums, strict=True):
                    for total, place in zip(of_unit, places, strict=True):
                        finish(program.sum(program.times(unit, factors.stride), place), program.get(total))

    def _update(self, layer: int, learning_rate: float, momentum: float, norm: Value) -> None:
        """Compute the gradient of a layer's parameters, a vector of them at a time, change them, and add their squares to the norm."""
        program, rows, columns = self.program, self.parameter_rows[layer], self.widths[layer] + 1
        values, deltas = self.values[layer], self.deltas[layer]
        for first_unit, height in program.blocks(self.widths[layer + 1], max(1, program.lanes // rows.stride)):
            for first_column, width in program.blocks(columns, program.lanes):
                sums = [[program.variable(program.zero()) for _ in range(width)] for _ in range(height)]
                with program.loop(values.stride // program.lanes) as vector:
                    place = program.times(vector, program.lanes)
                    below = [
                        program.load(
                            self.scratch,
                            program.sum(values.begin, program.times(program.sum(first_column, number), values.stride), place),
                        )
                        for number in range(width)
                    ]
                    for number, of_unit in enumerate(sums):
                        unit = program.sum(first_unit, number)
                        delta = program.load(self.scratch, program.sum(deltas.begin, program.times(unit, deltas.stride), place))
                        for total, value in zip(of_unit, below, strict=True):
                            program.set(total, program.fused(delta, value, program.get(total)))
                padding = [program.zero()] * (min(rows.stride, program.lanes) - width)
                padded = [vector for of_unit in sums for vector in [*(program.get(total) for total in of_unit), *padding]]
                padded += [program.zero()] * (program.lanes - len(padded))
                change = program.lane_sums(padded)
                place = program.sum(rows.begin, program.times(first_unit, rows.stride), first_column)
                if momentum:
                    change = program.fused(program.spread(momentum), program.load(self.velocity, place), change)
                    program.store(change, self.velocity, place)
                updated = program.fused(program.spread(-learning_rate), change, program.load(self.parameters, place))
                program.store(updated, self.parameters, place)
                program.set(norm, program.fused(updated, updated, program.get(norm)))

    def _parameter(self, place: Value) -> Value:
        return self.program.load_one(self.program.number, self.parameters, place)
