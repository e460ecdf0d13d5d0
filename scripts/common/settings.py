"""What the configuration files may say: the keys of the report, of a study and of the bibliography, and what each may be."""

import datetime
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WithJsonSchema,
    model_serializer,
)

from scripts.common.escaping import checked_markdown, checked_words
from scripts.common.networks import KINDS
from scripts.common.places import checked_folder
from scripts.common.ranges import values_of

NAME = r"[a-z][a-z0-9_]*"
PATH = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=60)]
Color = Annotated[str, StringConstraints(pattern="^#[0-9A-Fa-f]{6}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(checked_words)]
"""Words, of which every letter stands for itself."""
Label = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True, pattern="^[^_]"), AfterValidator(checked_words)]
"""Words that name something in legends, which leave out what begins with an underscore."""
Markdown = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(checked_markdown)]
"""A line of Markdown without HTML, attributes and pictures."""
Date = Annotated[
    str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, datetime.date) else value), AfterValidator(checked_words)
]
KEY = r"[a-z]+[0-9]{4}[a-z]?"
PAGES = r"[0-9]+-[0-9]+"
OBJECT_IDENTIFIER = r"10\.[0-9]{4,}/\S+"
FOLDER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*"
Folder = Annotated[str, StringConstraints(pattern=f"^{FOLDER}$", max_length=200), AfterValidator(checked_folder)]
DEVICE = r"(auto|cpu|cuda(:(0|[1-9][0-9]*))?)"
Device = Annotated[str, StringConstraints(pattern=f"^{DEVICE}$")]
SettingPath = Annotated[str, StringConstraints(pattern=f"^{PATH}$")]
Values = Annotated[
    list[Any],
    Field(min_length=1),
    BeforeValidator(values_of),
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1}, {"type": "string", "pattern": "^ *(logspace|linspace|range) *\\("}]}),
]
"""The values of a setting: a list, or a range as text."""
WORDS_OF_YAML = {"true": True, "false": False, "null": None}
"""Values that ``snakemake --config key=value`` hands over as text."""
FromCommandLine = BeforeValidator(lambda value: WORDS_OF_YAML.get(value, value) if isinstance(value, str) else value)


class Model(BaseModel):
    """A closed, typed mapping: an unknown key or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Part(Model):
    """A part of the project; keys beside the ones below are its options.

    Attributes:
        kind: name of the part.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: Name

    def options(self) -> dict[str, Any]:
        """Return the options given to the part."""
        return dict(self.model_extra or {})


class SeededPart(Part):
    """A part that draws random numbers.

    Attributes:
        seed: seed of replica 0; the other replicas use seeds derived from it.
    """

    seed: Seed


class Network(Model):
    """A network; of a kind that is a function, keys beside ``kind`` are its options.

    Attributes:
        kind: perceptron, a fully connected network; convolutional, a network of convolutions with pooling on square images; recurrent,
            which reads the rows of an image in turn; attention, one block of it on the rows of an image; or a function of
            scripts/common/architectures.py (autograd engine).
        hidden: of a perceptron, the widths of the hidden layers, from the input on; of recurrent networks and attention their one width.
        depth: of a perceptron, in place of `hidden`, the number of hidden layers, all of one width.
        width: of a perceptron, in place of `hidden`, that width.
        channels: of a convolutional network, the channels of each convolution, from the input on.
        kernel: of a convolutional network, the width and height of each convolution, an odd number.
        activation: what is applied after each hidden layer; prelu, with a slope that is trained, beside the functions that there are.
        normalization: what normalizes values before they are activated: batch, layer, instance or group; nothing if it is not given.
        groups: with group normalization, into how many groups the channels or units are divided.
        dropout: what is dropped in training, after each hidden layer; nothing if it is not given.
        residual: whether every two hidden layers after the first are a branch that is added to what goes around it (perceptrons).
        parametrization: standard, or ntk, in which every parameter is of order 1 and layers scale them (perceptrons).
        weight_variance: with ntk, the variance of a layer's weights is this over its number of inputs.
        bias_variance: with ntk, the variance of the biases.
        output_scale: with ntk, what the output is multiplied by.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: Name = "perceptron"
    hidden: Annotated[list[PositiveInt], Field(min_length=1)] | None = None
    depth: PositiveInt | None = None
    width: PositiveInt | None = None
    channels: Annotated[list[PositiveInt], Field(min_length=1)] | None = None
    kernel: PositiveInt | None = None
    activation: Name = "relu"
    normalization: Literal["batch", "layer", "instance", "group"] | None = None
    groups: PositiveInt | None = None
    dropout: Part | None = None
    residual: bool | None = None
    parametrization: Literal["standard", "ntk"] = "standard"
    weight_variance: Annotated[float, Field(gt=0)] | None = None
    bias_variance: Annotated[float, Field(ge=0)] | None = None
    output_scale: Annotated[float, Field(gt=0)] | None = None

    @model_serializer(mode="wrap")
    def _told(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the network as a mapping; that of a function has nothing but what is given, for no other key means anything to it."""
        found: dict[str, Any] = dump(self)
        return (
            found if self.kind in KINDS else {key: value for key, value in found.items() if key == "kind" or key in self.model_fields_set}
        )

    def options(self) -> dict[str, Any]:
        """Return what describes the network, without what it does not have; a depth and a width as the widths of hidden layers."""
        if self.kind not in KINDS:
            return self.model_dump()
        found = self.model_dump(exclude_none=True, exclude={"depth", "width"})
        return found | ({"hidden": [self.width] * self.depth} if self.depth and self.width else {})


class EarlyStopping(Model):
    """When the training of a replica ends before its last step; it then goes back to where it was best.

    Attributes:
        patience: after how many evaluations without improvement.
        minimal_change: what counts as an improvement: a change of the score by more than this.
        mode: min where a small score is good, max where a large one is.
        score: what is looked at.
    """

    patience: PositiveInt
    minimal_change: Annotated[float, Field(ge=0)]
    mode: Literal["min", "max"]
    score: Literal["validation_loss", "validation_accuracy"]


class Variant(Model):
    """One trained configuration; what it does not say itself, `defaults` say for all variants.

    Attributes:
        label: what figures and tables call it.
        color: its color in every figure, as '#0072B2'.
        data: name of the data set that it is trained on.
        network: the network.
        initialization: how weights and biases are drawn.
        optimizer: how parameters are updated.
        batches: in which order training samples are drawn.
        loss: what is minimized.
        steps: number of updates.
        evaluate_every: losses are recorded at step 0, at each multiple of this, and at the last step.
        save_every: parameters are saved at step 0, at each multiple of this if it is given, and at the last step.
        precision: in which floating-point numbers it is trained.
        replicas: number of runs; those of the report if it is not given or larger.
        engine: stacked, by PyTorch; compiled, a kernel for long training of small networks (ReLU, mse, sgd, subsets; on a CPU);
            autograd, by PyTorch for any network; or gauss_newton, for natural gradient descent (natural_gradient, mse, full).
        trained: which parameters are updated, all or those of the output layer; the latter needs the compiled engine.
        save_at: further steps at which parameters are saved and losses recorded; those beyond the last are ignored.
        moments: at most so many of the saved steps are linearized and measured, the first and the last among them; all if null.
        linearize_on: the data set at whose training points it is linearized; that of the study if it is not given.
        jacobian: what is stored of its linearization: the Jacobian of replica 0, the Gram matrices J J^T of all replicas, or nothing.
        seconds_per_step: the wall time of one step of one replica, measured once (`make seconds`), where times are compared.
        augmentation: how the samples of a batch are mixed before each step (autograd engine).
        early_stopping: when training ends before its last step; it is looked at whenever losses are recorded.
        device: what it is trained on, auto, cpu, cuda or a certain GPU as cuda:1 (stacked and autograd engines); that of the study if it
            is not given.
    """

    label: Label
    color: Color
    data: Name
    network: Network
    initialization: SeededPart
    optimizer: Part
    batches: SeededPart
    loss: Part
    steps: PositiveInt
    evaluate_every: PositiveInt
    save_every: PositiveInt | None = None
    precision: Literal["float32", "float64"] = "float32"
    replicas: PositiveInt | None = None
    engine: Literal["stacked", "compiled", "autograd", "gauss_newton"] = "stacked"
    trained: Literal["all", "output_layer"] = "all"
    save_at: list[PositiveInt] = []
    moments: Annotated[int, Field(ge=2)] | None = None
    linearize_on: Name | None = None
    jacobian: Literal["stored", "gram", "none"] = "stored"
    seconds_per_step: Annotated[float, Field(gt=0)] | None = None
    augmentation: Part | None = None
    early_stopping: EarlyStopping | None = None
    device: Device | None = None


class Factor(Model):
    """What a sweep varies.

    Attributes:
        name: what it is, in words.
        settings: values of a setting of the variant by its path, as `optimizer.learning_rate`, as a list or as a range, such as
            `logspace(-3, 1, 50)`, `linspace(0, 1, 11)` or `range(1, 9, 2)`; of several settings as many values each, which belong together.
        levels: what the levels are called; the values of the first setting if they are not given.
    """

    name: Text
    settings: Annotated[dict[SettingPath, Values], Field(min_length=1)]
    levels: list[Name] | None = None


class Axis(Factor):
    """What a grid varies.

    Attributes:
        name: what it is, in one word that stands in the names of the variants.
    """

    name: Name


class Sweep(Model):
    """A variant trained at several levels of some of its settings in one job, of which scores at the end are kept.

    Attributes:
        variant: the variant.
        label: what figures and tables call it; as the variant if it is not given.
        color: its color in every figure; that of the variant if it is not given.
        settings: what is other than in the variant at every level, by its path, as `data`.
        over: what is varied; several factors are crossed.
    """

    variant: Name
    label: Label | None = None
    color: Color | None = None
    settings: dict[SettingPath, Any] = {}
    over: Annotated[list[Factor], Field(min_length=1)]


class Grid(Model):
    """A variant for each combination of levels of some settings, which is trained, measured and shown as any other variant is.

    Attributes:
        variant: the variant that they are made from; the defaults if it is not given.
        label: what figures and tables call them; as the variant if it is not given.
        color: their color in every figure; that of the variant if it is not given.
        settings: what is other than in the variant at every level, by its path, as `data`.
        over: what is varied; the axes are crossed.
    """

    variant: Name | None = None
    label: Label | None = None
    color: Color | None = None
    settings: dict[SettingPath, Any] = {}
    over: Annotated[list[Axis], Field(min_length=1)]


class Simulation(Part):
    """A computation from settings and seeds, without training; keys beside the ones below are the options of its kind.

    Attributes:
        label: what figures and tables call it.
        color: its color in every figure, as '#0072B2'.
        seed: seed of replica 0; the other replicas use seeds derived from it.
        replicas: number of replicas; those of the report if it is not given or larger.
        data: name of the data set that it reads, if its kind reads one.
    """

    label: Label
    color: Color
    seed: Seed
    replicas: PositiveInt | None = None
    data: Name | None = None


class Measurement(Model):
    """A measurement; keys beside the ones below are its options.

    Attributes:
        variants: the variants that it is made of, all or a list.
        reference: the variant that it compares with, where it compares.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    variants: Literal["all"] | list[Name] = "all"
    reference: Name | None = None

    def options(self) -> dict[str, Any]:
        """Return the options given to the measurement."""
        return dict(self.model_extra or {})


class Figure(Part):
    """A figure or table; keys beside the ones below are the options of its kind.

    Attributes:
        caption: what it shows, in Markdown; the code adds the number of replicas and the method of intervals.
        variants: the variants that it shows, all or a list.
        simulations: the simulations and sweeps that it shows, all or a list.
    """

    caption: Markdown
    variants: Literal["all"] | list[Name] = []
    simulations: Literal["all"] | list[Name] = []


class Phase(Model):
    """A part of a chapter that has an inventory of its own.

    Attributes:
        title: what it is about.
        variants: the variants that it trains.
        simulations: the simulations and sweeps that it makes.
        grids: the grids whose variants it trains.
        swept: what is varied, in words, and the path of the setting, as `network.hidden`; the inventory lists its values.
    """

    title: Text
    variants: list[Name] = []
    simulations: list[Name] = []
    grids: list[Name] = []
    swept: dict[Text, SettingPath] = {}


class Observation(Model):
    """What a source document says, and what tests it.

    Attributes:
        says: what it says, in our words.
        claims: names of the claims of the study that test it.
    """

    says: Text
    claims: Annotated[list[Name], Field(min_length=1)]


class Study(Model):
    """One chapter.

    Attributes:
        title: title of the chapter.
        sources: the documents that it comes from, as they are credited.
        linearize_on: the data set at whose training points Jacobians and features of all variants are taken.
        data: the data sets.
        defaults: what variants do not say themselves.
        variants: the trained configurations.
        simulations: computations without training; their names are none of the variants'.
        sweeps: variants trained at several levels of a setting; their names are none of the others'.
        grids: settings that are crossed into variants; the names of these are made from the grid's and those of axes and levels.
        measurements: what is measured of them.
        figures: the figures, in order.
        tables: the tables, in order.
        phases: the parts of the chapter that have an inventory, in order.
        observations: what the sources say, each with the claims that test it.
        device: what variants are trained on that do not say it themselves; that of the report if it is not given.
    """

    title: Text
    sources: list[Text] = []
    linearize_on: Name
    data: Annotated[dict[Name, Part], Field(min_length=1)]
    defaults: dict[str, Any] = {}
    variants: dict[Name, Variant] = {}
    simulations: dict[Name, Simulation] = {}
    sweeps: dict[Name, Sweep] = {}
    grids: dict[Name, Grid] = {}
    measurements: dict[Name, Measurement]
    figures: dict[Name, Figure]
    tables: dict[Name, Figure] = {}
    phases: dict[Name, Phase] = {}
    observations: list[Observation] = []
    device: Device | None = None


class Bootstrap(Model):
    """The resamples behind every bootstrap interval.

    Attributes:
        seed: their seed.
        resamples: their number.
    """

    seed: Seed
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]


class Report(Model):
    """The report.

    Attributes:
        title: title on the title page.
        author: author on the title page.
        student_id: student id on the title page; in quotes, so that leading zeros stay.
        course: course on the title page.
        date: date on the title page, as '2026-11-22'.
        edition: solutions, with questions and answers, or assignment, with questions alone and room to write.
        strict: whether a claim that the runs do not support fails the build.
        results: folder that everything is built in.
        replicas: the most runs of each variant, one seed each.
        steps: the most updates of any training; null for as many as the study says.
        memory: memory in GiB that the Gram matrix of a linearization may take while it is computed.
        bootstrap: the resamples behind every bootstrap interval.
        device: what networks are trained on: cpu; cuda, a GPU, or a certain one as cuda:1; or auto, a GPU if the planning machine has one.
        studies: the chapters, in order.
    """

    title: Text
    author: Text
    student_id: Annotated[str, AfterValidator(checked_words)]
    course: Text
    date: Date
    edition: Literal["solutions", "assignment"]
    strict: Annotated[bool, FromCommandLine]
    results: Folder
    replicas: PositiveInt
    steps: Annotated[PositiveInt | None, FromCommandLine]
    memory: Annotated[float, Field(gt=0)]
    bootstrap: Bootstrap
    device: Device = "cpu"
    studies: Annotated[list[Name], Field(min_length=1)]


class Person(Model):
    """An author or editor.

    Attributes:
        family: family name.
        given: given names or their initials.
    """

    family: Markdown
    given: Markdown


class Paper(Model):
    """A paper that chapters may cite, with its data as CSL names them.

    Attributes:
        id: the key that it is cited by, as jacot2018.
        type: what kind of publication it is.
        author: the authors, in order.
        issued: year of publication.
        title: title, in sentence case.
        container-title: the journal, the proceedings or the book that it is in.
        collection-title: the series that the book is in.
        collection-number: its number in the series.
        editor: the editors of the book.
        volume: volume of the journal or the proceedings.
        issue: number within the volume.
        page: first and last page.
        publisher: who published it.
        DOI: its digital object identifier.
    """

    id: Annotated[str, StringConstraints(pattern=f"^{KEY}$")]
    type: Literal["article", "article-journal", "paper-conference", "chapter", "book", "dataset"]
    author: Annotated[list[Person], Field(min_length=1)]
    issued: Annotated[int, Field(ge=1600, le=2100)]
    title: Markdown
    container_title: Annotated[Markdown | None, Field(alias="container-title")] = None
    collection_title: Annotated[Markdown | None, Field(alias="collection-title")] = None
    collection_number: Annotated[PositiveInt | None, Field(alias="collection-number")] = None
    editor: list[Person] = []
    volume: PositiveInt | None = None
    issue: PositiveInt | None = None
    page: Annotated[str, StringConstraints(pattern=f"^{PAGES}$")] | None = None
    publisher: Markdown | None = None
    DOI: Annotated[str, StringConstraints(pattern=f"^{OBJECT_IDENTIFIER}$")] | None = None


class Bibliography(Model):
    """The papers that chapters may cite.

    Attributes:
        references: the papers.
    """

    references: list[Paper]


NEEDED = {
    "article": ("publisher",),
    "article-journal": ("container-title", "volume"),
    "paper-conference": ("container-title",),
    "chapter": ("container-title", "publisher"),
    "book": ("publisher",),
    "dataset": ("publisher",),
}
"""What a publication of each type must say, beside what all say."""


def merged_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `over` laid over `base`, mappings key by key; a mapping with another `kind` replaces all but the seed."""
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            if value.get("kind", below.get("kind")) != below.get("kind"):
                below = {k: v for k, v in below.items() if k == "seed"}
            merged[key] = merged_over(below, value)
        else:
            merged[key] = value
    return merged


def levels_of(sweep: Sweep, variant: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of a sweep's variant at each of its levels, by what the level is called; crossed factors are joined by "/".

    Settings that the variant leaves out, None, may not be there.
    """
    choices = [
        [
            (called, {path: values[place] for path, values in factor.settings.items()})
            for place, called in enumerate(factor.levels or [f"{value:g}" for value in next(iter(factor.settings.values()))])
        ]
        for factor in sweep.over
    ]
    found = {}
    for chosen in product(*choices):
        settings = changed(variant, sweep.settings)
        for _, changes in chosen:
            settings = changed(settings, changes)
        found["/".join(called for called, _ in chosen)] = settings
    return found


def swept_settings(sweep: Sweep | Grid, variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a sweep's or grid's variant, with the levels of a setting that is swept in its place, in a list."""
    own = {key: value for key, value in (("label", sweep.label), ("color", sweep.color)) if value is not None}
    found = changed(variant, own | sweep.settings)
    for factor in sweep.over:
        called = {next(iter(factor.settings)): factor.levels} if factor.levels else {}
        found = changed(found, factor.settings | called)
    return found


def changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with other values at some paths."""
    found = dict(settings)
    for path, value in changes.items():
        above: Any = value
        for key in reversed(path.split(".")):
            above = {key: above}
        found = merged_over(found, above)
    return found


def setting_at(run: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path of a variant's or simulation's settings, as ``network.hidden``; None where nothing does."""
    found: Any = run
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
