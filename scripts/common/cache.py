"""Outputs that builds share: with ``--cache``, those of some steps are links into a folder that an environment variable names.

Snakemake keeps that folder. Here is what is checked before a build, so that no job runs in vain; docs/cache.md says how it is used.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from scripts.common.errors import UserError

LOCATION = "SNAKEMAKE_OUTPUT_CACHE"
"""The environment variable with the folder."""
STEPS = ("train", "sweep", "jacobian")
"""The steps whose rules are cached."""


def check(outputs: Iterable[Path], *, results: str, used: bool) -> None:
    """Check that links into a cache lead somewhere, and that there is a folder for it if it is `used`.

    Args:
        outputs: paths of the outputs that may be such links, whether they are there or not.
        results: the folder that they stand in.
        used: whether the build is to use the cache.

    Raises:
        UserError: a link leads nowhere, or the folder is not named, not there, or takes no files.
    """
    lost = [path for path in outputs if path.is_symlink() and not path.exists()]
    if lost:
        more = f" and {len(lost) - 1} other results" if len(lost) > 1 else ""
        raise UserError(
            f"{lost[0]}{more}: no more in the cache ({lost[0].readlink()}); bring it back, or remove the links that lead nowhere "
            f"(find {results} -type l ! -exec test -e {{}} ';' -delete) to have them made again as far as they are needed"
        )
    if used:
        _check_folder(os.environ.get(LOCATION, ""))


def remove_leftovers(results: str) -> None:
    """Remove what is kept of trainings that were stopped, and whose output has come from a cache since."""
    for folder in Path(f"{results}/resume").glob("*/*"):
        job = f"{folder.parent.name}/{folder.name.partition('.')[0]}"
        if any(Path(f"{results}/{step}/{job}.npz").is_file() for step in STEPS):
            shutil.rmtree(folder, ignore_errors=True)
            for above in (folder.parent, folder.parent.parent):
                with suppress(OSError):
                    above.rmdir()


def _check_folder(folder: str) -> None:
    if not folder:
        raise UserError(f"{LOCATION}: not set, but --cache needs a folder that builds share; name one (export {LOCATION}=/path/to/it)")
    if not Path(folder).is_absolute():
        raise UserError(f"{LOCATION}: '{folder}' is no absolute path, but results are links into that folder; name it from the root (/)")
    if not Path(folder).is_dir():
        raise UserError(f"{LOCATION}: '{folder}' is no folder; make it (mkdir -p {folder}) or name another one")
    if not os.access(folder, os.W_OK):
        raise UserError(f"{LOCATION}: '{folder}' cannot be written; make it writable, name another one, or build without --cache")
