"""The files of the report as they were delivered: their checksums, so that one that is altered later is found when a build starts.

What stands between steps carries its checksum itself. Files that are handed on (``report.html``, ``numbers.csv``, ...) are in formats that
have no place for one; a job that is done writes it beside the report, one file each, as ``sha256sum`` would.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from scripts.common.files import file_sha256, save_text

FOLDER = "checksum"
ASIDE = ".altered"
"""What is added to the name of an altered file."""

TIMESTAMP = ".snakemake_timestamp"
"""What Snakemake puts into a folder that a job has made."""


def forget(results: Path, outputs: Iterable[str]) -> None:
    """Forget the checksums of what a job is about to make."""
    for path in _delivered(results, outputs):
        with suppress(OSError):  # where nothing can be removed, nothing can be written, and that is told
            _record(results, path).unlink(missing_ok=True)


def record(results: Path, outputs: Iterable[str]) -> None:
    """Record the checksums of the files and folders that a job has made, as far as they stand in the folder of the report.

    Raises:
        StorageError: the place cannot be written.
    """
    for path in filter(Path.exists, _delivered(results, outputs)):
        save_text(_record(results, path), f"{_checksum(path)}  {path.relative_to(results / 'report').as_posix()}\n")


def set_altered_aside(results: Path) -> None:
    """Rename the files of the report that are not as they were delivered, and say so: they are missing then, and are made anew."""
    for path in _altered(results):
        aside = path.with_name(path.name + ASIDE)
        with suppress(OSError):  # where it cannot be renamed, nothing can be built
            if aside.is_dir():
                shutil.rmtree(aside)
            path.replace(aside)
            sys.stderr.write(f"{path}: altered since it was made; now at {aside}, and to be made anew\n")


def _altered(results: Path) -> Iterator[Path]:
    folder = results / FOLDER
    for kept in sorted(folder.rglob("*.sha256")):
        path = results / "report" / kept.relative_to(folder).with_suffix("")
        with suppress(OSError):
            expected = kept.read_bytes().partition(b" ")[0].decode("ascii", errors="replace")
            if path.exists() and _checksum(path) != expected:
                yield path


def _checksum(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_file():
        return file_sha256(path)
    files = [below for below in sorted(path.rglob("*")) if below.is_file() and below.name != TIMESTAMP]
    lines = [f"{file_sha256(below)}  {below.relative_to(path).as_posix()}\n" for below in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _delivered(results: Path, outputs: Iterable[str]) -> list[Path]:
    return [path for path in map(Path, outputs) if path.is_relative_to(results / "report")]


def _record(results: Path, path: Path) -> Path:
    return results / FOLDER / f"{path.relative_to(results / 'report')}.sha256"
