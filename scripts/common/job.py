"""The edge between a rule and its script: the job's recipe, its inputs checked against it, its log, and errors told in one line."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.recipe import Recipe, Source, from_json
from scripts.common.storage import Arrays


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
        return _load(self.recipe.inputs[name][""])

    def load_each(self, name: str) -> dict[str, Any]:
        """Return the input `name` of many files, by the key of each."""
        return {key: _load(source) for key, source in self.recipe.inputs[name].items()}

    def save(self, path: str, arrays: Arrays, kind: storage.Kind) -> None:
        """Store `arrays` at `path` under the job's digest."""
        storage.save(path, arrays, kind=kind, digest=self.digest)

    def save_json(self, path: str, content: dict[str, Any]) -> None:
        """Store `content` at `path`, with the job's digest in it."""
        storage.save_json(path, {**content, "digest": self.digest})

    def say(self, message: str) -> None:
        """Write a line to the job's log."""
        self.log.write(message + "\n")
        self.log.flush()

    def record_time(self, seconds: float) -> None:
        """Write the job's wall time in the format of Snakemake's benchmark files, for a rule that is cached and so cannot have one."""
        storage.save_text(self.benchmark, f"s\n{seconds:.4f}\n")


@contextmanager
def run(snakemake: Any) -> Iterator[Job]:
    """Run the body as the job of `snakemake`: its output goes to the rule's log, an error of the user's is told in one line.

    Raises:
        SystemExit: the body raised; the log has the whole story.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    benchmark = Path(str(path).replace("/log/", "/benchmark/", 1)).with_suffix(".tsv")
    with path.open("w", encoding="utf-8") as log:
        started = time.perf_counter()
        try:
            yield Job(_recipe(Path(snakemake.input.recipe)), log, benchmark)
            log.write(f"done in {time.perf_counter() - started:.2f} s\n")
        except UserError as error:
            log.write(f"{error}\n")
            sys.exit(f"{snakemake.rule}: {error}")
        except Exception:  # noqa: BLE001 - whatever it is, the log has the whole story and the terminal one line
            log.write(traceback.format_exc())
            problem = traceback.format_exc(limit=0).strip().splitlines()[-1]
            sys.exit(f"{snakemake.rule}: failed unexpectedly ({problem}); the log has more: {path}")


def _recipe(path: Path) -> Recipe:
    try:
        recipe = from_json(path.read_text(encoding="utf-8"), path.as_posix())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: cannot be read as a recipe ({error}); delete it (rm {path}) and run the same command again") from None
    if not path.as_posix().endswith(recipe.path("")):
        raise UserError(f"{path}: altered since it was written; delete it (rm {path}) and run the same command again")
    return recipe


def _load(source: Source) -> Any:
    if source.path.endswith(".npz"):
        return storage.load(source.path, kind=source.kind, digest=source.digest)
    if source.path.endswith(".json"):
        return storage.load_json(source.path, digest=source.digest)
    return storage.load_numbers(source.path, digest=source.digest)
