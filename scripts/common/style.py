"""How variants are named and colored."""

from collections.abc import Mapping
from typing import NamedTuple

from scripts.common.errors import UserError


class Style(NamedTuple):
    """How a variant is named and colored in every figure."""

    label: str
    color: str


def the_only(styles: Mapping[str, Style], shown: str) -> tuple[str, Style]:
    """Return name and style of the variant of a figure that shows `shown`, "one path", of one variant.

    Raises:
        UserError: there is not one variant.
    """
    if len(styles) != 1:
        raise UserError(f"a figure of {shown} shows one variant; 'variants' names {len(styles)}: {', '.join(styles)}")
    return next(iter(styles.items()))
