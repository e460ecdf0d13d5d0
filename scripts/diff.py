"""Tells what changed between two reports, of which one is in the results folder: ``python -m scripts.diff AGAINST``.

The other is that of another results folder, or of a revision, which is built in a clone once and then kept. Exit codes: 0 nothing
changed, 1 something changed, 2 could not be compared.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.common import changes, checkout, command, comparison_report
from scripts.common.checkout import Overlay
from scripts.common.comparison import Sides
from scripts.common.errors import UserError

KEPT = ("report/report.html", "report/numbers.csv", "report/claims.json", "report/manifest.json")
"""What is kept of a revision's build, beside the recipe of its page."""


def other_results(
    project: Path, results: Path, against: str, *, options: Overlay, cores: str, say: Callable[[str], object]
) -> tuple[Path, str]:
    """Return the results folder that `against` names, and how it is called; a revision is built where its build is not kept yet.

    Args:
        project: the repository.
        results: the results folder that it is compared with, in which the build of a revision is kept.
        against: a results folder or a revision.
        options: what is laid over the configuration of a revision.
        cores: cores of a build.
        say: is told how far it is.

    Raises:
        UserError: there is no such folder or revision, or its build fails.
    """
    if not against:
        raise UserError("nothing to compare with; name a results folder or a revision (make diff AGAINST=main~1)")
    if Path(against).is_dir():
        return Path(against), against
    try:
        sha = checkout.revision(project, against)
    except UserError as error:
        raise UserError(f"'{against}' is no folder, and as a revision: {error}") from None
    name = checkout.described(project, sha)
    with tempfile.TemporaryDirectory(prefix="diff-") as temporary:
        clone = Path(temporary) / "project"
        checkout.clone(project, sha, clone)
        wanted = options.merged(project, clone)
        digest = hashlib.sha256(json.dumps(wanted, sort_keys=True, default=str).encode()).hexdigest()
        kept = results / f"comparison/{sha[:12]}-{digest[:8]}"
        if not kept.is_dir():
            folder = checkout.own_folder(wanted.get("results"))
            say(f"Building {name} in {clone}, from what it has in common with {folder}")
            checkout.take_over(project, folder, clone)
            checkout.build(clone, options.options(project, clone), cores=cores, say=say)
            _keep(clone / folder, kept)
    return kept, name


def _keep(built: Path, kept: Path) -> None:
    """Copy what later comparisons need of a build, all of it or nothing."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kept-", dir=kept.parent) as temporary:
        recipes = sorted((built / "recipe/report").glob("html.*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in [*(built / name for name in KEPT), *recipes[-1:]]:
            place = Path(temporary) / "kept" / path.relative_to(built)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file():
                shutil.copyfile(path, place)
        (Path(temporary) / "kept").replace(kept)


def main() -> int:
    """Compare the report with the one that the command line names, print what changed, write the page, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.diff",
        description="Tells what changed from another report to the one in the results folder.",
        epilog="exit codes: 0 nothing changed, 1 something changed, 2 could not be compared",
    )
    parser.add_argument("against", metavar="AGAINST", help="a results folder, or a revision (a branch, tag or commit) to build")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="the report that is looked at; the one that the configuration names")
    parser.add_argument("--page", type=Path, metavar="FILE", help="where to write the page; comparison/diff.html in the results")
    command.add_build_options(parser)
    asked = parser.parse_args()
    project, options = Path.cwd(), command.overlay(asked)
    results = asked.results or Path(checkout.own_folder(options.merged(project, project).get("results")))
    now = changes.load(results, str(results))
    folder, name = other_results(project, results, asked.against, options=options, cores=command.cores(asked.cores), say=command.say)
    before = changes.load(folder, name)
    found = changes.between(before, now)
    sides = Sides("before", "now")
    facts, notes = [("Before", before.name), ("Now", now.name)], changes.notes(before, now)
    sys.stdout.write(comparison_report.changes_text(found, facts=facts, notes=notes, sides=sides))
    page = comparison_report.changes_page(found, facts=facts, notes=notes, sides=sides)
    command.save_page(asked.page or results / "comparison/diff.html", page)
    return 1 if found else 0


if __name__ == "__main__":
    command.run(main)
