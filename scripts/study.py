"""A new study to start from: its experiments, its chapter and its claims, which build as they are.

python -m scripts.study my_study
"""

import keyword
import re
import sys
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.places import PROJECT, chapter_path, claims_path, study_path
from scripts.common.settings import NAME

TEMPLATE, TITLE = "my_study", "My study"
"""The name and the title of the study in ``templates/study``, which is one that builds; those of the new one stand in their place."""
LONGEST = 40
"""Letters of a name, so that names of figures that begin with it are no longer than names may be."""
USAGE = "make study NAME=my_study"


def write(name: str) -> list[str]:
    """Write the files of a new study, and return their paths from the project's root.

    Raises:
        UserError: the name cannot be one of a study, or is taken; or a file cannot be written.
    """
    problem = problem_of(name)
    if problem:
        raise UserError(problem)
    title = name.replace("_", " ").capitalize()
    written: list[Path] = []
    try:
        for source, path in files_of(name).items():
            text = (PROJECT / source).read_text(encoding="utf-8").replace(TEMPLATE, name).replace(TITLE, title)
            (PROJECT / path).parent.mkdir(parents=True, exist_ok=True)
            with (PROJECT / path).open("x", encoding="utf-8") as file:
                written.append(PROJECT / path)
                file.write(text)
    except OSError as error:
        for made in written:
            made.unlink()
        raise UserError(f"{error.filename}: cannot be written or read ({error.strerror}); no file of study '{name}' was left") from None
    return list(files_of(name).values())


def files_of(name: str) -> dict[str, str]:
    """Return the paths of a study's files, from the project's root, by those of what they are made from."""
    places = {"yaml": study_path(name), "md.jinja": chapter_path(name), "py": claims_path(name)}
    return {f"templates/study/{TEMPLATE}.{suffix}": path for suffix, path in places.items()}


def problem_of(name: str) -> str | None:
    """Return why a study cannot have a name, or None where it can."""
    if not name:
        return f"NAME: is missing; name the study: {USAGE}"
    if not re.fullmatch(NAME, name) or len(name) > LONGEST:
        allowed = f"at most {LONGEST} small letters, digits and underscores, of which the first is a letter"
        return f"NAME: wrong value {name!r}; allowed: {allowed}: {USAGE}"
    if keyword.iskeyword(name):
        return f"NAME: wrong value '{name}', which is a word of Python; choose another one, as my_{name}: make study NAME=my_{name}"
    taken = [path for path in files_of(name).values() if (PROJECT / path).exists() or (PROJECT / path).is_symlink()]
    if taken:
        return f"NAME: wrong value '{name}', which is taken: {', '.join(taken)}; choose another name, or remove what is there"
    return None


def told(name: str, written: list[str]) -> str:
    """Return what is said of a new study."""
    words = ("its experiments", "its chapter", "its claims")
    width = max(map(len, written))
    return "\n".join(
        [
            f"Study '{name}' is written:",
            *(f"  {path:<{width}}  {what}" for path, what in zip(written, words, strict=True)),
            "Build it by itself:",
            f"  snakemake --cores 2 --config studies=[{name}] results=results/{name}",
            f"For a chapter of the report, add {name} to `studies` in config/report.yaml. docs/your-own-study.md goes on from here.\n",
        ]
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(told(sys.argv[-1], write(" ".join(sys.argv[1:]))))
    except UserError as error:
        sys.exit(str(error))
