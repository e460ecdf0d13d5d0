"""What must hold of every build: laws of the decomposition on the stored arrays, and one truth in all files of the report."""

import csv
import json
import re

import numpy as np
import pytest
import yaml

from scripts.common import linearization, storage
from scripts.common.numbers import from_csv
from scripts.common.places import PROJECT

LISTED = yaml.safe_load((PROJECT / "config/report.yaml").read_text(encoding="utf-8"))["studies"]
STUDIES = {name: yaml.safe_load((PROJECT / f"config/studies/{name}.yaml").read_text(encoding="utf-8")) for name in sorted(LISTED)}
DECOMPOSED = [
    f"{study}/{variant}"
    for study, settings in STUDIES.items()
    if "spectrum" in settings["measurements"]
    for variant in settings["measurements"]["spectrum"].get("variants", settings["variants"])
]
DYNAMICS = STUDIES["training_dynamics"]
LAZY = DYNAMICS["measurements"]["kernel"]["variants"]
ANTISYMMETRIC = [name for name in LAZY if DYNAMICS["variants"][name]["initialization"]["kind"] == "standard_normal_antisymmetric"]
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


def dynamics(built_results, step, name, kind):
    """Return what a step of the build has stored of training dynamics."""
    return storage.load(built_results / f"{step}/training_dynamics/{name}.npz", kind=kind)


def simulated(kind):
    """Return the names of the simulations of a kind."""
    return [name for name, settings in DYNAMICS["simulations"].items() if settings["kind"] == kind]


@pytest.mark.parametrize("variant", LAZY)
def test_eigenvalues_of_a_kernel_are_those_of_its_gram_matrix(built_results, variant):
    measured = dynamics(built_results, "measure", f"{variant}/kernel", "kernel")
    grams = dynamics(built_results, "jacobian", variant, "jacobian")
    values, available = measured["ntk_eigenvalue"], measured["exists_kernel_change"]
    assert np.isfinite(values[available]).all()
    assert (np.diff(values[available], axis=1) <= 0).all()
    assert (measured["kernel_change"][0, available[0]] == 0).all()
    assert (measured["kernel_change"][1:][available[1:]] > 0).all()
    assert (np.abs(measured["kernel_alignment"][available]) <= 1).all()
    np.testing.assert_array_equal(measured["infinite_eigenvalue"], measured["infinite_eigenvalue"][:1].repeat(values.shape[1], axis=0))
    traces = np.trace(grams["gram"], axis1=2, axis2=3)
    assert (values[available].sum(axis=1) <= traces[available] * (1 + 1e-9)).all()
    for place, replica in {(place, replica) for place in (0, len(values) // 2, -1) for replica in (0, values.shape[1] - 1)}:
        if available[place, replica]:
            every = np.linalg.eigvalsh(grams["gram"][place, replica])[::-1]
            assert every[-1] >= -1e-9 * every[0]
            assert every.sum() == pytest.approx(traces[place, replica], rel=1e-9)
            np.testing.assert_allclose(values[place, replica], every[: values.shape[2]], rtol=1e-6, atol=1e-9 * every[0])


@pytest.mark.parametrize("variant", ["width_32", "alpha_100"])
def test_a_gram_matrix_is_the_product_of_the_jacobian_of_its_checkpoint(built_results, variant):
    grams, train = dynamics(built_results, "jacobian", variant, "jacobian"), dynamics(built_results, "train", variant, "train")
    settings = DYNAMICS["variants"][variant]
    x = dynamics(built_results, "data", settings["linearize_on"], "data")["train_x"]
    place, replica = len(grams["step"]) - 1, grams["gram"].shape[1] - 1
    parameters = train["parameters"][list(train["step"]).index(grams["step"][place]), replica]
    rows = linearization.jacobian(parameters, x, network=settings["network"]).reshape(len(grams["gram"][place, replica]), -1)
    product = rows @ rows.T
    np.testing.assert_allclose(grams["gram"][place, replica], product, rtol=1e-9, atol=1e-9 * np.abs(product).max())


@pytest.mark.parametrize("variant", ANTISYMMETRIC)
def test_an_antisymmetric_network_is_zero_before_training(built_results, variant):
    found = dynamics(built_results, "measure", f"{variant}/prediction", "prediction")["prediction_grid"]
    scale = DYNAMICS["variants"][variant]["network"]["output_scale"]
    assert np.abs(found[0]).max() <= 1e-12 * scale
    assert np.abs(found[-1]).max() > 0.1


@pytest.mark.parametrize("variant", LAZY)
def test_predictions_of_kernels_begin_at_the_network(built_results, variant):
    regression = dynamics(built_results, "measure", f"{variant}/kernel_regression", "kernel_regression")
    network = dynamics(built_results, "measure", f"{variant}/prediction", "prediction")["prediction_grid"]
    for which, gap in (("infinite", "kernel_prediction_gap"), ("linearized", "linearized_prediction_gap")):
        assert (regression[gap][0] == 0).all()
        np.testing.assert_array_equal(regression[f"{which}_prediction_grid"][0], network[0])


@pytest.mark.parametrize("variant", DYNAMICS["measurements"]["path"]["variants"])
def test_shares_of_the_variance_of_a_path_are_sorted_and_no_more_than_all(built_results, variant):
    path = dynamics(built_results, "measure", f"{variant}/path", "path")
    for which in ("path", "walk", "shuffled"):
        shares = path[f"{which}_variance"][path[f"exists_{which}_variance"].all(axis=1)]
        assert len(shares)
        assert (shares >= 0).all()
        assert (np.diff(shares, axis=1) <= 0).all()
        assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    assert (path["distance_to_end"][-1] == 0).all()
    assert ((path["directness"] >= 0) & (path["directness"] <= 1)).all()


@pytest.mark.parametrize("variant", [name for name, one in DYNAMICS["variants"].items() if one.get("engine") == "gauss_newton"])
def test_the_loss_of_natural_gradient_descent_never_rises(built_results, variant):
    losses = dynamics(built_results, "train", variant, "train")["train_loss"]
    assert (np.diff(losses, axis=0) <= 1e-12 * losses[:-1]).all()
    assert (losses[-1] < losses[0]).all()


@pytest.mark.parametrize("variant", DYNAMICS["measurements"]["steps_to_loss"]["variants"])
def test_steps_to_a_loss_are_those_of_the_losses(built_results, variant):
    train = dynamics(built_results, "train", variant, "train")
    found = dynamics(built_results, "measure", f"{variant}/steps_to_loss", "steps_to_loss")
    for place, loss in enumerate(found["index_steps_to_loss"]):
        for replica, steps in enumerate(found["steps_to_loss"][:, place]):
            below = train["evaluated_step"][train["train_loss"][:, replica] <= float(loss)]
            assert steps == min(below, default=np.inf)
    np.testing.assert_array_equal(found["seconds_to_loss"], found["steps_to_loss"] * found["seconds_per_step"])


@pytest.mark.parametrize("name", simulated("normal_fit"))
def test_steps_of_a_fit_are_those_of_its_path(built_results, name):
    fit, tolerance = dynamics(built_results, "simulate", name, "normal_fit"), DYNAMICS["simulations"][name]["tolerance"]
    step, (mean, deviation) = fit["step"], fit["path"].transpose(2, 0, 1)
    ratio = fit["sample_variance"] / deviation**2
    divergence = (ratio - 1 - np.log(ratio) + (mean - fit["sample_mean"]) ** 2 / deviation**2) / 2
    np.testing.assert_allclose(fit["excess_loss"], divergence, rtol=1e-9, atol=1e-15)
    within = fit["excess_loss"] <= tolerance
    for replica, steps in enumerate(fit["steps_to_tolerance"]):
        assert not within[step < steps, replica].any()
        assert within[step == steps, replica].all()
        assert steps in step or steps > 200, "all of the first steps are stored"
    rates = fit["index_steps_by_rate"].astype(float)
    best = int(np.flatnonzero(rates == fit["best_learning_rate"][0])[0])
    np.testing.assert_array_equal(fit["steps_by_rate"][:, best], fit["steps_to_tolerance"])
    assert np.median(fit["steps_by_rate"], axis=0).min() == np.median(fit["steps_to_tolerance"])


@pytest.mark.parametrize("name", simulated("natural_paths"))
def test_differences_of_paths_are_those_of_their_points(built_results, name):
    paths = dynamics(built_results, "simulate", name, "natural_paths")
    for key, quantity in (("natural_path", "path_difference"), ("descent_path", "descent_path_difference")):
        (x, y), (other_x, other_y) = (paths[key][:, which].transpose(3, 0, 1, 2) for which in (0, 1))
        away = np.sqrt(2) * np.arccosh(1 + ((x - other_x) ** 2 / 2 + (y - other_y) ** 2) / (2 * y * other_y))
        broken = np.isnan(away).any(axis=1)
        largest = np.where(broken, np.inf, np.nanmax(np.where(broken[:, None], 0.0, away), axis=1))
        np.testing.assert_allclose(paths[quantity], largest.T, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(paths[key][:, :, 0], np.broadcast_to(paths["flow"][0], paths[key][:, :, 0].shape))


@pytest.mark.parametrize("name", simulated("stability"))
def test_growth_near_the_limit_is_that_of_one_eigenvector(built_results, name):
    course = dynamics(built_results, "simulate", name, "stability")
    factor = 1 - 2 * course["fraction"]
    steep, flat = (course["extreme_coordinates"][..., which] for which in (1, 0))
    condition = DYNAMICS["simulations"][name]["condition"]
    for place, one in enumerate(factor):
        powers = np.power(one, course["step"])[:, None]
        np.testing.assert_allclose(steep[:, :, place], powers * steep[0, :, place], rtol=1e-6, atol=1e-12)
        powers = np.power(1 - (1 - one) / condition, course["step"])[:, None]
        np.testing.assert_allclose(flat[:, :, place], powers * flat[0, :, place], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        course["growth_factor"], np.broadcast_to(np.abs(factor), course["growth_factor"].shape), rtol=1e-4, atol=1e-9
    )
    np.testing.assert_array_equal(course["final_loss_ratio"], course["loss_ratio"][-1])
    assert (course["loss_ratio"][0] == 1).all()


@pytest.mark.parametrize("name", simulated("least_squares"))
def test_steps_of_least_squares_are_whole_and_no_fewer_at_a_worse_condition(built_results, name):
    squares = dynamics(built_results, "simulate", name, "least_squares")
    steps = squares["steps_to_tolerance"]
    reached = steps[np.isfinite(steps)]
    assert (reached >= 1).all()
    assert (reached == np.round(reached)).all()
    assert (reached <= DYNAMICS["simulations"][name]["steps"]).all()
    predicted = squares["predicted_steps"][squares["exists_predicted_steps"].all(axis=1)]
    assert (predicted[:, 1:] >= predicted[:, :-1]).all()


@pytest.mark.parametrize("name", simulated("kernel_convergence"))
def test_slopes_of_kernels_are_those_of_their_distances(built_results, name):
    kernels = dynamics(built_results, "simulate", name, "kernel_convergence")
    for which in ("ntk", "standard", "nngp"):
        widths = np.log(kernels[f"index_{which}_distance"])
        fitted = np.polyfit(widths, np.log(kernels[f"{which}_distance"]).T, 1)[0]
        np.testing.assert_allclose(kernels[f"{which}_distance_slope"], fitted, rtol=1e-9)


@pytest.mark.parametrize("name", [f"{study}/{variant}" for study, settings in STUDIES.items() for variant in settings["variants"]])
def test_numbers_are_those_of_the_arrays(numbers, built_results, name):
    study, variant = name.split("/")
    train = storage.load(built_results / f"train/{name}.npz", kind="train")
    rows = numbers[(numbers["study"] == study) & (numbers["variant"] == variant) & (numbers["quantity"] == "train_loss")]
    wide = rows.pivot(index="step", columns="replica", values="value")
    told, most = np.isin(train["evaluated_step"], wide.index), STUDIES[study]["measurements"]["loss"].get("rows")
    assert wide.index.tolist() == train["evaluated_step"][told].tolist()
    assert told[[0, -1]].all()
    assert len(wide) <= most if most else told.all()
    np.testing.assert_array_equal(wide.to_numpy(), train["train_loss"][told])


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
