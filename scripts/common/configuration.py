"""The configuration: what a report and a study may say, read from YAML and checked as a whole before anything runs.

Every problem is found in one go and told with its file, its key, the wrong value and what is allowed. `scripts.common.settings`
has the models of all files, `scripts.common.consistency` what of a study is held against what.
"""

import re
from collections.abc import Mapping
from typing import Any

from scripts.common import grids, prose, wording
from scripts.common.consistency import Names, problems_of, unknown
from scripts.common.errors import UserError
from scripts.common.escaping import printable
from scripts.common.places import BIBLIOGRAPHY, PREFACE, PROJECT, study_path
from scripts.common.settings import (
    NAME,
    NEEDED,
    Bibliography,
    Figure,
    Grid,
    Measurement,
    Observation,
    Part,
    Phase,
    Report,
    Simulation,
    Study,
    Sweep,
    Variant,
    merged_over,
)
from scripts.common.validation import T, validate
from scripts.common.yaml_file import read_yaml

REPORT = "config/report.yaml"


class ConfigurationError(UserError):
    """A configuration that is wrong; the message lists every problem, one a line."""


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
    report = validate(Report, settings, lambda path: f"{places.get(path.partition('.')[0], REPORT)}: {path}", problems)
    listed = settings.get("studies")
    names = [name for name in listed if _is_name(name)] if isinstance(listed, list) else []
    place = f"{places.get('studies', REPORT)}: studies"
    problems += [f"{place}: '{name}' is listed twice; keep one" for name in dict.fromkeys(names) if names.count(name) > 1]
    known = sorted(path.stem for path in (PROJECT / "config/studies").glob("*.yaml"))
    problems += unknown(place, dict.fromkeys(names), known, "study")
    papers = _load_papers(problems)
    studies = {name: _load_study(name, papers, problems) for name in dict.fromkeys(names) if name in known}
    problems += wording.unknown_papers((PROJECT / PREFACE).read_text(encoding="utf-8"), PREFACE, papers)
    problems += prose.problems_of_file(PROJECT / PREFACE, PREFACE)
    problems += _shared_names(studies)
    if problems or report is None:
        raise ConfigurationError(
            "the configuration has problems:\n" + "\n".join(f"- {printable(problem)}" for problem in dict.fromkeys(problems))
        )
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

    validate(Bibliography, content, place, problems)
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
        if not merged.get("variants") and not merged.get("grids"):
            found.append(f"{place}: variants: is missing; add it, or grids that make some")
        study = validate(Study, merged, lambda path: f"{place}: {path}", found)
        whole, names = _with_grids(study or _right_entries(merged), merged, _names(merged), place, found)
        found += problems_of(name, whole, names, papers, place)
        study = study and whole
    except UserError as error:
        problems.append(str(error).replace(f"{PROJECT}/", ""))
        return None
    problems += [_told_where_written(problem, place, inherited) for problem in found]
    return study


def _with_grids(study: Study, content: Mapping[str, Any], names: Names, place: str, problems: list[str]) -> tuple[Study, Names]:
    """Return a study with the variants of its grids among the others, and their names; these cannot be told where a grid is wrong.

    Args:
        study: the study, or those of its entries that are right by themselves.
        content: what it was read from, each variant laid over the defaults.
        names: the names of all its entries.
        place: how messages name its file.
        problems: what was found so far; added to.
    """
    if not names.grids:
        return study, names
    written = content.get("variants", {})
    found: dict[str, Variant] = {}
    named: list[str] = []
    told = set(study.grids) == set(names.grids)
    for key, grid in study.grids.items():
        there = f"{place}: grids.{key}"
        wrong = grids.problems_of_axes(there, key, grid)
        base = content.get("defaults", {}) if grid.variant is None else written.get(grid.variant) if isinstance(written, dict) else None
        if grid.variant is not None:
            wrong += unknown(f"{there}.variant", [grid.variant], list(written) if isinstance(written, dict) else None, "variant")
        problems += wrong
        if wrong or not isinstance(base, dict):
            told = False
            continue
        taken = {*(names.runs() or []), *named}
        same = [one for one in grids.points(key, grid) if one in taken]
        if same:
            problems.append(f"{there}: there is a variant, simulation or sweep of the name '{same[0]}', as one of its own; rename one")
        named += [one for one in grids.points(key, grid) if one not in taken]
        found |= grids.expand(there, key, grid, base, problems)
    variants = [*names.variants, *named] if told and names.variants is not None else None
    return study.model_copy(update={"variants": found | study.variants}), names._replace(variants=variants)


def _unknown_defaults(content: dict[str, Any]) -> list[str]:
    defaults = content.get("defaults")
    return [key for key in defaults if key not in Variant.model_fields] if isinstance(defaults, dict) else []


def _with_defaults(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the study with each variant laid over the defaults, and where what a variant inherits is written, by its path."""
    defaults, variants = content.get("defaults", {}), content.get("variants", {})
    if not isinstance(defaults, dict) or not isinstance(variants, dict):
        return content, {}
    known = {key: value for key, value in defaults.items() if key in Variant.model_fields}
    merged = {name: merged_over(known, variant) if isinstance(variant, dict) else variant for name, variant in variants.items()}
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
        sweeps=_right(Sweep, content.get("sweeps")),
        grids=_right(Grid, content.get("grids")),
        measurements=_right(Measurement, content.get("measurements")),
        figures=_right(Figure, content.get("figures")),
        tables=_right(Figure, content.get("tables")),
        phases=_right(Phase, content.get("phases")),
        observations=list(numbered.values()),
    )


def _right(model: type[T], section: Any) -> dict[Any, T]:
    found = {key: validate(model, entry, str, []) for key, entry in section.items()} if isinstance(section, dict) else {}
    return {key: made for key, made in found.items() if made}
