"""The parts that a study names in its YAML, found by name in the project's files: which exist, and which options each takes.

A part is one public function in one file. What it may be told from YAML are its keyword-only parameters; parameters that the
system fills in itself (a generator, arrays that it reads) are no options. Files are read as syntax trees and never imported, so
that a configuration is checked in a moment and no part runs before it is known to be right.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from scripts.common import options as option_types
from scripts.common import syntax
from scripts.common.escaping import checked_words
from scripts.common.options import Bounds, Matching, NameOf
from scripts.common.places import PROJECT
from scripts.common.syntax import Parameter

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

TYPES: dict[str, Any] = {kind.__name__: kind for kind in WORDS} | {
    name: kind for name, kind in vars(option_types).items() if get_origin(kind) is Annotated
}
"""Annotations that an option may have, beside lists of them and "... | None"."""


@dataclass(frozen=True)
class Family:
    """A family of parts: a folder with one file a part (and the function's name), or one file with one function a part."""

    word: str
    place: str
    function: str | None = None
    given: frozenset[str] = frozenset()
    """Names of parameters that the system fills in, beside those of measurements where `reads_measurements`."""
    reads_measurements: bool = False

    def files(self) -> dict[str, tuple[Path, str]]:
        """Return file and function of each part of the family, by the part's name."""
        return _files(self)


@cache
def _files(family: Family) -> dict[str, tuple[Path, str]]:
    path = PROJECT / family.place
    if family.function is None:
        return {name: (path, name) for name in syntax.functions(path)}
    return {file.stem: (file, family.function) for file in sorted(path.glob("[a-z]*.py"))}


DATASET = Family("data set", "scripts/datasets", "generate")
INITIALIZATION = Family("initialization", "scripts/common/initializations.py", given=frozenset({"layers", "generator", "outputs_of"}))
ACTIVATION = Family("activation", "scripts/common/activations.py")
OPTIMIZER = Family("optimizer", "scripts/common/optimizers.py", given=frozenset({"parameters", "gradient"}))
BATCHES = Family("batches", "scripts/common/batches.py", given=frozenset({"samples", "steps", "generator"}))
LOSS = Family("loss", "scripts/common/losses.py")
DROPOUT = Family("dropout", "scripts/common/dropouts.py", given=frozenset({"values", "weight", "generators"}))
AUGMENTATION = Family("augmentation", "scripts/common/augmentations.py", given=frozenset({"x", "y", "generators"}))
NETWORK = Family("network", "scripts/common/architectures.py", given=frozenset({"x", "layers"}))
SIMULATION = Family("simulation", "scripts/simulations", "simulate", given=frozenset({"data", "seeds"}))
MEASUREMENT = Family(
    "measurement",
    "scripts/measurements",
    "measure",
    given=frozenset(
        {
            "data",
            "train",
            "jacobian",
            "gram",
            "network",
            "optimizer",
            "batches",
            "loss_function",
            "reference_points",
            "seconds_per_step",
            "variant",
            "reference",
        }
    ),
    reads_measurements=True,
)
SHOWN = frozenset({"data", "datasets", "train", "simulated", "styles", "losses", "grids", "numbers", "variants", "bootstrap"})
FIGURE = Family("figure", "scripts/figures", "draw", given=SHOWN, reads_measurements=True)
TABLE = Family("table", "scripts/tables", "build", given=SHOWN, reads_measurements=True)


@cache
def parameters(family: Family, name: str) -> tuple[Parameter, ...]:
    """Return all parameters of the part `name`."""
    path, function = family.files()[name]
    return syntax.functions(path).get(function, ())


@cache
def names(family: Family) -> tuple[str, ...]:
    """Return the names of the parts of a family, sorted."""
    return tuple(sorted(family.files()))


def reads(family: Family, name: str) -> list[str]:
    """Return what the part `name` is given: its parameters that the system fills in, in order."""
    return [parameter.name for parameter in parameters(family, name) if is_given(family, parameter.name)]


def compares(measurement: str) -> bool:
    """Whether a measurement compares its variant with another, the `reference`."""
    return "reference" in (parameter.name for parameter in parameters(MEASUREMENT, measurement))


def is_given(family: Family, parameter: str) -> bool:
    """Whether a parameter of this name is filled in by the system rather than by the study's YAML."""
    return parameter in family.given or (family.reads_measurements and parameter.removeprefix("reference_") in names(MEASUREMENT))


def options(family: Family, name: str) -> dict[str, Parameter]:
    """Return the parameters of the part `name` that a study may set, by name."""
    return {
        parameter.name: parameter
        for parameter in parameters(family, name)
        if parameter.keyword_only and not is_given(family, parameter.name) and _scalar(parameter.annotation) in TYPES
    }


def docstring(family: Family, name: str) -> str:
    """Return the docstring of the part `name`, or "" where it has none."""
    path, function = family.files()[name]
    return syntax.docstring(path, function)


def quantities(family: Family, name: str) -> tuple[str, ...]:
    """Return the quantities that a measurement or simulation yields: the arrays of its kind whose elements are numbers of the report."""
    return syntax.marked_keys(family.files()[name][0], "quantity")


def problems(
    family: Family, name: str, given: Mapping[str, Any], place: str, *, known: Mapping[str, Collection[str] | None] | None = None
) -> list[str]:
    """Return what is wrong with naming the part `name` of a family with the options `given`, each a clear sentence with its place.

    Args:
        family: the family.
        name: name of the part.
        given: the options that are given, by name.
        place: how messages name where they are given.
        known: names that an option may give, by what it names ("variant", "data set", "quantity"); None where that cannot be told.
    """
    if name not in names(family):
        return [f"{place}: unknown kind of {family.word} '{name}'; known: {', '.join(names(family))}"]
    unfit = _unfit(family, name)
    if unfit:
        return unfit
    allowed = options(family, name)
    found = [
        f"{place}.{key}: {family.word} '{name}' has no option '{key}'; its options: {', '.join(allowed) or 'none'}"
        for key in given
        if key not in allowed
    ]
    found += [
        f"{place}: {family.word} '{name}' needs the option '{key}', {in_words(parameter.annotation)}; add it"
        for key, parameter in allowed.items()
        if parameter.required and key not in given
    ]
    for key, parameter in allowed.items():
        if key in given:
            found += _problems_of_value(parameter.annotation, given[key], f"{place}.{key}", known or {})
    return found or _empty_ranges(given, place)


@cache
def _unfit(family: Family, name: str) -> list[str]:
    """Return why the function of a part cannot be called: it is not there, or wants what nobody gives it."""
    path, function = family.files()[name]
    place = path.relative_to(PROJECT).as_posix() if path.is_relative_to(PROJECT) else str(path)
    if function not in syntax.functions(path):
        return [f"{place}: has no function '{function}', by which a {family.word} is called; name yours so"]
    filled = {*options(family, name), *reads(family, name)}
    unknown = [parameter.name for parameter in parameters(family, name) if parameter.required and parameter.name not in filled]
    allowed = ", ".join(sorted(family.given)) or "none"
    if family.reads_measurements:
        allowed += f", {', '.join(names(MEASUREMENT))}"
    option = "an option of the study's stands after a *, and its type is one of scripts/common/options.py"
    return [f"{place}: {function}: unknown parameter '{one}'; allowed: {allowed}; {option}" for one in unknown]


def shown(value: Any) -> str:
    """Return a value from YAML as a message shows it, in short."""
    text = {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def in_words(annotation: str) -> str:
    """Return in words what an option with this annotation may be, as "a number above 0"."""
    if annotation.endswith(" | None"):
        return f"{in_words(annotation.removesuffix(' | None'))}, or null"
    if annotation.startswith("list["):
        return f"a list, each entry {in_words(_scalar(annotation))}"
    base, mark = _base_and_mark(annotation)
    if isinstance(mark, NameOf):
        return f"the name of {'an' if mark.word[0] in 'aeiou' else 'a'} {mark.word}"
    if isinstance(mark, Matching):
        return mark.words
    bounds = [f"{word} {bound}" for word, bound in zip(("above", "of at least", "below"), mark, strict=True) if bound is not None]
    return " ".join([WORDS[base], " and ".join(bounds)]).strip()


def json_type(annotation: str) -> dict[str, Any]:
    """Return the JSON Schema of an option with this annotation."""
    return _adapter(annotation).json_schema()


def _scalar(annotation: str) -> str:
    """Return the annotation of one entry: without "list[...]" and "| None"."""
    return annotation.removesuffix(" | None").removeprefix("list[").removesuffix("]")


def _base_and_mark(annotation: str) -> tuple[type, Bounds | Matching | NameOf]:
    """Return the plain type of an annotation, and what its values are bound to."""
    kind = TYPES[_scalar(annotation)]
    base, mark = get_args(kind) if get_origin(kind) is Annotated else (kind, Bounds())
    return base, mark


def _problems_of_value(annotation: str, value: Any, place: str, known: Mapping[str, Collection[str] | None]) -> list[str]:
    try:
        _adapter(annotation).validate_python(value, strict=True)
    except ValidationError as error:
        told = [str(problem["ctx"]["error"]) for problem in error.errors() if problem["type"] == "value_error"]
        return [f"{place}: wrong value {shown(value)}; allowed: {told[0] if told else in_words(annotation)}"]
    mark = _base_and_mark(annotation)[1]
    if value is None or not isinstance(mark, NameOf):
        return []
    names = known.get(mark.word)
    if names is None:
        return []
    given = value if isinstance(value, list) else [value]
    return [f"{place}: unknown {mark.word} '{name}'; known: {', '.join(names) or 'none'}" for name in given if name not in names]


def _empty_ranges(given: Mapping[str, Any], place: str) -> list[str]:
    """Return the ranges among the options that hold nothing: of `low` and `high`, `test_low` and `test_high`, and so on."""
    pairs = [(key, key.removesuffix("low") + "high") for key in given if key == "low" or key.endswith("_low")]
    return [
        f"{place}.{low}: wrong value {shown(given[low])}; allowed: a number below {high} ({shown(given[high])})"
        for low, high in pairs
        if high in given and not given[low] < given[high]
    ]


@cache
def _adapter(annotation: str) -> TypeAdapter[Any]:
    base, mark = _base_and_mark(annotation)
    kind: Any = base
    if isinstance(mark, Bounds):
        kind = Annotated[base, Field(gt=mark.above, ge=mark.at_least, lt=mark.below)]
    if isinstance(mark, Matching):
        kind = Annotated[base, Field(pattern=f"^({mark.pattern})$")]
    elif base is str:
        kind = Annotated[base, AfterValidator(checked_words)]
    if base is float:
        kind = Annotated[kind, Field(allow_inf_nan=False)]
    if "list[" in annotation:
        kind = list[kind]
    return TypeAdapter(kind | None if annotation.endswith(" | None") else kind)
