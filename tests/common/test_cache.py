import os
import shlex
import subprocess
from pathlib import Path

import pytest

from scripts.common import cache
from scripts.common.errors import UserError
from scripts.common.files import remedy

OUTPUTS = [Path(f"results/train/study/{name}.npz") for name in ("a", "b", "c")]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in OUTPUTS[:2]:
        path.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache").mkdir(exist_ok=True)
        kept = tmp_path / f"cache/{path.name}"
        kept.touch()
        path.symlink_to(kept)


def said(*, used=False):
    with pytest.raises(UserError) as error:
        cache.check(OUTPUTS, results="results", used=used)
    return str(error.value)


def test_links_into_a_cache_that_is_there_are_as_good_as_files(tmp_path, monkeypatch):
    cache.check(OUTPUTS, results="results", used=False)
    monkeypatch.setenv(cache.LOCATION, str(tmp_path / "cache"))
    cache.check(OUTPUTS, results="results", used=True)


def test_links_that_lead_nowhere_are_told_with_a_command_that_removes_them_and_nothing_else(tmp_path):
    place = tmp_path / "cache/b.npz"
    place.unlink()
    expected = f"results/train/study/b.npz: no more in the cache ({place}); bring it back, or remove the links that lead nowhere ("
    assert said().startswith(expected)
    (tmp_path / "cache/a.npz").unlink()
    assert said().startswith("results/train/study/a.npz and 1 other results: no more in the cache (")
    (tmp_path / "cache/a.npz").touch()
    subprocess.run(shlex.split(said().split("nowhere (")[1].split(") to have")[0]), check=True)
    assert sorted(path.name for path in OUTPUTS[0].parent.iterdir()) == ["a.npz"]
    cache.check(OUTPUTS, results="results", used=False)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (None, "not set, but --cache needs a folder that builds share; name one (export SNAKEMAKE_OUTPUT_CACHE=/path/to/it)"),
        ("", "not set, but --cache needs a folder that builds share; name one (export SNAKEMAKE_OUTPUT_CACHE=/path/to/it)"),
        ("cache", "'cache' is no absolute path, but results are links into that folder; name it from the root (/)"),
        ("/no/such", "'/no/such' is no folder; make it (mkdir -p /no/such) or name another one"),
        ("/", "'/' cannot be written; make it writable, name another one, or build without --cache"),
    ],
    ids=["not set", "empty", "relative", "missing", "not writable"],
)
def test_a_cache_that_cannot_be_used_is_told_before_anything_runs(folder, expected, monkeypatch):
    monkeypatch.delenv(cache.LOCATION, raising=False)
    if folder is not None:
        monkeypatch.setenv(cache.LOCATION, folder)
    monkeypatch.setattr(os, "access", lambda place, _: place != "/")
    assert said(used=True) == f"SNAKEMAKE_OUTPUT_CACHE: {expected}"
    cache.check(OUTPUTS, results="results", used=False)


def test_what_to_do_about_a_damaged_file_names_the_entry_of_the_cache_too(tmp_path):
    assert remedy(OUTPUTS[0]) == (
        f"delete it here and in the cache (rm {OUTPUTS[0]} {tmp_path}/cache/a.npz) and run the same command again to rebuild it"
    )
