import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.style import Style
from scripts.tables.techniques import build

BOOTSTRAP = {"seed": 0, "resamples": 200}
STYLES = {name: Style(name.title(), "") for name in ("plain", "better", "members")}
COLUMNS = ["study", "variant", "replica", "step", "quantity", "index", "value"]
OPTIONS = {
    "baseline": "plain",
    "kinds": ["", "initialization", "ensemble"],
    "rates": ["rate_plain", "rate_better", "rate_plain"],
    "limit": 2.0,
    "members": "members",
    "size": 2,
}


def numbers():
    """Three replicas; of the better one a tenth of the train loss, an accuracy higher by 0.02 and a calibration error lower by 0.01."""
    rows = []
    for replica in range(3):
        more = 1 + replica / 10
        for variant, share, gain in (("plain", 1.0, 0.0), ("better", 0.1, 0.02)):
            rows += [(variant, replica, step, "train_loss", "", value) for step, value in ((0, 2.3), (60, 0.5 * share * more))]
            rows += [(variant, replica, step, "test_accuracy", "", value) for step, value in ((0, 0.1), (60, 0.9 + gain - replica / 100))]
            rows += [(variant, replica, step, "calibration_error", "", value) for step, value in ((0, 0.5), (60, 0.05 - gain / 2))]
            rows.append((variant, replica, None, "seconds_per_step", "", 1e-4 if variant == "plain" else 1.5e-4))
        rows += [("rate_plain", replica, None, "train_loss", label, value) for label, value in (("0.1", 0.1), ("1", np.nan), ("0.01", 1.0))]
        rows += [("rate_better", replica, None, "train_loss", label, value) for label, value in (("0.1", 0.1), ("1", 0.2), ("0.01", 1.0))]
    for replica in range(5):
        more = 1 + replica / 10
        rows.append(("members", replica, 60, "train_loss", "", 0.5 * more))
        of_two = {"train_loss": 0.25 * more, "accuracy": 0.93 - replica / 100, "calibration_error": 0.05}
        rows += [("members", replica, None, f"average_{key}", "2", value) for key, value in of_two.items()]
    table = pd.DataFrame([("made_up", *row) for row in rows], columns=COLUMNS)
    return table.astype({"step": "Int64"})


def built(table=None, **options):
    table = numbers() if table is None else table
    return build(table, STYLES, variants=["plain", "better", "members"], bootstrap=BOOTSTRAP, **OPTIONS | options)


def test_the_baseline_and_what_the_others_differ_by():
    grid = built()
    plain, better, ensemble = grid.rows
    assert plain == ["Plain", "0.550 (0.500\u00a0to\u00a00.600)", "0.890 (0.880\u00a0to\u00a00.900)", "0.050", "0.100", "100 µs"]
    assert better == ["Better (initialization)", "×\u00a00.100", "+0.020", "−0.010", "×\u00a010", "×\u00a01.50"]
    assert ensemble == ["ensemble of 2", "×\u00a00.500", "+0.030", "0.000", "×\u00a01", "×\u00a02"]
    assert len(grid.header) == len(grid.align) == len(plain)
    assert grid.note.startswith("n = 3 replicas")
    assert "ends below 2." in grid.note


def test_pairs_are_replicas_with_the_same_seeds():
    table = numbers()
    rows = (table["variant"] == "better") & (table["quantity"] == "test_accuracy") & (table["step"] == 60) & (table["replica"] == 2)
    table.loc[rows, "value"] = 0.88  # as the baseline's own
    assert built(table).rows[1][2] == "+0.020 (0.000\u00a0to\u00a00.020)"


def test_what_was_not_swept_or_timed_is_not_tested():
    assert built(rates=["rate_plain", "", ""]).rows[1][4] == "not tested here"
    assert built(rates=["", "rate_better", ""]).rows[1][4] == "not tested here"
    table = numbers()
    grid = built(table[table["quantity"] != "seconds_per_step"])
    assert [row[5] for row in grid.rows] == ["not tested here"] * 3


def test_every_variant_has_its_kind_and_sweep():
    with pytest.raises(UserError, match="variants 3, kinds 1 and rates 3"):
        built(kinds=["one"])
