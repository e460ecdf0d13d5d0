from typing import Any

import pytest

from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.figures.stability import PATH_STEPS, draw
from tests import synthetic
from tests.report import checks_explorers


def drawn(made: dict[str, Any] | None = None, **options: Any) -> Picture:
    study = made or synthetic.study(["good"])
    return draw(study["simulations"]["stability"], styles=study["styles"], **options)


def test_losses_by_share_and_paths_of_replica_0() -> None:
    picture = drawn(paths=[0.9, 1.01])
    losses, one, other = picture.figure.axes
    assert synthetic.line(losses, "share 0.9, median")[1][:3] == pytest.approx([1, 0.64, 0.4096])
    assert synthetic.line(one, "share 0.9")[1][:3] == pytest.approx([1, -0.8, 0.64])
    assert synthetic.line(other, "share 1.01")[1][:3] == pytest.approx([1, -1.02, 1.0404])
    assert len(synthetic.line(one, "share 0.9")[0]) == PATH_STEPS + 1
    assert "Medians after 30 steps: 0.25: 8.67 × 10⁻¹⁹; 0.9: 1.53 × 10⁻⁶; 1.01: 3.28." in picture.alt


def test_some_shares_are_drawn_and_all_can_be_explored() -> None:
    picture = drawn(fractions=[0.9])
    assert [line.get_label() for line in picture.figure.axes[0].lines] == ["share 0.9, median"]
    assert len(picture.figure.axes) == 4
    data = picture.explorer
    assert data is not None
    assert data["stops"] == ["0.25 of 2/λ max", "0.9 of 2/λ max", "1.01 of 2/λ max"]
    assert "a step multiplies by 0.800 in size and changes the sign; after 30 steps the loss" in data["readout"][1]
    shown = checks_explorers.expected(data, 2)
    assert shown[0][0]["y"][:2] == pytest.approx([1, 1.0404])
    assert shown[1][0]["y"][:2] == pytest.approx([1, -1.02])


def test_unknown_shares_and_several_simulations() -> None:
    with pytest.raises(UserError, match=r"unknown share of 2 / lambda_max '0\.7'; known: 0\.25, 0\.9, 1\.01"):
        drawn(fractions=[0.7])
    with pytest.raises(UserError, match="shows one simulation; 'simulations' names 2: good, wild"):
        drawn(synthetic.study(diverged=[]))
