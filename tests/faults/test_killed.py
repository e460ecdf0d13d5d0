"""Builds that are killed, jobs and all, at any moment: the next one ends well by itself, with the bytes of an undisturbed one."""

import time

import pytest

from tests.builds import copy_project, replace, snakemake, with_mini_study
from tests.faults.harness import PRODUCTS_OF_STEPS, contents, drawn, ends_well, kill, products, remove_a_product, said, start, wait_for_job

STUDY = "config/studies/mini.yaml"
KILLS = 50
LONGEST_WAIT = 3.0
"""Seconds after the start of a job within which it is killed; most take less."""


def kill_and_complete(project, expected, step, generator):
    """Have a job of a step run again, kill the build at some moment after its start, and build again; return whether it was alive."""
    removed = remove_a_product(project, step, generator)
    process, wait = start(project), generator.uniform(0, LONGEST_WAIT)
    started = wait_for_job(project, process, step)
    assert started, f"no job of {step} after {removed} was removed: {said(project)}"
    time.sleep(wait)
    alive = process.poll() is None
    if alive:
        kill(process)
    ends_well(project, expected)
    print(f"{step}: without {removed}, killed {wait:.2f} s after its start" + ("" if alive else ": had ended before"))
    return alive


@pytest.mark.slow
def test_a_killed_build_ends_well_when_it_is_started_again(mini):
    generator, expected = drawn("one kill"), contents(mini)
    kill_and_complete(mini, expected, generator.choice(["measure", "number", "table", "figure", "manifest", "report"]), generator)


@pytest.mark.long
def test_fifty_kills_at_moments_of_all_steps_leave_no_trace(tmp_path):
    """Build from nothing and kill at one job of each step in turn: what is left of one kill, the next build has to go on from."""
    project = with_mini_study(copy_project(tmp_path / "project"))
    replace(project, "scripts/common/resume.py", "SECONDS = 10.0", "SECONDS = 0.05")
    replace(project, STUDY, "  steps: 20\n  evaluate_every: 10\n", "  steps: 4000\n  evaluate_every: 2000\n")
    snakemake(project)
    expected, generator, killed = contents(project), drawn("fifty kills"), dict.fromkeys(("start", *PRODUCTS_OF_STEPS), 0)
    made = {step: products(project, step) for step in PRODUCTS_OF_STEPS}
    while sum(killed.values()) < KILLS:
        for folder in PRODUCTS_OF_STEPS:
            for path in products(project, folder):
                path.unlink()
        for step in killed:
            if step != "start" and all(path.is_file() for path in made[step]):
                remove_a_product(project, step, generator)
            process, wait = start(project), generator.uniform(0, LONGEST_WAIT)
            if step == "start" or wait_for_job(project, process, step):
                time.sleep(wait)
            if process.poll() is None:
                kill(process)
                killed[step] += 1
                print(f"{step}: killed {wait:.2f} s after its start", flush=True)
            else:
                assert process.returncode == 0, said(project)
        ends_well(project, expected)
        print(killed, flush=True)
