import pytest

from scripts.common.errors import UserError
from scripts.tables.feature_rows import build
from tests import synthetic


def test_first_rows_before_and_after() -> None:
    study = synthetic.study(["good"])
    grid = build(study["spectrum"], study["fate"], study["styles"], variants=["good"], rows=2, features=2)
    assert grid.header == ["when", "x", "feature 1", "feature 2"]
    assert [row[0] for row in grid.rows] == ["at initialization"] * 2 + ["after training"] * 2
    assert grid.rows[0][1:] == ["1", "1", "3"]
    assert grid.rows[1][1:] == ["0.949", "0.9487", "2.897"]
    assert len(grid.align) == len(grid.header)


def test_diverged_network_has_one_row_of_words() -> None:
    study = synthetic.study()
    grid = build(study["spectrum"], study["fate"], study["styles"], variants=["good", "wild"], rows=1)
    assert grid.header[0] == "variant"
    assert grid.rows[-1] == ["Wild start", "after training", "not available: diverged after 1 update", "", "", "", ""]
    assert all(len(row) == len(grid.header) for row in grid.rows)


def test_unknown_replica() -> None:
    study = synthetic.study(["good"])
    with pytest.raises(UserError, match="there is no replica 7"):
        build(study["spectrum"], study["fate"], study["styles"], variants=["good"], replica=7)
