"""Recipes: what a job's output depends on, in full, and the one digest of it that decides whether the job runs again.

A recipe is the job's own slice of the configuration, the digests of the recipes of its inputs, the functions, classes and constants that
it can reach (as syntax trees: see `scripts.common.reach`), the other files that it reads (templates), and the versions of the libraries
which that code imports. Paths, comments, docstrings and layout do not count.

What can be reached is the same for many jobs. It is stored by its content, once, and a recipe's file names it by a digest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scripts.common.files import with_checksum, without_checksum


@dataclass(frozen=True)
class Source:
    """An input file of a job: its path, its kind, and the digest of the recipe that it is made under."""

    path: str
    kind: str
    digest: str


@dataclass(frozen=True)
class Recipe:
    """All that one job's output depends on.

    Attributes:
        step: the job's step, as "train".
        name: which job of the step, as "init_depth/deep_he".
        settings: its slice of the configuration.
        inputs: its input files by the name under which its rule knows them, then by a key ("" where there is one file).
        files: SHA-256 of other files that it reads, by path.
        code: digests of the definitions that it can reach, by "path:name", as "scripts/common/losses.py:mse"; without a name, of what the
            module does when it is imported.
        libraries: versions of the libraries which these import, and of Python.
        digest: SHA-256 of all of the above in canonical JSON, in hexadecimal; of the inputs only kinds and digests.
    """

    step: str
    name: str
    settings: dict[str, Any]
    inputs: dict[str, dict[str, Source]]
    files: dict[str, str]
    code: dict[str, str]
    libraries: dict[str, str]
    digest: str

    def path(self, results: str) -> str:
        """Return the path of the recipe's file in a results folder; its name has the start of the digest."""
        return f"{results}/recipe/{self.step}/{self.name}.{self.digest[:16]}.json"

    def as_json(self, results: str) -> str:
        """Return the recipe as JSON text, in which paths begin below the folder `results`: it is the same wherever the results stand.

        Where builds share a cache, Snakemake tells by this text whether a job has been done.
        """
        inputs = {
            name: {
                key: {"path": source.path.removeprefix(f"{results}/"), "kind": source.kind, "digest": source.digest}
                for key, source in sources.items()
            }
            for name, sources in self.inputs.items()
        }
        content = {
            "step": self.step,
            "name": self.name,
            "settings": self.settings,
            "inputs": inputs,
            "files": self.files,
            "code": code_digest(self.code),
            "libraries": self.libraries,
            "digest": self.digest,
        }
        return with_checksum(json.dumps(content, indent=1)) + "\n"


def code_digest(code: Mapping[str, str]) -> str:
    """Return the digest by which the file of a recipe names its code; "" for none."""
    return _code_digest(tuple(code.items())) if code else ""


def code_path(digest: str, results: str) -> str:
    """Return the path of the file with the code of a digest in a results folder."""
    return f"{results}/recipe/code/{digest}.json"


def code_text(code: Mapping[str, str]) -> str:
    """Return code as the text of its file."""
    return json.dumps(dict(code), indent=0) + "\n"


def from_json(text: str, path: str) -> Recipe:
    """Return the recipe that `text`, made by `as_json`, holds; the `path` of its file tells in which folder its inputs and its code stand.

    Raises:
        OSError: its code cannot be read.
        ValueError: the text or its code was altered, or is no recipe.
    """
    content = json.loads(without_checksum(text))
    results = path.removesuffix(Recipe(**content).path(""))
    if isinstance(content["code"], str):
        content["code"] = _code(content["code"], results) if content["code"] else {}
    content["inputs"] = {
        name: {key: Source(**source | {"path": f"{results}/{source['path']}"}) for key, source in sources.items()}
        for name, sources in content["inputs"].items()
    }
    return Recipe(**content)


@cache
def _code_digest(code: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(code_text(dict(code)).encode()).hexdigest()[:16]


def _code(digest: str, results: str) -> dict[str, str]:
    path = Path(code_path(digest, results))
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest()[:16] != digest:
        raise ValueError(f"{path}: {'altered since it was saved' if content else 'missing'}")
    code: dict[str, str] = json.loads(content)
    return code
