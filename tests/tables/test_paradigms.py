from scripts.tables.paradigms import build
from tests import synthetic


def test_medians_and_intervals_of_each_paradigm() -> None:
    study = synthetic.study()
    grid = build(
        synthetic.numbers(study), study["styles"], bootstrap=study["bootstrap"], trained=["good", "wild"], output_layer=["wild", "good"]
    )
    assert grid.header == ["network", "features", "n", "test loss", "95 % interval"]
    exact = ["output layer solved exactly", "3", "0.0200", "0.0100 to 0.0300"]
    tangent = ["tangent features solved exactly", "3", "0.200", "0.100 to 0.300"]
    linearized = ["linearized network, as many updates", "3", "0.300", "0.150 to 0.450"]
    fine, infinite = ["3", "0.0400", "0.0200 to 0.0600"], ["3", "infinite", "infinite"]
    of_good = [["output layer by SGD", *infinite], exact, tangent, linearized, ["all parameters by SGD", *fine]]
    of_wild = [["output layer by SGD", *fine], exact, tangent, linearized, ["all parameters by SGD", *infinite]]
    assert grid.rows == [*(["Good start", *row] for row in of_good), *(["Wild start", *row] for row in of_wild)]
    assert len(grid.align) == len(grid.header)
    assert "95 % bootstrap interval" in grid.note
