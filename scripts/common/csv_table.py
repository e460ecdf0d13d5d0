"""Data from CSV files: a first line that names the columns, then rows of numbers, and of labels.

All cells that a study asks for are looked at when its configuration is read, before anything runs, and again when the data set is made.
So nothing heavy is imported here, and what was found in a file is remembered by its content.
"""

import csv
import hashlib
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common import memory
from scripts.common.errors import UserError
from scripts.common.places import inside

MOST_BYTES = 2**27
"""Largest file that is read."""
MOST_CELLS = 2**24
"""Most cells of all rows and columns that are asked for."""
MOST_LABELS = 2000
"""Most different labels that are remembered of a file."""
TOLD = 5
"""So many wrong cells of a file are told, and how many more there are."""
SEPARATORS = ",;\t"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
ALLOWED = "a finite number with a point, as -1.5e-3"


class Columns(NamedTuple):
    """Which columns of a file are asked for.

    Attributes:
        numbers: columns of numbers, in order.
        labels: a column of labels, if one is asked for.
    """

    numbers: tuple[str, ...]
    labels: str | None


class Content(NamedTuple):
    """What stands in the columns of a file.

    Attributes:
        numbers: of each row, the numbers in the columns that are asked for.
        labels: of each row, its label; empty where none are asked for.
        problems: what is wrong, each a sentence; where there is something, rows may be missing.
    """

    numbers: list[list[float]]
    labels: list[str]
    problems: list[str]


class Summary(NamedTuple):
    """What a check has to know of a file: what is wrong with it, its number of rows, and how many rows have each label."""

    problems: list[str]
    rows: int
    classes: dict[str, int]


def columns_of(options: Mapping[str, Any]) -> Columns:
    """Return the columns that a data set's options ask for: of numbers inputs first, then targets."""
    return Columns((*options["inputs"], *(options.get("targets") or ())), options.get("labels"))


def names(path: str) -> list[str]:
    """Return the names of the columns of a file, from memory where its content is known.

    Raises:
        UserError: the file is missing, too large, or no CSV file with a first line that names its columns.
    """
    found = memory.recall(inside(path), f"columns of {path} by {_version()}", lambda _: _names(path))
    if isinstance(found, str):
        raise UserError(found)
    return list(found)


def summary(path: str, columns: Columns) -> Summary:
    """Return what a check has to know of a file, from memory where its content is known.

    Raises:
        UserError: as of `names`.
    """
    question = f"columns {columns!r} of {path} by {_version()}"
    found = memory.recall(inside(path), question, lambda _: _summary(path, columns))
    if isinstance(found, str):
        raise UserError(found)
    return Summary(*found)


def read(path: str, columns: Columns) -> Content:
    """Return what stands in some columns of a file, with all that is wrong there.

    Raises:
        UserError: as of `names`.
    """
    header, rows = _rows(path, _text(path))
    unknown = [name for name in _asked(columns) if name not in header]
    if unknown:
        return Content([], [], [f"{path}: has no column '{name}'; its columns: {', '.join(header)}" for name in unknown])
    if len(rows) * len(_asked(columns)) > MOST_CELLS:
        return Content(
            [], [], [f"{path}: too large: {len(rows):,} rows of {len(_asked(columns))} columns; at most {MOST_CELLS:,} cells are read"]
        )
    found = Content([], [], [])
    places = [header.index(name) for name in columns.numbers]
    wrong: list[str] = []
    for line, row in rows:
        if len(row) != len(header):
            wrong.append(f"{path}: line {line}: wrong number of cells {len(row)}; allowed: {len(header)}, as in the first line")
            continue
        cells = [row[place].strip() for place in places]
        numbers = [_number(cell) for cell in cells]
        wrong += [
            f"{path}: line {line}, column '{name}': wrong value {_shown(cell)}; allowed: {ALLOWED}; mend it or leave the row out"
            for name, cell, number in zip(columns.numbers, cells, numbers, strict=True)
            if number is None
        ]
        found.numbers.append([number for number in numbers if number is not None])
        if columns.labels is not None:
            label = row[header.index(columns.labels)].strip()
            if not label:
                wrong.append(
                    f"{path}: line {line}, column '{columns.labels}': wrong value ''; allowed: a label; give one or leave the row out"
                )
            found.labels.append(label)
    found.problems.extend(wrong[:TOLD])
    if len(wrong) > TOLD:
        found.problems.append(f"{path}: {len(wrong) - TOLD} more of its cells or rows are wrong; mend those above first")
    if not rows:
        found.problems.append(f"{path}: has no rows below its first line; add some")
    return found


def classes(labels: Iterable[str]) -> list[str]:
    """Return the distinct labels in order: whole numbers by their value, others by the alphabet."""
    found = set(labels)
    if all(re.fullmatch(r"-?[0-9]{1,18}", label) for label in found):
        return sorted(found, key=lambda label: (int(label), label))
    return sorted(found)


def _asked(columns: Columns) -> list[str]:
    return [*columns.numbers, *([columns.labels] if columns.labels is not None else [])]


def _names(path: str) -> list[str] | str:
    try:
        return _rows(path, _text(path))[0]
    except UserError as error:
        return str(error)


def _summary(path: str, columns: Columns) -> Summary | str:
    try:
        found = read(path, columns)
    except UserError as error:
        return str(error)
    counts = Counter(found.labels)
    return Summary(found.problems, len(found.numbers), {label: counts[label] for label in classes(counts)[:MOST_LABELS]})


def _text(path: str) -> str:
    place = inside(path)
    try:
        with place.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; put it there or correct its path") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); mend the file or its path") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: too large; at most {MOST_BYTES // 2**20} MiB are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path}: line {line}: is no UTF-8 text; save the file as CSV in UTF-8") from None


def _rows(path: str, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and each row that is not empty with the number of its line."""
    if not text.strip():
        raise UserError(f"{path}: is empty; expected a first line with the names of its columns, and rows")
    first = next(line for line in text.splitlines() if line.strip())
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num}: not valid CSV: {error}; correct the quotes there") from None
    header = [name.strip() for name in rows[0][1]] if rows else []
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise UserError(f"{path}: line {rows[0][0]}: column {_shown(twice[0])} is there twice; give every column a name of its own")
    if not header:
        raise UserError(f"{path}: its first line names no column; expected their names, separated by commas")
    return header, rows[1:]


def _number(cell: str) -> float | None:
    """Return the finite number that a cell holds, or None."""
    number = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return number if math.isfinite(number) else None


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")


@cache
def _version() -> str:
    """Return a digest of this file, so that nothing is remembered from another version of it."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
