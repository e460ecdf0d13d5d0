import math

import numpy as np
import pytest

from scripts.common.vectors import BYTES, Program, aligned_zeros, lanes, whole_vectors

DTYPES = [np.dtype("float32"), np.dtype("float64")]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


def unary(dtype, function, *arrays):
    """Run a program that stores `function` of the vectors at the beginning of its arrays, and return it."""
    program = Program(dtype, arrays=len(arrays) + 1)
    *sources, target = program.arrays
    program.store(function(program, *(program.load(source, 0) for source in sources)), target, 0)
    out = np.empty(lanes(dtype), dtype=dtype)
    program.finish(program.steps)(0, *(np.asarray(array, dtype=dtype) for array in arrays), out, limit=0.0)
    return out


def test_a_vector_has_64_bytes(dtype):
    assert lanes(dtype) * dtype.itemsize == 64
    assert [whole_vectors(length, dtype) for length in (1, lanes(dtype), lanes(dtype) + 1)] == [lanes(dtype)] * 2 + [2 * lanes(dtype)]


def test_arrays_begin_at_a_vector(dtype):
    for _ in range(5):
        array = aligned_zeros((3, lanes(dtype)), dtype)
        assert array.ctypes.data % BYTES == 0
        assert (array.shape, array.dtype) == ((3, lanes(dtype)), dtype)
        assert not array.any()


def test_products_are_fused_with_sums(dtype):
    width, small = lanes(dtype), float(np.finfo(dtype).eps)
    found = unary(dtype, lambda p, a, b, c: p.fused(a, b, c), [1 + small] * width, [1 - small] * width, [-1.0] * width)
    np.testing.assert_array_equal(found, -(small**2))


def test_lanes_are_chosen_by_sign_and_what_is_not_a_number_is_passed_on(dtype):
    test = np.resize([1.0, -1.0, 0.0, -0.0, np.nan, np.inf, -np.inf, 2.0**-99], lanes(dtype))
    found = unary(dtype, lambda p, t, v: p.where_positive(t, v), test, np.full(lanes(dtype), 7.0))
    np.testing.assert_array_equal(found, np.where(~(test <= 0), 7.0, 0.0))
    passed = unary(dtype, lambda p, t: p.where_positive(t, t), test)
    np.testing.assert_array_equal(passed, np.where(~(test <= 0), test, 0.0))


def test_first_lanes_are_kept(dtype):
    values = np.arange(1.0, lanes(dtype) + 1)
    for count in (0, 1, 5, lanes(dtype)):
        found = unary(dtype, lambda p, v, count=count: p.first_lanes(count, v), values)
        np.testing.assert_array_equal(found, np.where(np.arange(lanes(dtype)) < count, values, 0))


def test_a_number_is_spread_over_all_lanes(dtype):
    np.testing.assert_array_equal(unary(dtype, lambda p, _: p.spread(2.5), np.zeros(lanes(dtype))), 2.5)
    found = unary(dtype, lambda p, _: p.spread(p.load_one(p.number, p.arrays[0], 2)), np.arange(lanes(dtype)))
    np.testing.assert_array_equal(found, 2)


def test_lane_sums_are_those_of_each_vector_in_order(dtype):
    width = lanes(dtype)
    matrix = np.random.default_rng(0).integers(-1000, 1000, size=(width, width)).astype(dtype)
    program = Program(dtype, arrays=2)
    source, target = program.arrays
    program.store(program.lane_sums([program.load(source, row * width) for row in range(width)]), target, 0)
    out = np.empty(width, dtype=dtype)
    program.finish(program.steps)(0, matrix, out, limit=0.0)
    np.testing.assert_array_equal(out, matrix.sum(axis=1))


@pytest.mark.parametrize(("total", "size"), [(1, 1), (7, 3), (6, 3), (2, 5)])
def test_blocks_cover_everything_once_and_in_order(total, size):
    dtype = DTYPES[1]
    program = Program(dtype, arrays=2)
    source, target = program.arrays
    with program.loop(program.steps):
        for first, length in program.blocks(total, size):
            for number in range(length):
                place = program.times(program.sum(first, number), program.lanes)
                doubled = program.fused(program.load(source, place), program.spread(2.0), program.load(target, place))
                program.store(doubled, target, place)
    values = np.random.default_rng(0).normal(size=total * program.lanes)
    out = np.zeros_like(values)
    program.finish(program.steps)(3, values, out, limit=0.0)
    np.testing.assert_allclose(out, 6 * values, rtol=1e-15)


@pytest.mark.parametrize("norm", [0.0, 2.0, 2.5, math.inf, math.nan])
@pytest.mark.parametrize("limit", [-1.0, 0.0, 2.0, math.inf])
def test_a_program_returns_early_above_its_limit(dtype, norm, limit):
    program = Program(dtype, arrays=1)
    total = program.lane_sum(program.first_lanes(1, program.load(program.arrays[0], 0)))
    program.return_above_limit(total, program.whole(5))
    values = np.zeros(lanes(dtype), dtype=dtype)
    values[0] = norm
    stops = limit >= 0 and not norm <= limit
    assert program.finish(program.steps)(9, values, limit=limit) == (5 if stops else 9)


def test_words_are_scaled_to_a_length_exactly():
    program = Program(DTYPES[1], arrays=2)
    words, target = program.arrays
    with program.loop(program.steps) as step:
        program.store_one(program.scaled(program.word(words, step), program.less(1000, step)), target, step)
    given = np.array([0, 1, 2**31, 2**32 - 1, 4294967], dtype=np.uint32)
    out = np.empty(5, dtype=np.int64)
    program.finish(program.steps)(5, given, out, limit=0.0)
    assert out.tolist() == [int(word) * (1000 - step) >> 32 for step, word in enumerate(given.tolist())]
