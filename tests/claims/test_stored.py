"""The stored measurements of the negative controls are those of the full build that is given with --results."""

import pandas as pd
import pytest

from scripts.common.numbers import TYPES, from_csv
from tests.claims.controls import stored

REPLICAS = {"init_depth": 20, "linear_features": 8, "training_dynamics": 20, "techniques": 20}


@pytest.mark.long
@pytest.mark.parametrize("study", REPLICAS)
def test_the_stored_measurements_are_those_of_the_full_build(study, built_results):
    built = from_csv((built_results / "report/numbers.csv").read_text())
    if built.loc[built["study"] == study, "replica"].nunique() < REPLICAS[study]:
        pytest.fail("this compares with a full build: give its results folder with --results")
    table = from_csv(stored(study).read_text())
    both = table.merge(built, on=list(TYPES)[:-1], how="left", suffixes=("", "_built"))
    pd.testing.assert_series_equal(both["value"], both["value_built"], check_names=False, rtol=1e-6)
