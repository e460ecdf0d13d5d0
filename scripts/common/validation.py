"""Content of YAML held against a model of `scripts.common.settings`, and what is wrong with it in clear sentences."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scripts.common import components
from scripts.common.settings import DEVICE, FOLDER, KEY, NAME, OBJECT_IDENTIFIER, PAGES, PATH, Model

T = TypeVar("T", bound=Model)

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
    "value_error": "{error}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
}
"""What would have been right, by pydantic's name of what is wrong."""

PATTERNS = {
    f"^{NAME}$": "a name of small letters, digits and underscores that starts with a letter",
    f"^{PATH}$": "the path of a setting, as network.hidden",
    "^[^_]": "words that do not begin with an underscore",
    "^#[0-9A-Fa-f]{6}$": "a color such as '#0072B2'",
    f"^{KEY}$": "a name and a year, as jacot2018, with a letter behind it where two papers share them",
    f"^{PAGES}$": "the first and the last page, as 251-276",
    f"^{OBJECT_IDENTIFIER}$": "a DOI without an address before it, as 10.1037/h0042519",
    f"^{FOLDER}$": "a folder inside the project, without '..'",
    f"^{DEVICE}$": "auto, cpu, cuda, or a certain GPU as cuda:1",
}
"""What a text that matches is, in words."""


def validate(model: type[T], content: Any, place: Callable[[str], str], problems: list[str]) -> T | None:
    """Return `content` as a `model`, or None where it is none; what is wrong is added to `problems`, each with the `place` of its path."""
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
