"""How long each step of a build took, from the times that its jobs recorded: ``python -m benchmarks.steps [results folder]``."""

import csv
import sys
from pathlib import Path

STEPS = (
    "data",
    "simulate",
    "train",
    "sweep",
    "jacobian",
    "measure",
    "number",
    "claim",
    "figure",
    "table",
    "summary",
    "manifest",
    "report",
    "crate",
)


def times(results: Path) -> dict[str, list[float]]:
    """Return the wall times of the jobs of each step, in seconds, of the steps that have any."""
    found: dict[str, list[float]] = {}
    for step in STEPS:
        for path in sorted((results / "benchmark" / step).rglob("*.tsv")):
            with path.open(encoding="utf-8") as file:
                found.setdefault(step, []).extend(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
    return found


def table(found: dict[str, list[float]]) -> str:
    """Return the times as a table in Markdown."""
    total = sum(sum(seconds) for seconds in found.values())
    rows = [(step, len(seconds), sum(seconds), max(seconds)) for step, seconds in found.items()]
    lines = ["| step | jobs | seconds in all | share | longest job |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {step} | {jobs} | {seconds:.1f} | {seconds / total:.0%} | {longest:.1f} s |" for step, jobs, seconds, longest in rows]
    return "\n".join([*lines, f"| all | {sum(row[1] for row in rows)} | {total:.1f} | 100% | |"])


if __name__ == "__main__":
    print(table(times(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))))
