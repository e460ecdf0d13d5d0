"""The configuration: what a report and a study may say, read from YAML and checked as a whole before anything runs.

Every problem is found in one go and told with its file, its key, the wrong value and what is allowed.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, StringConstraints, ValidationError

from scripts.common import components, syntax, wording
from scripts.common.components import Family
from scripts.common.errors import UserError
from scripts.common.places import PROJECT, chapter_path, claims_path, study_path
from scripts.common.yaml_file import YamlError, read_yaml

NAME = r"[a-z][a-z0-9_]*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=60)]
Color = Annotated[str, StringConstraints(pattern="^#[0-9A-Fa-f]{6}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Date = Annotated[str, BeforeValidator(lambda value: value.isoformat() if isinstance(value, datetime.date) else value)]

EXPLAINED = {
    f"^{NAME}$": "a name of small letters, digits and underscores that starts with a letter",
    "^#[0-9A-Fa-f]{6}$": "a color such as '#0072B2'",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$": "a folder inside the project, without '..'",
}


class ConfigurationError(UserError):
    """A configuration that is wrong; the message lists every problem, one a line."""


class Model(BaseModel):
    """A closed, typed mapping: an unknown key or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


T = TypeVar("T", bound=Model)


class Part(Model):
    """A part of the project named by `kind`; the other keys are its options."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: Name

    def options(self) -> dict[str, Any]:
        """Return the options given to the part."""
        return dict(self.model_extra or {})


class SeededPart(Part):
    """A part that draws random numbers from `seed`; replica 0 uses the seed itself, the others seeds derived from it."""

    seed: Seed


class Network(Model):
    """A fully connected network: widths of its hidden layers, and the activation after each of them."""

    kind: Literal["perceptron"] = "perceptron"
    hidden: Annotated[list[PositiveInt], Field(min_length=1)]
    activation: Name = "relu"


class Variant(Model):
    """One trained configuration: data, network, initialization, optimizer, batches and loss; label and color are for figures."""

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


class Measurement(Model):
    """Which variants a measurement is made of ("all" or a list), the variant it compares with, and its options."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    variants: Literal["all"] | list[Name] = "all"
    reference: Name | None = None

    def options(self) -> dict[str, Any]:
        """Return the options given to the measurement."""
        return dict(self.model_extra or {})


class Figure(Part):
    """A figure or table: its kind, the variants that it shows, its caption (Markdown), and the options of its kind."""

    caption: Text
    variants: Literal["all"] | list[Name] = []


class Observation(Model):
    """What a source document says, and the claims of ours that test it."""

    says: Text
    claims: Annotated[list[Name], Field(min_length=1)]


class Study(Model):
    """One chapter: its data sets, variants, measurements, figures, tables, and the observations of its source."""

    title: Text
    sources: list[Text] = []
    linearize_on: Name
    data: Annotated[dict[Name, Part], Field(min_length=1)]
    defaults: dict[str, Any] = {}
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    measurements: dict[Name, Measurement]
    figures: dict[Name, Figure]
    tables: dict[Name, Figure] = {}
    observations: list[Observation] = []


class Bootstrap(Model):
    """Seed and number of the resamples behind every bootstrap interval."""

    seed: Seed
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]


class Report(Model):
    """The report: what its title page says, its edition, how many replicas, and its studies in order."""

    title: Text
    author: Text
    student_id: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    course: Text
    date: Date
    edition: Literal["solutions", "assignment"]
    strict: bool
    results: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]
    replicas: PositiveInt
    steps: PositiveInt | None
    bootstrap: Bootstrap
    studies: Annotated[list[Name], Field(min_length=1)]


def load_report(settings: Mapping[str, Any], *, place: str = "config/report.yaml") -> tuple[Report, dict[str, Study]]:
    """Return the report that `settings` describe and its studies by name, all cross references checked.

    Args:
        settings: the merged content of the report's configuration files.
        place: how messages name where `settings` come from.

    Raises:
        ConfigurationError: anything is wrong; the message lists all problems.
    """
    problems: list[str] = []
    report = _validate(Report, settings, place, problems)
    studies: dict[str, Study] = {}
    names = report.studies if report else [name for name in settings.get("studies") or [] if isinstance(name, str)]
    problems += [f"{place}: studies: '{name}' is listed twice" for name in sorted({name for name in names if list(names).count(name) > 1})]
    for name in dict.fromkeys(names):
        if re.fullmatch(NAME, name):
            study = _load_study(name, problems)
            if study:
                studies[name] = study
    if problems or report is None:
        raise ConfigurationError("the configuration has problems:\n" + "\n".join(f"- {problem}" for problem in dict.fromkeys(problems)))
    return report, studies


def _load_study(name: str, problems: list[str]) -> Study | None:
    place = study_path(name)
    try:
        content = read_yaml(PROJECT / place)
    except YamlError as error:
        known = sorted(path.stem for path in (PROJECT / "config/studies").glob("*.yaml"))
        message = str(error).replace(f"{PROJECT}/", "")
        problems.append(message if name in known else f"config/report.yaml: studies: unknown study '{name}'; known: {', '.join(known)}")
        return None
    study = _validate(Study, _with_defaults(content, place, problems), place, problems)
    if study:
        problems += _cross_references(name, study, place)
    return study


def _with_defaults(content: dict[str, Any], place: str, problems: list[str]) -> dict[str, Any]:
    defaults, variants = content.get("defaults", {}), content.get("variants")
    if not isinstance(defaults, dict) or not isinstance(variants, dict):
        return content
    unknown = sorted(set(defaults) - set(Variant.model_fields))
    problems += [f"{place}: defaults.{key}: unknown key; allowed: {', '.join(Variant.model_fields)}" for key in unknown]
    known = {key: value for key, value in defaults.items() if key not in unknown}
    merged = {name: _merge(known, variant) if isinstance(variant, dict) else variant for name, variant in variants.items()}
    return {**content, "defaults": known, "variants": merged}


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


def _validate(model: type[T], content: Any, place: str, problems: list[str]) -> T | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems += [_sentence(problem, model, place) for problem in error.errors()]
        return None


def _sentence(problem: Any, model: type[Model], place: str) -> str:
    path = ".".join(str(part) for part in problem["loc"] if part not in ("[key]",) and not str(part).startswith(("constrained", "literal", "list[")))
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = _fields(model, problem["loc"][:-1])
        return f"{place}: {path}: unknown key" + (f"; allowed: {', '.join(known)}" if known else "")
    if kind == "missing":
        return f"{place}: {path}: is missing; add it"
    if kind == "string_pattern_mismatch":
        return f"{place}: {path}: wrong value {value!r}; allowed: {EXPLAINED.get(context['pattern'], context['pattern'])}"
    return f"{place}: {path}: wrong value {_short(value)}; allowed: {problem['msg'].removeprefix('Input should be ')}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


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
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _cross_references(name: str, study: Study, place: str) -> list[str]:
    problems = _unknown(f"{place}: linearize_on", [study.linearize_on], study.data, "data set")
    for key, part in study.data.items():
        problems += components.problems(components.DATASET, part.kind, part.options(), f"{place}: data.{key}")
    for key, variant in study.variants.items():
        problems += _check_variant(f"{place}: variants.{key}", variant, study)
    for key, measurement in study.measurements.items():
        problems += _check_measurement(f"{place}: measurements.{key}", key, measurement, study)
    for family, figures in ((components.FIGURE, study.figures), (components.TABLE, study.tables)):
        for key, figure in figures.items():
            problems += _check_figure(f"{place}: {family.word}s.{key}", family, figure, study)
    claims = syntax.functions(PROJECT / claims_path(name)) if (PROJECT / claims_path(name)).is_file() else {}
    if not claims:
        problems.append(f"{claims_path(name)}: missing or without a public function; a study needs its claims there")
    for number, observation in enumerate(study.observations):
        problems += _unknown(f"{place}: observations.{number}.claims", observation.claims, claims, "claim")
    if not (PROJECT / chapter_path(name)).is_file():
        return [*problems, f"{chapter_path(name)}: missing; write the chapter of study '{name}' there"]
    known = {"figure": list(study.figures), "table": list(study.tables), "claim": list(claims), "variant": list(study.variants)}
    return problems + wording.problems(PROJECT / chapter_path(name), chapter_path(name), known)


def _check_variant(place: str, variant: Variant, study: Study) -> list[str]:
    problems = _unknown(f"{place}.data", [variant.data], study.data, "data set")
    problems += _unknown(f"{place}.network.activation", [variant.network.activation], components.names(components.ACTIVATION), "activation")
    parts: list[tuple[str, Family, Part]] = [
        ("initialization", components.INITIALIZATION, variant.initialization),
        ("optimizer", components.OPTIMIZER, variant.optimizer),
        ("batches", components.BATCHES, variant.batches),
        ("loss", components.LOSS, variant.loss),
    ]
    for key, family, part in parts:
        problems += components.problems(family, part.kind, part.options(), f"{place}.{key}")
    return problems


def _check_measurement(place: str, name: str, measurement: Measurement, study: Study) -> list[str]:
    problems = _unknown(place, [name], components.names(components.MEASUREMENT), "measurement")
    if problems:
        return problems
    if measurement.variants != "all":
        problems += _unknown(f"{place}.variants", measurement.variants, study.variants, "variant")
    needs = [read.removeprefix("reference_") for read in components.reads(components.MEASUREMENT, name)]
    needs = [need for need in needs if need in components.names(components.MEASUREMENT)]
    problems += _unknown(f"{place}: reads", needs, study.measurements, "measurement")
    wants_reference = "reference" in (parameter.name for parameter in components.parameters(components.MEASUREMENT, name))
    if measurement.reference is not None:
        problems += _unknown(f"{place}.reference", [measurement.reference], study.variants, "variant")
    if wants_reference != (measurement.reference is not None):
        problems.append(f"{place}.reference: {'is missing' if wants_reference else 'is not read by this measurement'}")
    return problems + components.problems(components.MEASUREMENT, name, measurement.options(), place)


def _check_figure(place: str, family: Family, figure: Figure, study: Study) -> list[str]:
    problems = components.problems(family, figure.kind, figure.options(), place)
    if figure.kind not in components.names(family):
        return problems
    if figure.variants != "all":
        problems += _unknown(f"{place}.variants", figure.variants, study.variants, "variant")
    needs = [read for read in components.reads(family, figure.kind) if read in components.names(components.MEASUREMENT)]
    problems += _unknown(f"{place}: {family.word} '{figure.kind}' reads", needs, study.measurements, "measurement")
    shown = list(study.variants) if figure.variants == "all" else figure.variants
    for need in needs:
        measured = study.measurements[need].variants if need in study.measurements else "all"
        missing = [] if measured == "all" else [variant for variant in shown if variant not in measured]
        problems += [f"{place}: shows variant '{variant}', of which '{need}' is not measured" for variant in missing]
    return problems


def _unknown(place: str, names: Iterable[str], known: Iterable[str], word: str) -> list[str]:
    return [f"{place}: unknown {word} '{name}'; known: {', '.join(known)}" for name in names if name not in known]
