"""Where networks are trained: what a device may be called, which GPUs there are, found without PyTorch, and how jobs share several.

A device is a class, ``cpu`` or ``cuda``, and with ``cuda:2`` the number of a GPU among those that are visible, from 0. Results depend on
the class alone. ``auto`` is the class that the machine which plans a build can offer.
"""

import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.common.errors import UserError

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
SECONDS_TO_LIST = 5.0
"""How long the driver may take to list its GPUs."""
SECONDS_BETWEEN_LOOKS = 1.0
"""How often a job that waits for a GPU looks whether one is free."""
LISTED = re.compile(r"^\s*(?:GPU|MIG) .*\(UUID: ((?:GPU|MIG)-[^)\s]+)\)\s*$", re.MULTILINE)
KNOWN_TO_KERNEL = Path("/proc/driver/nvidia/gpus")
ENVIRONMENT = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NVIDIA_TF32_OVERRIDE": "0"}
"""What NVIDIA's libraries read when they start: products with sums in one order, and without TF32."""


class Device(NamedTuple):
    """A device.

    Attributes:
        kind: its class, "cpu" or "cuda", or "auto" as long as that is open.
        number: which of the visible GPUs it is, from 0; any where it is None.
    """

    kind: str
    number: int | None = None


def parse(text: str) -> Device:
    """Return the device that "auto", "cpu", "cuda" or "cuda:2" names."""
    kind, _, number = text.partition(":")
    return Device(kind, int(number) if number else None)


def visible_gpus() -> list[str]:
    """Return the GPUs that a program may use here, as CUDA_VISIBLE_DEVICES names them.

    Without PyTorch, whose import takes a second: the driver's own list, or what the kernel says where there is no such program or it
    does not answer in time; of these what CUDA_VISIBLE_DEVICES leaves, if it is set, up to the first that is not there.
    """
    present = _listed_by_driver()
    if present is None:
        present = _listed_by_kernel()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or not present:
        return present
    found: list[str] = []
    for name in (part.strip() for part in chosen.split(",")):
        known = int(name) < len(present) if name.isdecimal() else any(one.startswith(name) for one in present if name)
        if not known or name in found:
            break
        found.append(name)
    return found


def missing(device: Device, gpus: Sequence[str]) -> str | None:
    """Return why a job cannot have a device among these GPUs, in words that follow the place where it is asked for; None if it can."""
    name = f"'{device.kind}'" if device.number is None else f"'{device.kind}:{device.number}'"
    if device.kind != CUDA or (gpus and (device.number is None or device.number < len(gpus))):
        return None
    if gpus:
        allowed = ", ".join(f"cuda:{number}" for number in range(len(gpus)))
        return f"wrong value {name}, {_count(len(gpus))} visible here; allowed: auto, cpu, cuda, {allowed}; name one of these"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    why = "" if hidden is None else f" (CUDA_VISIBLE_DEVICES is '{hidden}')"
    remedy = "set it to cpu, or run where `nvidia-smi -L` lists a GPU"
    return f"wrong value {name}, no CUDA GPU is visible here{why}; allowed: auto, cpu; {remedy}"


@contextmanager
def claimed(kinds: Collection[str], number: int, *, place: str, say: Callable[[str], None]) -> Iterator[None]:
    """Let the body have the device of a job: nothing is done for the CPU, and one GPU alone is visible in it for CUDA.

    Of several GPUs that are visible the job takes one that no other job has, waiting until there is one; which are taken is told by
    locks on files of the user's, and these end with the process whatever ends it. It has to be called before CUDA starts.

    Args:
        kinds: classes of the devices that the job computes on.
        number: which of the visible GPUs it has to be, -1 for any.
        place: where the device is asked for, in messages.
        say: given a line for the log.

    Raises:
        UserError: there is no such GPU.
    """
    if CUDA not in kinds:
        yield
        return
    gpus = visible_gpus()
    problem = missing(Device(CUDA, None if number < 0 else number), gpus)
    if problem:
        raise UserError(f"{place}: {problem}")
    wanted = gpus if number < 0 else [gpus[number]]
    with _free_one(wanted, say) if len(gpus) > 1 else _only(wanted) as gpu, _environment({"CUDA_VISIBLE_DEVICES": gpu} | ENVIRONMENT):
        say(f"trains on GPU {gpu}")
        yield


@contextmanager
def _only(gpus: Sequence[str]) -> Iterator[str]:
    yield gpus[0]


@contextmanager
def _free_one(gpus: Sequence[str], say: Callable[[str], None]) -> Iterator[str]:
    """Yield the first of these GPUs that no other process has locked, which is locked while the body runs."""
    folder = Path(tempfile.gettempdir()) / f"tangent-report-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    waits = False
    while True:
        for gpu in gpus:
            with (folder / f"{gpu.replace('/', '_')}.lock").open("w", encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield gpu
                return
        if not waits:
            say(f"waits: other jobs have {'GPU ' + gpus[0] if len(gpus) == 1 else f'all of {_count(len(gpus))}'}")
            waits = True
        time.sleep(SECONDS_BETWEEN_LOOKS)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    former = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in former.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _listed_by_driver() -> list[str] | None:
    """Return the GPUs in the driver's list, or the parts of GPUs if they are divided; None if it gives none."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=SECONDS_TO_LIST, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    found = LISTED.findall(done.stdout)
    return [name for name in found if name.startswith("MIG-")] or found


def _listed_by_kernel() -> list[str]:
    """Return the GPUs that the kernel's driver knows, in the order of their places on the bus."""
    try:
        files = sorted(KNOWN_TO_KERNEL.glob("*/information"))
        texts = [file.read_text(encoding="utf-8") for file in files]
    except OSError:
        return []
    found = [re.search(r"^GPU UUID:\s*(GPU-\S+)", text, re.MULTILINE) for text in texts]
    return [match[1] if match else str(place) for place, match in enumerate(found)]


def _count(gpus: int) -> str:
    return "1 GPU" if gpus == 1 else f"{gpus} GPUs"
