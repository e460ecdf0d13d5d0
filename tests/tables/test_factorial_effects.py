import pytest

from scripts.common.errors import UserError
from scripts.tables.factorial_effects import build
from tests import synthetic

OPTIONS = {"factors": ["start", "middle", "end"], "second": ["none", "b"], "third": ["none", "c"], "quantities": ["final_loss"]}


def built(diverged=(), **options):
    made = synthetic.study(["good", "other"], diverged=diverged)
    return build(made["numbers"], made["styles"], bootstrap=made["bootstrap"], **OPTIONS | options)


def test_main_effects_and_interactions():
    grid = built(titles=["loss"])
    # v + [b] + 2 [b c] + r / 10
    assert grid.header == ["factor", "level", "loss"]
    assert grid.rows == [
        ["start", "Other start", "+1.000"],
        ["middle", "b", "+2.000"],
        ["end", "c", "+1.000"],
        ["start × middle", "Other start × b", "0.000"],
        ["start × end", "Other start × c", "0.000"],
        ["middle × end", "b × c", "+2.000"],
    ]
    assert len(grid.align) == 3
    assert "n = 3 replicas" in grid.note
    assert "held against start Good start, middle none, end none" in grid.note
    # squares: 1/4 of start, 1 of middle and 1/4 of end, and 1/4 of their interaction, of 7/4 in all
    assert "main effects make 86 %, interactions of two factors 14 %, those of three 0 %" in grid.note


def test_a_loss_that_is_not_finite_has_no_analysis_of_variance():
    grid = built(diverged=["other"])
    assert grid.rows[0][2] == "infinite"
    assert "no analysis of variance" in grid.note


def test_there_are_three_factors():
    with pytest.raises(UserError, match="names 1 factors; name 3"):
        built(factors=["one"])
