"""Negative controls: made-up measurements as theory would have them, perturbed until each claim reaches each of the three verdicts.

They are made up because the study is no part of the report, so that no build of it stands behind stored ones.
"""

import math
from functools import partial

import pandas as pd
import pytest

from scripts.claims import init_sweep
from scripts.common.grids import points
from scripts.common.places import PROJECT
from scripts.common.settings import Grid
from scripts.common.yaml_file import read_yaml
from tests.claims import controls

verdict = partial(controls.verdict, init_sweep)

REPLICAS = 20
SCALES, DEPTHS, WIDTHS = "logspace(-2, 1, 31)", [2, 8, 32], [8, 64]
EDGE = 1.327
LOWEST, HIGHEST = {2: 0.2, 8: 0.7, 32: 1.07}, {2: 10.0, 8: 3.5, 32: 1.75}
"""Between which scales networks train by depth, roughly as theory has it."""
DEEP_AND_WIDE = {"depth": 32, "width": 64}


def as_expected(scale, depth, _width=0, _replica=0):
    """The phase of a replica of a made-up network that trains where theory has it."""
    if LOWEST[depth] <= scale <= HIGHEST[depth]:
        return "trains"
    return "constant" if scale < 1 else "diverges"


def table(phase=as_expected):
    """Return numbers of the study, in which each replica has the phase that a function of its levels and its number says."""
    levels = {"scale": ("initialization.scale", SCALES), "depth": ("network.depth", DEPTHS), "width": ("network.width", WIDTHS)}
    grid = Grid.model_validate({"over": [{"name": name, "settings": {path: values}} for name, (path, values) in levels.items()]})
    values = [next(iter(axis.settings.values())) for axis in grid.over]
    rows = [("edge_of_chaos", 0, "edge_scale", "", EDGE)]
    rows += [("edge_of_chaos", 0, "lowest_scale", str(depth), LOWEST[depth]) for depth in DEPTHS]
    rows += [("edge_of_chaos", 0, "highest_scale", str(depth), HIGHEST[depth]) for depth in DEPTHS]
    for name, point in points("critical", grid).items():
        own = [axis[place] for axis, place in zip(values, point, strict=True)]
        for replica in range(REPLICAS):
            found = phase(*own, replica)
            rows += [(name, replica, "phase", found, 1.0), (name, replica, "trained", "", float(found == "trains"))]
    made = pd.DataFrame(rows, columns=["variant", "replica", "quantity", "index", "value"])
    return made.assign(study="init_sweep", step=pd.array([pd.NA] * len(made), dtype="Int64"))


def changed(phase, replicas=REPLICAS, *, scales=(0.0, math.inf), **levels):
    """Return numbers in which the first replicas of networks at some levels have another phase."""

    def of(scale, depth, width, replica):
        own = {"depth": depth, "width": width}
        here = replica < replicas and scales[0] <= scale <= scales[1] and all(own[name] == level for name, level in levels.items())
        return (
            (phase if isinstance(phase, str) else phase(scale, depth, width, replica))
            if here
            else as_expected(scale, depth, width, replica)
        )

    return table(of)


def shifted(factor):
    """Return a phase as theory has it at another scale."""
    return lambda scale, depth, *_: as_expected(scale / factor, depth)


LOCATIONS = {
    "the_range_begins_where_theory_has_it": (shifted(0.5), DEEP_AND_WIDE),
    "the_range_ends_where_theory_has_it": (shifted(2.0), DEEP_AND_WIDE),
    "deeper_networks_train_in_a_narrower_range": (
        lambda scale, *_: as_expected(scale, 2),
        DEEP_AND_WIDE,
    ),
    "width_matters_little": (lambda scale, *_: as_expected(scale, 32), {"depth": 8, "width": 8}),
}
"""Claims of a location: what refutes them where it holds in all replicas, and at which levels."""

EVERY = {
    "the_edge_trains_at_every_depth": (1.2, 1.4),
    "small_scales_stay_constant": (0.0, 0.011),
}
"""Claims about every replica: the scales at which they look."""


def test_every_claim_has_its_controls():
    assert sorted([*LOCATIONS, *EVERY]) == sorted(controls.names("init_sweep"))


@pytest.mark.parametrize("name", [*LOCATIONS, *EVERY])
def test_a_claim_is_supported_where_theory_holds(name):
    assert verdict(name, table()) == "supported"


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_claim_of_a_location_is_refuted_and_open(name):
    phase, levels = LOCATIONS[name]
    assert verdict(name, changed(phase, **levels)) == "refuted"
    assert verdict(name, changed(phase, REPLICAS // 2, **levels)) == "inconclusive"


@pytest.mark.parametrize("name", EVERY)
def test_a_claim_about_every_replica_is_refuted_by_one_and_open_with_few(name):
    assert verdict(name, changed("undecided", 1, scales=EVERY[name], **DEEP_AND_WIDE)) == "refuted"
    few = table()
    assert verdict(name, few[few["replica"] < controls.FEW]) == "inconclusive"


def test_replicas_that_never_train_are_no_support():
    nothing = changed("constant", **DEEP_AND_WIDE)
    for name in ("the_range_begins_where_theory_has_it", "the_range_ends_where_theory_has_it", "the_edge_trains_at_every_depth"):
        assert verdict(name, nothing) == "refuted"


@pytest.mark.parametrize("name", LOCATIONS)
def test_other_depths_and_widths_do_not_matter(name):
    """What a claim does not speak of changes nothing: networks of the depth between, and of the width at the other end."""
    levels = (
        {"depth": 8, "width": 64} if "depth" not in LOCATIONS[name][1] or LOCATIONS[name][1]["depth"] == 32 else {"depth": 32, "width": 8}
    )
    assert verdict(name, changed("undecided", **levels)) == "supported"


def test_the_names_are_those_of_the_study_s_grid():
    study = read_yaml(PROJECT / "config/studies/init_sweep.yaml")
    grid = Grid.model_validate(study["grids"]["critical"])
    assert len(points("critical", grid)) == 1000
    assert all(init_sweep.POINT.fullmatch(name) for name in points("critical", grid))
