import fcntl
import os
import socket
import subprocess
import sys

import pytest

from scripts.common import locks
from scripts.common.errors import UserError
from scripts.common.places import PROJECT

HOLDING = """
import sys, time
from pathlib import Path
from scripts.common import locks
{how}
    print("holds", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """A function that lets another process hold a folder, as a build or as a job of one, and returns it."""
    started = []

    def hold(how):
        command = [sys.executable, "-c", HOLDING.format(how=how), str(tmp_path)]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "holds\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


BUILD = "locks.hold(Path(sys.argv[1]))\nif True:"
JOB = "with locks.shared(Path(sys.argv[1])):"


def refused(folder):
    with pytest.raises(UserError) as error:
        locks.hold(folder)
    return str(error.value)


def test_a_folder_is_held_by_one_build_and_free_as_soon_as_that_is_killed(held, tmp_path):
    process = held(BUILD)
    said = refused(tmp_path)
    assert said == (
        f"{tmp_path}: another build is at work there (process {process.pid} on {socket.gethostname()}); "
        "wait until it ends, or end it, or build into another folder (--config results=results/other)"
    )
    process.kill()
    process.wait()
    locks.hold(tmp_path)
    assert (tmp_path / ".lock").read_text() == f"{os.getpid()} {socket.gethostname()}"


def test_jobs_that_outlive_their_build_hold_the_folder(held, tmp_path):
    build, job = held(BUILD), held(JOB)
    build.kill()
    build.wait()
    assert f"jobs of a build that was killed (process {build.pid} on {socket.gethostname()}) are still at work there; " in refused(tmp_path)
    job.kill()
    job.wait()
    locks.hold(tmp_path)


def test_a_job_without_a_build_needs_no_lock(tmp_path):
    with locks.shared(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_content_names_nobody(held, tmp_path):
    held(BUILD)
    (tmp_path / ".lock").write_bytes(b"\xff\x00 a b c")
    assert "(process unknown on unknown)" in refused(tmp_path)


def test_a_file_system_without_locks_is_told_and_built_on(tmp_path, monkeypatch, capsys):
    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    locks.hold(tmp_path)
    assert "its file system has no locks (Operation not supported)" in capsys.readouterr().err
    with locks.shared(tmp_path):
        pass


def test_a_folder_that_takes_no_lock_file_is_told(tmp_path):
    with pytest.raises(UserError, match=r"\.lock: cannot be written \(No such file or directory\); make the folder writable"):
        locks.hold(tmp_path / "missing")


def test_a_process_lets_go_when_it_ends(tmp_path):
    command = [sys.executable, "-c", f"from pathlib import Path\nfrom scripts.common import locks\nlocks.hold(Path({str(tmp_path)!r}))"]
    subprocess.run(command, cwd=PROJECT, check=True)
    assert not (tmp_path / ".lock").read_text()
    locks.hold(tmp_path)
