from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from scripts.common import factorial
from scripts.common.findings import Runs
from tests import chapter_code

REPLICAS, SIZES = 5, (3, 2, 3)
VALUES = np.random.default_rng(0).standard_normal((REPLICAS, *SIZES)) + np.arange(18.0).reshape(SIZES) ** 1.5 / 10


def coded(order):
    """Return the columns (18, F) of a linear model with all effects of up to `order` factors, sum to zero, and the factors of each."""
    rows = list(product(*map(range, SIZES)))
    single = [
        {level: np.array([(row[factor] == level) - (row[factor] == 0) for row in rows], dtype=float) for level in range(1, SIZES[factor])}
        for factor in range(3)
    ]
    columns, names = [np.ones(len(rows))], [((), ())]
    for size in range(1, order + 1):
        for factors in combinations(range(3), size):
            for levels in product(*(range(1, SIZES[factor]) for factor in factors)):
                columns.append(np.prod([single[factor][level] for factor, level in zip(factors, levels, strict=True)], axis=0))
                names.append((factors, levels))
    return np.stack(columns, axis=1), names


def coefficient(solution, names, factors, levels):
    """Return the coefficient of a cell: that of the first level of a factor is minus the sum of its others."""
    total = 0.0
    for choice in product(*([level] if level else range(1, SIZES[factor]) for factor, level in zip(factors, levels, strict=True))):
        sign = (-1) ** sum(level == 0 for level in levels)
        total += sign * solution[names.index((factors, tuple(choice)))]
    return total


@pytest.mark.parametrize("order", [1, 2])
def test_effects_are_those_of_ordinary_least_squares(order):
    design, names = coded(2)
    found = factorial.effects(VALUES, order=order)
    assert len(found) == {1: 2 + 1 + 2, 2: 2 * 1 + 2 * 2 + 1 * 2}[order]
    for effect in found:
        for replica in range(REPLICAS):
            solution = np.linalg.lstsq(design, VALUES[replica].ravel(), rcond=None)[0]
            expected = 0.0
            for corner in product([0, 1], repeat=order):  # 1: at the level, 0: at the first one
                levels = tuple(level * chosen for level, chosen in zip(effect.levels, corner, strict=True))
                expected += (-1) ** (order - sum(corner)) * coefficient(solution, names, effect.factors, levels)
            assert effect.values[replica] == pytest.approx(expected, abs=1e-10)


def test_effects_of_values_known_by_heart():
    first, second = np.array([0.0, 1.0, 5.0])[:, None, None], np.array([0.0, 2.0])[:, None]
    together = np.zeros((3, 2, 3))
    together[2, 1] = 4.0
    values = np.broadcast_to(first + second + together, (2, 3, 2, 3)).copy()
    names = [["none", "a", "b"], ["none", "c"], ["none", "d", "e"]]
    main = factorial.of_level(factorial.effects(values, order=1), names)
    assert {key: found.tolist() for key, found in main.items()} == {
        ("a",): [1, 1],
        ("b",): [7, 7],  # 5, and half of 4
        ("c",): [pytest.approx(2 + 4 / 3)] * 2,
        ("d",): [0, 0],
        ("e",): [0, 0],
    }
    pairs = factorial.of_level(factorial.effects(values, order=2), names)
    assert pairs["b", "c"].tolist() == [4, 4]
    assert pairs["a", "c"].tolist() == [0, 0]
    assert len(pairs) == 8


def test_shares_are_those_of_an_analysis_of_variance():
    """Sums of squares as what residuals of nested models differ by, with a column for each replica in all of them."""
    design, names = coded(3)
    rows = np.tile(design, (REPLICAS, 1))
    blocks = np.repeat(np.eye(REPLICAS), len(design), axis=0)
    flat = VALUES.ravel()

    def left(chosen):
        columns = np.hstack([blocks, rows[:, [place for place, (factors, _) in enumerate(names) if factors in chosen]]])
        return float(np.sum((flat - columns @ np.linalg.lstsq(columns, flat, rcond=None)[0]) ** 2))

    sets = [factors for size in (1, 2, 3) for factors in combinations(range(3), size)]
    total = left([])
    found = factorial.shares(VALUES)
    for place, factors in enumerate(sets):
        assert found[factors] == pytest.approx((left(sets[:place]) - left(sets[: place + 1])) / total, abs=1e-10)
    assert found[()] == pytest.approx(left(sets) / total, abs=1e-10)
    assert sum(found.values()) == pytest.approx(1)


def test_shares_of_what_does_not_vary_or_is_not_finite_are_no_numbers():
    assert all(np.isnan(share) for share in factorial.shares(np.ones((2, 2, 2))).values())
    broken = VALUES.copy()
    broken[0, 0, 0, 0] = np.nan
    assert all(np.isnan(share) for share in factorial.shares(broken).values())


def test_values_are_read_from_sweeps():
    rows = [
        ("made_up", sweep, replica, pd.NA, "test_loss", f"{first}/{second}", 1000 * one + 100 * two + 10 * three + replica)
        for one, sweep in enumerate(("low", "high"))
        for two, first in enumerate(("none", "batch", "layer"))
        for three, second in enumerate(("none", "dropout"))
        for replica in range(4)
    ]
    table = pd.DataFrame(rows, columns=["study", "variant", "replica", "step", "quantity", "index", "value"]).astype({"step": "Int64"})
    runs = Runs(table, seed=0, resamples=100)
    levels = [["none", "batch", "layer"], ["none", "dropout"]]
    found = factorial.read(runs, ["low", "high"], "test_loss", levels=levels)
    assert found.shape == (4, 2, 3, 2)
    assert found[3, 1, 2, 1] == 1213
    np.testing.assert_array_equal(factorial.read(runs, ["high", "low"], "test_loss", levels=levels), found[:, ::-1])


def test_code_of_the_chapter_has_the_same_effects():
    main, pairs = (chapter_code.run("techniques", name) for name in ("main_effects", "interactions"))
    own = {(one.factors, one.levels): one.values for order in (1, 2) for one in factorial.effects(VALUES, order=order)}
    np.testing.assert_allclose(main(VALUES)[:, 0], own[(1,), (1,)])
    for level in (1, 2):
        np.testing.assert_allclose(pairs(VALUES)[:, 0, level - 1], own[(1, 2), (1, level)])
