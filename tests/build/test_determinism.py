"""Two builds from two clones, at other places and with other numbers of cores, give the same bytes."""

import subprocess

import pytest

from tests.builds import checksums, copy_project, git, snakemake, with_mini_study


def built_twice(project, places, *arguments):
    """Build clones of `project` at two places, one with one core and one with two; return the checksums of both."""
    found = []
    for place, cores in zip(places, (1, 2), strict=True):
        subprocess.run(["git", "clone", "--quiet", str(project), str(place)], check=True)
        snakemake(place, *arguments, cores=cores)
        found.append(checksums(place, "results/quick" if arguments else "results"))
    return found


@pytest.mark.slow
def test_two_clones_build_the_same_bytes(tmp_path):
    project = with_mini_study(copy_project(tmp_path / "project"))
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "mini")
    one, two = built_twice(project, (tmp_path / "a", tmp_path / "quite/another place"))
    assert one == two
    assert sum(name.endswith(".npz") for name in one) == 1 + 2 + 2 + 8


@pytest.mark.long
def test_two_clones_build_the_same_bytes_of_the_whole_report(tmp_path):
    project = copy_project(tmp_path / "project")
    one, two = built_twice(project, (tmp_path / "a", tmp_path / "b"))
    assert one == two
    assert len(one) > 90
