"""Builds with little to do, on all cores: nothing at all, against a trivial Snakefile; and one word of a chapter, against nothing."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.comparison import Comparison, compare
from scripts.common.places import PROJECT

TRIVIAL = """
rule all:
    input:
        expand("out/{{job}}.txt", job=range({jobs})),

rule one:
    output:
        "out/{{job}}.txt",
    shell:
        "touch {{output}}"
"""
CHAPTER = "templates/chapters/init_depth.md.jinja"


def comparisons() -> list[Comparison]:
    """Build the whole report in a clone of the project, then time builds that have nothing, and one word, to do."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with tempfile.TemporaryDirectory() as folder:
        project, trivial = Path(folder) / "project", Path(folder) / "trivial"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(project)], check=True)
        output = _snakemake(project)
        found = re.search(r"^total\s+(\d+)$", output, flags=re.MULTILINE)
        jobs = int(found[1]) - 1 if found else 0
        (trivial / "out").mkdir(parents=True)
        (trivial / "Snakefile").write_text(TRIVIAL.format(jobs=jobs), encoding="utf-8")
        _snakemake(trivial)
        words = 0

        def one_word() -> None:
            nonlocal words
            words += 1
            text = (PROJECT / CHAPTER).read_text(encoding="utf-8")
            (project / CHAPTER).write_text(text.replace("This chapter", f"This chapter, number {words},", 1), encoding="utf-8")
            assert "report" in _snakemake(project)

        lines = compare(
            f"a build of {jobs} jobs with nothing to do",
            plain={"snakemake -n of as many trivial jobs": (lambda: _snakemake(trivial, "--dry-run"), 1 / 1.5)},
            ours=lambda: _snakemake(project),
            runs=5,
        )
        return lines + compare(
            "one word of a chapter changed",
            plain={"a build with nothing to do": (lambda: _nothing(project), 1 / 3)},
            ours=one_word,
            runs=5,
        )


def _nothing(project: Path) -> None:
    assert "Nothing to be done" in _snakemake(project)


def _snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--nocolor", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:])
    return done.stdout
