"""Verifies results or a published report: clones a commit, builds it from nothing, and compares: ``python -m scripts.verify``.

Exit codes: 0 identical, 1 within tolerance, 2 could not be verified, 3 different.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common import checkout, command, comparison_report, pages
from scripts.common.checkout import Overlay
from scripts.common.comparison import TOLERANCE, Item, Sides, Status, worst
from scripts.common.comparison_builds import compare_folders, compare_published, read_json
from scripts.common.errors import UserError

EXIT_CODES = {Status.IDENTICAL: 0, Status.WITHIN: 1, Status.DIFFERENT: 3}
NOT_SETTINGS = ("results", "device")
"""Keys of the configuration of a report that do not belong to its content."""
FILES_NAMED = 3


@dataclass(frozen=True)
class Verification:
    """What was compared, with which, and how it compares; where the page about it goes."""

    items: list[Item]
    facts: list[tuple[str, str]]
    notes: list[str]
    sides: Sides
    page: Path


def verify(
    project: Path,
    *,
    results: Path | None,
    report: Path | None,
    commit: str | None,
    options: Overlay,
    cores: str,
    tolerance: float,
    say: Callable[[str], object],
) -> Verification:
    """Return how a results folder, or a published `report`, compares with a build from nothing of a commit.

    Args:
        project: the repository.
        results: the results folder; None for the one that the configuration names.
        report: a published HTML file to verify instead.
        commit: what to build; None for the last commit, with nothing uncommitted beside it.
        options: what the results were built with.
        cores: cores of the build.
        tolerance: the share by which numbers may differ.
        say: is told how far it is.

    Raises:
        UserError: there are uncommitted changes, nothing to verify, or the build fails.
    """
    changed = checkout.uncommitted(project)
    if changed and commit is None:
        names = ", ".join(changed[:FILES_NAMED]) + (f" and {len(changed) - FILES_NAMED} more" if len(changed) > FILES_NAMED else "")
        raise UserError(
            f"not committed: {names}. What is verified is a commit, and results with these changes are not of one: "
            "commit them and build again, or say that the commit is meant without them (--commit HEAD, or make verify COMMIT=HEAD)"
        )
    sha = checkout.revision(project, commit or "HEAD")
    notes = [f"{len(changed)} files are not as they were committed; these changes are not verified"] if changed else []
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        clone = Path(temporary) / "project"
        checkout.clone(project, sha, clone)
        wanted = options.merged(project, clone)
        folder = checkout.own_folder(wanted.get("results"))
        given = results or project / folder
        page = (report or given / "report/report.html").resolve()
        recorded = _recorded(page, given, published=report is not None)
        checkout.check_settings(
            {key: value for key, value in wanted.items() if key not in NOT_SETTINGS}, recorded, place=str(report or given), options=options
        )
        say(f"Building {checkout.described(project, sha)} from nothing, in {clone}")
        checkout.build(clone, options.options(project, clone), cores=cores, say=say)
        say("Comparing")
        facts = [("Commit", f"{checkout.described(project, sha)}, built from nothing"), ("Built with", str(options) or "no options")]
        if report:
            sides = Sides("report", "commit")
            items = compare_published(page, clone / folder, sides=sides, tolerance=tolerance)
            facts.append(("Compared with", f"the published report {report}"))
        else:
            sides = Sides("results", "commit")
            items, left = compare_folders(given, clone / folder, sides=sides, tolerance=tolerance)
            built_from = _commit(given)
            facts += [("Compared with", f"the results in {given}"), ("Their manifest names", f"commit {built_from} (not compared)")]
            if left:
                more = f" and {len(left) - FILES_NAMED} more" if len(left) > FILES_NAMED else ""
                notes.append(f"left from other builds, and not compared: {', '.join(left[:FILES_NAMED])}{more}")
    return Verification(items, facts, notes, sides, given / "comparison/verify.html")


def _recorded(page: Path, results: Path, *, published: bool) -> dict[str, Any]:
    """Return the settings of the report that a page carries; none where there is no record, as in an assignment."""
    if not page.is_file():
        remedy = "name the report.html of a build" if published else "build the report first (make report), or name another results folder"
        raise UserError(f"{page if published else results}: no report to verify{'' if published else f' ({page} is missing)'}; {remedy}")
    try:
        content = pages.read_html(page)
        return dict(content.record["settings"]["report"]) if content.record else {}
    except UserError:
        if published:
            raise
        return {}  # a page that is damaged is one of the things that are compared


def _commit(results: Path) -> str:
    try:
        return str(read_json(results / "report/manifest.json").get("commit", "unknown"))
    except UserError:
        return "unknown"


def _share(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 <= value < 1):
        raise ValueError
    return value


def main() -> int:
    """Verify what the command line names, print how it compares, write the page, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.verify",
        description="Builds a commit from nothing in a temporary clone, and compares results or a published report with it.",
        epilog="exit codes: 0 identical, 1 within tolerance, 2 could not be verified, 3 different",
    )
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="the results to verify; those that the configuration names")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a published report.html to verify instead")
    parser.add_argument("--commit", metavar="REVISION", help="what to build; the last commit, with nothing uncommitted beside it")
    parser.add_argument("--tolerance", type=_share, default=TOLERANCE, metavar="SHARE", help=f"by which numbers may differ; {TOLERANCE:g}")
    parser.add_argument("--page", type=Path, metavar="FILE", help="where to write the page; comparison/verify.html in the results")
    command.add_build_options(parser)
    asked = parser.parse_args()
    found = verify(
        Path.cwd(),
        results=asked.results,
        report=asked.report,
        commit=asked.commit,
        options=command.overlay(asked),
        cores=command.cores(asked.cores),
        tolerance=asked.tolerance,
        say=command.say,
    )
    told: dict[str, Any] = {"facts": found.facts, "notes": found.notes, "tolerance": asked.tolerance}
    sys.stdout.write(comparison_report.verification_text(found.items, **told))
    command.save_page(asked.page or found.page, comparison_report.verification_page(found.items, sides=found.sides, **told))
    return EXIT_CODES[worst(found.items)]


if __name__ == "__main__":
    command.run(main)
