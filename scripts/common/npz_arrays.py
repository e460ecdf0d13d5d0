"""Arrays in ``.npz`` files of users: what a file holds, told from its headers without numpy, so that it is checked before anything runs.

Nothing in such a file is unpickled. What an array declares is looked at before its values are read.
"""

import ast
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from scripts.common.errors import UserError
from scripts.common.places import inside

MOST_VALUES = 2**27
"""Most numbers in one array: what declares more is refused before it is read."""
MOST_MEMBERS = 1000
LONGEST_HEADER = 10_000
MAGIC = b"\x93NUMPY"
DAMAGED = (
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    ValueError,
    OSError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    TypeError,
)
"""What reading a damaged file raises."""
NUMBERS, WHOLE_NUMBERS, TEXT = "biuf", "biu", "U"
"""Kinds of dtypes, by numpy's letters."""


class Header(NamedTuple):
    """What an array declares: the letter of its kind of dtype, the bytes of each entry, and its shape."""

    kind: str
    size: int
    shape: tuple[int, ...]


@contextmanager
def opened(path: str) -> Iterator[zipfile.ZipFile]:
    """Open an ``.npz`` file.

    Raises:
        UserError: it is missing or damaged, or holds too much.
    """
    try:
        with inside(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) > MOST_MEMBERS:
                raise UserError(f"{path}: holds {len(archive.namelist()):,} members; at most {MOST_MEMBERS:,} are read")
            yield archive
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; put it there or correct its path") from None
    except DAMAGED as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: damaged, truncated, or not an .npz file ({told}); save it again") from None


def names(path: str) -> list[str]:
    """Return the names of the arrays of a file.

    Raises:
        UserError: it cannot be read.
    """
    with opened(path) as archive:
        return [member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")]


def header(path: str, name: str) -> Header:
    """Return what an array of a file declares.

    Raises:
        UserError: there is no such array, it is pickled or too large, or the file cannot be read.
    """
    with opened(path) as archive:
        return _header(path, name, archive)


def _header(path: str, name: str, archive: zipfile.ZipFile) -> Header:
    if f"{name}.npy" not in archive.namelist():
        held = ", ".join(member.removesuffix(".npy") for member in archive.namelist()) or "none"
        raise UserError(f"{path}: has no array '{name}'; its arrays: {held}")
    with archive.open(f"{name}.npy") as member:
        begin = member.read(8)
        if not begin.startswith(MAGIC) or begin[6] not in (1, 2, 3):
            raise ValueError(f"array '{name}' does not begin as one of numpy's files")
        length = int.from_bytes(member.read(2 if begin[6] == 1 else 4), "little")
        if length > LONGEST_HEADER:
            raise ValueError(f"array '{name}' has a header of {length:,} bytes")
        told = ast.literal_eval(member.read(length).decode("latin1").strip())
    kind = re.fullmatch(r"[<>|=]?([a-zA-Z])(\d*)(?:\[\w+\])?", str(told["descr"]) if isinstance(told, dict) and "descr" in told else "")
    shape = told.get("shape") if isinstance(told, dict) else None
    if kind is None or not isinstance(shape, tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise UserError(f"{path}: array '{name}' is none of plain numbers or text; save it as numbers")
    if kind[1] == "O":
        raise UserError(f"{path}: array '{name}' is pickled, which may run code when it is read, and is refused; save it as numbers")
    if math.prod(shape) > MOST_VALUES:
        size = " by ".join(f"{length:,}" for length in shape)
        raise UserError(f"{path}: array '{name}' is too large, {size}; at most {MOST_VALUES:,} numbers are read")
    return Header(kind[1], int(kind[2] or 1), shape)
