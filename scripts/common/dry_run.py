"""What Snakemake would run, asked of Snakemake itself, in a mirror of the project in which nothing is written to the results.

The mirror has links to every file of the project. Of the results folder and of Snakemake's records it has each file as a link with the
time of the file, and copies of the recipes, since reading the Snakefile writes new ones. The lock of a build that is running is left out.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.common.errors import UserError

RECORDS = ".snakemake"
"""The folder of what Snakemake knows of former runs."""
KNOWN = ("metadata", "incomplete")
"""What of it decides which jobs run."""
_BLOCK = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?: {4}.*\n?)+)", re.MULTILINE)
_FIELD = re.compile(r"^ {4}(\w+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Planned:
    """A job that would run.

    Attributes:
        step: its rule.
        name: which job of the step, as "init_depth/deep_he"; "report" where a step has one job.
        inputs: its input files.
        outputs: its output files.
        reason: why it would run, in Snakemake's words.
    """

    step: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    reason: str


@contextmanager
def mirror(project: Path, results: str) -> Iterator[Path]:
    """Give a temporary folder in which the project looks as it is, and can be planned without a trace in `results`.

    Args:
        project: the project's folder.
        results: the results folder, from there.
    """
    with tempfile.TemporaryDirectory(prefix="mirror-") as name:
        folder = Path(name)
        _link_around(project, folder, Path(results).parts)
        _mirror(project / results, folder / results, copied=project / results / "recipe")
        for known in KNOWN:
            _mirror(project / RECORDS / known, folder / RECORDS / known)
        yield folder


def planned(folder: Path, options: Sequence[str]) -> list[Planned]:
    """Return the jobs that ``snakemake --dry-run`` with `options` says would run in `folder`, in its order.

    Raises:
        UserError: it ends with an error; its words are the message.
    """
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--nocolor", *options]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=_environment())
    if done.returncode:
        raise UserError(_complaint(done.stdout))
    return list(parse(done.stdout))


def parse(output: str) -> Iterator[Planned]:
    """Yield the jobs that the `output` of a dry run lists, but for the rule ``all``, which makes nothing."""
    for rule, block in _BLOCK.findall(output):
        fields = dict(_FIELD.findall(block))
        if rule == "all":
            continue
        values = [pair.partition("=")[2] for pair in fields.get("wildcards", "").split(", ") if pair]
        inputs, outputs = (tuple(fields.get(kind, "").split(", ")) for kind in ("input", "output"))
        yield Planned(rule, "/".join(values) or "report", inputs, outputs, fields.get("reason", ""))


def _link_around(source: Path, mirrored: Path, results: Sequence[str]) -> None:
    """Link what stands in `source` into `mirrored`, but for the way to the results, whose folders are made."""
    mirrored.mkdir(exist_ok=True)
    for entry in source.iterdir() if source.is_dir() else ():
        if entry.name not in (RECORDS, results[0]):
            (mirrored / entry.name).symlink_to(entry)
    if len(results) > 1:
        _link_around(source / results[0], mirrored / results[0], results[1:])


def _mirror(source: Path, mirrored: Path, *, copied: Path | None = None) -> None:
    """Fill `mirrored` with links to all files in `source`, each with the time of its file, and with copies of those below `copied`."""
    mirrored.mkdir(parents=True, exist_ok=True)
    for folder, _, names in os.walk(source):
        place, here = mirrored / Path(folder).relative_to(source), Path(folder)
        place.mkdir(exist_ok=True)
        for name in names:
            if copied is not None and here.is_relative_to(copied):
                shutil.copy2(here / name, place / name)
                continue
            times = (here / name).lstat()
            target = here / (here / name).readlink() if (here / name).is_symlink() else here / name
            (place / name).symlink_to(target)
            os.utime(place / name, ns=(times.st_atime_ns, times.st_mtime_ns), follow_symlinks=False)


def _environment() -> Mapping[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}


def _complaint(output: str) -> str:
    """Return the error in the output of a Snakemake that failed, without where in the Snakefile it was told."""
    lines = [line for line in output.strip().splitlines() if not re.match(r'\s+File "', line)]
    starts = [place for place, line in enumerate(lines) if re.match(r"\w*(Error|Exception)\b", line)]
    told = lines[starts[0] :] if starts else lines[-20:]
    return "\n".join(told[1:] if len(told) > 1 and told[0].startswith("WorkflowError in file") else told)
