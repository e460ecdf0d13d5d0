"""Builds of the project in copies of it, as a user would start them, and what ran in them."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from scripts.common.places import PROJECT

MINI = Path(__file__).parent / "mini"
PRODUCTS = ("report.html", "report.pdf", "numbers.csv", "claims.json", "manifest.json", "ro-crate-metadata.json")


def copy_project(destination):
    """Copy the project's files, tracked or not yet, but no build products, to `destination`, as one commit of a repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, destination / name)
    git(destination, "init", "--quiet")
    git(destination, "add", "--all")
    git(destination, "commit", "--quiet", "--message", "copy")
    return destination


def git(folder, *arguments):
    """Run git in `folder`, as nobody in particular and at no particular time."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "n"), ("EMAIL", "e"))}
    when = {f"GIT_{role}_DATE": "2000-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env=os.environ | who | when).stdout


def with_mini_study(project):
    """Make the small study the one study of a copy of the project, with two replicas."""
    for name, place in (("mini.yaml", "config/studies"), ("mini.md.jinja", "templates/chapters"), ("mini.py", "scripts/claims")):
        shutil.copyfile(MINI / name, project / place / name)
    report = yaml.safe_load((project / "config/report.yaml").read_text())
    (project / "config/report.yaml").write_text(yaml.safe_dump(report | {"studies": ["mini"], "replicas": 2}, sort_keys=False))
    return project


def snakemake(project, *arguments, cores=2, environment=None, check=True):
    """Run snakemake in `project`; its output, standard output and error in one."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nocolor", *arguments]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "SNAKEMAKE"))}
    done = subprocess.run(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=clean | (environment or {})
    )
    assert not check or done.returncode == 0, done.stdout[-4000:]
    return done


def jobs_run(output):
    """Return the jobs that Snakemake says it ran: a rule and the values of its wildcards, joined by slashes."""
    found = set()
    for block in re.findall(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)+)", output, flags=re.MULTILINE):
        wildcards = re.search(r"^ {4}wildcards: (.*)$", block[1], flags=re.MULTILINE)
        values = [pair.partition("=")[2] for pair in wildcards[1].split(", ")] if wildcards else []
        found.add("/".join([block[0], *values]))
    return found - {"all"}


def checksums(project, results="results"):
    """Return the SHA-256 of the five report files and of every array file of a build, by path below its results folder."""
    root = project / results
    paths = [root / "report" / name for name in PRODUCTS] + sorted(root.rglob("*.npz"))
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def replace(project, name, old, new):
    """Replace `old`, which must be there, by `new` in a file of the project."""
    text = (project / name).read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {name}"
    (project / name).write_text(text.replace(old, new, 1), encoding="utf-8")
