"""Why each job of the next build would run, and how long it is expected to take: ``python -m scripts.why``, before the build.

Takes ``--configfile`` and ``--config`` as snakemake does, and ``--cores`` for the estimate. Writes nothing.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.common import dry_run, why
from scripts.common.costs import Job
from scripts.common.errors import UserError
from scripts.common.why import Explained
from scripts.common.yaml_file import read_yaml

RESULTS = "results"


def found(project: Path, configfiles: Sequence[str] = (), config: Sequence[str] = ()) -> list[Explained]:
    """Return why each job would run that ``snakemake --configfile ... --config ...`` would run in the folder `project`.

    Raises:
        UserError: a file of the configuration cannot be read, or Snakemake cannot plan the build.
    """
    files = [str((project / name).resolve()) for name in configfiles]
    contents = {name: _content(Path(file)) for name, file in zip(configfiles, files, strict=True)}
    given = {key: name for name, content in contents.items() for key in content}
    given |= {entry.partition("=")[0]: "--config" for entry in config}
    with dry_run.mirror(project, _results(project, contents.values(), config)) as folder:
        options = [*(["--configfile", *files] if files else []), *(["--config", *config] if config else [])]
        return why.explain(dry_run.planned(folder, options), now=folder, before=project, given=given)


def table(jobs: Sequence[Explained], cores: int) -> str:
    """Return the jobs as text: those with a root cause by their causes, then what follows from them, then what it all takes."""
    if not jobs:
        return "Nothing to be done: no job would run.\n"
    width = max(len(_name(one.job)) for one in jobs)
    lines: list[str] = []
    roots: dict[tuple[str, ...], list[Explained]] = {}
    for one in jobs:
        if one.causes:
            roots.setdefault(one.causes, []).append(one)
    for causes, members in roots.items():
        lines += [*causes, *(f"    {_line(one, width)}" for one in members), ""]
    followers = [one for one in jobs if not one.causes]
    if followers:
        lines += ["What follows from these"]
        lines += [f"    {_line(one, width)}  reads {_name(one.follows[0])}{_others(one.follows)}" for one in followers]
        lines += [""]
    return "\n".join([*lines, _total(jobs, cores)]) + "\n"


def _total(jobs: Sequence[Explained], cores: int) -> str:
    measured, seconds = sum(one.measured for one in jobs), sum(one.seconds for one in jobs)
    wall = why.wall_seconds(jobs, cores)
    sources = [f"{measured} from earlier runs"] * (measured > 0) + [f"{len(jobs) - measured} (~) from settings"] * (measured < len(jobs))
    return (
        f"{len(jobs)} job{'s' if len(jobs) > 1 else ''}, about {_time(seconds)} of one core, "
        f"{_time(wall)} on {cores} core{'s' if cores > 1 else ''}; an estimate: {', '.join(sources)}"
    )


def _line(one: Explained, width: int) -> str:
    return f"{_name(one.job):<{width}}  {'' if one.measured else '~':>1}{_time(one.seconds):>8}"


def _others(follows: Sequence[Job]) -> str:
    return f" and {len(follows) - 1} more" if len(follows) > 1 else ""


def _name(job: Job) -> str:
    step, name = job
    return step if name == "report" else f"{step}/{name}"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _content(path: Path) -> Mapping[str, Any]:
    content = read_yaml(path)
    return content if isinstance(content, Mapping) else {}


def _results(project: Path, contents: Iterable[Mapping[str, Any]], config: Sequence[str]) -> str:
    """Return the results folder that a build with this configuration has; Snakemake says what is wrong with it."""
    merged = dict(_content(project / why.REPORT))
    for content in contents:
        merged |= content
    merged |= {key: value for key, _, value in (entry.partition("=") for entry in config)}
    folder = merged.get("results")
    safe = isinstance(folder, str) and folder and not Path(folder).is_absolute() and ".." not in Path(folder).parts
    return str(folder) if safe else RESULTS


def _cores(text: str) -> int:
    return os.cpu_count() or 1 if text == "all" else max(1, int(text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.why", description="Why each job of the next build would run.")
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[], metavar="FILE", help="as for snakemake")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="as for snakemake")
    parser.add_argument("--cores", type=_cores, default="all", metavar="N", help="cores of the build that is estimated; all of them")
    asked = parser.parse_args()
    try:
        sys.stdout.write(table(found(Path.cwd(), asked.configfile, asked.config), asked.cores))
    except UserError as error:
        sys.exit(str(error))
