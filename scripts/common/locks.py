"""Who builds in a results folder: one build at a time, under a lock of the system's that ends with the processes that hold it.

Snakemake's own lock is a file, which outlives a build that was killed; ``profiles/default`` switches it off. Here the main process of a
build holds a lock (``flock``) on a file of the results folder, and so does each of its jobs while it runs. A build that starts wants the
file for itself, if only for a moment: it gets it where neither another build nor a job of one is alive.
"""

import atexit
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.files import StorageError

FILE = ".lock"
"""The file that is locked; while a build holds it, it says which process on which machine that is."""

_held: list[int] = []


def hold(folder: Path) -> None:
    """Hold a results folder for this build until its process ends, however it ends.

    Raises:
        UserError: another build, or a job of one that was killed, is at work there; or the folder cannot be written.
    """
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        problem = f"cannot be written ({error.strerror}); make the folder writable or free disk space"
        raise StorageError(f"{folder / FILE}: {problem}, then run the same command again") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 1000).decode(errors="replace").split()
        os.close(descriptor)
        raise UserError(f"{folder}: {_described(holder)}") from None
    except OSError as error:
        sys.stderr.write(f"{folder}: its file system has no locks ({error.strerror}); see to it that no other build runs there\n")
    _held.append(descriptor)
    atexit.register(_let_go, descriptor)


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Hold a results folder together with the build that the body is a job of, if that holds it."""
    descriptor = None
    with suppress(OSError):
        descriptor = os.open(folder / FILE, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _let_go(descriptor: int) -> None:
    """Forget whose lock it was, where a build ends in its own time."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)


def _described(holder: list[str]) -> str:
    process, machine = holder if len(holder) == 2 else ("unknown", "unknown")
    elsewhere = "or build into another folder (--config results=results/other)"
    if machine == socket.gethostname() and process.isdigit() and not Path(f"/proc/{process}").exists() and Path("/proc").exists():
        return (
            f"jobs of a build that was killed (process {process} on {machine}) are still at work there; "
            f"wait until they end, then run the same command again, {elsewhere}"
        )
    return f"another build is at work there (process {process} on {machine}); wait until it ends, or end it, {elsewhere}"
