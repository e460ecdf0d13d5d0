import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from scripts.common import costs
from scripts.common.places import PROJECT
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml

MEASURED = Path(__file__).with_name("costs_of_a_build.csv")
"""Seconds and, where they were taken, megabytes (resident at most) of every job of a full build on two cores that others used as well."""
IN_SCRIPT = ("train", "jacobian")
"""Steps whose time is taken by their script, after the libraries are imported."""
WORST = {"train": 4, "sweep": 4, "jacobian": 4, "measure": 12, "simulate": 15, "figure": 8}
"""By what factor an estimate may be off, in either direction."""
RANK = {"train": 0.9, "sweep": 0.6, "jacobian": 0.8, "measure": 0.3}
"""How well the order of the jobs of a step has to be estimated, as Spearman's correlation."""
SNAKEMAKE = 300
"""Megabytes of the two Snakemakes that a job runs under on a node."""


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    results = tmp_path_factory.mktemp("results").name
    return Plan({**read_yaml(PROJECT / "config/report.yaml"), "results": results})._recipes


@pytest.fixture(scope="module")
def measured(recipes):
    found = defaultdict(list)
    with MEASURED.open() as file:
        for row in csv.DictReader(file):
            job = row["step"], row["name"]
            if job in recipes:
                seconds = float(row["seconds"]) + (costs.START[row["step"]] if row["step"] in IN_SCRIPT else 0)
                found[row["step"]].append((job, seconds, float(row["megabytes"] or 0)))
    return found


def test_most_jobs_of_the_report_have_been_measured(recipes, measured):
    assert sum(len(jobs) for jobs in measured.values()) > 0.9 * len([job for job in recipes if job[0] in measured])


@pytest.mark.parametrize("step", WORST)
def test_no_estimate_is_far_from_what_was_measured(recipes, measured, step):
    off = {job: costs.seconds(recipes, *job) / seconds for job, seconds, _ in measured[step]}
    far = {job: factor for job, factor in off.items() if not 1 / WORST[step] < factor < WORST[step]}
    assert far == {}


@pytest.mark.parametrize("step", RANK)
def test_what_takes_longer_is_estimated_to_take_longer(recipes, measured, step):
    estimated = [costs.seconds(recipes, *job) for job, *_ in measured[step]]
    assert spearmanr(estimated, [seconds for _, seconds, _ in measured[step]]).statistic > RANK[step]


@pytest.mark.parametrize("step", WORST)
def test_the_sum_of_a_step_is_right_within_a_half(recipes, measured, step):
    estimated, taken = np.sum([(costs.seconds(recipes, *job), seconds) for job, seconds, _ in measured[step]], axis=0)
    assert 1 / 1.6 < estimated / taken < 1.6


def test_every_job_would_have_had_time_and_memory_enough_at_its_first_attempt(recipes, measured):
    short = [
        job for jobs in measured.values() for job, seconds, _ in jobs if 60 * costs.runtime(costs.seconds(recipes, *job)) < 2 * seconds
    ]
    small = [job for jobs in measured.values() for job, _, megabytes in jobs if costs.megabytes(recipes, *job) < megabytes + SNAKEMAKE]
    assert (short, small) == ([], [])


@pytest.mark.parametrize(("setting", "factor"), [("steps", 10), ("replicas", 10)])
def test_a_long_training_takes_as_many_times_longer_as_it_is_longer(setting, factor):
    settings = {
        "network": {"hidden": [100, 100]},
        "engine": "stacked",
        "batches": {"kind": "permutations", "size": 50},
        "steps": 100_000,
        "replicas": 100,
        "evaluate_every": 100_000,
    }
    settings["network"] |= {"kind": "perceptron", "activation": "relu"}
    size = costs.Points(1000, 500, 1, 1)
    longer = settings | {setting: factor * settings[setting]}
    assert costs.training_seconds(longer, size) == pytest.approx(factor * costs.training_seconds(settings, size), rel=0.1)


def test_the_work_of_a_convolutional_network_is_counted_by_hand():
    network = {"kind": "convolutional", "channels": [2, 3], "kernel": 3, "activation": "relu"}
    found = costs.work(network, costs.Points(10, 0, 64, 10))
    assert found.parameters == (2 * 9 + 2) + (3 * 2 * 9 + 3) + (3 * 4 * 10 + 10)
    assert found.products == 64 * 2 * 9 + 16 * 3 * 2 * 9 + 12 * 10


def test_a_network_that_images_of_unknown_size_do_not_fit_has_some_work():
    network = {"kind": "convolutional", "channels": [2], "kernel": 3, "activation": "relu"}
    assert costs.work(network, costs.Points(10, 0, 2, 2)).products > 0


@pytest.mark.parametrize(("seconds", "name"), [((5, 25), "seconds"), ((5, 26), "minutes"), ((601,), "hours"), ((1e9,), "hours")])
def test_a_chain_is_of_the_class_of_the_sum_of_its_seconds(seconds, name):
    assert costs.class_of(seconds) == name


def test_a_job_has_a_multiple_of_its_time():
    assert costs.runtime(600) > 4 * 10
    assert costs.runtime(0.1) == 1


def test_groups_never_wait_for_each_other(recipes):
    """Whichever chains of a class make up a submission, none depends on another that depends on it."""
    groups = costs.groups(recipes)
    assert {step for step, _ in groups} == {"train", "jacobian", "measure", "sweep", "simulate", "figure"}
    waits = defaultdict(set)
    for job, group in groups.items():
        for sources in recipes[job].inputs.values():
            for source in sources.values():
                before = costs._job(source)
                if before in groups and groups[before] != group:
                    waits[group].add(groups[before])
                elif before in groups and group not in (costs.COMPARISONS, costs.FIGURES):
                    assert costs._variant(*before) == costs._variant(*job), (before, job)
    order = {**dict.fromkeys(costs.CLASSES, 1), **{f"gpu_{name}": 0 for name in costs.CLASSES}, costs.COMPARISONS: 2, costs.FIGURES: 3}
    assert all(order[other] < order[group] for group, others in waits.items() for other in others)


def test_only_training_holds_a_gpu(recipes):
    on_gpu = {
        job: recipe if job[0] != "train" else recipe.__class__(**{**vars(recipe), "settings": {**recipe.settings, "device": "cuda"}})
        for job, recipe in recipes.items()
    }
    groups = costs.groups(on_gpu)
    assert {group.startswith("gpu_") for (step, _), group in groups.items() if step == "train"} == {True}
    assert {step for (step, _), group in groups.items() if group.startswith("gpu_")} == {"train"}
