import copy
import datetime
import math
import re

import pytest

from scripts.common import configuration
from scripts.common.configuration import load_report
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.settings import Network
from scripts.common.yaml_file import read_yaml
from tests.copies import STUDY, editable_study, mini_copy, problems, working_in

ODD = (None, -1, math.nan, True, "", "../x", [], [[1]], {}, {"a": 1}, {1: 2}, datetime.date(2026, 1, 1))


PAIR = """
def draw(loss: dict[str, Arrays], *, styles: dict[str, Style], control: VariantName, data_sets: list[DataSetName], quantity: QuantityName):
    pass
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the project with one more kind of figure."""
    folder = mini_copy(tmp_path_factory.mktemp("configuration"))
    (folder / "scripts/figures/pair.py").write_text(PAIR)
    return folder


@pytest.fixture
def project(copied):
    with working_in(copied) as folder:
        yield folder


@pytest.fixture
def settings(project):
    return read_yaml(project / "config/report.yaml")


@pytest.fixture
def study(project, monkeypatch):
    return editable_study(project, monkeypatch)


def test_the_project_s_own_configuration_is_right():
    report, studies = load_report(read_yaml(PROJECT / "config/report.yaml"))
    assert list(studies) == report.studies == ["init_depth", "linear_features", "training_dynamics", "techniques"]
    assert studies["init_depth"].variants["deep_he"].label == "deep, He"


def test_a_variant_is_laid_over_the_defaults_key_by_key(settings, study):
    study["defaults"]["save_every"] = 5
    study["variants"]["wide"] |= {"optimizer": {"learning_rate": 0.5}, "save_every": None}
    wide = load_report(settings)[1]["mini"].variants["wide"]
    assert wide.optimizer.options() == {"learning_rate": 0.5, "momentum": 0.2}
    assert (wide.save_every, wide.steps) == (None, 20)
    assert wide.network == Network(hidden=[6], activation="relu")


def test_another_kind_of_part_takes_over_the_seed_alone(settings, study):
    study["defaults"]["initialization"] = {"kind": "uniform", "scale": 0.5, "seed": 7}
    wide = load_report(settings)[1]["mini"].variants["wide"]
    assert (wide.initialization.kind, wide.initialization.seed, wide.initialization.options()) == ("he_normal", 7, {})


def test_dates_and_words_of_the_command_line_are_taken_as_they_are_meant(settings):
    report, _ = load_report(settings | {"date": datetime.date(2026, 11, 22), "strict": "true", "steps": "null"})
    assert (report.date, report.strict, report.steps) == ("2026-11-22", True, None)


def test_a_problem_of_the_report_is_told_where_it_was_written(settings, monkeypatch):
    assert problems(settings | {"replicas": -1}) == ["--config or --configfile: replicas: wrong value -1; allowed: a number above 0"]
    written = settings | {"replicas": -1}
    monkeypatch.setattr(configuration, "read_yaml", lambda path: written if str(path).endswith("report.yaml") else read_yaml(path))
    assert problems(written) == ["config/report.yaml: replicas: wrong value -1; allowed: a number above 0"]
    assert problems({key: value for key, value in written.items() if key != "title"}) == [
        "config/report.yaml: title: is missing; add it",
        "config/report.yaml: replicas: wrong value -1; allowed: a number above 0",
    ]


@pytest.fixture
def papers(project, monkeypatch):
    """The content of the bibliography; what a test makes of it is what the code reads."""
    content = read_yaml(project / "config/bibliography.yaml")
    monkeypatch.setattr(configuration, "read_yaml", lambda path: content if str(path).endswith("bibliography.yaml") else read_yaml(path))
    return content["references"]


def test_what_is_wrong_with_a_paper_is_told_with_its_key(settings, papers):
    place = "config/bibliography.yaml: references"
    papers[0] |= {"id": "Jacot18"}
    assert problems(settings) == [
        f"{place}.Jacot18.id: wrong value 'Jacot18'; allowed: a name and a year, as jacot2018, with a letter behind it where two papers "
        "share them"
    ]
    papers[0] |= {"id": papers[1]["id"]}
    assert problems(settings) == [f"{place}: '{papers[1]['id']}' is listed twice; keep one"]
    papers[0] = {
        "id": "new2001",
        "type": "article-journal",
        "author": [{"family": "New"}],
        "issued": "2001",
        "DOI": "https://doi.org/10.1/x",
    }
    assert problems(settings) == [
        f"{place}.new2001.author.0.given: is missing; add it",
        f"{place}.new2001.issued: wrong value '2001'; allowed: a whole number",
        f"{place}.new2001.title: is missing; add it",
        f"{place}.new2001.DOI: wrong value 'https://doi.org/10.1/x'; allowed: a DOI without an address before it, as 10.1037/h0042519",
        f"{place}.new2001.container-title: is missing, and a publication of type article-journal has one; add it",
        f"{place}.new2001.volume: is missing, and a publication of type article-journal has one; add it",
    ]
    papers[0] = {**papers[1], "id": "new2001", "container_title": "x"}
    (problem,) = problems(settings)
    assert problem.startswith(f"{place}.new2001.container_title: unknown key; allowed: id, type, author, issued, title, container-title, ")
    papers[0] = "new2001"
    assert problems(settings)[0].startswith(f"{place}.0: wrong value 'new2001'; allowed: `key: value` lines")


@pytest.mark.parametrize("listed", [None, {}, [None], [[]], [{"id": 1}], 3])
def test_a_bibliography_that_is_none_is_told(settings, monkeypatch, listed):
    monkeypatch.setattr(
        configuration, "read_yaml", lambda path: {"references": listed} if str(path).endswith("bibliography.yaml") else read_yaml(path)
    )
    assert problems(settings)[0].startswith("config/bibliography.yaml: references")


def test_a_missing_bibliography_is_told(settings, project):
    (project / "config/bibliography.yaml").rename(project / "config/kept.yaml")
    try:
        assert problems(settings) == ["config/bibliography.yaml: no such file; create it or correct the name"]
    finally:
        (project / "config/kept.yaml").rename(project / "config/bibliography.yaml")


def test_unknown_papers_are_told_wherever_they_are_cited(settings, study):
    study["figures"]["target"]["caption"] = "As [@he2015] and @nobody1900 say of @fig:fit_narrow."
    (problem,) = problems(settings)
    assert problem.startswith(
        f"{STUDY}: figures.target.caption: line 1: unknown paper 'nobody1900'; add it to config/bibliography.yaml or "
    )


def test_unknown_papers_of_the_preface_are_told(settings, papers):
    next(paper for paper in papers if paper["id"] == "clopper1934")["id"] = "clopper1935"
    (problem,) = problems(settings)
    assert re.match("templates/preface.md.jinja: line [0-9]+: unknown paper 'clopper1934'; ", problem)


def test_a_wrong_default_is_told_once_and_where_it_is_written(settings, study):
    study["defaults"] |= {"steps": -1, "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 2}}
    study["variants"]["wide"]["optimizer"] = {"learning_rate": 0.3}
    assert problems(settings) == [f"{STUDY}: defaults.steps: wrong value -1; allowed: a number above 0"]
    study["defaults"]["steps"] = 20
    assert problems(settings) == [f"{STUDY}: defaults.optimizer.momentum: wrong value 2; allowed: a number of at least 0 and below 1"]


def test_what_a_variant_says_itself_is_told_as_its_own(settings, study):
    study["variants"]["wide"] |= {"steps": 0, "network": {"hidden": [4, -1]}}
    assert problems(settings) == [
        f"{STUDY}: variants.wide.network.hidden.1: wrong value -1; allowed: a number above 0",
        f"{STUDY}: variants.wide.steps: wrong value 0; allowed: a number above 0",
    ]


def compiled(**changes):
    return {"engine": "compiled", "network": {"hidden": [4]}, "batches": {"kind": "subsets", "share": 0.2, "seed": 0}, **changes}


def test_the_compiled_engine_takes_what_it_can_train(settings, study):
    study["variants"]["wide"] |= compiled(trained="output_layer", save_at=[1, 3], moments=2)
    wide = load_report(settings)[1]["mini"].variants["wide"]
    assert (wide.engine, wide.trained, wide.save_at, wide.moments) == ("compiled", "output_layer", [1, 3], 2)
    narrow = load_report(settings)[1]["mini"].variants["narrow"]
    assert (narrow.engine, narrow.trained, narrow.save_at, narrow.moments) == ("stacked", "all", [], None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"network": {"activation": "tanh"}}, "network.activation: wrong value 'tanh'; allowed: 'relu'"),
        ({"optimizer": {"kind": "adam"}}, "optimizer.kind: wrong value 'adam'; allowed: 'sgd'"),
        ({"batches": {"kind": "permutations", "size": 3, "seed": 0}}, "batches.kind: wrong value 'permutations'; allowed: 'subsets'"),
        ({"loss": {"kind": "cross_entropy"}}, "loss.kind: wrong value 'cross_entropy'; allowed: 'mse'"),
        ({"device": "cuda"}, "device: wrong value 'cuda'; allowed: null or 'auto' or 'cpu'"),
    ],
)
def test_the_compiled_engine_is_refused_what_it_cannot_train(settings, study, change, expected):
    study["variants"]["wide"] |= compiled(**change)
    assert problems(settings) == [f"{STUDY}: variants.wide.{expected} with the compiled engine"]
    study["variants"]["wide"]["engine"] = "stacked"
    load_report(settings)


def test_the_stacked_engine_trains_everything(settings, study):
    study["defaults"]["trained"] = "output_layer"
    assert problems(settings) == [
        f"{STUDY}: defaults.trained: wrong value 'output_layer'; allowed: 'all' with the stacked engine",
    ]


def test_a_network_has_the_options_of_its_kind_and_parametrization(settings, study):
    study["variants"]["wide"]["network"] = {"kind": "convolutional", "channels": [4]}
    study["variants"]["narrow"]["network"] = {"parametrization": "ntk", "weight_variance": 2.0, "output_scale": 0.0}
    found = problems(settings)
    assert f"{STUDY}: variants.narrow.network.output_scale: wrong value 0.0; allowed: a number above 0.0" in found
    study["variants"]["narrow"]["network"]["output_scale"] = 1.0
    place = f"{STUDY}: variants"
    assert problems(settings) == [
        f"{place}.narrow.network.bias_variance: is missing; add it here or under defaults, "
        "a perceptron network in ntk parametrization needs it",
        f"{place}.wide.network.kernel: is missing; add it here or under defaults, a convolutional network needs it",
        f"{place}.wide.network.kind: wrong value 'convolutional'; allowed: 'perceptron' with the stacked engine",
        f"{place}.wide.jacobian: wrong value 'stored'; allowed: 'none' with a convolutional network",
    ]
    study["variants"]["narrow"]["network"] |= {"bias_variance": 0.0, "kernel": 3}
    study["variants"]["wide"]["network"]["kernel"] = 2
    study["variants"]["wide"] |= {"engine": "autograd", "jacobian": "none"}
    assert problems(settings) == [
        f"{place}.narrow.network.kernel: a perceptron network in ntk parametrization has no such option; remove it",
        f"{place}.wide.network.kernel: wrong value 2; allowed: an odd number",
        f"{STUDY}: measurements.spectrum: measurement 'spectrum' reads the 'jacobian' of variant 'wide', of which is stored: none; "
        "set variants.wide.jacobian to 'stored', or leave the variant out",
    ]


def test_a_measurement_of_a_jacobian_that_is_not_stored_is_told(settings, study):
    study["variants"]["wide"]["jacobian"] = "gram"
    assert problems(settings) == [
        f"{STUDY}: measurements.spectrum: measurement 'spectrum' reads the 'jacobian' of variant 'wide', of which is stored: gram; "
        "set variants.wide.jacobian to 'stored', or leave the variant out"
    ]


@pytest.mark.parametrize(
    ("engine", "optimizer", "expected"),
    [
        ("gauss_newton", "sgd", "optimizer.kind: wrong value 'sgd'; allowed: 'natural_gradient' with the gauss_newton engine"),
        ("stacked", "natural_gradient", "optimizer.kind: wrong value 'natural_gradient'; allowed: 'sgd' or 'adam' with the stacked engine"),
    ],
)
def test_natural_gradient_descent_goes_with_its_engine(settings, study, engine, optimizer, expected):
    options = {"learning_rate": 0.1} if optimizer == "sgd" else {}
    study["variants"]["wide"] |= {"engine": engine, "optimizer": {"kind": optimizer, **options}, "batches": {"kind": "full", "seed": 0}}
    assert problems(settings) == [f"{STUDY}: variants.wide.{expected}"]


def test_simulations_are_checked_with_all_that_name_them(settings, study):
    drawn = {"label": "drawn", "color": "#000000", "kind": "kernel_convergence", "seed": 0, "data": "cosines", "widths": [16], "depth": 1}
    study["simulations"] = {"drawn": drawn, "wide": drawn | {"kind": "fitted"}}
    study["figures"]["curves"]["simulations"] = ["drawn", "none"]
    found = problems(settings)
    place = f"{STUDY}: simulations"
    assert f"{place}.drawn.data: unknown data set 'cosines'; known: sines" in found
    assert any(problem.startswith(f"{place}.wide: unknown kind of simulation 'fitted'; known: ") for problem in found)
    assert f"{place}.wide: there is a variant of this name; rename one" in found
    assert f"{STUDY}: figures.curves.simulations: unknown simulation 'none'; known: drawn, wide" in found
    assert f"{STUDY}: figures.curves.simulations: figure 'loss_curves' shows no simulations; remove them" in found
    del drawn["data"]
    study["simulations"] = {"drawn": drawn}
    assert f"{place}.drawn: simulation 'kernel_convergence' needs the option 'data', the name of a data set; add it" in problems(settings)


@pytest.mark.parametrize(
    ("network", "engine", "expected"),
    [
        ({"normalization": "group"}, "autograd", "network.groups: group normalization needs it; add it"),
        ({"normalization": "batch", "groups": 2}, "autograd", "network.groups: only group normalization has it; remove it"),
        ({"normalization": "group", "groups": 4}, "autograd", "network.groups: wrong value 4; allowed: what divides all of 6"),
        (
            {"normalization": "instance"},
            "autograd",
            "network.normalization: wrong value 'instance'; allowed: others, a perceptron network has no positions",
        ),
        (
            {"dropout": {"kind": "drop_block", "rate": 0.1, "block": 2}},
            "autograd",
            "network.dropout.kind: wrong value 'drop_block'; allowed: others, a perceptron network has no images within",
        ),
        (
            {"dropout": {"kind": "dropout", "rate": 1.0}},
            "autograd",
            "network.dropout.rate: wrong value 1.0; allowed: a number of at least 0 and below 1",
        ),
        (
            {"dropout": {"kind": "drop"}},
            "autograd",
            "network.dropout: unknown kind of dropout 'drop'; known: drop_block, drop_connect, dropout",
        ),
        (
            {"residual": True, "hidden": [6, 6]},
            "autograd",
            "network.residual: allowed: with a perceptron of an odd number of hidden layers of one width; change either",
        ),
        ({"normalization": "layer"}, "stacked", "network.normalization: wrong value 'layer'; allowed: null with the stacked engine"),
        ({"activation": "prelu"}, "stacked", "network.activation: wrong value 'prelu'; allowed: with the autograd engine"),
        (
            {"kind": "recurrent", "hidden": [6, 6], "activation": "tanh"},
            "autograd",
            "network.hidden: wrong value [6, 6]; allowed: one width with a recurrent network",
        ),
    ],
)
def test_techniques_go_with_their_networks(settings, study, network, engine, expected):
    study["variants"]["wide"] |= {"network": study["variants"]["wide"]["network"] | network, "engine": engine, "jacobian": "none"}
    assert f"{STUDY}: variants.wide.{expected}" in problems(settings)


def test_a_network_with_techniques_has_no_jacobian(settings, study):
    study["variants"]["wide"] |= {"network": {"hidden": [6], "normalization": "batch"}, "engine": "autograd"}
    expected = f"{STUDY}: variants.wide.jacobian: wrong value 'stored'; allowed: 'none' with techniques of normalization and dropout"
    assert expected in problems(settings)


RATES = {"name": "rate", "settings": {"optimizer.learning_rate": [0.1, 0.2]}}


def test_a_sweep_is_right_where_each_of_its_levels_is(settings, study):
    study["sweeps"] = {
        "rates": {
            "variant": "wide",
            "over": [RATES, {"name": "width", "settings": {"network.hidden": [[3], [4]]}, "levels": ["few", "more"]}],
        }
    }
    load_report(settings)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"variant": "broad"}, "sweeps.rates.variant: unknown variant 'broad'; known: narrow, wide"),
        (
            {"over": [{"name": "rate", "settings": {"optimizer.learning_rate": [0.1, -1.0]}}]},
            "sweeps.rates at -1.optimizer.learning_rate: wrong value -1.0; allowed: a number above 0",
        ),
        (
            {"over": [{"name": "rate", "settings": {"optimizer.rate": [0.1]}}]},
            "sweeps.rates at 0.1.optimizer.rate: optimizer 'sgd' has no option 'rate'; its options: learning_rate, momentum",
        ),
        (
            {"over": [{"name": "steps", "settings": {"steps": [5, 0]}}]},
            "sweeps.rates at 0: steps: wrong value 0; allowed: a number above 0",
        ),
        ({"settings": {"data": "cosines"}}, "sweeps.rates at 0.1.data: unknown data set 'cosines'; known: sines"),
        (
            {"over": [{"name": "rate", "settings": {"steps": [1, 2], "evaluate_every": [1]}}]},
            "sweeps.rates.over.0: 2 and 1 values; give as many of each",
        ),
        (
            {"over": [{"name": "rate", "settings": {"network.hidden": [[1]]}}]},
            "sweeps.rates.over.0.levels: is missing; add what the levels are called, for they are no numbers",
        ),
        ({"over": [{"name": "rate", "settings": {"steps": [1, 1]}}]}, "sweeps.rates.over.0: two levels are called the same; rename one"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_told(settings, study, change, expected):
    study["sweeps"] = {"rates": {"variant": "wide", "over": [RATES]} | change}
    assert f"{STUDY}: {expected}" in problems(settings)


def test_a_sweep_shares_the_names_of_variants(settings, study):
    study["sweeps"] = {"wide": {"variant": "wide", "over": [RATES]}}
    assert f"{STUDY}: sweeps.wide: there is a variant or simulation of this name; rename one" in problems(settings)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("engine", "fast", "'stacked', 'compiled', 'autograd' or 'gauss_newton'"),
        ("trained", "biases", "'all' or 'output_layer'"),
        ("moments", 1, "a number of at least 2"),
        ("save_at", 3, "a list"),
        ("save_at", [0], "a number above 0"),
    ],
)
def test_wrong_values_of_the_training_s_own_keys_are_told(settings, study, key, value, allowed):
    study["variants"]["wide"][key] = value
    (found,) = problems(settings)
    assert found.startswith(f"{STUDY}: variants.wide.{key}")
    assert found.endswith(f"allowed: {allowed}")


def test_an_unknown_default_and_what_is_then_missing_are_told(settings, study):
    study["defaults"]["stepps"] = study["defaults"].pop("steps")
    found = problems(settings)
    assert found[0].startswith(f"{STUDY}: defaults.stepps: unknown key; allowed: label, color, data, network,")
    assert f"{STUDY}: variants.wide.steps: is missing; add it here or under defaults" in found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("al", ["variants: wrong value 'al'; allowed: 'all' or a list"]),
        (None, ["variants: wrong value null; allowed: 'all' or a list"]),
        (["wide", 3], ["variants.1: wrong value 3; allowed: text; put it in quotes"]),
        (["wide", "wide"], ["variants: 'wide' is listed twice; keep one"]),
        (["wide", "other"], ["variants: unknown variant 'other'; known: narrow, wide"]),
        ([], ["figure 'loss_curves' needs variants; add `variants: all` or a list of them"]),
    ],
)
def test_all_or_a_list_is_told_in_one_sentence(settings, study, value, expected):
    study["figures"]["curves"]["variants"] = value
    assert problems(settings) == [
        f"{STUDY}: figures.curves{':' if 'needs' in words else '.'}{' ' * ('needs' in words)}{words}" for words in expected
    ]


def test_names_are_held_against_each_other_although_other_entries_are_wrong(settings, study):
    study["variants"]["wide"]["color"] = "red"
    study["figures"]["curves"]["variants"] = ["wide", "wied"]
    study["data"]["sines"]["samples"] = 0
    study["linearize_on"] = "cosines"
    study["observations"] = [{"says": "It is so.", "claims": ["nobody"]}]
    assert set(problems(settings)) == {
        f"{STUDY}: variants.wide.color: wrong value 'red'; allowed: a color such as '#0072B2'",
        f"{STUDY}: figures.curves.variants: unknown variant 'wied'; known: narrow, wide",
        f"{STUDY}: data.sines.samples: wrong value 0; allowed: a whole number of at least 1",
        f"{STUDY}: linearize_on: unknown data set 'cosines'; known: sines",
        f"{STUDY}: observations.0.claims: unknown claim 'nobody'; known: wide_beats_narrow",
    }


@pytest.mark.parametrize("section", ["data", "variants", "measurements", "figures", "tables", "observations"])
def test_a_section_that_is_no_mapping_is_told_without_all_that_follows_from_it(settings, study, section):
    study[section] = "none"
    assert problems(settings) == [
        f"{STUDY}: {section}: wrong value 'none'; allowed: "
        + ("a list" if section == "observations" else "`key: value` lines ({} where there are none)")
    ]


def test_a_measurement_needs_what_it_reads_of_the_same_variants(settings, study):
    study["measurements"]["prediction"] = {"variants": ["wide"]}
    assert problems(settings) == [
        f"{STUDY}: {reader} reads 'prediction' of variant 'narrow', of which it is not measured; add it to measurements.prediction.variants"
        for reader in ("measurements.fate: measurement 'fate'", "figures.fit_narrow: figure 'fit'")
    ]
    del study["measurements"]["prediction"]
    assert problems(settings) == [
        f"{STUDY}: {reader} reads measurement 'prediction', which the study does not make; add it under measurements"
        for reader in ("measurements.fate: measurement 'fate'", "figures.fit_narrow: figure 'fit'")
    ]


def test_a_reference_must_be_there_be_known_and_be_measured(settings, study):
    study["measurements"]["likeness"] = {}
    assert problems(settings) == [
        f"{STUDY}: measurements.likeness: measurement 'likeness' needs the option 'reference', the name of a variant; add it"
    ]
    study["measurements"]["likeness"] = {"reference": "nobody"}
    assert problems(settings) == [f"{STUDY}: measurements.likeness.reference: unknown variant 'nobody'; known: narrow, wide"]
    study["measurements"] |= {"likeness": {"reference": "narrow", "variants": ["wide"]}, "spectrum": {"variants": ["wide"], "features": 3}}
    assert problems(settings) == [
        f"{STUDY}: measurements.likeness.reference: measurement 'likeness' reads 'spectrum' of variant 'narrow', "
        "of which it is not measured; add it to measurements.spectrum.variants"
    ]
    study["measurements"] |= {"likeness": {"reference": "wide"}, "spectrum": {"features": 3}, "loss": {"reference": "wide"}}
    assert problems(settings) == [f"{STUDY}: measurements.loss.reference: measurement 'loss' compares with no other variant; remove it"]


def test_options_that_name_things_are_held_against_what_the_figure_shows_and_the_study_has(settings, study):
    right = {"control": "wide", "data_sets": ["sines"], "quantity": "test_loss"}
    study["figures"]["curves"] = {"kind": "pair", "caption": "x", "variants": ["wide"], **right}
    assert load_report(settings)
    study["figures"]["curves"] |= {"control": "narrow", "data_sets": ["sines", "cosines"], "quantity": "los"}
    known = (
        "test_loss, train_accuracy, test_accuracy, validation_loss, validation_accuracy, prediction_std, fate, diverged_at, "
        "singular_value, singular_value_own_points, rank, feature_variation"
    )
    assert problems(settings) == [
        f"{STUDY}: figures.curves.control: unknown variant 'narrow'; known: wide",
        f"{STUDY}: figures.curves.data_sets: unknown data set 'cosines'; known: sines",
        f"{STUDY}: figures.curves.quantity: unknown quantity 'los'; known: train_loss, {known}",
    ]


def places(content, path=()):
    """Yield the path of everything in nested mappings and lists."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(content, path, value):
    changed = inside = copy.deepcopy(content)
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return changed


@pytest.mark.slow
def test_whatever_stands_anywhere_is_taken_or_told_and_never_a_crash(project, settings, monkeypatch):
    content, refused = read_yaml(project / STUDY), 0
    monkeypatch.setattr(configuration.wording, "problems", lambda *_: [])
    monkeypatch.setattr(configuration, "_load_papers", lambda *_: None)
    for path in places(content):
        for value in ODD:
            changed = replaced(content, path, value)
            monkeypatch.setattr(
                configuration, "read_yaml", lambda path, changed=changed: changed if str(path).endswith(STUDY) else read_yaml(path)
            )
            try:
                load_report(settings)
            except UserError as error:
                refused += 1
                assert STUDY in str(error)  # noqa: PT017 - of the many that are refused, each must name the file
    monkeypatch.setattr(configuration, "read_yaml", read_yaml)
    for path in places(settings):
        for value in ODD:
            try:
                load_report(replaced(settings, path, value))
            except UserError as error:
                refused += 1
                assert f"--config or --configfile: {path[0]}" in str(error)  # noqa: PT017
    assert refused > 1000


def test_a_device_is_told_with_what_it_may_be(settings, study):
    study["device"] = "gpu"
    study["defaults"]["device"] = "cuda:-1"
    study["variants"]["wide"]["device"] = "cuda:3"
    allowed = "allowed: auto, cpu, cuda, or a certain GPU as cuda:1"
    assert problems(settings | {"device": "CUDA"}) == [
        f"--config or --configfile: device: wrong value 'CUDA'; {allowed}",
        f"{STUDY}: defaults.device: wrong value 'cuda:-1'; {allowed}",
        f"{STUDY}: device: wrong value 'gpu'; {allowed}",
    ]
