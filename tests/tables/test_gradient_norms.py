import pytest

from scripts.common.errors import UserError
from scripts.tables.gradient_norms import build
from tests import synthetic

BOOTSTRAP = {"seed": 0, "resamples": 200}


def test_replica_0_and_median_of_each_weight() -> None:
    study = synthetic.study(["good"])
    grid = build(synthetic.numbers(study), study["styles"], variants=["good"], bootstrap=BOOTSTRAP)
    assert grid.header == ["weight", "replica 0", "median", "95 % interval"]
    assert grid.rows == [
        ["0.weight", "1.00000000", "2", "1 to 3"],
        ["2.weight", "10.00000000", "20", "10 to 30"],
        ["10.weight", "100.00000000", "200", "100 to 300"],
    ]
    assert len(grid.align) == len(grid.header)
    assert grid.note.startswith("n = 3 replicas;")
    assert "infinite" not in grid.note


def test_diverged_runs_count_as_infinite() -> None:
    study = synthetic.study()
    grid = build(synthetic.numbers(study), study["styles"], variants=["good", "wild"], bootstrap=BOOTSTRAP, step="last")
    assert grid.header[0] == "variant"
    assert len(grid.align) == len(grid.header)
    assert grid.rows[0] == ["Good start", "0.weight", "0.50000000", "1", "0.500 to 1.50"]
    assert grid.note.endswith("counts as infinite.")
    assert grid.rows[3] == ["Wild start", "0.weight", "not available", "infinite", "infinite"]


def test_very_small_and_very_large_norms_are_readable() -> None:
    study = synthetic.study(["good"])
    study["gradient_norm"]["good"]["gradient_norm"][0, 0] = [1e-6, 65412.488572, 3.2e9]
    grid = build(synthetic.numbers(study), study["styles"], variants=["good"], bootstrap=BOOTSTRAP)
    assert [row[1] for row in grid.rows] == ["1.000 × 10⁻⁶", "65412.49", "3.200 × 10⁹"]


def test_unknown_step() -> None:
    study = synthetic.study(["good"])
    with pytest.raises(UserError, match="unknown step '20'; known: first, last"):
        build(synthetic.numbers(study), study["styles"], variants=["good"], bootstrap=BOOTSTRAP, step="20")
