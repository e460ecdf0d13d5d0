"""Types of the options of parts, as their signatures name them: numbers with bounds, and names of things in the same study.

To the code that takes them they are plain numbers and text; a study's YAML is checked against them before anything runs.
"""

from typing import Annotated, NamedTuple


class Bounds(NamedTuple):
    """What a number must be: above one bound, at least another, below a third; None where there is no such bound."""

    above: int | None = None
    at_least: int | None = None
    below: int | None = None


class Matching(NamedTuple):
    """What a text must look like: a regular expression for the whole of it, and the same in words."""

    pattern: str
    words: str


class NameOf(NamedTuple):
    """What a text must name: a "variant" that a figure shows, or a "data set" or "quantity" of its study."""

    word: str


Count = Annotated[int, Bounds(at_least=1)]
Natural = Annotated[int, Bounds(at_least=0)]
Seed = Annotated[int, Bounds(at_least=0, below=2**32)]
Positive = Annotated[float, Bounds(above=0)]
NonNegative = Annotated[float, Bounds(at_least=0)]
Share = Annotated[float, Bounds(at_least=0, below=1)]
Moment = Annotated[str, Matching("first|last|[0-9]+", "'first', 'last', or a step as text, such as '47'")]
VariantName = Annotated[str, NameOf("variant")]
DataSetName = Annotated[str, NameOf("data set")]
QuantityName = Annotated[str, NameOf("quantity")]
