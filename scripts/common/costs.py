"""What a job costs, estimated from its recipe: seconds and memory, and the group that it is submitted in on a cluster.

The one place with such figures. The rules ask for them through the plan, and ask for several times as much of a cluster, so that being
right within a factor is enough; a test holds the estimates against the times and the memory of a real build.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common import networks
from scripts.common.errors import UserError
from scripts.common.recipe import Recipe, Source

Job = tuple[str, str]
Recipes = Mapping[Job, Recipe]
"""The recipes of the jobs of a build, by step and name."""
CHAIN = ("train", "jacobian", "measure")
"""The steps that are made of one variant after another."""
COMPARISONS, FIGURES = "comparisons", "figures"
"""Groups without a class."""

START = {"train": 3.0, "sweep": 3.0, "simulate": 3.0, "jacobian": 0.5, "measure": 0.5, "figure": 4.5, "report": 22.0, "manifest": 4.0}
"""Seconds that a job of a step takes before it computes anything, or in all: to import its libraries, to read what there is to read."""
SHORT = 2.0
"""The same of all other steps."""

PER_LAYER = {"stacked": 1e-5, "compiled": 0.0, "autograd": 5.5e-4, "gauss_newton": 3e-3}
"""Seconds of a step for each layer of the network, whatever its size and the number of replicas, by engine."""
PER_PRODUCT = {"stacked": 9e-11, "compiled": 8e-11, "autograd": 9e-11, "gauss_newton": 9e-11}
"""Seconds of a step for each weight that a sample of a replica's batch is multiplied by, and back."""
PER_SCORED_PRODUCT = 3.3e-10
"""The same where all samples are scored."""
OUTPUT_LAYER = 0.3
"""Share of the time that training of the output layer alone takes."""
PER_JACOBIAN = {"stored": 5e-8, "gram": 3e-10}
"""Seconds for each element of a stored Jacobian, and for each element of a Gram matrix and layer of the network."""
PER_SPECTRUM = 5e-10
"""Seconds of a measurement of a stored Jacobian for each of its elements and row."""

PER_REPLICA = {
    "loss_plane": 2.0,
    "ensemble": 0.5,
    "decision_boundary": 0.4,
    "covariate_shift": 0.35,
    "calibration": 0.25,
    "tangent": 0.25,
    "path": 0.2,
    "kernel_regression": 0.1,
}
"""Seconds of a measurement for each replica, by its name."""
OTHER_MEASUREMENT = 0.01
"""The same of all other measurements."""

MARGIN = 5
"""How many times as much time as is estimated a job is given."""
ON_A_NODE = 6.0
"""Seconds that Snakemake takes to start a job on a node of a cluster."""

MEMORY = {"train": 1200, "sweep": 1200, "simulate": 1200, "measure": 1200, "jacobian": 1200, "figure": 1000, "report": 1200, "number": 1200}
"""Megabytes that a job of a step takes at most in a full build, with a margin, and with the two Snakemakes that run it on a node."""
OTHER_MEMORY = 800
"""The same of all other steps."""

CLASSES = {"seconds": 30.0, "minutes": 600.0, "hours": math.inf}
"""What is grouped by cost, each class with the longest that its members take, in seconds: the names of groups end in them, and a
profile says how many of a class make up one submission."""

IMAGES = {"digits": (64, 10), "image_files": (784, 10), "two_moons": (2, 2)}
"""Inputs and outputs of the samples of a kind of data; others have one of each."""
SAMPLES = 1000
"""Number of training samples where the settings of the data do not say it."""


class Points(NamedTuple):
    """How large a data set is: its training samples, its other samples that are scored, the inputs and outputs of each."""

    train: int
    other: int
    inputs: int
    outputs: int


class Work(NamedTuple):
    """How much there is to compute of a network: its layers, its parameters, and the weights that one sample is multiplied by."""

    layers: int
    parameters: int
    products: int


def points(settings: Mapping[str, Any]) -> Points:
    """Return the size of a data set from its settings, ``kind`` and options."""
    train = int(settings.get("train_samples") or settings.get("samples") or SAMPLES)
    other = int(settings.get("test_samples") or 0) + int(settings.get("validation_samples") or 0)
    asked, targets = settings.get("inputs"), settings.get("targets")
    inputs, outputs = IMAGES.get(settings["kind"], (1, 1))
    return Points(train, other, len(asked) if isinstance(asked, list) else inputs, len(targets) if isinstance(targets, list) else outputs)


def work(network: Mapping[str, Any], size: Points) -> Work:
    """Return how much there is to compute of a network on samples of a data set.

    The images of a data set whose size is not known may not fit the network; of such a one, something is returned.
    """
    return _work(json.dumps(network, sort_keys=True), size)


@cache
def _work(description: str, size: Points) -> Work:
    """Return what `work` does for a network as JSON: many variants of a grid share one, and several estimates ask for it."""
    network = json.loads(description)
    try:
        found = networks.layers(network, inputs=size.inputs, outputs=size.outputs)
    except UserError:
        return Work(layers=10, parameters=100_000, products=1_000_000)
    side = math.isqrt(size.inputs)
    rows = side if network.get("kind") in ("recurrent", "attention") else 1
    products = parameters = 0
    for layer in found:
        weights = math.prod(layer.tensors.get("weight", (0,)))
        parameters += sum(math.prod(shape) for shape in layer.tensors.values())
        if layer.kind == "linear":
            products += weights * rows
        elif layer.kind == "convolution":
            products += weights * side * side
        elif layer.kind == "pooling":
            side //= 2
    return Work(len(found) * (side if network.get("kind") == "recurrent" else 1), parameters, products)


def saved_steps(settings: Mapping[str, Any]) -> int:
    """Return at how many steps a training saves its parameters."""
    regular = settings["steps"] // settings["save_every"] if settings.get("save_every") else 0
    return int(2 + regular + sum(step < settings["steps"] for step in settings.get("save_at") or ()))


def training_seconds(settings: Mapping[str, Any], size: Points) -> float:
    """Return the seconds of a training, from its settings and the size of its data, without the start of its job."""
    engine, computed = settings["engine"], work(settings["network"], size)
    batch = settings["batches"].get("size") or size.train
    steps = settings["steps"] * PER_LAYER[engine] * computed.layers
    products = settings["steps"] * settings["replicas"] * batch * computed.products * PER_PRODUCT[engine]
    scores = settings["steps"] / settings["evaluate_every"] + 1
    scored = scores * settings["replicas"] * (size.train + size.other) * computed.products * PER_SCORED_PRODUCT
    return float(steps + products + scored) * (OUTPUT_LAYER if settings.get("trained") == "output_layer" else 1.0)


def jacobian_seconds(settings: Mapping[str, Any], training: Mapping[str, Any], size: Points) -> float:
    """Return the seconds of a linearization, from its settings, those of its training, and the size of the data it is made on."""
    computed, moments = work(settings["network"], size), _moments(settings, training)
    rows = size.train * size.outputs
    if settings["form"] == "stored":
        return moments * rows * computed.parameters * PER_JACOBIAN["stored"]
    return float(moments * training["replicas"] * rows * rows * computed.layers * PER_JACOBIAN["gram"])


def measurement_seconds(settings: Mapping[str, Any], training: Mapping[str, Any], size: Points, *, form: str | None) -> float:
    """Return the seconds of a measurement.

    Args:
        settings: its settings, ``kind`` and what it is told.
        training: the settings of the training that it measures.
        size: the size of the data that the training is linearized on, or trained.
        form: what it reads of the linearization, "stored" or "gram", if it reads one.
    """
    plain = training["replicas"] * PER_REPLICA.get(settings["kind"], OTHER_MEASUREMENT)
    if form != "stored":
        return float(plain)
    rows = size.train * size.outputs
    return float(plain + _moments(settings, training) * rows * rows * work(training["network"], size).parameters * PER_SPECTRUM)


def training_memory(settings: Mapping[str, Any], size: Points) -> int:
    """Return the megabytes of the arrays of a training: what is saved, the state of its engine, and the values of all samples."""
    parameters, samples = work(settings["network"], size).parameters, size.train + size.other
    units = sum(settings["network"].get("hidden") or [channels * size.inputs for channels in settings["network"].get("channels") or ()])
    numbers = settings["replicas"] * ((saved_steps(settings) + 8) * parameters + 2 * samples * units)
    return math.ceil(float(numbers) * (8 if settings.get("precision") == "float64" else 4) / 2**20)


def memory(step: str, *, arrays: int = 0) -> int:
    """Return the megabytes that a job of a step is given, with those of its arrays, in hundreds."""
    return math.ceil((MEMORY.get(step, OTHER_MEMORY) + arrays) / 100) * 100


def runtime(seconds: float) -> int:
    """Return the minutes that a job of so many estimated seconds is given, several times as many as that and Snakemake take."""
    return math.ceil(MARGIN * (seconds + ON_A_NODE) / 60)


def class_of(seconds: Iterable[float]) -> str:
    """Return the class of jobs that run one after another, of so many estimated seconds each."""
    total = sum(seconds)
    return next(name for name, longest in CLASSES.items() if total <= longest)


def seconds(recipes: Recipes, step: str, name: str) -> float:
    """Return the estimated seconds of one of the jobs of a build, from its start on."""
    settings, start = recipes[step, name].settings, START.get(step, SHORT)
    if step == "train":
        return start + training_seconds(settings, _points(recipes, step, name, "data"))
    if step == "sweep":
        sizes = _sizes(recipes, name)
        return start + sum(training_seconds(level, sizes[level["data"]]) for level in settings["levels"].values())
    if step == "jacobian":
        return start + jacobian_seconds(settings, _training(recipes, step, name), _points(recipes, step, name, "reference_points"))
    if step == "measure":
        variant, reads = _variant(step, name), recipes[step, name].inputs.keys() & {"jacobian", "gram"}
        form = recipes["jacobian", variant].settings["form"] if reads else None
        size = _points(recipes, *(("jacobian", variant, "reference_points") if form else ("train", variant, "data")))
        return start + measurement_seconds(settings, _training(recipes, step, name), size, form=form)
    return start


def megabytes(recipes: Recipes, step: str, name: str) -> int:
    """Return the memory that one of the jobs of a build is given, in megabytes."""
    settings, arrays = recipes[step, name].settings, 0
    if step == "train":
        arrays = training_memory(settings, _points(recipes, step, name, "data"))
    elif step == "sweep":
        sizes = _sizes(recipes, name)
        arrays = max(training_memory(level, sizes[level["data"]]) for level in settings["levels"].values())
    elif step in ("jacobian", "measure"):
        arrays = training_memory(_training(recipes, step, name), _points(recipes, "train", _variant(step, name), "data"))
        arrays += math.ceil(settings.get("memory", 0) * 2**10)
    return memory(step, arrays=arrays)


def groups(recipes: Recipes) -> dict[Job, str]:
    """Return the group of each job that is submitted in one.

    The training of a variant, its linearization and its measurements are one chain, which is submitted as a whole, in the class of all
    their seconds; training on a GPU is a chain of its own, so that nothing else holds a GPU. A sweep or a simulation is one, too. What
    compares a variant with another, and what reads that, comes after all chains, and figures after all measurements. So no two groups
    wait for each other, whichever chains a submission is made of.

    Args:
        recipes: the recipes of a build, each after those of its inputs.
    """
    found: dict[Job, str] = {}
    chains: dict[str, list[Job]] = {}
    for (step, name), recipe in recipes.items():
        if step == "figure":
            found[step, name] = FIGURES
        elif step in ("sweep", "simulate") or (step == "train" and on_gpu(recipe.settings)):
            found[step, name] = ("gpu_" if on_gpu(recipe.settings) else "") + class_of([seconds(recipes, step, name)])
        elif step in CHAIN:
            read = [_job(source) for sources in recipe.inputs.values() for source in sources.values()]
            before = [job for job in read if job[0] in CHAIN]
            if any(_variant(*job) != _variant(step, name) or found.get(job) == COMPARISONS for job in before):
                found[step, name] = COMPARISONS
            else:
                chains.setdefault(_variant(step, name), []).append((step, name))
    for jobs in chains.values():
        found |= dict.fromkeys(jobs, class_of(seconds(recipes, *job) for job in jobs))
    return found


def on_gpu(settings: Mapping[str, Any]) -> bool:
    """Whether a training, or any level of a sweep, is computed on a GPU, from the settings of its recipe."""
    return any(told.get("device", "cpu") != "cpu" for told in settings.get("levels", {"": settings}).values())


def _moments(settings: Mapping[str, Any], training: Mapping[str, Any]) -> int:
    return min(saved_steps(training), int(settings.get("moments") or saved_steps(training)))


def _job(source: Source) -> Job:
    """Return the job that makes a file: its step and its name, which its path ends in."""
    parts = Path(source.path).with_suffix("").parts
    return ("measure", "/".join(parts[-3:])) if len(parts) > 3 and parts[-4] == "measure" else (parts[-3], "/".join(parts[-2:]))


def _variant(step: str, name: str) -> str:
    return name.rpartition("/")[0] if step == "measure" else name


def _training(recipes: Recipes, step: str, name: str) -> Mapping[str, Any]:
    return recipes["train", _variant(step, name)].settings


def _points(recipes: Recipes, step: str, name: str, key: str) -> Points:
    return points(recipes[_job(recipes[step, name].inputs[key][""])].settings)


def _sizes(recipes: Recipes, sweep: str) -> dict[str, Points]:
    return {key: points(recipes[_job(source)].settings) for key, source in recipes["sweep", sweep].inputs["data"].items()}
