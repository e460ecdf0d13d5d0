from scripts.tables.fates import build
from tests import synthetic


def test_counts_and_updates() -> None:
    study = synthetic.study()
    bootstrap = {"seed": 0, "resamples": 200}
    grid = build(synthetic.numbers(study), study["styles"], variants=["good", "wild"], bootstrap=bootstrap)
    assert grid.rows == [["Good start", "3", "3", "0", "0", "0", ""], ["Wild start", "3", "0", "0", "0", "3", "1 to 3"]]
    assert len(grid.align) == len(grid.header)


def test_one_update_for_all() -> None:
    study = synthetic.study(["wild"], replicas=1)
    grid = build(synthetic.numbers(study), study["styles"], variants=["wild"], bootstrap={"seed": 0, "resamples": 200})
    assert grid.rows[0][-1] == "1"
