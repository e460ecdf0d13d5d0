from scripts.tables.paradigms import build
from tests import synthetic


def test_medians_and_intervals_of_each_paradigm() -> None:
    study = synthetic.study()
    grid = build(
        synthetic.numbers(study), study["styles"], bootstrap=study["bootstrap"], trained=["good", "wild"], output_layer=["wild", "good"]
    )
    assert grid.header == [
        "network",
        "n",
        "output layer by SGD",
        "output layer solved exactly",
        "tangent features solved exactly",
        "linearized network, as many updates",
        "all parameters by SGD",
    ]
    exact, tangent, linearized = "0.0200 (0.0100 to 0.0300)", "0.200 (0.100 to 0.300)", "0.300 (0.150 to 0.450)"
    assert grid.rows == [
        ["Good start", "3", "infinite", exact, tangent, linearized, "0.0400 (0.0200 to 0.0600)"],
        ["Wild start", "3", "0.0400 (0.0200 to 0.0600)", exact, tangent, linearized, "infinite"],
    ]
    assert len(grid.align) == len(grid.header)
    assert "95 % bootstrap interval" in grid.note
