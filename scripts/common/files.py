"""Files of the results folder that hold text, and how every file is written: in full or not at all, with clear errors.

Array files are in `scripts.common.storage`; this module imports nothing heavy, so that a build with nothing to do starts fast.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from scripts.common.errors import UserError


class StorageError(UserError):
    """A stored file that cannot be used, or a place that cannot be written; the message names it and the remedy."""


def save_json(path: str | Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys, in full or not at all. Numbers must be finite."""
    save_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def load_json(path: str | Path, *, digest: str | None = None) -> Any:
    """Read a JSON file; with `digest`, check that its top level key ``digest`` is the same.

    Raises:
        StorageError: the file is missing, is not JSON, or was made under another digest.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; {remedy(path)}") from None
    except (ValueError, OSError) as error:
        raise StorageError(f"{path}: cannot be read as JSON ({error}); {remedy(path)}") from None
    check_digest(path, content.get("digest") if isinstance(content, dict) else None, digest)
    return content


def save_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, in full or not at all."""
    write_atomically(Path(path), lambda file: file.write(text.encode("utf-8")))


def save_numbers(path: str | Path, text: str, *, digest: str) -> None:
    """Write CSV `text` below a first line that names its recipe's `digest`, in full or not at all."""
    save_text(path, f"# recipe {digest} sha256 {hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def load_numbers(path: str | Path, *, digest: str) -> str:
    """Return the CSV text that `save_numbers` wrote.

    Raises:
        StorageError: the file is missing, altered, or was made under another digest.
    """
    path = Path(path)
    try:
        first, _, text = path.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; {remedy(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path}: cannot be read ({error}); {remedy(path)}") from None
    words = first.split()
    if len(words) != 5 or words[4] != hashlib.sha256(text.encode()).hexdigest():
        raise StorageError(f"{path}: altered since it was saved; {remedy(path)}")
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

    Raises:
        StorageError: the folder or the disk does not take the file.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
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


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_digest(path: Path, found: str | None, expected: str | None) -> None:
    """Check that the file `path`, whose recipe has the digest `found`, was made under the digest `expected`, if that is given.

    Raises:
        StorageError: it was not.
    """
    if expected is not None and found != expected:
        raise StorageError(
            f"{path}: was made under recipe {str(found)[:12]}, this build needs {expected[:12]} "
            f"(a setting, code or library changed since); {remedy(path)}"
        )


def remedy(path: Path) -> str:
    """Return what to do about a stored file that cannot be used; one that is a link into a cache must go from there too."""
    if path.is_symlink():
        return f"delete it here and in the cache (rm {path} {path.resolve()}) and run the same command again to rebuild it"
    return f"delete it (rm {path}) and run the same command again to rebuild it"
