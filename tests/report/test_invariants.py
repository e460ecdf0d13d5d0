"""What must hold of every build: laws of the decomposition on the stored arrays, and one truth in all files of the report."""

import csv
import json
import re

import numpy as np
import pytest
import yaml

from scripts.common import storage
from scripts.common.numbers import from_csv
from scripts.common.places import PROJECT

STUDIES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((PROJECT / "config/studies").glob("*.yaml"))}
DECOMPOSED = [
    f"{study}/{variant}"
    for study, settings in STUDIES.items()
    for variant in settings["measurements"]["spectrum"].get("variants", settings["variants"])
]
SHIFTED = ["deep_he_ood", "shallow_ood"]
FATES = {"fine", "diverged", "blown up", "collapsed"}


@pytest.fixture(scope="module")
def numbers(built_report):
    return from_csv((built_report / "numbers.csv").read_text(encoding="utf-8"))


@pytest.fixture(params=DECOMPOSED)
def variant(request):
    return request.param


@pytest.fixture
def spectrum(built_results, variant):
    return storage.load(built_results / f"measure/{variant}/spectrum.npz", kind="spectrum")


def test_singular_values_are_sorted_and_not_negative(spectrum):
    available = spectrum["singular_value"][spectrum["available"]]
    assert len(available) >= 1
    assert (available >= 0).all()
    assert (np.diff(available, axis=1) <= 0).all()


def test_squares_of_the_singular_values_add_up_to_those_of_the_jacobian(spectrum, built_results, variant):
    stored = storage.load(built_results / f"jacobian/{variant}.npz", kind="jacobian")["jacobian"]
    for step in np.flatnonzero(spectrum["available"][:, 0]):
        matrix = stored[step].reshape(-1, stored.shape[3])
        assert np.sum(spectrum["singular_value"][step, 0] ** 2) == pytest.approx(np.sum(matrix**2), rel=1e-9)


def test_u_sigma_equals_j_v(spectrum, built_results, variant):
    stored = storage.load(built_results / f"jacobian/{variant}.npz", kind="jacobian")["jacobian"]
    for step in np.flatnonzero(spectrum["available"][:, 0]):
        matrix, largest = stored[step].reshape(-1, stored.shape[3]), spectrum["singular_value"][step, 0, 0]
        np.testing.assert_allclose(matrix @ spectrum["right_vector"][step, 0], spectrum["feature"][step, 0], atol=1e-9 * largest)
        lengths = np.linalg.norm(spectrum["feature"][step, 0], axis=0)
        np.testing.assert_allclose(lengths, spectrum["singular_value"][step, 0, : len(lengths)], atol=1e-7 * largest)


def test_errors_of_the_singular_values_are_certified(spectrum):
    largest = spectrum["singular_value"][..., 0]
    assert (spectrum["error_bound"][spectrum["available"]] <= 1e-6 * largest[spectrum["available"]]).all()


def steps_of(numbers, name):
    """Yield the steps of each quantity of each replica of a variant, after what holds for every variant is checked."""
    study, variant = name.split("/")
    of_variant = numbers[(numbers["study"] == study) & (numbers["variant"] == variant)]
    replicas = sorted(of_variant["replica"].unique())
    assert replicas == list(range(len(replicas)))
    for replica in replicas:
        rows = of_variant[of_variant["replica"] == replica]
        steps = {name: set(group["step"].dropna()) for name, group in rows.groupby("quantity")}
        assert {0, max(steps["train_loss"])} <= steps["train_loss"] == steps["test_loss"]
        fate = rows[rows["quantity"] == "fate"]
        assert set(fate["index"]) <= FATES
        assert fate["value"].tolist() == [1]
        assert ("diverged_at" in steps) == (fate["index"].tolist() == ["diverged"])
        yield steps


@pytest.mark.parametrize("variant", STUDIES["init_depth"]["variants"])
def test_every_replica_has_the_quantities_of_initialization_and_depth(numbers, variant):
    for steps in steps_of(numbers, f"init_depth/{variant}"):
        first, last = 0, max(steps["train_loss"])
        expected = {first} if "diverged_at" in steps else {first, last}
        for quantity in ("gradient_norm", "singular_value", "prediction_std", "segments"):
            assert steps[quantity] == expected, quantity
        assert ("singular_value_own_points" in steps) == (variant in SHIFTED)
        if variant in SHIFTED:
            assert steps["test_loss_inside"] == steps["test_loss_outside"] == {first, last}


@pytest.mark.parametrize("variant", STUDIES["linear_features"]["variants"])
def test_every_replica_has_the_quantities_of_linearized_features(numbers, variant):
    settings = STUDIES["linear_features"]
    moments = (settings["defaults"] | settings["variants"][variant])["moments"]
    for replica, steps in enumerate(steps_of(numbers, f"linear_features/{variant}")):
        ends = {0, max(steps["train_loss"])}
        measured = steps["prediction_std"]
        assert ends <= measured <= steps["train_loss"]
        assert len(measured) <= moments
        if variant in settings["measurements"]["spectrum"]["variants"]:
            assert steps["singular_value"] == (measured if replica == 0 else ends)
            for quantity in ("jacobian_change", "effective_rank", "alignment", "elbows_inside", "test_loss_without_points"):
                assert steps[quantity] == measured, quantity
            assert steps["tangent_test_loss"] == ends
        if variant in settings["measurements"]["exact_output"]["variants"]:
            assert steps["output_gap"] == steps["output_gap_predicted"] == measured
            assert {"exact_train_loss", "exact_test_loss", "slow_directions"} <= set(steps)


@pytest.mark.parametrize("name", [f"{study}/{variant}" for study, settings in STUDIES.items() for variant in settings["variants"]])
def test_numbers_are_those_of_the_arrays(numbers, built_results, name):
    study, variant = name.split("/")
    train = storage.load(built_results / f"train/{name}.npz", kind="train")
    rows = numbers[(numbers["study"] == study) & (numbers["variant"] == variant) & (numbers["quantity"] == "train_loss")]
    wide = rows.pivot(index="step", columns="replica", values="value")
    assert wide.index.tolist() == train["evaluated_step"].tolist()
    np.testing.assert_array_equal(wide.to_numpy(), train["train_loss"])


def test_rows_are_sorted_and_unique(numbers):
    keys = numbers[["study", "variant", "replica", "step", "quantity", "index"]]
    assert not keys.duplicated().any()
    is_rank = keys["index"].str.isdigit()
    order = keys.assign(
        step=keys["step"].fillna(-1), index=keys["index"].where(~is_rank, ""), rank=keys["index"].where(is_rank, "0").astype(int)
    )
    assert order.equals(order.sort_values(["study", "variant", "replica", "step", "quantity", "index", "rank"], kind="stable"))


def test_each_claim_stands_in_the_page_with_its_verdict(built_report):
    claims = json.loads((built_report / "claims.json").read_text(encoding="utf-8"))["claims"]
    page = (built_report / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert len(claims) >= 20
    for claim in claims:
        assert claim["statement"].replace("'", "’") in text.replace("'", "’")
        assert claim["verdict"] in {"supported", "refuted", "inconclusive"}
        low, high = (float(end) for end in claim["interval"])
        assert low <= float(claim["estimate"]) <= high
    shown = [verdict for verdict in ("supported", "refuted", "inconclusive") for _ in range(sum(c["verdict"] == verdict for c in claims))]
    badges = re.findall(r'class="verdict (supported|refuted|inconclusive)"', page)
    assert all(badges.count(verdict) >= shown.count(verdict) for verdict in set(shown))


def test_the_manifest_names_what_is_in_the_report_and_its_checksums_hold(built_results, built_report):
    manifest = json.loads((built_report / "manifest.json").read_text(encoding="utf-8"))
    for family in ("figures", "tables"):
        assert set(manifest[family]) == {f"{study}/{name}" for study, settings in STUDIES.items() for name in settings[family]}
    root = built_results if built_results.name == "results" else built_results.parent
    for group in ("figures", "tables", "numbers", "claims"):
        for entry in manifest[group].values():
            for file, checksum in {entry["file"]: entry["sha256"], **entry["inputs"]}.items():
                assert storage.file_sha256(root.parent / file) == checksum, file
    assert manifest["figures"]["init_depth/fit_he"]["seeds"]["train/init_depth/deep_he: initialization.seed"] == 600


def test_each_figure_has_the_numbers_that_it_shows_beside_the_report(built_report):
    page = (built_report / "report.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(data/[^"]+\.csv)"', page)
    assert len(set(links)) == sum(len(settings["figures"]) for settings in STUDIES.values())
    for link in links:
        header, *rows = csv.reader((built_report / link).read_text(encoding="utf-8").splitlines())
        assert header == ["panel", "series", "x", "y"]
        assert rows
        assert {len(row) for row in rows} == {4}
