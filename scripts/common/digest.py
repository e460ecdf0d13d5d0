"""The digest of a job: over its settings, its inputs, the code that it can reach, and the libraries which that code imports."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from typing import Any

from scripts.common import syntax
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.recipe import Recipe, Source

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
    """Return the recipe of one job; `scripts` are the files that its code starts from, `files` what else it reads.

    Raises:
        UserError: one of these files cannot be read.
    """
    code, libraries = _reachable_code(tuple(scripts))
    file_digests = {file: _digest_of_file(file) for file in sorted(files)}
    content = {
        "step": step,
        "name": name,
        "settings": dict(settings),
        "inputs": {name: [[key, source.kind, source.digest] for key, source in sources.items()] for name, sources in inputs.items()},
        "files": file_digests,
        "code": code,
        "libraries": libraries,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    plain = {key: dict(sources) for key, sources in inputs.items()}
    return Recipe(step, name, dict(settings), plain, file_digests, code, libraries, digest)


@cache
def _reachable_code(scripts: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    paths = syntax.reachable([PROJECT / script for script in scripts], PROJECT)
    packages = sorted({package for path in paths for package in syntax.imports(path)[1]})
    versions = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"} | {package: _version(package) for package in packages}
    return {path.relative_to(PROJECT).as_posix(): syntax.digest(path) for path in paths}, versions


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
