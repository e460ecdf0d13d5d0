import os
import re
from pathlib import Path

import pytest

from scripts.common import devices
from scripts.common.devices import Device
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.plan import RECIPES_KEPT, Plan
from scripts.common.recipe import code_digest, code_path, from_json
from scripts.common.yaml_file import read_yaml
from tests.builds import replace
from tests.copies import forget, mini_copy, working_in

STUDY = "config/studies/mini.yaml"


@pytest.fixture(autouse=True)
def project(tmp_path):
    with working_in(mini_copy(tmp_path)) as folder:
        yield folder


def planned(**changes):
    forget()
    return Plan(read_yaml("config/report.yaml") | changes)


def digests(plan):
    return {job: recipe.digest for job, recipe in plan._recipes.items()}


def changed(before, after):
    return {"/".join(job) for job in before.keys() | after.keys() if before.get(job) != after.get(job)}


def test_the_plan_has_every_job_of_the_study():
    measured = {f"measure/mini/{variant}/{name}" for variant in ("narrow", "wide") for name in ("loss", "prediction", "fate", "spectrum")}
    figures = {f"figure/mini/{name}" for name in ("target", "fit_narrow", "values_wide", "curves")}
    trained = {f"{step}/mini/{variant}" for step in ("train", "jacobian") for variant in ("narrow", "wide")}
    others = {
        "data/mini/sines",
        "number/mini",
        "claim/mini",
        "table/mini/fates",
        "summary/report",
        "manifest/report",
        "report/html",
        "report/pdf",
        "crate/report",
    }
    assert {"/".join(job) for job in planned()._recipes} == measured | figures | trained | others


def test_inputs_stand_where_their_rules_put_them():
    plan = planned(results="elsewhere")
    assert plan.inputs("data")(["mini/sines"]) == {}
    assert plan.inputs("train")(["mini/wide"]) == {"data": "elsewhere/data/mini/sines.npz"}
    assert plan.inputs("measure")(["mini/wide", "fate"]) == {
        "data": "elsewhere/data/mini/sines.npz",
        "train": "elsewhere/train/mini/wide.npz",
        "prediction": "elsewhere/measure/mini/wide/prediction.npz",
    }
    assert plan.inputs("figure")(["mini/curves"])["loss"] == [f"elsewhere/measure/mini/{name}/loss.npz" for name in ("narrow", "wide")]
    beside = [f"data/mini/{name}.csv" for name in ("target", "fit_narrow", "values_wide", "curves")]
    assert plan.targets() == [
        f"elsewhere/report/{name}"
        for name in ("report.html", "report.pdf", "numbers.csv", "claims.json", "manifest.json", "ro-crate-metadata.json", *beside)
    ]


def test_every_input_carries_the_digest_of_the_job_that_makes_it():
    recipes = planned()._recipes
    made = {recipe.digest for recipe in recipes.values()}
    for recipe in recipes.values():
        for group in recipe.inputs.values():
            assert {source.digest for source in group.values()} <= made


def test_the_place_of_results_changes_no_digest():
    assert digests(planned(results="elsewhere")) == digests(planned())


def test_title_page_and_strictness_touch_nothing_that_is_computed():
    before = digests(planned())
    assert changed(before, digests(planned(author="Another"))) == {"report/html", "report/pdf", "crate/report"}
    assert changed(before, digests(planned(strict=True))) == {"summary/report", "report/html", "report/pdf", "crate/report"}


def test_the_order_of_a_figure_s_variants_touches_that_figure_and_the_report(project):
    before = digests(planned())
    replace(
        project,
        STUDY,
        "  curves:\n    kind: loss_curves\n    variants: all",
        "  curves:\n    kind: loss_curves\n    variants: [wide, narrow]",
    )
    assert changed(before, digests(planned())) == {"figure/mini/curves", "manifest/report", "report/html", "report/pdf", "crate/report"}


def test_a_helper_touches_all_that_reach_it_through_others(project):
    before = digests(planned())
    path = project / "scripts/common/optimizers.py"
    path.write_text(path.read_text() + "\n\nprint()\n")
    found = changed(before, digests(planned()))
    assert {"train/mini/wide", "jacobian/mini/wide", "measure/mini/narrow/loss", "number/mini", "claim/mini", "report/pdf"} <= found
    assert not found & {"data/mini/sines", "figure/mini/target"}


def test_a_paper_touches_the_report_alone(project):
    before = digests(planned())
    path = project / "config/bibliography.yaml"
    path.write_text(path.read_text().replace("issued: 1934", "issued: 1935"))
    assert changed(before, digests(planned())) == {"report/html", "report/pdf", "crate/report"}


def test_steps_and_replicas_of_the_report_are_upper_bounds(project):
    settings = planned(steps=7, replicas=1)._recipes["train", "mini/wide"].settings
    assert (settings["steps"], settings["replicas"]) == (7, 1)
    replace(project, STUDY, "    label: wide\n", "    label: wide\n    replicas: 3\n")
    settings = planned(steps=1000, replicas=50)._recipes["train", "mini/wide"].settings
    assert (settings["steps"], settings["replicas"]) == (20, 3)


def test_moments_are_those_of_what_is_linearized_and_of_what_reads_what_was_trained(project):
    before = digests(planned())
    replace(project, STUDY, "    label: wide\n", "    label: wide\n    moments: 2\n")
    plan = planned()
    settings = {"/".join(job): recipe.settings for job, recipe in plan._recipes.items()}
    assert settings["jacobian/mini/wide"]["moments"] == settings["measure/mini/wide/prediction"]["moments"] == 2
    assert settings["jacobian/mini/narrow"]["moments"] is settings["measure/mini/narrow/loss"]["moments"] is None
    assert "moments" not in settings["train/mini/wide"]
    found = changed(before, digests(plan))
    assert {"jacobian/mini/wide", "measure/mini/wide/spectrum", "number/mini"} <= found
    assert not found & {"train/mini/wide", "jacobian/mini/narrow", "measure/mini/narrow/spectrum", "figure/mini/fit_narrow"}


def test_training_knows_its_engine_and_the_library_that_writes_its_code(project):
    replace(project, STUDY, "    label: wide\n", "    label: wide\n    save_at: [1]\n")
    recipes = planned()._recipes
    settings = recipes["train", "mini/wide"].settings
    assert (settings["engine"], settings["trained"], settings["save_at"]) == ("stacked", "all", [1])
    assert {"torch", "llvmlite", "numpy"} <= recipes["train", "mini/wide"].libraries.keys()
    assert "scripts/common/kernel.py:Kernel" in recipes["train", "mini/wide"].code
    assert "llvmlite" not in recipes["jacobian", "mini/wide"].libraries


def test_a_variant_may_be_linearized_elsewhere_and_keep_gram_matrices_or_nothing(project):
    replace(project, STUDY, "    label: wide\n", "    label: wide\n    jacobian: gram\n    linearize_on: others\n")
    replace(project, STUDY, "    label: narrow\n", "    label: narrow\n    jacobian: none\n")
    replace(
        project,
        STUDY,
        "data:\n  sines:",
        "data:\n  others: {kind: sine, frequency: 2.0, seed: 0, samples: 5, noise: 0.0, test_samples: 5, grid_samples: 5}\n  sines:",
    )
    replace(project, STUDY, "  spectrum: {features: 3}\n", "")
    replace(
        project,
        STUDY,
        "  values_wide:\n    kind: singular_values\n    variants: [wide]\n    steps: [first, last]\n",
        "  values_wide:\n    kind: loss_curves\n    variants: [wide]\n",
    )
    recipes = planned(memory=0.5)._recipes
    assert ("jacobian", "mini/narrow") not in recipes
    recipe = recipes["jacobian", "mini/wide"]
    assert {name: source[""].path for name, source in recipe.inputs.items()} == {
        "train": "results/train/mini/wide.npz",
        "reference_points": "results/data/mini/others.npz",
    }
    assert (recipe.settings["form"], recipe.settings["memory"]) == ("gram", 0.5)


def test_a_simulation_is_a_job_of_its_own_that_numbers_read(project):
    drawn = "{label: a, color: '#000000', kind: least_squares, seed: 3, method: natural_gradient, conditions: [2.0], steps: 30}"
    replace(project, STUDY, "measurements:\n", f"simulations:\n  drawn: {drawn}\nmeasurements:\n")
    plan = planned(steps=9, replicas=2)
    recipe = plan._recipes["simulate", "mini/drawn"]
    assert {key: recipe.settings[key] for key in ("kind", "seed", "replicas", "steps")} == {
        "kind": "least_squares",
        "seed": 3,
        "replicas": 2,
        "steps": 9,
    }
    assert "scripts/simulations/least_squares.py:simulate" in recipe.code
    assert plan._recipes["number", "mini"].inputs["measured"]["mini/drawn/least_squares"].path == "results/simulate/mini/drawn.npz"


def test_the_content_of_a_file_of_data_is_part_of_its_recipe(project):
    replace(project, STUDY, "data:\n", "data:\n  images: {kind: image_files, seed: 0, archive: images.npz}\n")
    with pytest.raises(UserError, match=r"images\.npz"):
        planned()
    (project / "images.npz").write_bytes(b"one")
    first = planned()._recipes["data", "mini/images"]
    assert list(first.files) == ["images.npz"]
    (project / "images.npz").write_bytes(b"two")
    assert planned()._recipes["data", "mini/images"].digest != first.digest


def test_an_assignment_has_nothing_measured_in_it():
    plan = planned(edition="assignment")
    assert plan.targets() == ["results/report/report.html", "results/report/report.pdf"]
    for kind in ("html", "pdf"):
        paths = [path for paths in plan.inputs("report")([kind]).values() for path in ([paths] if isinstance(paths, str) else paths)]
        assert paths
        assert all("/figure/mini/target." in path for path in paths)


def test_recipes_are_written_where_the_rules_look_for_them_and_read_back():
    plan = planned()
    plan.write_recipes()
    recipes = plan._recipes.values()
    files = {recipe.path("results") for recipe in recipes} | {code_path(code_digest(recipe.code), "results") for recipe in recipes}
    assert {path.as_posix() for path in Path("results/recipe").rglob("*.json")} == files
    path = Path(plan.recipe("measure")(["mini/wide", "loss"]))
    assert from_json(path.read_text(), path.as_posix()) == plan._recipes["measure", "mini/wide/loss"]


def test_a_recipe_that_is_there_is_left_alone_and_one_that_is_needed_again_is_made_newer():
    first = planned()
    first.write_recipes()
    path = Path(first.recipe("train")(["mini/wide"]))
    os.utime(path, (1, 1))
    first.write_recipes()
    assert path.stat().st_mtime == 1
    other = planned(steps=5)
    other.write_recipes()
    planned().write_recipes()
    assert path.stat().st_mtime > 1
    assert Path(other.recipe("train")(["mini/wide"])).is_file()


def test_of_each_job_the_last_recipes_are_kept():
    for steps in range(3, 10):
        plan = planned(steps=steps)
        plan.write_recipes()
    kept = list(Path("results/recipe/train/mini").glob("wide.*.json"))
    assert Path(plan.recipe("train")(["mini/wide"])) in kept
    assert len(kept) == RECIPES_KEPT + 1


def test_the_code_that_recipes_name_is_written_anew_if_it_is_damaged_and_removed_with_the_last_of_them():
    plan = planned()
    plan.write_recipes()
    path = Path(code_path(code_digest(plan._recipes["train", "mini/wide"].code), "results"))
    whole, stray = path.read_text(), path.with_name("0123456789abcdef.json")
    path.write_text(whole[:-9])
    stray.write_text("{}")
    for steps in range(3, 10):
        planned(steps=steps).write_recipes()
    assert path.read_text() == whole
    assert not stray.exists()


def planned_anew(**changes):
    """Plan as a new process does, which remembers of the sources what the file in the results folder says."""
    forget(sources=True)
    return Plan(read_yaml("config/report.yaml") | changes)


@pytest.mark.slow
def test_what_is_remembered_of_the_sources_is_that_of_the_sources(project):
    fresh = digests(planned_anew())
    planned_anew().write_recipes()
    assert digests(planned_anew()) == fresh
    path = project / "scripts/common/optimizers.py"
    path.write_text(path.read_text() + "\n\nprint()\n")
    assert digests(planned_anew())["train", "mini/wide"] != fresh["train", "mini/wide"]
    memory = Path("results/recipe/sources.memory")
    for damaged in (b"[]", memory.read_bytes()[:-50], memory.read_bytes().replace(b"numpy", b"numpi")):
        memory.write_bytes(damaged)
        assert digests(planned_anew())["data", "mini/sines"] == fresh["data", "mini/sines"]


def test_a_job_that_is_not_planned_is_told_with_those_that_are():
    with pytest.raises(UserError, match="no train job 'mini/wid'; known: mini/narrow, mini/wide"):
        planned().recipe("train")(["mini", "wid"])


def test_measurements_that_read_each_other_are_told(project):
    for name, other in (("chicken", "egg"), ("egg", "chicken")):
        text = (
            (PROJECT / "scripts/measurements/loss.py")
            .read_text()
            .replace("train: Arrays", f"{other}: Arrays")
            .replace('"loss"', f'"{name}"')
        )
        (project / f"scripts/measurements/{name}.py").write_text(text)
    replace(project, STUDY, "measurements:\n", "measurements:\n  chicken: {}\n  egg: {}\n")
    with pytest.raises(
        UserError, match="measurements read each other in a circle: chicken -> egg -> chicken; let one do without the other"
    ):
        planned()


def test_no_path_of_this_machine_is_in_a_recipe(project):
    assert not [
        job for job, recipe in planned()._recipes.items() if any(str(place) in recipe.as_json("results") for place in (project, PROJECT))
    ]


SWEEP = """
sweeps:
  rates:
    variant: wide
    over:
      - {name: rate, settings: {optimizer.learning_rate: [0.1, 0.2]}}
      - {name: width, settings: {network.hidden: [[3], [4]], steps: [7, 9]}, levels: [few, more]}

measurements:"""


def test_a_sweep_is_one_job_with_all_settings_of_each_level(project):
    before = digests(planned())
    replace(project, STUDY, "\nmeasurements:", SWEEP)
    plan = planned(steps=8)
    levels = plan._recipes["sweep", "mini/rates"].settings["levels"]
    assert list(levels) == ["0.1/few", "0.1/more", "0.2/few", "0.2/more"]
    assert [level["optimizer"]["learning_rate"] for level in levels.values()] == [0.1, 0.1, 0.2, 0.2]
    assert [level["network"]["hidden"] for level in levels.values()] == [[3], [4], [3], [4]]
    assert [level["steps"] for level in levels.values()] == [7, 8, 7, 8], "no more than those of the report"
    assert all(level["initialization"] == {"kind": "he_normal", "seed": 1} for level in levels.values())
    assert plan.inputs("sweep")(["mini/rates"]) == {"data": ["results/data/mini/sines.npz"]}
    assert "mini/rates/sweep" in plan._recipes["number", "mini"].inputs["measured"]
    assert plan.work() == "Planned training:\n  mini: 2 variants and 4 levels of 1 sweep, 92 replica-steps"
    after = digests(planned())
    built_anew = {
        "sweep/mini/rates",
        "number/mini",
        "claim/mini",
        "table/mini/fates",
        "summary/report",
        "manifest/report",
        "report/html",
        "report/pdf",
        "crate/report",
    }
    assert changed(before, after) == built_anew


# devices


def on(study="", variant="", sweep=""):
    """Return a small study with a device of its own, of its variant `wide`, and of a sweep, as YAML says it."""
    text = (Path(PROJECT) / "tests/mini/mini.yaml").read_text().replace("title: A small study\n", f"title: A small study\n{study}\n")
    text = text.replace("    label: wide\n", f"    label: wide\n    {variant}\n")
    swept = "sweeps:\n  rates:\n    variant: narrow\n    over: [{name: rate, settings: {optimizer.learning_rate: [0.1, 0.2]}}]\n"
    return text + (f"{swept}    settings: {{device: {sweep}}}\n" if sweep else "")


@pytest.fixture
def gpus(monkeypatch):
    """The GPUs of the machine, for a test to add to."""
    found = []
    monkeypatch.setattr(devices, "visible_gpus", lambda: found)
    return found


def test_a_variant_has_its_own_device_or_that_of_its_study_or_that_of_the_report(project):
    def kinds(text, **changes):
        (project / STUDY).write_text(text)
        plan = planned(**changes)
        told = {name: plan._recipes["train", f"mini/{name}"].settings["device"] for name in ("narrow", "wide")}
        assert told == {name: ("cpu", "cuda")[plan.needs.gpus("train")([f"mini/{name}"])] for name in told}
        return tuple(told.values())

    assert kinds(on()) == ("cpu", "cpu")
    assert kinds(on(), device="cuda") == ("cuda", "cuda")
    assert kinds(on("device: cpu"), device="cuda") == ("cpu", "cpu")
    assert kinds(on("device: cuda:1", "device: cpu")) == ("cuda", "cpu")
    assert kinds(on(variant="device: cuda")) == ("cpu", "cuda")
    assert planned().needs.gpus("sweep")(["mini/none"]) == planned().needs.gpus("data")(["mini/sines"]) == 0


def test_a_sweep_takes_a_gpu_if_one_of_its_levels_does(project):
    (project / STUDY).write_text(on(sweep="cuda:2"))
    plan = planned()
    assert [level["device"] for level in plan._recipes["sweep", "mini/rates"].settings["levels"].values()] == ["cuda", "cuda"]
    assert (plan.needs.gpus("sweep")(["mini/rates"]), plan.needs.gpu_number("sweep")(["mini/rates"])) == (1, 2)
    assert (plan.needs.gpus("train")(["mini/narrow"]), plan.needs.gpu_number("train")(["mini/narrow"])) == (0, -1)


def test_the_class_of_a_device_is_part_of_the_digest_and_its_number_is_not(gpus):
    on_cpu, on_gpu = digests(planned(device="cpu")), digests(planned(device="cuda"))
    assert {"train/mini/wide", "jacobian/mini/wide", "measure/mini/wide/loss", "report/html"} <= changed(on_cpu, on_gpu)
    assert not changed(on_gpu, digests(planned(device="cuda:3")))
    assert not changed(on_cpu, digests(planned(device="auto")))
    gpus.append("0")
    assert not changed(on_gpu, digests(planned(device="auto")))
    assert [planned(device=device).needs.gpu_number("train")(["mini/wide"]) for device in ("cuda", "cuda:3", "auto")] == [-1, 3, -1]


def test_an_engine_of_the_processor_stays_there_when_the_report_says_cuda(project):
    natural = "engine: gauss_newton\n    optimizer: {kind: natural_gradient}\n    batches: {kind: full, seed: 0}"
    (project / STUDY).write_text(on(variant=natural))
    plan = planned(device="cuda")
    assert [plan._recipes["train", f"mini/{name}"].settings["device"] for name in ("narrow", "wide")] == ["cuda", "cpu"]
    (project / STUDY).write_text(on(variant=f"{natural}\n    device: cuda:1"))
    message = "variants.wide.device: wrong value 'cuda:1'; allowed: null or 'auto' or 'cpu' with the gauss_newton engine"
    with pytest.raises(UserError, match=re.escape(message)):
        planned()


def test_gpus_that_are_missing_are_told_once_for_each_place_before_any_job(project, gpus):
    (project / STUDY).write_text(on("device: cuda", "device: cuda:1", "cuda"))
    plan = planned()
    with pytest.raises(UserError) as error:
        plan.needs.check_devices(local=True)
    assert str(error.value).splitlines() == [
        f"{STUDY}: device: {devices.missing(Device('cuda'), [])}",
        f"{STUDY}: variants.wide.device: {devices.missing(Device('cuda', 1), [])}",
        f"{STUDY}: sweeps.rates.device: {devices.missing(Device('cuda'), [])}",
    ]
    gpus.append("0")
    with pytest.raises(UserError, match=re.escape("variants.wide.device: wrong value 'cuda:1', 1 GPU visible here")):
        plan.needs.check_devices(local=True)
    plan.needs.check_devices(local=False)
    gpus.append("1")
    plan.needs.check_devices(local=True)


@pytest.mark.usefixtures("gpus")
def test_what_is_trained_needs_no_gpu_any_more(project):
    plan = planned(device="cuda")
    plan.write_recipes()
    with pytest.raises(UserError, match=r"config/report.yaml or --config: device: wrong value 'cuda', no CUDA GPU"):
        plan.needs.check_devices(local=True)
    for name in ("narrow", "wide"):
        path = project / f"results/train/mini/{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    plan.needs.check_devices(local=True)
    os.utime(path, ns=(0, 0))
    with pytest.raises(UserError, match="wrong value 'cuda'"):
        plan.needs.check_devices(local=True)


def test_what_this_machine_has_says_nothing_of_others():
    with pytest.raises(
        UserError, match=r"--config: device: wrong value 'auto', jobs run on other machines than the one that plans; allowed"
    ):
        planned(device="auto").needs.check_devices(local=False)
    planned(device="cuda").needs.check_devices(local=False)
