"""The manifest: for each figure, table, set of numbers and set of claims how it was made, and the commit it was built from."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from scripts.common import job, storage
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.recipe import Recipe, Source


def describe(source: Source) -> dict[str, Any]:
    """Return how the file `source` was made: rule, digest, settings, inputs with checksums, seeds and libraries.

    Raises:
        UserError: its recipe is not there.
        StorageError: it or one of its inputs cannot be used.
    """
    recipe = _recipe_of(source)
    return {
        "file": source.path,
        "sha256": _checksum(source),
        "rule": recipe.step,
        "digest": recipe.digest,
        "settings": recipe.settings,
        "inputs": {upstream.path: _checksum(upstream) for upstream in _inputs(recipe)},
        "seeds": _seeds(_behind([source])),
        "libraries": recipe.libraries,
    }


def commit(folder: Path) -> str:
    """Return the commit that the project in `folder` stands at, with a note where files differ from it; "none" without git."""
    try:
        found = _git(folder, "rev-parse", "HEAD")
        return found + (" with uncommitted changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "none"


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@cache
def _checksum(source: Source) -> str:
    """Return the SHA-256 of a file, which has to be as it was saved."""
    job.read(source)
    return storage.file_sha256(source.path)


@cache
def _recipe_of(source: Source) -> Recipe:
    """Return the recipe of a file; it stands under ``recipe`` in the results folder where the file stands under its step."""
    parts = Path(source.path).with_suffix("").parts
    for place in range(len(parts)):
        path = Path(*parts[:place], "recipe", *parts[place:-1], f"{parts[-1]}.{source.digest[:16]}.json")
        if path.is_file():
            return job.read_recipe(path)
    raise UserError(f"{source.path}: its recipe is missing under recipe/ in the results folder; run the same command again")


def devices(groups: Mapping[str, Mapping[str, Source]]) -> dict[str, str]:
    """Return the class of the device that each training was made on, by job; of a sweep whose levels differ, by level."""
    found: dict[str, str] = {}
    for recipe in _behind([source for group in groups.values() for source in group.values()]):
        job = f"{recipe.step}/{recipe.name}"
        if recipe.step == "train":
            found[job] = recipe.settings["device"]
        elif recipe.step == "sweep":
            by_level = {level: settings["device"] for level, settings in recipe.settings["levels"].items()}
            alike = len(set(by_level.values())) == 1
            found |= {job: next(iter(by_level.values()))} if alike else {f"{job}: {level}": kind for level, kind in by_level.items()}
    return dict(sorted(found.items()))


def _seeds(recipes: Iterable[Recipe]) -> dict[str, int]:
    """Return every seed that jobs draw from, by job and key."""
    found: dict[str, int] = {}
    for recipe in recipes:
        named = _named_seeds(recipe.settings)
        if recipe.step == "sweep":
            of_levels = [_named_seeds(level) for level in recipe.settings["levels"].values()]
            if all(seeds == of_levels[0] for seeds in of_levels):  # as good as always: told once for all levels
                named = of_levels[0]
        found |= {f"{recipe.step}/{recipe.name}: {key}": seed for key, seed in named}
    return dict(sorted(found.items()))


def _behind(sources: Iterable[Source]) -> Iterator[Recipe]:
    """Yield the recipes of some files and of all that they are made from, each once."""
    waiting, seen = list(sources), set[tuple[str, str]]()
    while waiting:
        source = waiting.pop()
        if (source.path, source.digest) not in seen:
            seen.add((source.path, source.digest))
            recipe = _recipe_of(source)
            waiting += _inputs(recipe)
            yield recipe


def _inputs(recipe: Recipe) -> list[Source]:
    return [source for group in recipe.inputs.values() for source in group.values()]


def _named_seeds(settings: Mapping[str, Any], place: str = "") -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found += _named_seeds(value, f"{place}{key}.")
        elif key == "seed" or key.endswith("_seed"):
            found.append((f"{place}{key}", value))
    return found


if __name__ == "__main__":
    with job.run(snakemake) as running:
        groups = {name: group for name, group in running.recipe.inputs.items() if name != "pictures"}
        entries = {name: {key: describe(source) for key, source in group.items()} for name, group in groups.items()}
        running.save_json(snakemake.output[0], entries | {"devices": devices(groups), "commit": commit(PROJECT)})
