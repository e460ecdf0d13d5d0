"""What the tests of faults share: builds that are disturbed from outside, moments for it, and what must come of them all the same."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.common.files import PART
from tests.builds import snakemake

SEED = int(os.environ.get("FAULTS_SEED", "7"))
"""What all moments and places are drawn from; every test prints it."""

PRODUCTS_OF_STEPS = {
    "data": ("data/mini/*.npz",),
    "train": ("train/mini/*.npz",),
    "jacobian": ("jacobian/mini/*.npz",),
    "measure": ("measure/mini/*/*.npz",),
    "number": ("number/*.csv",),
    "claim": ("claim/*.json",),
    "figure": ("figure/mini/*.svg", "report/data/mini/*.csv"),
    "table": ("table/mini/*.json",),
    "summary": ("report/numbers.csv", "report/claims.json"),
    "manifest": ("report/manifest.json",),
    "report": ("report/report.html", "report/report.pdf"),
    "crate": ("report/ro-crate-metadata.json",),
}
"""Where the files of each step are, in a results folder of the small study."""

NOT_COMPARED = ("log", "benchmark", "recipe", ".lock")
"""What of a results folder says when and where it was made, or how it was made before."""


def drawn(name):
    """Return the generator of a test, and print from what it draws."""
    print(f"seed of {name}: {SEED} (another one: FAULTS_SEED=...)")
    return random.Random(f"{SEED} {name}")  # noqa: S311 - moments and places, no secrets


def contents(project):
    """Return the SHA-256 of every file of a build that has to be the same whenever it is made, by path below its results folder."""
    root = project / "results"
    paths = [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] not in NOT_COMPARED]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def start(project, *arguments, environment=None):
    """Start Snakemake as the leader of a group of processes; it writes what it says to ``said.txt``."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *arguments]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "SNAKEMAKE"))}
    with (project / "said.txt").open("w") as said:
        return subprocess.Popen(command, cwd=project, stdout=said, stderr=said, start_new_session=True, env=clean | (environment or {}))


def said(project):
    """Return what the last build that was started has said so far."""
    return (project / "said.txt").read_text(errors="replace")


def wait_for_job(project, process, step):
    """Wait until a job of a step has started; return whether one has before the build came to its end."""
    while process.poll() is None:
        if re.search(rf"^(local)?rule {step}:", said(project), flags=re.MULTILINE):
            return True
        time.sleep(0.02)
    return False


def kill(process, number=signal.SIGKILL):
    """Send a signal to a build and all its jobs, and wait until it has ended."""
    os.killpg(process.pid, number)
    process.wait(timeout=120)


def remove_a_product(project, step, generator):
    """Remove one file that a step has made, and all that is made from it, so that its job runs again; return its path below the results."""
    root, later = project / "results", list(PRODUCTS_OF_STEPS)
    later = later[later.index(step) + 1 :]
    chosen = generator.choice(products(project, step)).relative_to(root)
    (root / chosen).unlink()
    others = {"narrow", "wide"} - set(chosen.with_suffix("").parts) if {"narrow", "wide"} & set(chosen.with_suffix("").parts) else set()
    for path in [path for name in later for path in products(project, name)]:
        if not others & set(path.with_suffix("").parts):
            path.unlink()
    return chosen.as_posix()


def products(project, step):
    """Return the files that the jobs of a step have made."""
    return sorted(path for pattern in PRODUCTS_OF_STEPS[step] for path in (project / "results").glob(pattern))


def ends_well(project, expected):
    """See that the next build needs nothing done before it, and ends with the expected bytes and nothing left over."""
    done = snakemake(project)
    assert "Traceback" not in done.stdout, done.stdout
    found = contents(project)
    differing = sorted(path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path))
    assert differing == [], differing
    assert [path for path in (project / "results").rglob(".*") if path.name.endswith(PART)] == []
    return done.stdout


def ask_for_missing_arrays(project, expected):
    """Build, then ask by name for arrays that are still missing: where what is made of them is there, Snakemake does without them."""
    snakemake(project)
    missing = [path for path in expected if path.endswith(".npz") and not (project / "results" / path).exists()]
    if missing:
        print(f"asked for by name: {', '.join(missing)}")
        snakemake(project, *(f"results/{path}" for path in missing))


def fails_clearly(output, *words):
    """See that a build that has failed says why, in one line of its job that has all of `words`, and return the line."""
    assert "Traceback" not in output, output
    told = [line.strip() for line in output.splitlines() if all(word in line for word in words)]
    assert told, output[-4000:]
    return told[0]


def copied(project, destination):
    """Return a copy of a built project for one test to disturb."""
    return Path(shutil.copytree(project, destination, symlinks=True))
