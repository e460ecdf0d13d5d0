"""The edge between a rule and its script: the job's recipe, its inputs checked against it, its log, and errors told in one line."""

import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from scripts.common import cache, locks, products, storage
from scripts.common.errors import UserError
from scripts.common.recipe import Recipe, Source, from_json
from scripts.common.storage import Arrays, DamagedError, StorageError

SIGNS_OF_NO_MEMORY = ("DefaultCPUAllocator: can't allocate memory", "not enough memory", "Cannot allocate memory", "cannot allocate memory")
"""What errors say that are no `MemoryError` and yet mean that there is no memory: of PyTorch, and of the system."""


@dataclass(frozen=True)
class Job:
    """A running job: its recipe, its log, and where it records its time if its rule cannot."""

    recipe: Recipe
    log: TextIO
    benchmark: Path

    @property
    def digest(self) -> str:
        """The digest that the job's outputs carry."""
        return self.recipe.digest

    @property
    def settings(self) -> dict[str, Any]:
        """The job's slice of the configuration."""
        return dict(self.recipe.settings)

    def load(self, name: str) -> Any:
        """Return the one input `name`: arrays, the content of a JSON file, or the text of a CSV file, checked against its digest."""
        return read(self.recipe.inputs[name][""])

    def load_each(self, name: str) -> dict[str, Any]:
        """Return the input `name` of many files, by the key of each."""
        return {key: read(source) for key, source in self.recipe.inputs[name].items()}

    def save(self, path: str, arrays: Arrays, kind: storage.Kind) -> None:
        """Store `arrays` at `path` under the job's digest."""
        storage.save(path, arrays, kind=kind, digest=self.digest)

    def save_json(self, path: str, content: dict[str, Any]) -> None:
        """Store `content` at `path`, with the job's digest in it."""
        storage.save_json(path, {**content, "digest": self.digest})

    def say(self, message: str) -> None:
        """Write a line to the job's log."""
        _write(self.log, message + "\n")

    def record_time(self, seconds: float) -> None:
        """Write the job's wall time in the format of Snakemake's benchmark files, for a rule that is cached and so cannot have one."""
        storage.save_text(self.benchmark, f"s\n{seconds:.4f}\n")


def read(source: Source) -> Any:
    """Return what an input file holds: arrays, the content of a JSON file, or the text of a CSV file, checked against its digest.

    Raises:
        StorageError: it cannot be used.
    """
    if source.path.endswith(".npz"):
        return storage.load(source.path, kind=source.kind, digest=source.digest)
    if source.path.endswith(".json"):
        return storage.load_json(source.path, digest=source.digest)
    return storage.load_numbers(source.path, digest=source.digest)


def read_recipe(path: Path) -> Recipe:
    """Return the recipe that a file holds.

    Raises:
        StorageError: it cannot be used.
    """
    try:
        recipe = from_json(path.read_bytes().decode("utf-8"), path.as_posix())
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; run the same command again to have it written anew") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); make it readable, then run the same command again") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(path, f"cannot be read as a recipe ({error})") from None
    if not path.as_posix().endswith(recipe.path("")):
        raise DamagedError(path, "altered since it was written")
    return recipe


@contextmanager
def run(snakemake: Any) -> Iterator[Job]:
    """Run the body as the job of `snakemake`: its output goes to the rule's log, an error of the user's is told in one line.

    An input that is damaged is removed: what a build has made, the next one makes again.

    Raises:
        SystemExit: the body raised; the log has the whole story.
    """
    path, recipe_path = Path(snakemake.log[0]), Path(snakemake.input.recipe)
    benchmark = Path(str(path).replace("/log/", "/benchmark/", 1)).with_suffix(".tsv")
    results, outputs = Path(recipe_path.as_posix().partition(f"/recipe/{snakemake.rule}/")[0]), list(getattr(snakemake, "output", ()))
    with _opened(path, snakemake.rule) as log, locks.shared(results):
        started = time.perf_counter()
        try:
            products.forget(results, outputs)
            yield Job(read_recipe(recipe_path), log, benchmark)
            products.record(results, outputs)
            _write(log, f"done in {time.perf_counter() - started:.2f} s\n")
        except DamagedError as error:
            _tell(log, snakemake.rule, _removed(error, results))
        except UserError as error:
            _tell(log, snakemake.rule, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the log has the whole story and the terminal one line
            _write(log, traceback.format_exc())
            problem = traceback.format_exc(limit=0).strip().splitlines()[-1]
            if _is_lack_of_memory(error):
                sys.exit(f"{snakemake.rule}: {_out_of_memory(problem)}; the log has more: {path}")
            sys.exit(f"{snakemake.rule}: failed unexpectedly ({problem}); the log has more: {path}")


@contextmanager
def _opened(path: Path, rule: str) -> Iterator[TextIO]:
    """Open a log, in which whatever a full disk does not take is left out: a job does not fail for its log."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("w", encoding="utf-8")
    except OSError as error:
        remedy = "make the folder writable or free disk space, then run the same command again"
        sys.exit(f"{rule}: {path}: cannot be written ({error.strerror}); {remedy}")
    try:
        yield log
    finally:
        with suppress(OSError):
            log.close()


def _write(log: TextIO, text: str) -> None:
    with suppress(OSError):
        log.write(text)
        log.flush()


def _tell(log: TextIO, rule: str, message: str) -> None:
    """Say what the user can mend in the log and, as the job's end, on the terminal.

    Raises:
        SystemExit: always.
    """
    _write(log, f"{message}\n")
    sys.exit(f"{rule}: {message}")


def _removed(error: DamagedError, results: Path) -> str:
    """Remove a damaged file of the results folder, with its entry of a cache, and return what is to be said; the remedy if it cannot be."""
    files = [error.path, error.path.resolve()] if error.path.is_symlink() else [error.path]
    allowed = [results.resolve(), *(Path(folder).resolve() for folder in [os.environ.get(cache.LOCATION)] if folder)]
    if not all(any(file.parent.resolve().is_relative_to(folder) for folder in allowed) for file in files):
        return str(error)
    try:
        for file in reversed(files):
            file.unlink(missing_ok=True)
    except OSError:
        return str(error)
    return f"{error.path}: {error.problem}; it is removed now: run the same command again to have it made anew"


def _is_lack_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in SIGNS_OF_NO_MEMORY)


def _out_of_memory(problem: str) -> str:
    """Return what to say where memory is not enough, and how much this process may have."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    most = "that of this machine" if limit == resource.RLIM_INFINITY else f"{limit / 2**20:.0f} MB for a process (ulimit -v)"
    remedy = "raise the limit or free memory, run fewer jobs at once (--cores 1), or set fewer replicas, saved steps or a smaller `memory`"
    return f"out of memory ({problem}); allowed here: {most}; {remedy}, then run the same command again"
