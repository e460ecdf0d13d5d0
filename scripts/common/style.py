"""How variants are named and colored."""

from typing import NamedTuple


class Style(NamedTuple):
    """How a variant is named and colored in every figure."""

    label: str
    color: str
