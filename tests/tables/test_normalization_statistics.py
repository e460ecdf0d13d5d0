import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.style import Style
from scripts.tables.normalization_statistics import build

BOOTSTRAP = {"seed": 0, "resamples": 100}


def numbers():
    """Return the numbers of three replicas: without normalization everything is r + 1 times a size, by batch a channel has 0 and 1."""
    rows = []
    for replica in range(3):
        size = replica + 1
        for kind, mean, deviation in (("batch", -1e-9, 1.0000012), ("none", -0.0035, 0.9996)):
            rows += [(replica, "array_mean", kind, mean * size), (replica, "array_deviation", kind, deviation)]
            for of, far in (("sample and channel", 0.1), ("channel", 0.01)):
                share = 1e-7 if (kind, of) == ("batch", "channel") else 1.0
                rows.append((replica, "largest_mean", f"{kind}/{of}", far * size * share))
                rows.append((replica, "largest_deviation_change", f"{kind}/{of}", 0.5 * far * size * share))
    table = pd.DataFrame(rows, columns=["replica", "quantity", "index", "value"])
    return table.assign(study="made_up", variant="images", step=pd.array([None] * len(table), dtype="Int64"))


def test_a_row_for_each_kind_and_a_column_for_each_set():
    grid = build(numbers(), {"images": Style("images", "")}, bootstrap=BOOTSTRAP)
    assert grid.header == ["normalization", "whole array", "per channel", "per sample and channel"]
    assert grid.rows == [
        ["none", "−0.0035; 0.9996", "0.020; 0.010", "0.20; 0.10"],
        ["batch", "0.0000; 1.0000", "0; 0", "0.20; 0.10"],
    ]
    assert grid.align == "lrrr"
    assert "n = 3 replicas" in grid.note


def test_one_simulation_is_shown():
    with pytest.raises(UserError, match="one simulation, not 2: images, others"):
        build(numbers(), {name: Style(name, "") for name in ("images", "others")}, bootstrap=BOOTSTRAP)
