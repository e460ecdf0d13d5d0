"""Files of the results folder that hold text, and how every file is written: in full or not at all, with clear errors.

Array files are in `scripts.common.storage`; this module imports nothing heavy, so that a build with nothing to do starts fast.
"""

import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from scripts.common.errors import UserError

PART = ".part"
"""How the names of temporary files end, which are hidden."""
LONGEST = 200
"""How much of a file's name is in that of its temporary file; a name has 255 bytes at most."""


class StorageError(UserError):
    """A stored file that cannot be used, or a place that cannot be written; the message names it and the remedy."""


class DamagedError(StorageError):
    """A stored file that is there and is not what it should be; as a product of a build, it can go and be made anew.

    Attributes:
        path: the file.
        problem: what is wrong with it.
    """

    def __init__(self, path: str | Path, problem: str) -> None:
        """Make the message of the file `path` from the `problem` and the remedy."""
        self.path, self.problem = Path(path), problem
        super().__init__(f"{path}: {problem}; {remedy(Path(path))}")


CHECKSUM = re.compile(r'\{\n "checksum": "([^"\n]*)",')
"""How a JSON file begins that states the checksum of all else in it."""


def save_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON with sorted keys below a checksum, in full or not at all. Numbers must be finite."""
    save_text(path, with_checksum(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)) + "\n")


def load_json(path: str | Path, *, digest: str | None = None) -> dict[str, Any]:
    """Read a JSON file that `save_json` wrote; with `digest`, check that its top level key ``digest`` is the same.

    Raises:
        StorageError: the file is missing or cannot be read.
        DamagedError: it is not JSON, was altered, or was made under another digest.
    """
    path = Path(path)
    try:
        text = without_checksum(path.read_bytes().decode("utf-8"))
        content = json.loads(text)
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; run the same command again to rebuild it") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); {remedy(path)}") from None
    except ChecksumError as error:
        raise DamagedError(path, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise DamagedError(path, f"cannot be read as JSON ({error})") from None
    check_digest(path, content.get("digest"), digest)
    return dict(content)


class ChecksumError(ValueError):
    """A text whose checksum is not the one that it states; the message says so."""


def with_checksum(text: str) -> str:
    """Return a JSON object, written over several lines, with the checksum of its text as its first key."""
    return f'{{\n "checksum": "{hashlib.sha256(text.encode()).hexdigest()}",{text[1:]}'


def without_checksum(text: str) -> str:
    """Return the JSON text that `with_checksum` was given.

    Raises:
        ChecksumError: it has been altered since, or has never had a checksum.
    """
    stated = CHECKSUM.match(text)
    original = "{" + text[stated.end() :].rstrip("\n") if stated else ""
    if stated is None or stated[1] != hashlib.sha256(original.encode()).hexdigest():
        json.loads(text)  # if it is no JSON at all, that is the better explanation
        raise ChecksumError("altered since it was saved")
    return original


def save_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, in full or not at all."""
    write_atomically(Path(path), lambda file: file.write(text.encode("utf-8")))


def save_numbers(path: str | Path, text: str, *, digest: str) -> None:
    """Write CSV `text` below a first line that names its recipe's `digest`, in full or not at all."""
    save_text(path, f"# recipe {digest} sha256 {hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def load_numbers(path: str | Path, *, digest: str) -> str:
    """Return the CSV text that `save_numbers` wrote.

    Raises:
        StorageError: the file is missing or cannot be read.
        DamagedError: it is altered, or was made under another digest.
    """
    path = Path(path)
    try:
        first, _, text = path.read_bytes().decode("utf-8").partition("\n")
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; run the same command again to rebuild it") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); {remedy(path)}") from None
    except UnicodeDecodeError as error:
        raise DamagedError(path, f"cannot be read as text ({error})") from None
    words = first.split()
    if len(words) != 5 or words[4] != hashlib.sha256(text.encode()).hexdigest():
        raise DamagedError(path, "altered since it was saved")
    check_digest(path, words[2], digest)
    return text


def check_writable(folder: Path) -> None:
    """Check that files can be written to a folder and to the folders in it, as far as these are there.

    Raises:
        StorageError: one of them takes no files.
    """
    for place in (folder, *folder.glob("*/")):
        if place.exists() and not os.access(place, os.W_OK):
            raise StorageError(f"{place}: cannot be written; make the folder writable, then run the same command again")


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    As long as it is written, the file is locked: one that nobody locks was left by a process that was killed.

    Raises:
        StorageError: the folder or the disk does not take the file.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:LONGEST]}.", suffix=PART)
        with os.fdopen(descriptor, "wb") as file:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_SH)
            write(file)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror}); make the folder writable or free disk space, then run the same command again"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder and below; those that are being written stay."""
    for path in folder.rglob(f".*{PART}"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def bring_back_from_the_future(folder: Path) -> None:
    """Date all in a folder that a clock which was set back has left in the future as of now.

    Snakemake fails a job whose output is older than an input.
    """
    now = time.time()
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.lstat().st_mtime > now:
                os.utime(path, (now, now), follow_symlinks=False)


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_digest(path: Path, found: str | None, expected: str | None) -> None:
    """Check that the file `path`, whose recipe has the digest `found`, was made under the digest `expected`, if that is given.

    Raises:
        DamagedError: it was not.
    """
    if expected is not None and found != expected:
        problem = f"was made under recipe {str(found)[:12]}, this build needs {expected[:12]} (a setting, code or library changed since)"
        raise DamagedError(path, problem)


def remedy(path: Path) -> str:
    """Return what to do about a stored file that cannot be used; one that is a link into a cache must go from there too."""
    if path.is_symlink():
        return f"delete it here and in the cache (rm {path} {path.resolve()}) and run the same command again to rebuild it"
    return f"delete it (rm {path}) and run the same command again to rebuild it"
