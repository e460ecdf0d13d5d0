"""What is kept of a training while it runs, so that it can be killed and go on: at each step whose parameters are saved, one file.

The files of a training stand in a folder of its own, ``resume/<study>/<variant>.<digest>`` among the results, outside of the outputs that
Snakemake knows and deletes. Each is written in full or not at all and is never changed: what one step adds is little beside all that there
is to keep. The last one has all that the updates to come depend on. When the training is done, its folder is removed.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from scripts.common import storage
from scripts.common.storage import Array, Arrays, Kind, StorageError

KIND = Kind(
    "resume",
    {
        "parameters": Array("R P", "float32 float64"),
        "memory": Array("B R P", "float32 float64"),
        "generator": Array("R", "str"),
        "damping": Array("R", "float64"),
        "diverged_at": Array("R", "int64"),
        "scores": Array("X E R", "float64"),
        "best": Array("R P", "float32 float64"),
    },
    optional=frozenset({"memory", "generator", "damping", "best"}),
)
"""State of an engine at a step, the parameters to be saved among it, the losses and accuracies recorded since the step saved before, and
with early stopping the best parameters so far."""


class Resume:
    """The files of one training."""

    def __init__(self, output: Path, *, digest: str, say: Callable[[str], None], kind: Kind = KIND) -> None:
        """Name the folder of a training, and remove those of other trainings of the same variant.

        Args:
            output: where its output will stand, ``<results>/train/<study>/<variant>.npz``, or that of a sweep.
            digest: digest of its recipe; another training is another recipe.
            say: is given a line for the log.
            kind: what each file holds.
        """
        study = output.parents[2] / "resume" / output.parent.name
        self._kind = kind
        self._folder = study / f"{output.stem}.{digest[:16]}"
        self._digest, self._say = digest, say
        for other in study.glob(f"{output.stem}.*"):
            if other != self._folder:
                shutil.rmtree(other)

    def load(self, steps: Iterable[int]) -> Iterator[tuple[int, Arrays]]:
        """Yield what was saved at each of `steps`, as far as it is there and intact."""
        for step in steps:
            path = self._path(step)
            if not path.is_file():
                return
            try:
                yield step, storage.load(path, kind=self._kind.name, digest=self._digest)
            except StorageError as error:
                self._say(f"not used: {error}")
                return

    def save(self, step: int, arrays: Arrays) -> None:
        """Keep what was reached at a step."""
        storage.save(self._path(step), arrays, kind=self._kind, digest=self._digest)

    def remove(self) -> None:
        """Remove the files, which are of no more use, and the folders above them that are empty then."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._folder.parent.rmdir()
            self._folder.parent.parent.rmdir()

    def _path(self, step: int) -> Path:
        return self._folder / f"{step}.npz"
