"""The digest of a job: over its settings, its inputs, the code that it can reach, and the libraries which that code imports."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from typing import Any

from scripts.common import reach
from scripts.common.definitions import MAIN
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.reach import Place
from scripts.common.recipe import Recipe, Source, code_digest

DISTRIBUTIONS = {"yaml": "PyYAML", "PIL": "pillow", "pypandoc": "pypandoc_binary", "mpl_toolkits": "matplotlib"}
"""Distributions whose name is not that of the package that they install."""


def make_recipe(
    step: str,
    name: str,
    *,
    settings: Mapping[str, Any],
    inputs: Mapping[str, Mapping[str, Source]],
    scripts: Sequence[str],
    files: Sequence[str] = (),
) -> Recipe:
    """Return the recipe of one job.

    Args:
        step: its step.
        name: its name.
        settings: its settings.
        inputs: its inputs.
        scripts: the script that it runs, then the modules that it imports by a name in its settings, of which it may use anything.
        files: what else it reads.

    Raises:
        UserError: one of these files cannot be read.
    """
    reached = reach.reached(_roots(tuple(scripts)), settings)
    code, libraries = reached.code, _versions(reached.packages)
    file_digests = {file: _digest_of_file(file) for file in sorted(files)}
    content = {
        "step": step,
        "name": name,
        "settings": dict(settings),
        "inputs": {name: [[key, source.kind, source.digest] for key, source in sources.items()] for name, sources in inputs.items()},
        "files": file_digests,
        "code": code_digest(code),
        "libraries": libraries,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    plain = {key: dict(sources) for key, sources in inputs.items()}
    return Recipe(step, name, dict(settings), plain, file_digests, code, libraries, digest)


@cache
def _roots(scripts: tuple[str, ...]) -> tuple[Place, ...]:
    return ((scripts[0], MAIN), *((script, reach.ALL) for script in scripts[1:]))


@cache
def _versions(packages: frozenset[str]) -> dict[str, str]:
    others = sorted(package for package in packages if package not in sys.stdlib_module_names)
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}"} | {package: _version(package) for package in others}


def _digest_of_file(file: str) -> str:
    try:
        return hashlib.sha256((PROJECT / file).read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); restore it (git checkout -- {file})") from None


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(DISTRIBUTIONS.get(package, package))
    except metadata.PackageNotFoundError:
        return "not installed"
