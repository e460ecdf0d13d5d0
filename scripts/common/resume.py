"""What is kept of a training while it runs, so that it can be stopped or killed and go on: every so many seconds, one file.

The files of a training stand in a folder of its own, ``resume/<study>/<variant>.<digest>`` among the results, outside of the outputs that
Snakemake knows and deletes. Each holds what was found since the one before, and all that the updates to come depend on; it is written in
full or not at all and is never changed. Its name, ``<first>-<last>.npz``, says from which step it leads to which, so that the files
form a chain from step 0; since a training is the same whenever it runs, any such chain is right. When the training is done, its folder
is removed.
"""

import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.storage import Array, Arrays, Kind, StorageError

SECONDS = 10.0
"""How long a training goes on until it keeps what it has reached: what is lost at most when it is killed without notice."""

SHARE = 0.02
"""Of the time of a training, the share that keeping may take: where a state is large, it is kept less often."""

KIND = Kind(
    "resume",
    {
        "parameters": Array("R P", "float32 float64"),
        "memory": Array("B R P", "float32 float64"),
        "generator": Array("R", "str"),
        "damping": Array("R", "float64"),
        "diverged_at": Array("R", "int64"),
        "checkpoints": Array("S R P", "float32 float64"),
        "scores": Array("X E R", "float64"),
        "best": Array("R P", "float32 float64"),
    },
    optional=frozenset({"memory", "generator", "damping", "best"}),
)
"""State of an engine at a step; the parameters to be saved, and the losses and accuracies recorded, since the file before; and with early
stopping the best parameters so far."""


class StoppedError(UserError):
    """A training was told to stop, and has kept what it had reached; the message says so."""


@contextmanager
def notice() -> Iterator[Callable[[], bool]]:
    """Take SIGTERM for a notice to stop soon, while the body runs; yield a function that says whether one was given."""
    given: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _: given.append(number))
    try:
        yield lambda: bool(given)
    finally:
        signal.signal(signal.SIGTERM, former)


class Resume:
    """The files of one training."""

    def __init__(
        self, output: Path, *, digest: str, say: Callable[[str], None], kind: Kind = KIND, told: Callable[[], bool] = lambda: False
    ) -> None:
        """Name the folder of a training, and remove those of other trainings of the same variant.

        Args:
            output: where its output will stand, ``<results>/train/<study>/<variant>.npz``, or that of a sweep.
            digest: digest of its recipe; another training is another recipe.
            say: is given a line for the log.
            kind: what each file holds.
            told: says whether the training was told to stop.
        """
        study = output.parents[2] / "resume" / output.parent.name
        self.told = told
        self._kind = kind
        self._folder = study / f"{output.stem}.{digest[:16]}"
        self._study, self._digest, self._say = study, digest, say
        self._replicas: range | None = None
        self._whole = self._folder
        self._next = time.monotonic() + SECONDS
        for other in study.glob(f"{output.stem}.*"):
            if other != self._folder:
                shutil.rmtree(other)

    def part(self, place: int) -> "Resume":
        """Return the files of the training that is the part of this one at `place`, as a level is of a sweep; they are kept within."""
        part = copy(self)
        part._kind, part._folder, part._next = KIND, self._folder / str(place), time.monotonic() + SECONDS
        return part

    def of(self, replicas: range) -> "Resume":
        """Return the files of the training of some of the replicas alone, which goes on from what was kept of them among others."""
        some = copy(self)
        some._replicas, some._whole, some._next = replicas, self._folder, time.monotonic() + SECONDS
        some._folder = self._folder / f"replicas-{replicas.start}-{replicas.stop}"
        return some

    def load(self) -> Iterator[tuple[int, int, Arrays]]:
        """Yield the files of a chain from step 0, as far as it is there and intact: from which step, to which, and the arrays."""
        first, found = 0, True
        while found:
            found = False
            files = [(path, own) for folder, own in self._folders() for path in folder.glob(f"{first}-*.npz")]
            there = [(path, own) for path, own in files if _last(path) > first]
            for path, own in sorted(there, key=lambda one: _last(one[0]), reverse=True):
                try:
                    arrays = storage.load(path, kind=self._kind.name, digest=self._own_digest(path))
                    storage.check_kind(path, arrays, self._kind)
                except StorageError as error:
                    self._say(f"not used: {error}")
                    continue
                yield first, _last(path), _of_replicas(arrays, self._kind, own)
                first, found = _last(path), True
                break

    def _folders(self) -> Iterator[tuple[Path, slice]]:
        """Yield the folders that have files of these replicas, and where among theirs these are."""
        yield self._folder, slice(None)
        if self._replicas is None:
            return
        begin, end = self._replicas.start, self._replicas.stop
        yield self._whole, slice(begin, end)
        for folder in self._whole.glob("replicas-*-*"):
            named = re.fullmatch(r"replicas-([0-9]{1,9})-([0-9]{1,9})", folder.name)
            start, stop = (int(number) for number in named.groups()) if named else (end, begin)
            if start <= begin and end <= stop and folder != self._folder:
                yield folder, slice(begin - start, end - start)

    def is_due(self) -> bool:
        """Return whether what is reached is to be kept now: it is time to, or the training was told to stop."""
        return time.monotonic() >= self._next or self.told()

    def save(self, first: int, last: int, arrays: Arrays) -> None:
        """Keep what was reached at the step `last` since the step `first`, at which the file before this one ends."""
        started = time.monotonic()
        path = self._folder / f"{first}-{last}.npz"
        storage.save(path, arrays, kind=self._kind, digest=self._own_digest(path))
        ended = time.monotonic()
        self._next = ended + max(SECONDS, (ended - started) / SHARE)

    def _own_digest(self, path: Path) -> str:
        """Return what a file states: the digest of its training and its place among the files of it, so that none is taken for another."""
        return f"{self._digest} {'/'.join(path.parts[len(self._study.parts) + 1 :])}"

    def remove(self) -> None:
        """Remove the files, which are of no more use, and the folders above them that are empty then."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._folder.parent.rmdir()
            self._folder.parent.parent.rmdir()


def _of_replicas(arrays: Arrays, kind: Kind, own: slice) -> Arrays:
    """Return the arrays of some of the replicas."""
    axes = {key: kind.arrays[key].axes.split() for key in arrays}
    return {key: array[(slice(None),) * axes[key].index("R") + (own,)] for key, array in arrays.items()}


def _last(path: Path) -> int:
    """Return the step that a file leads to, by its name; -1 where that is none of ours."""
    named = re.fullmatch(r"[0-9]{1,18}-([0-9]{1,18})", path.stem)
    return int(named[1]) if named else -1
