"""Revisions of the project, cloned and built elsewhere, so that their results can be laid beside others."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.common.errors import UserError
from scripts.common.yaml_file import read_yaml

BUILT_FROM = ("Snakefile", "config", "environment.yml", "profiles", "scripts", "templates", "workflow")
"""What a build reads of the project, beside data files that a study names."""
NOT_READ = (":(exclude)*.md", ":(exclude)benchmarks", ":(exclude)docs", ":(exclude)tests")
"""What it does not read, as git names what is left out."""
REUSED = frozenset({"claim", "data", "figure", "jacobian", "measure", "number", "recipe", "report", "simulate", "sweep", "table", "train"})
"""Folders of results that a later build may start from."""
RECORDS = ".snakemake/metadata"
"""What Snakemake notes of the files that it made."""
LINES_SHOWN = 25
"""Of what a failed build said, so many of the last lines are shown."""
PATIENCE = 30
"""Seconds that a build has to stop when it is told to."""

_PROGRESS = re.compile(r"^(\d+) of (\d+) steps \(")
_NOT_HANDED_ON = ("SNAKEMAKE", "PYTEST", "GIT_")


@dataclass(frozen=True)
class Overlay:
    """What is laid over ``config/report.yaml``, in the words of Snakemake.

    Attributes:
        configfiles: paths of further files, from the project's root.
        config: assignments, as ``edition=assignment``.
    """

    configfiles: tuple[str, ...] = ()
    config: tuple[str, ...] = ()

    def options(self, project: Path, clone: Path) -> list[str]:
        """Return the options of Snakemake for a build in `clone`; a file that is not in the commit is taken from `project`.

        Raises:
            UserError: a file is in neither.
        """
        files = [path if (clone / path).is_file() else str(_existing(project / path)) for path in self.configfiles]
        return [*(["--configfile", *files] if files else []), *(["--config", *self.config] if self.config else [])]

    def merged(self, project: Path, clone: Path) -> dict[str, Any]:
        """Return the configuration of the report that a build in `clone` has.

        Raises:
            UserError: a file is missing or no YAML, or an assignment has no key.
        """
        content = read_yaml(clone / "config/report.yaml")
        for path in self.configfiles:
            content |= read_yaml(clone / path if (clone / path).is_file() else _existing(project / path))
        for assignment in self.config:
            key, sign, value = assignment.partition("=")
            if not (key and sign):
                raise UserError(f"--config: '{assignment}' is no assignment; write key=value, as edition=assignment")
            try:
                content[key] = yaml.safe_load(value)
            except yaml.YAMLError:
                raise UserError(f"--config: the value of '{assignment}' is no YAML; put it in quotes") from None
        return content

    def __str__(self) -> str:
        """Return the options as they are written on a command line."""
        return " ".join([*(f"--configfile {path}" for path in self.configfiles), *(f"--config {one}" for one in self.config)])


def revision(project: Path, name: str) -> str:
    """Return the commit that `name` (a branch, tag, HEAD~3, or the start of a commit) stands for.

    Raises:
        UserError: git is missing, the project is no repository, or it has no such revision.
    """
    _check_repository(project)
    done = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False)
    if done.returncode:
        known = _git(project, "log", "--oneline", "--no-decorate", "--max-count=3", check=False).stdout.strip().splitlines()
        latest = f"; the latest are: {'; '.join(known)}" if known else "; it has no commit yet"
        raise UserError(f"'{name}': no such revision in this repository{latest}")
    return done.stdout.strip()


def described(project: Path, commit: str) -> str:
    """Return the start of a commit and the first line of its message."""
    return _git(project, "log", "--no-decorate", "--max-count=1", "--format=%h (%s)", commit).stdout.strip()


def uncommitted(project: Path) -> list[str]:
    """Return the files that a build reads and that are not as they were committed, or not committed at all."""
    _check_repository(project)
    tracked = _git(project, "status", "--porcelain", "--untracked-files=no", "--", ".", *NOT_READ).stdout
    new = _git(project, "status", "--porcelain", "--untracked-files=all", "--", *BUILT_FROM).stdout
    return sorted({line[3:] for line in (tracked + new).splitlines()})


def clone(project: Path, commit: str, folder: Path) -> None:
    """Clone the project to `folder`, which is not there yet, as it was at `commit`.

    Raises:
        UserError: git fails.
    """
    _check_repository(project)
    _git(folder.parent, "clone", "--quiet", "--no-checkout", "--", str(project), str(folder))
    _git(folder, "checkout", "--quiet", "--detach", commit)


def build(folder: Path, options: Sequence[str], *, cores: str, say: Callable[[str], object]) -> None:
    """Build the report in a clone; `say` is told each tenth of the way.

    Raises:
        UserError: the build failed; the message ends with the last lines that it wrote.
    """
    command = [sys.executable, "-m", "snakemake", "--cores", cores, "--nocolor", "--max-jobs-per-timespan", "1000000/10s", *options]
    last: deque[str] = deque(maxlen=LINES_SHOWN)
    told = 0
    with _running(command, folder) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            found = _PROGRESS.match(line)
            if found:
                share = 10 * int(found[1]) // int(found[2])
                if share > told:
                    say(f"  {found[1]} of {found[2]} jobs")
                    told = share
    if process.returncode:
        text = "\n".join(f"  {line}" for line in last if line)
        raise UserError(f"the build in a clone failed (exit code {process.returncode}); the end of what it said:\n{text}")


def take_over(project: Path, folder: str, clone: Path) -> None:
    """Let a build in a clone start from the results of the project, so that it makes anew only what its recipes say is not the same.

    Arrays, which no build changes in place, are the same files twice where the disk allows it. What Snakemake noted of these results
    comes along, so that it can tell a file that was only touched from one that changed.

    Args:
        project: the project.
        folder: the results folder, from the root of the project and of the clone.
        clone: the clone.
    """
    results = project / folder
    if (project / RECORDS).is_dir():
        shutil.copytree(project / RECORDS, clone / RECORDS)
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if name.parts[0] not in REUSED or not path.is_file() or path.name.startswith("."):
            continue
        place = clone / folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npz":
            with suppress(OSError):
                os.link(path.resolve(), place)
        if not place.exists():
            shutil.copy2(path, place)


def own_folder(results: Any) -> str:
    """Return the folder of results that a configuration names, which has to lie in the clone that is built.

    Raises:
        UserError: it is another place, which a build in a clone would write to.
    """
    if not isinstance(results, str) or not results or Path(results).is_absolute() or ".." in Path(results).parts:
        raise UserError(f"results: {results!r} is no folder of the project, and a build elsewhere would write to it; give one inside of it")
    return results


def check_settings(wanted: Mapping[str, Any], recorded: Mapping[str, Any], *, place: str, options: Overlay) -> None:
    """Check that a report was built with the configuration that a build would have now.

    Args:
        wanted: the configuration that a build would have, merged.
        recorded: the settings of the report that it carries; keys that it does not carry are not compared.
        place: what the report is called.
        options: what was given.

    Raises:
        UserError: they differ; the message names the keys.
    """
    problems = [
        f"{key} is {recorded[key]!r} there, {wanted[key]!r} here"
        for key in sorted(wanted.keys() & recorded.keys())
        if recorded[key] != wanted[key]
    ]
    if problems:
        given = str(options) or "no options"
        raise UserError(
            f"{place}: was built with another configuration than the commit has with {given}: {'; '.join(problems)}. "
            "If it was built with --configfile or --config, give the same ones here; if config/report.yaml changed since, build it again"
        )


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a session of its own, and end all of it when the body is left early."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_HANDED_ON)}
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, number)
                    process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()


def _check_repository(project: Path) -> None:
    try:
        found = _git(project, "rev-parse", "--show-toplevel", check=False)
    except FileNotFoundError:
        raise UserError("git is not installed, and a revision cannot be cloned without it; install git") from None
    if found.returncode or Path(found.stdout.strip()).resolve() != project.resolve():
        raise UserError(f"{project}: is not the root of a git repository, so that there is no commit to build; clone the project with git")


def _git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *arguments], cwd=folder, check=False, capture_output=True, text=True, errors="replace", env=environment)
    if check and done.returncode:
        raise UserError(f"git {arguments[0]} failed: {done.stderr.strip() or 'it does not say why'}")
    return done


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: no such file, neither in the commit nor here; correct --configfile")
    return path.resolve()
