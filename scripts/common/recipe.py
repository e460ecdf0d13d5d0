"""Recipes: what a job's output depends on, in full, and the one digest of it that decides whether the job runs again.

A recipe is the job's own slice of the configuration, the digests of the recipes of its inputs, the code that it can reach (its
scripts and, through their imports, every module of the project, as syntax trees), the other files that it reads (templates), and
the versions of the libraries which that code imports. Paths, comments, docstrings and layout do not count.
"""

import json
from dataclasses import dataclass
from typing import Any


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
        code: digests of the modules that it can reach, by path.
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
            name: {key: vars(source) | {"path": source.path.removeprefix(f"{results}/")} for key, source in sources.items()}
            for name, sources in self.inputs.items()
        }
        return json.dumps(vars(self) | {"inputs": inputs}, indent=1) + "\n"


def from_json(text: str, path: str) -> Recipe:
    """Return the recipe that `text`, made by `as_json`, holds; the `path` of its file tells in which folder its inputs stand."""
    content = json.loads(text)
    results = path.removesuffix(Recipe(**content).path(""))
    content["inputs"] = {
        name: {key: Source(**source | {"path": f"{results}/{source['path']}"}) for key, source in sources.items()}
        for name, sources in content["inputs"].items()
    }
    return Recipe(**content)
