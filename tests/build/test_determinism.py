"""Two builds, at other places and with other numbers of cores, give the same bytes."""

import subprocess

import pytest

from tests.builds import checksums, copy_project, snakemake


def built(project, place, cores):
    """Build a clone of `project` at `place` and return its checksums."""
    subprocess.run(["git", "clone", "--quiet", str(project), str(place)], check=True)
    snakemake(place, cores=cores)
    return checksums(place)


@pytest.mark.slow
def test_a_clone_builds_the_same_bytes(mini_build, tmp_path):
    one, two = checksums(mini_build), built(mini_build, tmp_path / "quite/another place", cores=1)
    assert one == two
    assert sum(name.endswith(".npz") for name in one) == 1 + 2 + 2 + 8


@pytest.mark.long
def test_two_clones_build_the_same_bytes_of_the_whole_report(tmp_path):
    project = copy_project(tmp_path / "project")
    one, two = (built(project, tmp_path / name, cores) for name, cores in (("a", 1), ("b", 2)))
    assert one == two
    assert len(one) > 90
