import sys
import tracemalloc

import pytest

from scripts.common import configuration, grids
from scripts.common.configuration import load_report
from scripts.common.grids import called, described, points
from scripts.common.plan import Plan
from scripts.common.settings import Grid, Variant
from scripts.common.yaml_file import read_yaml
from tests.copies import STUDY, editable_study, forget, mini_copy, problems, working_in

RATE = {"name": "rate", "settings": {"optimizer.learning_rate": [0.01, 0.1]}}
LAYERS = {"name": "depth", "settings": {"network.hidden": [[3], [3, 3]]}, "levels": ["one", "two"]}
SMALL = {"variant": "wide", "over": [RATE, LAYERS]}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return mini_copy(tmp_path_factory.mktemp("grids"))


@pytest.fixture
def settings(copied):
    with working_in(copied) as folder:
        yield read_yaml(folder / "config/report.yaml")


@pytest.fixture
def study(settings, copied, monkeypatch):  # noqa: ARG001 - the settings work in the copy
    return editable_study(copied, monkeypatch)


def problems_of_the_study(settings):
    return [line.removeprefix(f"{STUDY}: ") for line in problems(settings)]


def made_grid(**content):
    return Grid.model_validate(content)


# names


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.00316228, "0p00316228"),
        (8, "8"),
        (8.0, "8"),
        (-0.5, "m0p5"),
        (1e-05, "1em05"),
        (2.5e20, "2p5e20"),
        (1000000, "1e06"),
        (1 / 3, "0p333333"),
        (0, "0"),
    ],
)
def test_numbers_in_names(value, expected):
    assert called(value) == expected


def test_a_variant_is_named_by_its_grid_and_its_levels():
    grid = made_grid(over=[{"name": "scale", "settings": {"initialization.scale": "logspace(-3, -2, 3)"}}, LAYERS])
    assert list(points("critical", grid)) == [
        f"critical_scale_{scale}_depth_{depth}" for scale in ("0p001", "0p00316228", "0p01") for depth in ("one", "two")
    ]
    assert points("critical", grid)["critical_scale_0p01_depth_one"] == (2, 0)


def test_names_stay_when_levels_are_added_before_between_and_behind():
    def variants(levels):
        return described("g", made_grid(over=[{"name": "steps", "settings": {"steps": levels}}, LAYERS]))["variants"]

    few, many = variants([2, 4]), variants([1, 2, 3, 4, 5])
    assert len(few) == 4
    assert {name: many[name] for name in few} == few


def test_what_a_figure_is_told():
    assert described("g", made_grid(over=[RATE, LAYERS])) == {
        "axes": {"rate": [0.01, 0.1], "depth": ["one", "two"]},
        "variants": {
            f"g_rate_{word}_depth_{depth}": {"rate": rate, "depth": depth}
            for rate, word in ((0.01, "0p01"), (0.1, "0p1"))
            for depth in ("one", "two")
        },
    }


# variants


def test_a_grid_makes_the_variants_that_one_would_write(settings, study):
    study["grids"] = {"g": SMALL | {"label": "grid", "settings": {"steps": 7, "optimizer.momentum": 0.5}}}
    study["variants"]["by_hand"] = study["variants"]["wide"] | {
        "label": "grid",
        "optimizer": {"learning_rate": 0.1, "momentum": 0.5},
        "network": {"hidden": [3, 3]},
        "steps": 7,
    }
    variants = load_report(settings)[1]["mini"].variants
    assert len(variants) == 3 + 4
    assert variants["g_rate_0p1_depth_two"] == variants["by_hand"]
    assert variants["g_rate_0p01_depth_two"] != variants["by_hand"]
    assert isinstance(variants["g_rate_0p1_depth_two"], Variant)


def test_without_a_variant_a_grid_is_made_from_the_defaults(settings, study):
    study["grids"] = {"g": {"label": "grid", "color": "#0072B2", "over": [RATE]}}
    variants = load_report(settings)[1]["mini"].variants
    assert variants["g_rate_0p1"] == variants["narrow"].model_copy(update={"label": "grid", "color": "#0072B2"})


def test_another_kind_of_a_part_replaces_its_options(settings, study):
    study["grids"] = {"g": SMALL | {"settings": {"initialization.kind": "uniform", "initialization.scale": 0.5}}}
    found = load_report(settings)[1]["mini"].variants["g_rate_0p1_depth_two"].initialization
    assert (found.kind, found.seed, found.options()) == ("uniform", 1, {"scale": 0.5})


def test_depth_and_width_are_an_even_network(settings, study):
    layers = [{"name": "depth", "settings": {"network.depth": [1, 3]}}, {"name": "width", "settings": {"network.width": [2, 5]}}]
    study["grids"] = {"g": {"variant": "wide", "settings": {"network.hidden": None}, "over": layers}}
    variants = load_report(settings)[1]["mini"].variants
    assert variants["g_depth_3_width_5"].network.options()["hidden"] == [5, 5, 5]
    assert "width" not in variants["g_depth_3_width_5"].network.options()
    study["grids"]["g"]["settings"] = {}
    (problem,) = problems_of_the_study(settings)
    assert problem.endswith("network.hidden: a perceptron with a depth and a width has no such option; remove it (so at 4 of 4 variants)")
    study["grids"]["g"] |= {"settings": {"network.hidden": None}, "over": layers[:1]}
    assert problems_of_the_study(settings)[0].startswith("grids.g at depth 1.network.width: is missing; add it here or under defaults")


def test_a_study_may_have_grids_alone_but_not_nothing(settings, study):
    del study["variants"]
    found = problems_of_the_study(settings)
    assert "variants: is missing; add it, or grids that make some" in found
    study["grids"] = {"g": {"label": "grid", "color": "#0072B2", "over": [RATE]}}
    assert not [problem for problem in problems_of_the_study(settings) if problem.startswith(("variants", "grids"))]


# what is wrong


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"variant": "broad"},
            "grids.g.variant: unknown variant 'broad'; known: narrow, wide",
        ),
        (
            {"over": [{"name": "rate", "settings": {"optimizer.rate": [0.1, 0.2]}}, LAYERS]},
            "grids.g at rate 0.1, depth one.optimizer.rate: optimizer 'sgd' has no option 'rate'; its options: learning_rate, momentum "
            "(so at 4 of 4 variants)",
        ),
        (
            {"over": [{"name": "rate", "settings": {"optimiser.rate": [0.1]}}]},
            "grids.g at rate 0.1: optimiser: unknown key; allowed: ",
        ),
        (
            {"over": [{"name": "rate", "settings": {"optimizer.learning_rate": [0.1, -1.0]}}, LAYERS]},
            "grids.g at rate -1, depth one.optimizer.learning_rate: wrong value -1.0; allowed: a number above 0 (so at 2 of 4 variants)",
        ),
        (
            {"over": [{"name": "steps", "settings": {"steps": [5, 0]}}]},
            "grids.g at steps 0: steps: wrong value 0; allowed: a number above 0",
        ),
        (
            {"over": [{"name": "steps", "settings": {"steps": "linspace(1, 1, 1)"}}]},
            "grids.g at steps 1: steps: wrong value 1.0; allowed: a whole number",
        ),
        (
            {"over": [{"name": "rate", "settings": {"steps": "logspace(1)"}}]},
            "grids.g.over.0.settings.steps: wrong value 'logspace(1)'; allowed: a list of values, logspace(first power of ten, last, ",
        ),
        ({"over": [{"name": "learning rate", "settings": {"steps": [1]}}]}, "grids.g.over.0.name: wrong value 'learning rate'; allowed: "),
        (
            {"over": [{"name": "rate", "settings": {"steps": [1, 2], "evaluate_every": [1]}}]},
            "grids.g.over.0: 2 and 1 values; give as many of each",
        ),
        (
            {"over": [{"name": "layers", "settings": {"network.hidden": [[1]]}}]},
            "grids.g.over.0.levels: is missing; add what the levels are called, for they are no numbers",
        ),
        (
            {"over": [{"name": "rate", "settings": {"optimizer.learning_rate": [0.1, 0.1 + 1e-9]}}]},
            "grids.g.over.0: two levels are called the same, to 6 digits; change or rename one",
        ),
        ({"over": [RATE, RATE | {"settings": {"steps": [1]}}]}, "grids.g.over: axis 'rate' is listed twice; keep one"),
        ({"over": [RATE, RATE | {"name": "again"}]}, "grids.g.over: setting 'optimizer.learning_rate' is listed twice; keep one"),
        (
            {
                "over": [
                    {"name": name, "settings": {path: "range(1, 102)"}} for name, path in (("steps", "steps"), ("size", "batches.size"))
                ]
            },
            "grids.g: makes 10,201 variants; allowed: at most 10,000, so leave out levels or split the grid",
        ),
        (
            {"over": [{"name": "an_axis_with_a_name_that_is_much_too_long_for_its_variants", "settings": {"steps": [1, 20]}}]},
            "grids.g: 'g_an_axis_with_a_name_that_is_much_too_long_for_its_variants_20' has 63 characters; allowed: at most 60; shorten a "
            "name",
        ),
        (
            {"over": [RATE | {"levels": ["a", "a_b_c"]}, {"name": "b", "settings": {"steps": [5, 6]}, "levels": ["c_b_d", "d"]}]},
            "grids.g: two of its variants have the same name; rename an axis or a level",
        ),
    ],
)
def test_what_is_wrong_with_a_grid_is_told_once(settings, study, change, expected):
    study["grids"] = {"g": SMALL | change}
    (found,) = problems_of_the_study(settings)
    assert found.startswith(expected)


def test_names_of_grids_and_others_do_not_meet(settings, study):
    study["grids"] = {"g": SMALL}
    study["variants"]["g_rate_0p1_depth_two"] = study["variants"]["narrow"]
    expected = "there is a variant, simulation or sweep of the name 'g_rate_0p1_depth_two', as one of its own; rename one"
    assert f"grids.g: {expected}" in problems_of_the_study(settings)
    del study["variants"]["g_rate_0p1_depth_two"]
    study["grids"] = {"g": SMALL, "g_rate_0p1": {"variant": "wide", "over": [LAYERS]}}
    (found,) = problems_of_the_study(settings)
    assert found == f"grids.g_rate_0p1: {expected.replace('depth_two', 'depth_one')}"


def test_a_wrong_grid_hides_nothing_else_and_blames_no_one_else(settings, study):
    study["grids"] = {"g": {"variant": "wide", "over": []}}
    study["figures"]["curves"]["variants"] = ["wide", "g_rate_0p1_depth_two"]
    study["linearize_on"] = "cosines"
    found = problems_of_the_study(settings)
    assert [problem.partition(":")[0] for problem in found] == ["grids.g.over", "linearize_on"]


def test_variants_of_grids_are_known_to_figures_and_measurements(settings, study):
    study["grids"] = {"g": SMALL}
    study["measurements"]["spectrum"] = {"features": 3, "variants": ["wide", "g_rate_0p1_depth_two"]}
    study["figures"]["curves"]["variants"] = ["g_rate_0p1_depth_two"]
    load_report(settings)
    study["figures"]["curves"]["variants"] = ["g_rate_0p2_depth_two"]
    assert problems_of_the_study(settings)[0].startswith(
        "figures.curves.variants: unknown variant 'g_rate_0p2_depth_two'; known: narrow, wide, g_rate_0p01"
    )


# how planning grows


def planned(settings, study, count):
    """Plan a grid of so many variants, none of which is linearized; return the plan, how many calls it took, and the most memory."""
    study["figures"] = {key: study["figures"][key] for key in ("target", "fit_narrow", "values_wide")}
    study["measurements"] |= {name: {"variants": ["narrow", "wide"]} for name in ("fate", "prediction")}
    study["measurements"]["spectrum"] = {"features": 3, "variants": ["narrow", "wide"]}
    study["tables"] = {}
    rates = {"name": "rate", "settings": {"optimizer.learning_rate": f"linspace(0.001, 0.5, {count})"}}
    study["grids"] = {"g": {"variant": "wide", "settings": {"jacobian": "none"}, "over": [rates]}}
    forget()
    calls = 0

    def watch(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(watch)
    try:
        plan = Plan(settings)
    finally:
        sys.setprofile(None)
    return plan, calls


def test_planning_grows_no_faster_than_the_number_of_variants(settings, study, monkeypatch):
    monkeypatch.setattr(configuration, "wording", type("NoWords", (), {"unknown_papers": staticmethod(lambda *_: [])}))
    monkeypatch.setattr("scripts.common.consistency.wording.problems", lambda *_: [])
    planned(settings, study, 2)  # what is read of sources is remembered
    counts = (20, 40, 160)
    few, more, many = (planned(settings, study, count)[1] for count in counts)
    each = (more - few) / (counts[1] - counts[0])
    assert many - more <= 1.1 * each * (counts[2] - counts[1])
    assert each < 3000


@pytest.mark.slow
def test_planning_a_thousand_variants_takes_little_memory(settings, study, monkeypatch):
    monkeypatch.setattr("scripts.common.consistency.wording.problems", lambda *_: [])
    planned(settings, study, 2)
    tracemalloc.start()
    try:
        plan, _ = planned(settings, study, 1000)
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(step == "train" for step, _ in plan._recipes) == 1002
    assert used < 60e6


def test_a_grid_is_checked_in_one_pass(settings, study, monkeypatch):
    seen = []
    checked = grids.validate
    monkeypatch.setattr(grids, "validate", lambda *given: seen.append(given) or checked(*given))
    study["grids"] = {"g": SMALL}
    load_report(settings)
    assert len(seen) == 4
