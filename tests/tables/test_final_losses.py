from scripts.tables.final_losses import build
from tests import synthetic


def test_losses_and_fates() -> None:
    study = synthetic.study()
    grid = build(
        synthetic.numbers(study),
        study["styles"],
        variants=["good", "wild"],
        bootstrap={"seed": 0, "resamples": 200},
        quantities=["train_loss", "test_loss"],
    )
    assert grid.header == ["variant", "train loss", "test loss", "fine", "blown up", "collapsed", "diverged"]
    assert grid.rows == [
        ["Good start", "0.0200 (0.0100 to 0.0300)", "0.0400 (0.0200 to 0.0600)", "3", "0", "0", "0"],
        ["Wild start", "infinite", "infinite", "0", "0", "0", "3"],
    ]
    assert len(grid.align) == len(grid.header)
    assert "n = 3 replicas" in grid.note
