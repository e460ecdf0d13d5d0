"""The configuration: what a report and a study may say, read from YAML and checked as a whole before anything runs.

Every problem is found in one go and told with its file, its key, the wrong value and what is allowed.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, StringConstraints, ValidationError

from scripts.common import components, syntax, wording
from scripts.common.components import Family
from scripts.common.errors import UserError
from scripts.common.places import BIBLIOGRAPHY, PREFACE, PROJECT, chapter_path, claims_path, study_path
from scripts.common.yaml_file import read_yaml

NAME = r"[a-z][a-z0-9_]*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=60)]
Color = Annotated[str, StringConstraints(pattern="^#[0-9A-Fa-f]{6}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Date = Annotated[str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, datetime.date) else value)]
KEY = r"[a-z]+[0-9]{4}[a-z]?"
PAGES = r"[0-9]+-[0-9]+"
OBJECT_IDENTIFIER = r"10\.[0-9]{4,}/\S+"
Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]
WORDS_OF_YAML = {"true": True, "false": False, "null": None}
"""Values that ``snakemake --config key=value`` hands over as text."""
FromCommandLine = BeforeValidator(lambda value: WORDS_OF_YAML.get(value, value) if isinstance(value, str) else value)

REPORT = "config/report.yaml"

ALLOWED = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "too_short": "at least {min_length} of them",
    "dict_type": "`key: value` lines ({{}} where there are none)",
    "model_type": "`key: value` lines ({{}} where there are none)",
    "literal_error": "{expected}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
}
"""What would have been right, by pydantic's name of what is wrong."""

PATTERNS = {
    f"^{NAME}$": "a name of small letters, digits and underscores that starts with a letter",
    "^#[0-9A-Fa-f]{6}$": "a color such as '#0072B2'",
    f"^{KEY}$": "a name and a year, as jacot2018, with a letter behind it where two papers share them",
    f"^{PAGES}$": "the first and the last page, as 251-276",
    f"^{OBJECT_IDENTIFIER}$": "a DOI without an address before it, as 10.1037/h0042519",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$": "a folder inside the project, without '..'",
}
"""What a text that matches is, in words."""


class ConfigurationError(UserError):
    """A configuration that is wrong; the message lists every problem, one a line."""


class Model(BaseModel):
    """A closed, typed mapping: an unknown key or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


T = TypeVar("T", bound=Model)


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
    """A network.

    Attributes:
        kind: perceptron, a fully connected network, or convolutional, a network of convolutions with pooling on square images.
        hidden: of a perceptron, the widths of the hidden layers, from the input on.
        channels: of a convolutional network, the channels of each convolution, from the input on.
        kernel: of a convolutional network, the width and height of each convolution, an odd number.
        activation: what is applied after each hidden layer.
        parametrization: standard, or ntk, in which every parameter is of order 1 and layers scale them (perceptrons).
        weight_variance: with ntk, the variance of a layer's weights is this over its number of inputs.
        bias_variance: with ntk, the variance of the biases.
        output_scale: with ntk, what the output is multiplied by.
    """

    kind: Literal["perceptron", "convolutional"] = "perceptron"
    hidden: Annotated[list[PositiveInt], Field(min_length=1)] | None = None
    channels: Annotated[list[PositiveInt], Field(min_length=1)] | None = None
    kernel: PositiveInt | None = None
    activation: Name = "relu"
    parametrization: Literal["standard", "ntk"] = "standard"
    weight_variance: Annotated[float, Field(gt=0)] | None = None
    bias_variance: Annotated[float, Field(ge=0)] | None = None
    output_scale: Annotated[float, Field(gt=0)] | None = None

    def options(self) -> dict[str, Any]:
        """Return what describes the network, without what it does not have."""
        return self.model_dump(exclude_none=True)


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
    """

    label: Text
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


class Simulation(Part):
    """A computation from settings and seeds, without training; keys beside the ones below are the options of its kind.

    Attributes:
        label: what figures and tables call it.
        color: its color in every figure, as '#0072B2'.
        seed: seed of replica 0; the other replicas use seeds derived from it.
        replicas: number of replicas; those of the report if it is not given or larger.
        data: name of the data set that it reads, if its kind reads one.
    """

    label: Text
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
        simulations: the simulations that it shows, all or a list.
    """

    caption: Text
    variants: Literal["all"] | list[Name] = []
    simulations: Literal["all"] | list[Name] = []


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
        measurements: what is measured of them.
        figures: the figures, in order.
        tables: the tables, in order.
        observations: what the sources say, each with the claims that test it.
    """

    title: Text
    sources: list[Text] = []
    linearize_on: Name
    data: Annotated[dict[Name, Part], Field(min_length=1)]
    defaults: dict[str, Any] = {}
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    simulations: dict[Name, Simulation] = {}
    measurements: dict[Name, Measurement]
    figures: dict[Name, Figure]
    tables: dict[Name, Figure] = {}
    observations: list[Observation] = []


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
        studies: the chapters, in order.
    """

    title: Text
    author: Text
    student_id: str
    course: Text
    date: Date
    edition: Literal["solutions", "assignment"]
    strict: Annotated[bool, FromCommandLine]
    results: Folder
    replicas: PositiveInt
    steps: Annotated[PositiveInt | None, FromCommandLine]
    memory: Annotated[float, Field(gt=0)]
    bootstrap: Bootstrap
    studies: Annotated[list[Name], Field(min_length=1)]


class Person(Model):
    """An author or editor.

    Attributes:
        family: family name.
        given: given names or their initials.
    """

    family: Text
    given: Text


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
    type: Literal["article-journal", "paper-conference", "chapter", "book", "dataset"]
    author: Annotated[list[Person], Field(min_length=1)]
    issued: Annotated[int, Field(ge=1600, le=2100)]
    title: Text
    container_title: Annotated[Text | None, Field(alias="container-title")] = None
    collection_title: Annotated[Text | None, Field(alias="collection-title")] = None
    collection_number: Annotated[PositiveInt | None, Field(alias="collection-number")] = None
    editor: list[Person] = []
    volume: PositiveInt | None = None
    issue: PositiveInt | None = None
    page: Annotated[str, StringConstraints(pattern=f"^{PAGES}$")] | None = None
    publisher: Text | None = None
    DOI: Annotated[str, StringConstraints(pattern=f"^{OBJECT_IDENTIFIER}$")] | None = None


class Bibliography(Model):
    """The papers that chapters may cite.

    Attributes:
        references: the papers.
    """

    references: list[Paper]


NEEDED = {
    "article-journal": ("container-title", "volume"),
    "paper-conference": ("container-title",),
    "chapter": ("container-title", "publisher"),
    "book": ("publisher",),
    "dataset": ("publisher",),
}
"""What a publication of each type must say, beside what all say."""


class Names(NamedTuple):
    """What a study names, by what it is: the names of all its entries, whatever is wrong with them; None where they cannot be told."""

    data: list[str] | None
    variants: list[str] | None
    simulations: list[str] | None
    measurements: list[str] | None
    figures: list[str] | None
    tables: list[str] | None

    def runs(self) -> list[str] | None:
        """Return the names of variants and simulations: of all that has numbers."""
        return None if self.variants is None or self.simulations is None else [*self.variants, *self.simulations]


def load_report(settings: Mapping[str, Any]) -> tuple[Report, dict[str, Study]]:
    """Return the report that `settings` describe and its studies by name, all cross references checked.

    Args:
        settings: the merged content of the report's configuration files and of what the command line lays over them.

    Raises:
        UserError: anything is wrong; the message lists all problems.
    """
    problems: list[str] = []
    written = read_yaml(PROJECT / REPORT)
    places = {key: REPORT if key in written and written[key] == value else "--config or --configfile" for key, value in settings.items()}
    report = _validate(Report, settings, lambda path: f"{places.get(path.partition('.')[0], REPORT)}: {path}", problems)
    listed = settings.get("studies")
    names = [name for name in listed if _is_name(name)] if isinstance(listed, list) else []
    place = f"{places.get('studies', REPORT)}: studies"
    problems += [f"{place}: '{name}' is listed twice; keep one" for name in dict.fromkeys(names) if names.count(name) > 1]
    known = sorted(path.stem for path in (PROJECT / "config/studies").glob("*.yaml"))
    problems += _unknown(place, dict.fromkeys(names), known, "study")
    papers = _load_papers(problems)
    studies = {name: _load_study(name, papers, problems) for name in dict.fromkeys(names) if name in known}
    problems += wording.unknown_papers((PROJECT / PREFACE).read_text(encoding="utf-8"), PREFACE, papers)
    problems += _shared_names(studies)
    if problems or report is None:
        raise ConfigurationError("the configuration has problems:\n" + "\n".join(f"- {problem}" for problem in dict.fromkeys(problems)))
    return report, {name: study for name, study in studies.items() if study}


def _load_papers(problems: list[str]) -> list[str] | None:
    """Return the keys of all papers that chapters may cite, or None where they cannot be told."""
    try:
        content = read_yaml(PROJECT / BIBLIOGRAPHY)
    except UserError as error:
        problems.append(str(error).replace(f"{PROJECT}/", ""))
        return None
    listed = content.get("references")
    written = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    keys = [str(entry.get("id")) for entry in written]

    def place(path: str) -> str:
        """Name a paper by its key where it has one, not by its number in the list."""
        head, _, rest = path.partition(".")
        number, _, rest = rest.partition(".")
        entry = listed[int(number)] if head == "references" and number.isdigit() and isinstance(listed, list) else {}
        name = entry.get("id", number) if isinstance(entry, dict) else number
        return ": ".join([BIBLIOGRAPHY, ".".join(part for part in (head, str(name), rest) if part)])

    _validate(Bibliography, content, place, problems)
    problems += [f"{BIBLIOGRAPHY}: references: '{key}' is listed twice; keep one" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    problems += [
        f"{BIBLIOGRAPHY}: references.{entry.get('id')}.{field}: is missing, and a publication of type {entry['type']} has one; add it"
        for entry in written
        for field in NEEDED.get(str(entry.get("type")), ())
        if field not in entry
    ]
    return keys


def _shared_names(studies: Mapping[str, Study | None]) -> list[str]:
    """Return what is wrong with names of figures and tables that two studies share: references to them would be ambiguous."""
    problems: list[str] = []
    owners: dict[tuple[str, str], str] = {}
    for study_name, study in studies.items():
        named = [(word, name) for word, names in (("figure", study.figures), ("table", study.tables)) for name in names] if study else []
        for word, name in named:
            owner = owners.setdefault((word, name), study_name)
            if owner != study_name:
                problems.append(f"{study_path(study_name)}: {word}s.{name}: study '{owner}' has a {word} of this name; rename one")
    return problems


def _load_study(name: str, papers: list[str] | None, problems: list[str]) -> Study | None:
    place = study_path(name)
    try:
        content = read_yaml(PROJECT / place)
        merged, inherited = _with_defaults(content)
        found = [f"{place}: defaults.{key}: unknown key; allowed: {', '.join(Variant.model_fields)}" for key in _unknown_defaults(content)]
        study = _validate(Study, merged, lambda path: f"{place}: {path}", found)
        found += _cross_references(name, study or _right_entries(merged), _names(merged), papers, place)
    except UserError as error:
        problems.append(str(error).replace(f"{PROJECT}/", ""))
        return None
    problems += [_told_where_written(problem, place, inherited) for problem in found]
    return study


def _unknown_defaults(content: dict[str, Any]) -> list[str]:
    defaults = content.get("defaults")
    return [key for key in defaults if key not in Variant.model_fields] if isinstance(defaults, dict) else []


def _with_defaults(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the study with each variant laid over the defaults, and where what a variant inherits is written, by its path."""
    defaults, variants = content.get("defaults", {}), content.get("variants")
    if not isinstance(defaults, dict) or not isinstance(variants, dict):
        return content, {}
    known = {key: value for key, value in defaults.items() if key in Variant.model_fields}
    merged = {name: _merge(known, variant) if isinstance(variant, dict) else variant for name, variant in variants.items()}
    inherited = {
        f"variants.{name}.{path}": f"defaults.{path}"
        for name, variant in variants.items()
        if isinstance(variant, dict)
        for path in _not_given(known, variant)
    }
    return {**content, "defaults": known, "variants": merged}, inherited


def _not_given(base: dict[str, Any], over: dict[str, Any]) -> list[str]:
    """Return the paths of all that `base` has and `over` does not."""
    paths = [str(key) for key in base if key not in over]
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            paths += [f"{key}.{path}" for path in _not_given(below, value)]
    return paths


def _told_where_written(problem: str, place: str, inherited: Mapping[str, str]) -> str:
    """Return a problem of something that a variant inherits as one of the defaults, where it is written once for all variants."""
    start = f"{place}: "
    path = problem.removeprefix(start).partition(":")[0]
    steps = path.split(".")
    for length in range(len(steps), 2, -1):
        head = ".".join(steps[:length])
        if head in inherited:
            return start + problem.removeprefix(start).replace(head, inherited[head], 1)
    return problem


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `over` laid over `base`, mappings key by key; a mapping with another `kind` replaces all but the seed."""
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            if value.get("kind", below.get("kind")) != below.get("kind"):
                below = {k: v for k, v in below.items() if k == "seed"}
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _validate(model: type[T], content: Any, place: Callable[[str], str], problems: list[str]) -> T | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems += [f"{place(path)}: {sentence}" for path, sentence in _sentences(error.errors(), model)]
        return None


def _sentences(errors: Sequence[Any], model: type[Model]) -> list[tuple[str, str]]:
    """Return path and sentence of each problem; of "all or a list" one sentence, or what is wrong inside the list."""
    found: list[tuple[str, str]] = []
    for (path, value), group in groupby(errors, key=lambda problem: (_path(problem["loc"]), components.shown(problem["input"]))):
        problems = list(group)
        first = problems[0]
        if first["type"] == "literal_error" and any(_path(other["loc"]).startswith(f"{path}.") for other in errors):
            continue
        if first["type"] == "extra_forbidden":
            known = _fields(model, first["loc"][:-1])
            found.append((path, "unknown key" + (f"; allowed: {', '.join(known)}" if known else "")))
        elif first["type"] == "missing":
            found.append((path, "is missing; add it" + (" here or under defaults" if first["loc"][0] == "variants" else "")))
        else:
            word = "name" if "[key]" in first["loc"] else "value"
            found.append((path, f"wrong {word} {value}; allowed: {' or '.join(dict.fromkeys(_allowed(problem) for problem in problems))}"))
    return found


def _path(location: Sequence[Any]) -> str:
    """Return a key path as people write it, without pydantic's words for the branches of a union; a wrong key is no part of it."""
    keys = location[:-2] if location[-1:] == ("[key]",) else location
    return ".".join(str(key) for key in keys if not str(key).startswith(("literal[", "list[", "constrained-", "function-")))


def _allowed(problem: Any) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], str(context["pattern"]))
    if problem["type"] == "string_type" and isinstance(problem["input"], int | float | datetime.date):
        return "text; put it in quotes"
    known = ALLOWED.get(problem["type"])
    return known.format(**context) if known else str(problem["msg"]).removeprefix("Input should be ")


def _fields(model: Any, location: Iterable[Any]) -> list[str]:
    """Return the keys allowed at a location inside a model, or none where the location is no closed mapping."""
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            if part not in model.model_fields:
                return []
            model = model.model_fields[part].annotation
        else:
            arguments = getattr(model, "__args__", ())
            model = arguments[-1] if arguments else None
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and re.fullmatch(NAME, key) is not None


def _names(content: Mapping[str, Any]) -> Names:
    sections = (content.get(section, {}) for section in Names._fields)
    return Names(*([key for key in section if _is_name(key)] if isinstance(section, dict) else None for section in sections))


def _right_entries(content: Mapping[str, Any]) -> Study:
    """Return the entries of a study that are right by themselves, so that they are held against its names although others are wrong."""
    observations, linearize_on = content.get("observations"), content.get("linearize_on")
    numbered = _right(Observation, dict(enumerate(observations)) if isinstance(observations, list) else {})
    return Study.model_construct(
        title="",
        linearize_on=linearize_on if isinstance(linearize_on, str) else "",
        data=_right(Part, content.get("data")),
        variants=_right(Variant, content.get("variants")),
        simulations=_right(Simulation, content.get("simulations")),
        measurements=_right(Measurement, content.get("measurements")),
        figures=_right(Figure, content.get("figures")),
        tables=_right(Figure, content.get("tables")),
        observations=list(numbered.values()),
    )


def _right(model: type[T], section: Any) -> dict[Any, T]:
    found = {key: _validate(model, entry, str, []) for key, entry in section.items()} if isinstance(section, dict) else {}
    return {key: made for key, made in found.items() if made}


def _cross_references(name: str, study: Study, names: Names, papers: list[str] | None, place: str) -> list[str]:
    problems = _unknown(f"{place}: linearize_on", [study.linearize_on] if study.linearize_on else [], names.data, "data set")
    for key, part in study.data.items():
        problems += components.problems(components.DATASET, part.kind, part.options(), f"{place}: data.{key}")
    for key, variant in study.variants.items():
        problems += _check_variant(f"{place}: variants.{key}", variant, names)
    for key, simulation in study.simulations.items():
        problems += _check_simulation(f"{place}: simulations.{key}", key, simulation, names)
    for key in study.measurements:
        problems += _check_measurement(f"{place}: measurements.{key}", key, study, names)
    for family, figures in ((components.FIGURE, study.figures), (components.TABLE, study.tables)):
        for key, figure in figures.items():
            problems += _check_figure(f"{place}: {family.word}s.{key}", family, figure, study, names)
            problems += wording.unknown_papers(figure.caption, f"{place}: {family.word}s.{key}.caption", papers)
    claims = list(syntax.functions(PROJECT / claims_path(name))) if (PROJECT / claims_path(name)).is_file() else []
    if not claims:
        problems.append(f"{claims_path(name)}: missing or without a public function; write the claims of study '{name}' there")
    for number, observation in enumerate(study.observations):
        problems += _unknown(f"{place}: observations.{number}.claims", observation.claims, claims, "claim")
    known = {"figure": names.figures, "table": names.tables, "claim": claims, "variant": names.runs(), "data set": names.data}
    known["paper"] = papers
    return problems + wording.problems(PROJECT / chapter_path(name), chapter_path(name), known, _measured(study, names))


def _check_variant(place: str, variant: Variant, names: Names) -> list[str]:
    given = [name for name in (variant.data, variant.linearize_on) if name]
    keys = dict(zip(("data", "linearize_on"), (variant.data, variant.linearize_on), strict=True))
    problems = [p for key, name in keys.items() if name in given for p in _unknown(f"{place}.{key}", [name], names.data, "data set")]
    problems += _check_network(place, variant.network)
    parts: list[tuple[str, Family, Part]] = [
        ("initialization", components.INITIALIZATION, variant.initialization),
        ("optimizer", components.OPTIMIZER, variant.optimizer),
        ("batches", components.BATCHES, variant.batches),
        ("loss", components.LOSS, variant.loss),
    ]
    for key, family, part in parts:
        problems += components.problems(family, part.kind, part.options(), f"{place}.{key}")
    return problems + _check_engine(place, variant)


NETWORKS = {"perceptron": ("hidden",), "convolutional": ("channels", "kernel")}
"""What only networks of a kind have, and must have."""
SCALES = ("weight_variance", "bias_variance", "output_scale")
"""What only networks in the ntk parametrization have, and must have."""


def _check_network(place: str, network: Network) -> list[str]:
    problems = _unknown(f"{place}.network.activation", [network.activation], components.names(components.ACTIVATION), "activation")
    needed = [*NETWORKS[network.kind], *(SCALES if network.parametrization == "ntk" else ())]
    of = f"a {network.kind} network" if network.parametrization == "standard" else f"a {network.kind} network in ntk parametrization"
    for key in [*(key for keys in NETWORKS.values() for key in keys), *SCALES]:
        if key in needed and getattr(network, key) is None:
            problems.append(f"{place}.network.{key}: is missing; add it here or under defaults, {of} needs it")
        elif key not in needed and getattr(network, key) is not None:
            problems.append(f"{place}.network.{key}: {of} has no such option; remove it")
    if network.kernel is not None and network.kernel % 2 == 0:
        problems.append(f"{place}.network.kernel: wrong value {network.kernel}; allowed: an odd number")
    return problems


ENGINES: dict[str, dict[str, tuple[str, ...]]] = {
    "stacked": {"trained": ("all",), "network.kind": ("perceptron",), "optimizer.kind": ("sgd", "adam")},
    "compiled": {
        "network.kind": ("perceptron",),
        "network.activation": ("relu",),
        "network.parametrization": ("standard",),
        "optimizer.kind": ("sgd",),
        "batches.kind": ("subsets",),
        "loss.kind": ("mse",),
    },
    "autograd": {"trained": ("all",), "network.parametrization": ("standard",), "optimizer.kind": ("sgd", "adam")},
    "gauss_newton": {
        "trained": ("all",),
        "network.kind": ("perceptron",),
        "optimizer.kind": ("natural_gradient",),
        "batches.kind": ("full",),
        "loss.kind": ("mse",),
    },
}
"""What each engine trains: the values that it allows, by the path of the key in a variant."""


def _check_engine(place: str, variant: Variant) -> list[str]:
    given = {
        "trained": variant.trained,
        "network.kind": variant.network.kind,
        "network.activation": variant.network.activation,
        "network.parametrization": variant.network.parametrization,
        "optimizer.kind": variant.optimizer.kind,
        "batches.kind": variant.batches.kind,
        "loss.kind": variant.loss.kind,
    }
    problems = [
        f"{place}.{path}: wrong value {components.shown(given[path])}; "
        f"allowed: {' or '.join(components.shown(value) for value in allowed)} with the {variant.engine} engine"
        for path, allowed in ENGINES[variant.engine].items()
        if given[path] not in allowed
    ]
    if variant.network.kind != "perceptron" and variant.jacobian != "none":
        problems.append(f"{place}.jacobian: wrong value '{variant.jacobian}'; allowed: 'none' with a {variant.network.kind} network")
    return problems


def _check_simulation(place: str, name: str, simulation: Simulation, names: Names) -> list[str]:
    problems = components.problems(components.SIMULATION, simulation.kind, simulation.options(), place)
    if name in (names.variants or []):
        problems.append(f"{place}: there is a variant of this name; rename one")
    if simulation.kind not in components.names(components.SIMULATION):
        return problems
    reads = "data" in components.reads(components.SIMULATION, simulation.kind)
    if reads and simulation.data is None:
        problems.append(f"{place}: simulation '{simulation.kind}' needs the option 'data', the name of a data set; add it")
    elif not reads and simulation.data is not None:
        problems.append(f"{place}.data: simulation '{simulation.kind}' reads no data set; remove it")
    elif simulation.data is not None:
        problems += _unknown(f"{place}.data", [simulation.data], names.data, "data set")
    return problems


def _check_measurement(place: str, name: str, study: Study, names: Names) -> list[str]:
    problems = _unknown(place, [name], components.names(components.MEASUREMENT), "measurement")
    if problems:
        return problems
    measurement = study.measurements[name]
    variants = _chosen(measurement.variants, names)
    problems += _unknown_or_twice(f"{place}.variants", variants, names.variants, "variant")
    reads = components.reads(components.MEASUREMENT, name)
    problems += _not_measured(f"{place}: measurement '{name}'", [read for read in reads if _is_measurement(read)], variants, study, names)
    problems += _not_linearized(f"{place}: measurement '{name}'", reads, variants, study)
    if components.compares(name):
        if measurement.reference is None:
            return [*problems, f"{place}: measurement '{name}' needs the option 'reference', the name of a variant; add it"]
        problems += _unknown(f"{place}.reference", [measurement.reference], names.variants, "variant")
        of_reference = [read.removeprefix("reference_") for read in reads if _is_measurement(read.removeprefix("reference_"))]
        problems += _not_measured(f"{place}.reference: measurement '{name}'", of_reference, [measurement.reference], study, names)
    elif measurement.reference is not None:
        problems.append(f"{place}.reference: measurement '{name}' compares with no other variant; remove it")
    return problems + components.problems(components.MEASUREMENT, name, measurement.options(), place)


FORMS = {"jacobian": "stored", "gram": "gram"}
"""What a variant's `jacobian` must say for a measurement to read one of its forms."""


def _not_linearized(place: str, reads: Sequence[str], variants: Iterable[str], study: Study) -> list[str]:
    """Return of which variants a measurement reads a form of the Jacobian that is not stored."""
    return [
        f"{place} reads the '{read}' of variant '{variant}', of which is stored: {study.variants[variant].jacobian}; "
        f"set variants.{variant}.jacobian to '{FORMS[read]}', or leave the variant out"
        for read in reads
        for variant in variants
        if read in FORMS and variant in study.variants and study.variants[variant].jacobian != FORMS[read]
    ]


def _check_figure(place: str, family: Family, figure: Figure, study: Study, names: Names) -> list[str]:
    shown, measured = _chosen(figure.variants, names), _measured(study, names)
    simulated = (names.simulations or []) if isinstance(figure.simulations, str) else figure.simulations
    known = {"variant": [*shown, *simulated], "data set": names.data, "quantity": list(measured) if measured is not None else None}
    problems = components.problems(family, figure.kind, figure.options(), place, known=known)
    if figure.kind not in components.names(family):
        return problems
    problems += _unknown_or_twice(f"{place}.variants", shown, names.variants, "variant")
    problems += _unknown_or_twice(f"{place}.simulations", simulated, names.simulations, "simulation")
    reads = components.reads(family, figure.kind)
    needs = [read for read in reads if _is_measurement(read)]
    if simulated and not {"simulated", "numbers"} & set(reads):
        problems.append(f"{place}.simulations: {family.word} '{figure.kind}' shows no simulations; remove them")
    if "simulated" in reads and not simulated and not shown:
        problems.append(f"{place}: {family.word} '{figure.kind}' needs simulations; add `simulations: all` or a list of them")
    elif not shown and not simulated and names.variants is not None and (needs or {"styles", "data", "train"} & set(reads)):
        problems.append(f"{place}: {family.word} '{figure.kind}' needs variants; add `variants: all` or a list of them")
    return problems + _not_measured(f"{place}: {family.word} '{figure.kind}'", needs, shown, study, names)


def _chosen(variants: str | list[str], names: Names) -> list[str]:
    return (names.variants or []) if isinstance(variants, str) else variants


def _measured(study: Study, names: Names) -> dict[str, list[str]] | None:
    """Return every quantity of a study and of which variants and simulations there is one, or None where that cannot be told."""
    if names.measurements is None or names.runs() is None:
        return None
    found: dict[str, list[str]] = {}
    for name in names.measurements:
        for quantity in components.quantities(components.MEASUREMENT, name) if _is_measurement(name) else ():
            found[quantity] = _chosen(study.measurements[name].variants if name in study.measurements else "all", names)
    for name, simulation in study.simulations.items():
        known = simulation.kind in components.names(components.SIMULATION)
        for quantity in components.quantities(components.SIMULATION, simulation.kind) if known else ():
            found[quantity] = [*found.get(quantity, []), name]
    return found


def _is_measurement(read: str) -> bool:
    return read in components.names(components.MEASUREMENT)


def _not_measured(place: str, needs: Iterable[str], variants: Iterable[str], study: Study, names: Names) -> list[str]:
    """Return which of the measurements `needs` the study does not make, or not of all `variants`."""
    problems: list[str] = []
    for need in needs:
        if names.measurements is not None and need not in names.measurements:
            problems.append(f"{place} reads measurement '{need}', which the study does not make; add it under measurements")
        elif need in study.measurements and study.measurements[need].variants != "all":
            measured = study.measurements[need].variants
            problems += [
                f"{place} reads '{need}' of variant '{variant}', of which it is not measured; add it to measurements.{need}.variants"
                for variant in variants
                if variant in (names.variants or []) and variant not in measured
            ]
    return problems


def _unknown_or_twice(place: str, given: Sequence[str], known: Iterable[str] | None, word: str) -> list[str]:
    twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
    return _unknown(place, dict.fromkeys(given), known, word) + [f"{place}: '{name}' is listed twice; keep one" for name in twice]


def _unknown(place: str, given: Iterable[str], known: Iterable[str] | None, word: str) -> list[str]:
    """Return which of the names are not `known`; none where it cannot be told what is known."""
    if known is None:
        return []
    return [f"{place}: unknown {word} '{name}'; known: {', '.join(known) or 'none'}" for name in given if name not in known]
