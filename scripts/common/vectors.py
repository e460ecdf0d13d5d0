"""Machine code written vector by vector, with LLVM, whose Python binding holds the whole compiler: loops, rows of numbers, and sums.

A vector has 64 bytes. Every product is fused with the sum that it goes into, and every sum has one order: what a program computes is the
same on every machine, whatever that machine splits a vector into.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

BYTES = 64
"""Bytes of a vector."""

Value = Any
"""A value of the program that is written; llvmlite has no types for type checkers."""

LONG, SHORT, BIT, POINTER = ir.IntType(64), ir.IntType(32), ir.IntType(1), ir.PointerType()


def lanes(dtype: np.dtype[Any]) -> int:
    """Return how many numbers a vector holds."""
    return BYTES // dtype.itemsize


def whole_vectors(length: int, dtype: np.dtype[Any]) -> int:
    """Return the least length of whole vectors that holds `length` numbers."""
    return -(-length // lanes(dtype)) * lanes(dtype)


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of zeros whose vectors begin at multiples of their length; others cost training a tenth to a sixth of its time."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + BYTES, dtype=np.uint8)
    begin = -memory.ctypes.data % BYTES
    return memory[begin : begin + size].view(dtype).reshape(shape)


class Program:
    """A function that is being written: what its methods return are values that it computes when it runs, in the order of the calls.

    It takes a number of steps, pointers, and a floating-point number, and returns a whole number. Places in an array are counted in
    numbers of `dtype`, or of the kind that is loaded or stored there.

    Attributes:
        steps: the first argument.
        arrays: the pointers, in order.
        limit: the last argument.
        lanes: how many numbers a vector holds.
        number: the type of a number.
    """

    def __init__(self, dtype: np.dtype[Any], arrays: int) -> None:
        kind = ir.FunctionType(LONG, [LONG, *[POINTER] * arrays, ir.DoubleType()])
        function = ir.Function(ir.Module(), kind, "program")
        self.steps, *self.arrays, self.limit = function.args
        self.lanes = lanes(dtype)
        self.number = ir.FloatType() if dtype.itemsize == 4 else ir.DoubleType()
        self._size = dtype.itemsize
        self._vector = ir.VectorType(self.number, self.lanes)
        self._lane_numbers = ir.VectorType(SHORT, self.lanes)
        kind = ir.FunctionType(self._vector, [self._vector] * 3)
        self._fma = ir.Function(function.module, kind, f"llvm.fma.v{self.lanes}f{8 * self._size}")
        self._variables = ir.IRBuilder(function.append_basic_block())
        body = function.append_basic_block()
        self._variables.branch(body)
        self._variables.position_before(self._variables.block.terminator)
        self._to = ir.IRBuilder(body)

    # whole numbers and places

    def whole(self, value: Value | int) -> Value:
        """Return a whole number."""
        return ir.Constant(LONG, value) if isinstance(value, int) else value

    def sum(self, *terms: Value | int) -> Value:
        """Return the sum of whole numbers."""
        first, *others = (self.whole(term) for term in terms)
        for other in others:
            first = self._to.add(first, other)
        return first

    def times(self, value: Value, factor: Value | int) -> Value:
        """Return the product of whole numbers."""
        return self._to.mul(value, self.whole(factor))

    def less(self, value: int, taken: Value) -> Value:
        """Return `value` - `taken`."""
        return self._to.sub(self.whole(value), taken)

    def long(self, word: Value) -> Value:
        """Return a word of 32 bits as a whole number."""
        return self._to.zext(word, LONG)

    def scaled(self, word: Value, length: Value) -> Value:
        """Return floor(word length / 2^32), below `length` for every `word` of 32 bits."""
        return self._to.lshr(self._to.mul(self.long(word), length), self.whole(32))

    # memory

    def load(self, array: Value, place: Value | int) -> Value:
        """Return the vector that begins at `place`."""
        return self._to.load(self._at(array, place, self.number), typ=self._vector, align=self._size)

    def store(self, vector: Value, array: Value, place: Value | int) -> None:
        """Store a vector from `place` on."""
        self._to.store(vector, self._at(array, place, self.number), align=self._size)

    def load_one(self, kind: Value, array: Value, place: Value | int) -> Value:
        """Return the one value of `kind` at `place`."""
        return self._to.load(self._at(array, place, kind), typ=kind)

    def store_one(self, value: Value, array: Value, place: Value | int) -> None:
        """Store one value at `place`."""
        self._to.store(value, self._at(array, place, value.type))

    def word(self, array: Value, place: Value | int) -> Value:
        """Return the word of 32 bits at `place`."""
        return self.load_one(SHORT, array, place)

    def copy(self, target: Value, source: Value, size: int) -> None:
        """Copy `size` bytes."""
        copy = self._to.module.declare_intrinsic("llvm.memcpy", [POINTER, POINTER, LONG])
        self._to.call(copy, [target, source, self.whole(size), ir.Constant(BIT, 0)])

    def _at(self, array: Value, place: Value | int, kind: Value) -> Value:
        return self._to.gep(array, [self.whole(place)], source_etype=kind)

    # vectors

    def zero(self) -> Value:
        """Return the vector of zeros."""
        return ir.Constant(self._vector, None)

    def spread(self, number: Value | float) -> Value:
        """Return a vector that holds `number` in every lane."""
        if isinstance(number, float):
            return ir.Constant(self._vector, [number] * self.lanes)
        one = self._to.insert_element(ir.Constant(self._vector, ir.Undefined), number, ir.Constant(SHORT, 0))
        return self._to.shuffle_vector(one, one, ir.Constant(self._lane_numbers, [0] * self.lanes))

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c, rounded once."""
        return self._to.call(self._fma, [a, b, c])

    def scaled_difference(self, a: Value, b: Value, factor: float) -> Value:
        """Return (a - b) factor."""
        return self._to.fmul(self._to.fsub(a, b), self.spread(factor))

    def where_positive(self, test: Value, value: Value) -> Value:
        """Return the lanes of `value` where `test` is above 0 or not a number, and 0 in the others."""
        return self._to.select(self._to.fcmp_unordered(">", test, self.zero()), value, self.zero())

    def first_lanes(self, count: int, value: Value) -> Value:
        """Return the first `count` lanes of `value`, and 0 in the others."""
        mask = ir.Constant(ir.VectorType(BIT, self.lanes), [lane < count for lane in range(self.lanes)])
        return self._to.select(mask, value, self.zero())

    def lane_sums(self, vectors: Sequence[Value]) -> Value:
        """Return a vector whose lane i is the sum of all lanes of vector i; there are as many vectors as lanes.

        Pairs of vectors become one, which holds the sums of neighboring lanes of both, until one is left.
        """
        even, odd = (ir.Constant(self._lane_numbers, list(range(start, 2 * self.lanes, 2))) for start in (0, 1))
        left = list(vectors)
        while len(left) > 1:
            pairs = zip(left[::2], left[1::2], strict=True)
            left = [self._to.fadd(self._to.shuffle_vector(a, b, even), self._to.shuffle_vector(a, b, odd)) for a, b in pairs]
        return left[0]

    def lane_sum(self, vector: Value) -> Value:
        """Return the sum of all lanes in double precision."""
        total = self._to.extract_element(self.lane_sums([vector, *[self.zero()] * (self.lanes - 1)]), ir.Constant(SHORT, 0))
        return total if self._size == 8 else self._to.fpext(total, ir.DoubleType())

    # variables and flow

    def variable(self, start: Value) -> Value:
        """Return a new variable that holds the vector `start`; LLVM keeps it in a register."""
        place = self._variables.alloca(start.type)
        self._to.store(start, place)
        return place

    def get(self, variable: Value) -> Value:
        """Return what a variable holds."""
        return self._to.load(variable, typ=self._vector)

    def set(self, variable: Value, value: Value) -> None:
        """Let a variable hold `value`."""
        self._to.store(value, variable)

    @contextmanager
    def loop(self, count: Value | int) -> Iterator[Value]:
        """Write what follows inside the ``with`` as the body of a loop that runs `count` times, 1 at least; yields its index."""
        before, body, after = self._to.block, self._to.append_basic_block(), self._to.append_basic_block()
        self._to.branch(body)
        self._to.position_at_end(body)
        index = self._to.phi(LONG)
        index.add_incoming(self.whole(0), before)
        yield index
        following = self._to.add(index, self.whole(1))
        index.add_incoming(following, self._to.block)
        self._to.cbranch(self._to.icmp_unsigned("<", following, self.whole(count)), body, after)
        self._to.position_at_end(after)

    def blocks(self, total: int, size: int) -> Iterator[tuple[Value, int]]:
        """Yield first index and length of blocks of `size`, inside one loop over all whole ones, and then of what is left of `total`."""
        whole, left = divmod(total, size)
        if whole:
            with self.loop(whole) as number:
                yield self.times(number, size), size
        if left:
            yield self.whole(whole * size), left

    def return_above_limit(self, total: Value, result: Value) -> None:
        """Return `result` if `total` is above the limit or not a number, and the limit is not negative, which means none."""
        above = self._to.fcmp_unordered(">", total, self.limit)
        limited = self._to.fcmp_ordered(">=", self.limit, ir.Constant(ir.DoubleType(), 0.0))
        with self._to.if_then(self._to.and_(above, limited), likely=False):
            self._to.ret(result)

    def finish(self, result: Value) -> Callable[..., int]:
        """Let the program return `result`, and return it as a function, compiled.

        It takes the number of steps, C-contiguous arrays, and the limit.
        """
        self._to.ret(result)
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        module = llvm.parse_assembly(str(self._to.module))
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
        )
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * len(self.arrays), ctypes.c_double)
        function = signature(engine.get_function_address("program"))

        def run(steps: int, *arrays: NDArray[Any], limit: float) -> int:
            _ = engine  # holds the code, and must live as long as the function does
            return int(function(steps, *(array.ctypes.data for array in arrays), limit))

        return run


def many_registers() -> bool:
    """Whether this machine has 32 registers of a whole vector each."""
    return bool(llvm.get_host_cpu_features().get("avx512f", False))
