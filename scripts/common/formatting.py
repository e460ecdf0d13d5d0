"""Numbers, counts and moments as words for tables, captions and alt texts, and the grid of words that a table is."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from scripts.common.errors import UserError
from scripts.common.storage import Arrays

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FATES = ("fine", "blown up", "collapsed", "diverged")
"""What may become of a replica, from best to worst."""

LOWEST_PLAIN, HIGHEST_PLAIN = -3, 4
"""Powers of ten between which a number is written without one."""


class Grid(NamedTuple):
    """A table of words.

    Attributes:
        header: the head of each column.
        rows: the cells of each row.
        align: one letter a column: "l" left, "r" right, "c" centered.
        note: what the code adds to the caption: the number of replicas and the method of intervals.
    """

    header: list[str]
    rows: list[list[str]]
    align: str
    note: str


def number(value: float, digits: int = 3) -> str:
    """Return `value` in plain words with `digits` significant digits: "0.0123", a power of ten as "10⁻⁵", "infinite", "not a number".

    Whole numbers below a million are written in full.
    """
    value = float(value)
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    sign, size = MINUS if value < 0 else "", abs(value)
    if value.is_integer() and size < 1e6:
        return f"{sign}{size:.0f}"
    mantissa, power = f"{size:.{digits - 1}e}".split("e")
    exponent = int(power)
    if LOWEST_PLAIN <= exponent <= HIGHEST_PLAIN:
        return f"{sign}{size:.{max(digits - 1 - exponent, 0)}f}"
    return f"{sign}{mantissa} {TIMES} 10{str(exponent).translate(SUPERSCRIPTS)}"


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return an interval in words: "0.0123 to 4.56", "0.2 to infinity", or "infinite" where both ends are."""
    if math.isinf(low) and low == high:
        return number(low, digits)
    return f"{number(low, digits)} to {number(high, digits)}".replace("infinite", "infinity")


def counted(count: int, word: str) -> str:
    """Return a count and its word, in the plural where it belongs: "1 update", "3 updates"."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def listing(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def check_known(name: str, known: Iterable[str], word: str) -> None:
    """Raise a `UserError` if an option of a figure or table names a `word` that is not among the `known` ones."""
    allowed = list(known)
    if name not in allowed:
        raise UserError(f"unknown {word} '{name}'; known: {', '.join(allowed)}")


def check_lengths(**lists: Sequence[object]) -> None:
    """Raise a `UserError` unless all lists, given by the names of their options, have equally many entries."""
    if len({len(entries) for entries in lists.values()}) > 1:
        found = listing([f"{name} {len(entries)}" for name, entries in lists.items()])
        raise UserError(f"{listing(list(lists))} go together and need equally many entries; they have: {found}")


def quantity_titles(quantities: Sequence[str], titles: Sequence[str] | None) -> list[str]:
    """Return what quantities are called: their titles where these are given, or else their names in words.

    Raises:
        UserError: there is not one title for each quantity.
    """
    check_lengths(quantities=quantities, titles=titles or quantities)
    return list(titles or [quantity.replace("_", " ") for quantity in quantities])


def check_replica(replica: int, count: int) -> None:
    """Raise a `UserError` if there is no such replica among `count`."""
    if not 0 <= replica < count:
        raise UserError(f"there is no replica {replica}; replicas are numbered from 0 to {count - 1}")


def sentence(text: str) -> str:
    """Return `text` with a capital at its start and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def counted_range(counts: Iterable[int], noun: str) -> str:
    """Return how many of something there are where they are not equally many: "8 replicas", or "4 to 8 replicas"."""
    found = sorted(set(counts))
    return counted(found[0], noun) if len(found) == 1 else f"{found[0]} to {counted(found[-1], noun)}"


def seeds_of(replica: int) -> str:
    """Return in words which seeds a replica has."""
    return "the source's seeds, 0 where it sets none" if replica == 0 else "derived seeds"


def moment(step: int, last: int) -> str:
    """Return a training step in words: "at initialization", "after training" for the last one, or "after 47 updates"."""
    if step == 0:
        return "at initialization"
    return "after training" if step == last else f"after {counted(step, 'update')}"


def fate_counts(fate: Arrays) -> dict[str, int]:
    """Return how many replicas met each fate, from the measurement `fate` of a variant."""
    met = np.asarray(fate["exists_fate"], dtype=bool).sum(axis=0)
    return {str(name): int(count) for name, count in zip(fate["index_fate"], met, strict=True)}


def divergence(fate: Arrays, replica: int | None = None) -> str:
    """Return in words that and when replicas diverged, or "" if none did.

    Args:
        fate: the measurement `fate` of a variant: `diverged_at` (R,) int64 and its mask `exists_diverged_at` (R,) bool.
        replica: only look at this one; otherwise at all, with their count.
    """
    diverged = np.asarray(fate["exists_diverged_at"], dtype=bool)
    updates = fate["diverged_at"][diverged if replica is None else [replica] if diverged[replica] else []]
    if not updates.size:
        return ""
    first, last = int(updates.min()), int(updates.max())
    when = f"diverged after {counted(first, 'update') if first == last else f'{first} to {last} updates'}"
    return when if replica is not None else f"{when} in {updates.size} of {diverged.size}"


def misfortunes(fate: Arrays) -> str:
    """Return in words how many replicas diverged (and when), blew up or collapsed, or "" if all are fine."""
    total = int(np.asarray(fate["diverged_at"]).size)
    other = [f"{name} in {count} of {total}" for name, count in fate_counts(fate).items() if count and name not in ("fine", "diverged")]
    return "; ".join(words for words in (divergence(fate), *other) if words)
