"""The parts that a study names in its YAML, found by name in the project's files: which exist, and which options each takes.

A part is one public function in one file. What it may be told from YAML are its keyword-only parameters; parameters that the
system fills in itself (a generator, arrays that it reads) are no options. Files are read as syntax trees and never imported, so
that a configuration is checked in a moment and no part runs before it is known to be right.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from scripts.common import syntax
from scripts.common.places import PROJECT
from scripts.common.syntax import Parameter

TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "list[int]": list[int],
    "list[float]": list[float],
    "list[str]": list[str],
    "int | None": int | None,
    "float | None": float | None,
    "str | None": str | None,
    "list[int] | None": list[int] | None,
    "list[float] | None": list[float] | None,
    "list[str] | None": list[str] | None,
    "dict[str, str]": dict[str, str],
}


@dataclass(frozen=True)
class Family:
    """A family of parts: a folder with one file a part (and the function's name), or one file with one function a part."""

    word: str
    place: str
    function: str | None = None

    def files(self) -> dict[str, tuple[Path, str]]:
        """Return file and function of each part of the family, by the part's name."""
        path = PROJECT / self.place
        if self.function is None:
            return {name: (path, name) for name in syntax.functions(path)}
        return {file.stem: (file, self.function) for file in sorted(path.glob("[a-z]*.py"))}


DATASET = Family("data set", "scripts/datasets", "generate")
INITIALIZATION = Family("initialization", "scripts/common/initializations.py")
ACTIVATION = Family("activation", "scripts/common/activations.py")
OPTIMIZER = Family("optimizer", "scripts/common/optimizers.py")
BATCHES = Family("batches", "scripts/common/batches.py")
LOSS = Family("loss", "scripts/common/losses.py")
MEASUREMENT = Family("measurement", "scripts/measurements", "measure")
FIGURE = Family("figure", "scripts/figures", "draw")
TABLE = Family("table", "scripts/tables", "build")

READABLE = frozenset({"data", "train", "jacobian", "network", "loss_function", "reference_points", "datasets", "styles", "numbers", "variant", "reference"})
"""Names of parameters that a measurement, figure or table is given by the system, beside the names of measurements."""



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
    """Return what a measurement, figure or table reads: its parameters that the system fills in, in order."""
    return [parameter.name for parameter in parameters(family, name) if is_read(parameter.name)]


def is_read(parameter: str) -> bool:
    """Whether a parameter of this name is filled in by the system rather than by the study's YAML."""
    return parameter in READABLE or parameter.removeprefix("reference_") in names(MEASUREMENT)


def options(family: Family, name: str) -> dict[str, Parameter]:
    """Return the parameters of the part `name` that a study may set, by name."""
    return {
        parameter.name: parameter
        for parameter in parameters(family, name)
        if parameter.keyword_only and not is_read(parameter.name) and parameter.annotation in TYPES
    }


def problems(family: Family, name: str, given: dict[str, Any], place: str) -> list[str]:
    """Return what is wrong with naming the part `name` of a family with the options `given`, each a clear sentence with its place."""
    if name not in names(family):
        return [f"{place}: unknown {family.word} '{name}'; known: {', '.join(names(family))}"]
    known = options(family, name)
    allowed = ", ".join(known) or "none"
    found = [
        f"{place}.{key}: {family.word} '{name}' has no option '{key}'; its options: {allowed}" for key in given if key not in known
    ]
    found += [
        f"{place}: {family.word} '{name}' needs the option '{key}' ({parameter.annotation})"
        for key, parameter in known.items()
        if parameter.required and key not in given
    ]
    for key in given.keys() & known.keys():
        annotation = known[key].annotation
        try:
            _adapter(annotation).validate_python(given[key], strict=True)
        except ValidationError:
            found.append(f"{place}.{key}: wrong value {given[key]!r}; allowed: {annotation}")
    return sorted(found)


def json_type(annotation: str) -> dict[str, Any]:
    """Return the JSON Schema of a parameter's annotation."""
    return _adapter(annotation).json_schema()


@cache
def _adapter(annotation: str) -> TypeAdapter[Any]:
    return TypeAdapter(TYPES[annotation])
