import os
import signal
import subprocess
import sys
import time

import pytest

from scripts.common import devices
from scripts.common.devices import Device
from scripts.common.errors import UserError
from scripts.common.places import PROJECT

TWO = "GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\nGPU 1: NVIDIA H200 (UUID: GPU-bbbb-2)\n"
DIVIDED = "".join(
    [
        "GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\n",
        *(f"  MIG 1g.18gb     Device  {place}: (UUID: {name})\n" for place, name in enumerate(("MIG-cccc-1", "MIG-dddd-2"))),
    ]
)


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A machine whose driver lists what a test wants it to, and whose kernel knows nothing unless a test says so."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(devices, "KNOWN_TO_KERNEL", tmp_path / "gpus")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def lists(text, *, before="", code=0):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "list").write_text(text)
        program = tmp_path / "bin/nvidia-smi"
        program.write_text(f'#!/bin/sh\ntest "$*" = -L || exit 9\n{before}\ncat {tmp_path}/list\nexit {code}\n')
        program.chmod(0o755)

    return lists


@pytest.fixture
def kernel(tmp_path):
    for place, name in (("0000:41:00.0", "GPU-bbbb-2"), ("0000:01:00.0", "GPU-aaaa-1")):
        (tmp_path / "gpus" / place).mkdir(parents=True)
        (tmp_path / "gpus" / place / "information").write_text(f"Model: \t\t NVIDIA H200\nIRQ: 16\nGPU UUID: \t {name}\nVideo BIOS: 1\n")


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("auto", Device("auto")),
        ("cpu", Device("cpu")),
        ("cuda", Device("cuda")),
        ("cuda:0", Device("cuda", 0)),
        ("cuda:12", Device("cuda", 12)),
    ],
)
def test_a_device_is_a_class_and_perhaps_a_number(text, device):
    assert devices.parse(text) == device


@pytest.mark.parametrize(
    ("listed", "chosen", "found"),
    [
        (TWO, None, ["GPU-aaaa-1", "GPU-bbbb-2"]),
        (DIVIDED, None, ["MIG-cccc-1", "MIG-dddd-2"]),
        ("", None, []),
        ("", "0,1", []),
        (TWO, "", []),
        (TWO, "-1", []),
        (TWO, "NoDevFiles", []),
        (TWO, "1", ["1"]),
        (TWO, "1,0", ["1", "0"]),
        (TWO, " 1 , GPU-aaaa", ["1", "GPU-aaaa"]),
        (TWO, "0,2,1", ["0"]),
        (TWO, "0,0,1", ["0"]),
    ],
)
def test_gpus_are_those_of_the_driver_that_the_environment_leaves(driver, monkeypatch, listed, chosen, found):
    driver(listed)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert devices.visible_gpus() == found


@pytest.mark.usefixtures("kernel")
def test_the_kernel_is_asked_where_the_driver_does_not_answer(driver, monkeypatch, tmp_path):
    known = ["GPU-aaaa-1", "GPU-bbbb-2"]
    driver(TWO, code=9)
    assert devices.visible_gpus() == known
    monkeypatch.setattr(devices, "SECONDS_TO_LIST", 0.2)
    driver("", before="exec sleep 20")
    started = time.monotonic()
    assert devices.visible_gpus() == known
    assert time.monotonic() - started < 5
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.visible_gpus() == known


def test_a_machine_without_a_driver_has_no_gpus(driver, monkeypatch, tmp_path):
    assert driver
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.visible_gpus() == []


def test_looking_for_gpus_imports_no_pytorch():
    look = "import sys; from scripts.common import devices; devices.visible_gpus(); print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], cwd=PROJECT, check=True, capture_output=True, text=True).stdout == "set()\n"


def test_a_gpu_that_is_missing_is_told_with_what_there_is(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    remedy = "allowed: auto, cpu; set it to cpu, or run where `nvidia-smi -L` lists a GPU"
    assert devices.missing(Device("cuda"), []) == f"wrong value 'cuda', no CUDA GPU is visible here; {remedy}"
    assert devices.missing(Device("cuda", 2), ["a", "b"]) == (
        "wrong value 'cuda:2', 2 GPUs visible here; allowed: auto, cpu, cuda, cuda:0, cuda:1; name one of these"
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.missing(Device("cuda"), []) == f"wrong value 'cuda', no CUDA GPU is visible here (CUDA_VISIBLE_DEVICES is ''); {remedy}"
    for device in (Device("cpu"), Device("cuda"), Device("cuda", 1)):
        assert devices.missing(device, ["a", "b"]) is None


# what a job does

JOB = """
import os, sys, time
from pathlib import Path
from scripts.common import devices
name, number, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
with devices.claimed(["cpu", "cuda"], number, place="x", say=lambda line: print(line, flush=True)):
    (folder / name).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    while not (folder / f"end {name}").exists():
        time.sleep(0.05)
(folder / f"ended {name}").touch()
"""


@pytest.fixture
def jobs(driver, tmp_path):
    """Starts jobs that take a GPU each until they are told to end, on a machine with two."""
    driver(TWO)
    started = {}

    def start(name, number=-1):
        environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(PROJECT)}
        started[name] = subprocess.Popen(
            [sys.executable, "-c", JOB, name, str(number), str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        return started[name]

    yield start
    for process in started.values():
        process.kill()
        process.communicate()


def until(condition):
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_jobs_take_a_gpu_each_and_one_too_many_waits(jobs, tmp_path):
    for name in ("first", "second"):
        jobs(name)
        until((tmp_path / name).exists)
    assert [(tmp_path / name).read_text() for name in ("first", "second")] == ["GPU-aaaa-1", "GPU-bbbb-2"]
    third = jobs("third")
    assert third.stdout.readline() == "waits: other jobs have all of 2 GPUs\n"
    assert not (tmp_path / "third").exists()
    (tmp_path / "end second").touch()
    until((tmp_path / "third").exists)
    assert third.stdout.readline() == "trains on GPU GPU-bbbb-2\n"
    assert (tmp_path / "third").read_text() == "GPU-bbbb-2"


def test_the_gpu_of_a_job_that_was_killed_is_free_again(jobs, tmp_path):
    first = jobs("first", 1)
    until((tmp_path / "first").exists)
    assert (tmp_path / "first").read_text() == "GPU-bbbb-2"
    second = jobs("second", 1)
    assert second.stdout.readline() == "waits: other jobs have GPU GPU-bbbb-2\n"
    first.send_signal(signal.SIGKILL)
    until((tmp_path / "second").exists)
    assert (tmp_path / "second").read_text() == "GPU-bbbb-2"


def test_one_gpu_alone_is_visible_while_a_job_has_it_and_libraries_are_told_to_be_exact(driver, monkeypatch):
    driver(TWO.splitlines()[0] + "\n")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    said = []
    with devices.claimed({"cuda"}, -1, place="x", say=said.append):
        found = {key: os.environ[key] for key in ("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE")}
    assert found == {"CUDA_VISIBLE_DEVICES": "GPU-aaaa-1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NVIDIA_TF32_OVERRIDE": "0"}
    assert not set(found) & set(os.environ)
    assert said == ["trains on GPU GPU-aaaa-1"]


def test_a_job_on_a_machine_without_the_gpu_says_so(driver):
    driver(TWO)
    with (
        pytest.raises(UserError, match=r"^here: wrong value 'cuda:5', 2 GPUs visible here"),
        devices.claimed({"cuda"}, 5, place="here", say=print),
    ):
        pass
    driver("")
    with (
        pytest.raises(UserError, match=r"^here: wrong value 'cuda', no CUDA GPU is visible here"),
        devices.claimed({"cuda"}, -1, place="here", say=print),
    ):
        pass


def test_a_job_on_the_cpu_looks_for_nothing(driver, monkeypatch):
    driver(TWO)
    monkeypatch.setattr(devices, "visible_gpus", pytest.fail)
    before = dict(os.environ)
    with devices.claimed({"cpu"}, -1, place="x", say=print):
        assert dict(os.environ) == before
