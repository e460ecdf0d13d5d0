"""Where things stand in the project."""

from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from scripts.common.errors import UserError

PROJECT = Path(__file__).resolve().parents[2]

BIBLIOGRAPHY = "config/bibliography.yaml"
"""The papers that chapters may cite, in CSL-YAML."""
PREFACE = "templates/preface.md.jinja"
"""What stands before the first chapter."""
SNAKEFILE = "Snakefile"
LICENSE = "LICENSE"


OF_THE_PROJECT = ("benchmarks", "config", "docs", "profiles", "scripts", "templates", "tests", "workflow")
"""The folders that hold the project itself."""
LONGEST_PATH = 240
"""Letters of a path that is given in a configuration."""


def study_path(name: str) -> str:
    """Return the path of a study's YAML file, from the project's root."""
    return f"config/studies/{name}.yaml"


def chapter_path(name: str) -> str:
    """Return the path of a study's chapter, from the project's root."""
    return f"templates/chapters/{name}.md.jinja"


def claims_path(name: str) -> str:
    """Return the path of a study's claims, from the project's root."""
    return f"scripts/claims/{name}.py"


def checked_folder(folder: str) -> str:
    """Return the name of a folder that results may be written to.

    Raises:
        ValueError: it is one of those that hold the project itself.
    """
    if folder.split("/", maxsplit=1)[0] in OF_THE_PROJECT:
        raise ValueError(f"a folder that holds nothing of the project itself, as results; not {', '.join(OF_THE_PROJECT)}")
    return folder


def inside(path: str | Path, *, place: str = "") -> Path:
    """Return the absolute path of a file or folder of the project, given from the project's root; it need not be there.

    Args:
        path: where it is, as ``data/own.csv``.
        place: where the path was given, for the message, as ``config/studies/own.yaml: data.own.file``.

    Raises:
        UserError: it is outside of the project's folder: the path is absolute, holds ``..``, or leads out through a link.
    """
    given = str(path)
    why = None
    if PurePosixPath(given).is_absolute() or given.startswith("~"):
        why = "begins outside of the project's folder"
    elif ".." in PurePosixPath(given).parts:
        why = "goes up by '..'"
    elif not given.strip() or not given.isprintable() or len(given) > LONGEST_PATH or "\\" in given:
        why = "is no path"
    elif not (PROJECT / given).resolve().is_relative_to(PROJECT):
        why = "leads out of the project's folder through a link"
    if why:
        before = f"{place}: " if place else ""
        remedy = "put the file into the project's folder and give its path from there, as data/own.csv"
        raise UserError(f"{before}the path {given!r} {why}; {remedy}")
    return PROJECT / given


def package_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package '{package}' is not installed; install the requirements of the project")
    return Path(spec.origin).parent
