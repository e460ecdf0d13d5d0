"""Where things stand in the project."""

from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

BIBLIOGRAPHY = "config/bibliography.yaml"
"""The papers that chapters may cite, in CSL-YAML."""
PREFACE = "templates/preface.md.jinja"
"""What stands before the first chapter."""


def study_path(name: str) -> str:
    """Return the path of a study's YAML file, from the project's root."""
    return f"config/studies/{name}.yaml"


def chapter_path(name: str) -> str:
    """Return the path of a study's chapter, from the project's root."""
    return f"templates/chapters/{name}.md.jinja"


def claims_path(name: str) -> str:
    """Return the path of a study's claims, from the project's root."""
    return f"scripts/claims/{name}.py"


def package_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package '{package}' is not installed; install the requirements of the project")
    return Path(spec.origin).parent
