"""Why each job of a dry run would run: its recipe now, held against the one that its output was made under.

What changed in a job itself is a root cause; a job in which nothing changed but its inputs follows from those that make them.
"""

import ast
import csv
import heapq
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scripts.common import costs
from scripts.common.costs import Job, Recipes
from scripts.common.dry_run import Planned
from scripts.common.errors import UserError
from scripts.common.places import study_path
from scripts.common.recipe import Recipe, Source, from_json
from scripts.common.yaml_file import read_yaml

REPORT = "config/report.yaml"
LONGEST = 60
"""Letters of a value that are shown."""
IN_SCRIPT = ("train", "sweep", "jacobian")
"""Steps that record their time themselves, without what it takes to start and to import their libraries."""
OF_VARIANT = {"network", "optimizer", "batches", "seconds_per_step", "moments"}
"""What a measurement is told of its variant."""
LIMITS = ("replicas", "steps", "memory")
"""Settings of the report that limit those of jobs."""
SECTIONS = {"data": "data", "simulate": "simulations", "train": "variants", "sweep": "sweeps", "figure": "figures", "table": "tables"}
"""Sections of a study whose entries are the jobs of a step."""
BESIDE_THE_REPORT: dict[str, Job] = {
    "report/numbers.csv": ("summary", "report"),
    "report/claims.json": ("summary", "report"),
    "report/manifest.json": ("manifest", "report"),
    "report/report.html": ("report", "html"),
    "report/report.pdf": ("report", "pdf"),
}
"""Jobs that make what stands beside the report."""
MISSING = object()

Path_ = tuple[str, ...]
Change = tuple[Path_, Any, Any]
"""A setting's path, its old and its new value; `MISSING` where there was or is none."""


@dataclass(frozen=True)
class Explained:
    """A job that would run.

    Attributes:
        job: its step and name.
        causes: what changed in it, each in one line; none where it follows from others alone.
        follows: the jobs that would run before it, of which it reads files that change.
        seconds: how long it is expected to take.
        measured: whether that is from the time of an earlier run.
    """

    job: Job
    causes: tuple[str, ...]
    follows: tuple[Job, ...]
    seconds: float
    measured: bool


def explain(jobs: Sequence[Planned], *, now: Path, before: Path, given: Mapping[str, str]) -> list[Explained]:
    """Return why each of `jobs` would run, in their order.

    Args:
        jobs: the jobs of a dry run.
        now: the folder in which they were planned, with the recipes of now.
        before: the project's folder, with the results as they are.
        given: what of the report's configuration was given elsewhere than in its file: where, by key.
    """
    recipes = _recipes(jobs, now)
    former = {(job.step, job.name): _former(job, before) for job in jobs}
    configuration = _Configuration(before, recipes, former, given)
    earlier = {**recipes, **{job: recipe for job, recipe in former.items() if recipe}}
    running = {(job.step, job.name) for job in jobs}
    results = f"{now.as_posix()}/{_results(jobs[0])}" if jobs else ""
    found = []
    for planned in jobs:
        job = planned.step, planned.name
        follows = tuple(maker for maker in _makers(recipes[job], results) if maker in running)
        causes = tuple(configuration.causes(planned, recipes[job], former[job]))
        if not causes and not follows:
            causes = (_in_words(planned, before),)
        seconds = _measured_seconds(planned, recipes, earlier, before)
        found.append(Explained(job, causes, follows, costs.seconds(recipes, *job) if seconds is None else seconds, seconds is not None))
    return found


def wall_seconds(jobs: Sequence[Explained], cores: int) -> float:
    """Return how long some jobs take on so many cores, one each, where a job starts as soon as a core is free and its inputs are made."""
    seconds = {one.job: one.seconds for one in jobs}
    waiting = {one.job: {job for job in one.follows if job in seconds} for one in jobs}
    readers: dict[Job, list[Job]] = {}
    for job, others in waiting.items():
        for other in others:
            readers.setdefault(other, []).append(job)
    ready = [one.job for one in jobs if not waiting[one.job]]
    running: list[tuple[float, Job]] = []
    now = 0.0
    while ready or running:
        ready.sort(key=lambda job: -seconds[job])
        while ready and len(running) < cores:
            job = ready.pop(0)
            heapq.heappush(running, (now + seconds[job], job))
        now, done = heapq.heappop(running)
        for job in readers.get(done, ()):
            waiting[job].remove(done)
            if not waiting[job]:
                ready.append(job)
    return now


class _Configuration:
    """Where in the configuration the settings of jobs are written, and so what changed there."""

    def __init__(self, project: Path, recipes: Recipes, former: Mapping[Job, Recipe | None], given: Mapping[str, str]) -> None:
        self._project, self._given = project, given
        new, old = next(((recipes[job], former[job]) for job in recipes if job[0] == "report" and former.get(job)), (None, None))
        changes = list(differences(old.settings, new.settings)) if old and new else []
        self._limits = {path[1]: (before, now) for path, before, now in changes if path[0] == "report" and path[1] in LIMITS}
        self._added = {path[1:] for path, before, _ in changes if path[0] == "studies" and before is MISSING}

    def causes(self, planned: Planned, new: Recipe, old: Recipe | None) -> Iterator[str]:
        """Yield what changed in a job from the recipe of its output to that of now, but for its inputs."""
        missing = [output for output in planned.outputs if not (self._project / output).exists()]
        if old is None:
            yield self._first_time(new, made=len(missing) < len(planned.outputs))
            return
        if missing:
            yield f"{', '.join(missing)}: missing"
        listed = planned.reason.partition("Missing output files: ")[2].partition(";")[0].split(", ")
        altered = [output for output in planned.outputs if output in listed and output not in missing]
        if altered:  # the build sets it aside
            yield f"{', '.join(altered)}: altered since it was made"
        changes = list(differences(old.settings, new.settings))
        if any(path[0] == "styles" for path, _, _ in changes):  # a variant that is added is one more for each figure of all of them
            same = {("losses", *path[1:]) for path, _, _ in changes if path[0] == "styles"}
            changes = [change for change in changes if change[0] != ("variants",) and change[0] not in same]
        software = [change for change in changes if new.step == "crate" and change[0][0] in ("libraries", "snakemake")]
        yield from dict.fromkeys(self._told(new, change) for change in changes if change not in software)
        yield from code_changes(old.code, new.code, self._project)
        for name in sorted(old.files.keys() | new.files.keys()):
            if old.files.get(name) != new.files.get(name):
                yield f"{name}: {'now used' if name not in old.files else 'changed' if name in new.files else 'used no more'}"
        before, now = ({**recipe.libraries, **_software(recipe)} for recipe in (old, new))
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                yield f"library {name}: {before.get(name, 'not used')} -> {now.get(name, 'not used')}"

    def _first_time(self, new: Recipe, *, made: bool) -> str:
        """Return why a job runs of which no recipe is kept, or which never ran."""
        study, _, name = new.name.partition("/")
        entries = [(SECTIONS.get(new.step, ""), name)]
        if new.step in ("jacobian", "measure"):
            variant, _, measurement = name.rpartition("/")
            entries = [("variants", variant or measurement), ("measurements", measurement)]
        if (study,) in self._added:
            return f"{REPORT}: studies: {study} added"
        for section, entry in entries:
            if (study, section, entry) in self._added:
                return f"{study_path(study)}: {section}.{entry}: added"
        return "the recipe of what stands there is kept no more, so that what changed cannot be told" if made else "not made before"

    def _told(self, recipe: Recipe, change: Change) -> str:
        path, old, new = change
        file, key = self._place(recipe, path, old, new)
        if file == REPORT:
            file = self._given.get(key[0], REPORT)
        return f"{file}: {'.'.join(key)}: {_values(old, new)}"

    def _place(self, recipe: Recipe, path: Path_, old: Any, new: Any) -> tuple[str, Path_]:
        """Return the file of the configuration and the path in it of a setting of a job."""
        limit = path[-1] if path[-1] in LIMITS else None
        if limit and limit in self._limits and (self._limits[limit][0] == old or self._limits[limit][1] == new):
            return REPORT, (limit,)
        study, _, name = recipe.name.partition("/")
        if recipe.step in ("report", "crate"):
            if path[0] != "studies":
                return REPORT, path[1:] if path[0] == "report" else path
            study, path = path[1], path[2:]
        elif recipe.step == "summary" or path[0] == "bootstrap" or (recipe.step == "jacobian" and path[0] == "memory"):
            return REPORT, path
        else:
            path = self._in_study(recipe, name, path)
        return study_path(study), self._where_written(study, path)

    def _in_study(self, recipe: Recipe, name: str, path: Path_) -> Path_:
        if recipe.step == "jacobian":
            return ("variants", name, "jacobian" if path[0] == "form" else path[0], *path[1:])
        if recipe.step == "measure":
            variant, _, measurement = name.rpartition("/")
            if path[0] in OF_VARIANT | {"loss_function"}:
                return ("variants", variant, "loss" if path[0] == "loss_function" else path[0], *path[1:])
            return ("measurements", measurement, *path)
        if recipe.step in ("figure", "table") and path[0] == "styles":
            study = self._study(recipe.name.partition("/")[0])
            section = next(
                (one for one in ("variants", "simulations", "sweeps") if path[1:2] and path[1] in study.get(one, {})), "variants"
            )
            return (section, *path[1:])
        if recipe.step == "figure" and path[0] == "losses":
            return ("variants", *path[1:], "loss", "kind")
        if recipe.step in ("figure", "table") and path[0] == "options":
            path = path[1:]
        return (SECTIONS.get(recipe.step, recipe.step), name, *path)

    def _where_written(self, study: str, path: Path_) -> Path_:
        """Return where a setting of a variant or of a sweep is written: there, or among the defaults."""
        content = self._study(study)
        own = path[4:] if path[:1] == ("sweeps",) and path[2:3] == ("levels",) else path[2:] if path[:1] == ("variants",) else ()
        if own and not _has(content, path[:2] + own) and _has(content.get("defaults", {}), own):
            return ("defaults", *own)
        return path[:2] + own if own else path

    def _study(self, study: str) -> Mapping[str, Any]:
        return _yaml(self._project / study_path(study))


def _software(recipe: Recipe) -> dict[str, str]:
    """Return the versions that the description of the report states."""
    if recipe.step != "crate":
        return {}
    return {**recipe.settings["libraries"], "snakemake": recipe.settings["snakemake"]}


def differences(old: Any, new: Any, path: Path_ = ()) -> Iterator[Change]:
    """Yield each setting that differs, by its path; where a whole block is new or gone, the block."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key, MISSING), new.get(key, MISSING), (*path, str(key)))
    elif json.dumps(old, default=str) != json.dumps(new, default=str):
        yield path, old, new


def code_changes(old: Mapping[str, str], new: Mapping[str, str], project: Path) -> Iterator[str]:
    """Yield what changed from one recipe's code to another's: modules, functions, classes, constants; and what came or went."""
    if old and new and any(":" in key for key in old) != any(":" in key for key in new):
        yield "code: the recipe of what stands there says it in another form, of an earlier version of the project"
        return
    gone, added = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    changed = sorted(key for key in old.keys() & new.keys() if old[key] != new[key])
    for keys, words in ((changed, "changed"), (added, "now used"), (gone, "used no more")):
        if words != "changed" and changed and len(keys) > 1:
            yield f"{len(keys)} definitions {words}, as {_definition(keys[0], project)}"
        else:
            yield from (f"{_definition(key, project)} {words}" for key in keys)


def made_under(path: Path) -> str | None:
    """Return the digest of the recipe that a stored file was made under, which stands in it; None if it has none or cannot be read."""
    with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError, NotImplementedError):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                return str(_after_numpy_header(archive.read("header.npy"))["digest"])
        if path.suffix == ".json":
            return str(json.loads(path.read_text(encoding="utf-8"))["digest"])
        if path.suffix == ".csv":
            with path.open(encoding="utf-8") as file:
                words = file.readline().split()
            return words[2] if words[:2] == ["#", "recipe"] else None
        if path.suffix == ".html":
            stated = re.findall(r"Built from recipe <code>([0-9a-f]{64})</code>", path.read_text(encoding="utf-8"))
            return stated[-1] if stated else None
    return None


def _after_numpy_header(data: bytes) -> Any:
    """Return the JSON value that an array of bytes in numpy's format holds: text behind a header whose length stands in it."""
    length = int.from_bytes(data[8:10], "little")
    return json.loads(data[10 + length :])


def _recipes(jobs: Sequence[Planned], folder: Path) -> dict[Job, Recipe]:
    """Return the recipes of jobs and of all that these are made from.

    Raises:
        UserError: one of them cannot be read.
    """
    waiting = [_recipe_path(job) for job in jobs]
    found: dict[Job, Recipe] = {}
    while waiting:
        path = folder / waiting.pop()
        try:
            recipe = from_json(path.read_text(encoding="utf-8"), path.as_posix())
        except (OSError, ValueError, KeyError, TypeError) as error:
            place = path.relative_to(folder)
            raise UserError(
                f"{place}: cannot be read as a recipe ({error}); delete it (rm {place}) and run the same command again"
            ) from None
        found[recipe.step, recipe.name] = recipe
        root = path.as_posix().removesuffix(recipe.path(""))
        for (step, name), source in _makers(recipe, root).items():
            if (step, name) not in found:
                waiting.append(f"{root}/recipe/{step}/{name}.{source.digest[:16]}.json")
    return found


def _recipe_path(job: Planned) -> str:
    return next(path for path in job.inputs if f"/recipe/{job.step}/{job.name}." in path)


def _makers(recipe: Recipe, results: str) -> dict[Job, Source]:
    """Return the jobs that make the inputs of a job in a results folder, each with one of these."""
    found: dict[Job, Source] = {}
    for sources in recipe.inputs.values():
        for source in sources.values():
            found.setdefault(maker(source.path.removeprefix(f"{results}/")), source)
    return found


def maker(path: str) -> Job:
    """Return the job that makes a file, whose `path` begins below the results folder."""
    if path in BESIDE_THE_REPORT:
        return BESIDE_THE_REPORT[path]
    step, _, name = path.rpartition(".")[0].partition("/")
    return ("figure", name.removeprefix("data/")) if step == "report" else (step, name)


def _former(job: Planned, project: Path) -> Recipe | None:
    """Return the recipe that the output of a job was made under, if it is kept; None where the job never ran."""
    stored = [project / output for output in job.outputs if (project / output).exists()]
    path = project / _recipe_path(job)
    kept = sorted(path.parent.glob(f"{path.name.rsplit('.', 2)[0]}.*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    stated = {digest[:16] for digest in map(made_under, stored) if digest}
    if stated:
        kept = [path for path in kept if path.name.rsplit(".", 2)[1] in stated]
    elif stored:
        made = min(path.lstat().st_mtime_ns for path in stored)
        kept = [path for path in kept if path.stat().st_mtime_ns <= made] or [other for other in kept if other.name != path.name]
    elif not (project / f"{_results(job)}/log/{_place(job)}.log").exists():
        kept = []
    for path in kept:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return from_json(path.read_text(encoding="utf-8"), path.as_posix())
    return None


def _results(job: Planned) -> str:
    return _recipe_path(job).rpartition(f"/recipe/{job.step}/")[0]


def _place(job: Planned) -> str:
    """Return the name of a job's log and of the record of its time, without their suffix."""
    return job.step if job.name == "report" else f"{job.step}/{job.name}"


def _in_words(job: Planned, project: Path) -> str:
    """Return why a job runs whose recipe is that of its output, and whose outputs are there."""
    output = next((name for name in job.outputs if f"/{job.step}/" in name), job.outputs[0])
    if "Incomplete output" in job.reason:
        return f"{output}: not finished, since its job was cut off"
    if Path(output).suffix in (".npz", ".json") and f"/{job.step}/" in output and made_under(project / output) is None:
        return f"{output}: damaged"
    if "Updated input files" in job.reason:
        return f"{output}: older than {job.reason.partition('Updated input files: ')[2].partition(';')[0]}"
    return f"{output}: {job.reason[:1].lower()}{job.reason[1:]}"


def _measured_seconds(job: Planned, recipes: Recipes, earlier: Recipes, project: Path) -> float | None:
    """Return how long a job took when it last ran, times as much as its estimate has grown since; None where that is not recorded."""
    seconds = None
    with (
        suppress(OSError, ValueError, KeyError, StopIteration),
        (project / f"{_results(job)}/benchmark/{_place(job)}.tsv").open(encoding="utf-8") as file,
    ):
        seconds = float(next(csv.DictReader(file, delimiter="\t"))["s"])
    if seconds is None:
        return None
    seconds += costs.START[job.step] if job.step in IN_SCRIPT else 0.0
    with suppress(KeyError):  # what its estimate was before hangs on a job that there is no more
        return seconds * costs.seconds(recipes, job.step, job.name) / costs.seconds(earlier, job.step, job.name)
    return seconds


def _values(old: Any, new: Any) -> str:
    if old is MISSING or new is MISSING:
        block = new if old is MISSING else old
        word = "added" if old is MISSING else "removed"
        return word if isinstance(block, Mapping) else f"{word} ({_short(block)})"
    return f"{_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _definition(key: str, project: Path) -> str:
    """Return what a key of a recipe's code is: a module, or a function, class or constant in it."""
    path, colon, name = key.partition(":")
    if not colon:
        return f"{path}: module"
    return f"{path}: {_kinds(project / path).get(name, 'definition')} {name}" if name else f"{path}: what stands outside of definitions"


@cache
def _kinds(path: Path) -> dict[str, str]:
    """Return what each name at the top of a module is."""
    with suppress(OSError, SyntaxError, ValueError):
        found = {}
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[node.name] = "function"
            elif isinstance(node, ast.ClassDef):
                found[node.name] = "class"
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                names = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {name.id: "constant" for target in names for name in ast.walk(target) if isinstance(name, ast.Name)}
        return found
    return {}


@cache
def _yaml(path: Path) -> Mapping[str, Any]:
    with suppress(UserError):
        content = read_yaml(path)
        return content if isinstance(content, Mapping) else {}
    return {}


def _has(content: Any, path: Iterable[str]) -> bool:
    for key in path:
        if not isinstance(content, Mapping) or key not in content:
            return False
        content = content[key]
    return True
