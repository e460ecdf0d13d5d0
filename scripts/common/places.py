"""Where things stand in the project."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def study_path(name: str) -> str:
    """Return the path of a study's YAML file, from the project's root."""
    return f"config/studies/{name}.yaml"


def chapter_path(name: str) -> str:
    """Return the path of a study's chapter, from the project's root."""
    return f"templates/chapters/{name}.md.jinja"


def claims_path(name: str) -> str:
    """Return the path of a study's claims, from the project's root."""
    return f"scripts/claims/{name}.py"
