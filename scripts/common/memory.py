"""What was once read from the project's sources, remembered by their content, so that a build with nothing to do parses none of them.

An entry is found again by the bytes of the file that it is about, of the files that read it, and by the version of Python. The
memory is one JSON file with a checksum; a damaged or missing one is no loss.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from scripts.common.files import save_text

_READERS = ("definitions.py", "memory.py", "syntax.py")
_entries: dict[str, Any] = {}
_used: dict[str, Any] = {}


def load(path: Path) -> None:
    """Take over what the file `path` remembers, if it is whole."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["sha256"] == _checksum(content["entries"]):
            _entries.update(content["entries"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return


def save(path: Path) -> None:
    """Write what was asked for since the start to `path`, if it is not all there.

    Raises:
        StorageError: the place cannot be written.
    """
    if not _used.keys() <= _entries.keys() or not path.is_file():
        _entries.update(_used)
        save_text(path, json.dumps({"sha256": _checksum(_used), "entries": _used}, sort_keys=True) + "\n")


def recall(path: Path, question: str, answer: Callable[[Path], Any]) -> Any:
    """Return what `answer` says about the file `path`, in values of JSON: from memory where its content is known, else by asking."""
    key = f"{question} {_content(path)}"
    if key not in _used:
        _used[key] = _entries[key] if key in _entries else json.loads(json.dumps(answer(path)))
    return _used[key]


def _checksum(entries: Any) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


@cache
def _content(path: Path) -> str:
    """Return a digest of the bytes of a file, and of all else that an answer about it depends on."""
    try:
        content = path.read_bytes()
    except OSError:
        content = b""  # whoever is asked will say so
    return hashlib.sha256(_version() + content).hexdigest()


@cache
def _version() -> bytes:
    readers = b"".join((Path(__file__).parent / name).read_bytes() for name in _READERS)
    return hashlib.sha256(sys.version.encode() + readers).digest()
