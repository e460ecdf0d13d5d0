"""The numbers of the report: tidy rows taken from measurements, written so that they read back exactly.

Columns: study, variant, replica, step, quantity, index, value. `step` is the training step (0 = initialization), `index` tells
apart the elements of a quantity; both are empty where they mean nothing. What does not exist for a replica has no row.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.storage import Arrays

TYPES: dict[Any, Any] = {
    "study": str,
    "variant": str,
    "replica": int,
    "step": "Int64",
    "quantity": str,
    "index": str,
    "value": float,
}
"""The columns, and how each is read back."""

MOST_SINGULAR_VALUES = 50
"""Of singular values, so many of the first become rows; all are in the array files."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of the report."""

    study: str
    variant: str
    replica: int
    step: int | None
    quantity: str
    index: int | str | None
    value: float | int


def rows(study: str, variant: str, arrays: Arrays, quantities: Mapping[str, str]) -> list[Row]:
    """Return the rows that one measurement of one variant gives.

    Args:
        study: name of the study.
        variant: name of the variant.
        arrays: the measurement's arrays; `step` (S,) where a quantity has the axis S; for a quantity q with an index axis optionally
            ``index_q``, its labels (1, 2, ... without it); optionally ``exists_q``, false where there is no such number.
        quantities: axes of each quantity by name: "S R", "S R X", "R" or "R X".
    """
    found: list[Row] = []
    for quantity, axes in quantities.items():
        values = arrays[quantity]
        letters = axes.split()
        if letters[0] != "S":
            values = values[None]
        if len(letters) - (letters[0] == "S") == 1:
            values = values[..., None]
            labels: list[Any] = [None]
        else:
            labels = arrays[f"index_{quantity}"].tolist() if f"index_{quantity}" in arrays else list(range(1, values.shape[2] + 1))
        exists = _mask(arrays.get(f"exists_{quantity}"), values.shape, stepless=letters[0] != "S")
        if quantity.startswith("singular_value"):
            exists[:, :, MOST_SINGULAR_VALUES:] = False
        steps = [int(step) for step in arrays["step"]] if letters[0] == "S" else [None]
        for s, r, x in zip(*np.nonzero(exists), strict=True):
            found.append(Row(study, variant, int(r), steps[s], quantity, labels[x], values[s, r, x].item()))
    return found


def to_csv(found: Iterable[Row]) -> str:
    """Return rows as CSV text, sorted, each value in the shortest form that reads back exactly, non-finite ones as nan, inf, -inf."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TYPES)
    for row in sorted(found, key=_order):
        writer.writerow([row.study, row.variant, row.replica, row.step, row.quantity, row.index, repr(row.value)])
    return text.getvalue()


def from_csv(text: str) -> pd.DataFrame:
    """Return the table that CSV text made by `to_csv` holds; `step` is a nullable integer, `index` text ("" for none)."""
    return pd.read_csv(
        io.StringIO(text),
        dtype=TYPES,
        keep_default_na=False,
        na_values={"step": [""], "value": ["nan"]},
    )


def _mask(given: Any, shape: tuple[int, ...], *, stepless: bool) -> Any:
    if given is None:
        return np.ones(shape, dtype=bool)
    mask = given[None] if stepless else given
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape).copy()


def _order(row: Row) -> tuple[Any, ...]:
    index = "" if row.index is None else str(row.index)
    label = ("", int(index)) if index.isdigit() else (index, 0)  # 2 before 10, and both before "all"
    return (row.study, row.variant, row.replica, -1 if row.step is None else row.step, row.quantity, label)
