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
    """What a text must name: a "variant" that a figure shows, a "data set", "quantity" or "grid" of its study, a "column" or "array"."""

    word: str


Count = Annotated[int, Bounds(at_least=1)]
Natural = Annotated[int, Bounds(at_least=0)]
Seed = Annotated[int, Bounds(at_least=0, below=2**32)]
Positive = Annotated[float, Bounds(above=0)]
NonNegative = Annotated[float, Bounds(at_least=0)]
Share = Annotated[float, Bounds(at_least=0, below=1)]
Moment = Annotated[str, Matching("first|last|[0-9]+", "'first', 'last', or a step as text, such as '47'")]
DescentMethod = Annotated[
    str,
    Matching("gradient_descent|momentum|adam|natural_gradient", "'gradient_descent', 'momentum', 'adam' or 'natural_gradient'"),
]
Coordinates = Annotated[str, Matching("deviation|log_deviation", "'deviation' or 'log_deviation'")]
VariantName = Annotated[str, NameOf("variant")]
GridName = Annotated[str, NameOf("grid")]
DataSetName = Annotated[str, NameOf("data set")]
DataFile = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*",
        "the path of a file inside the project, from its root, without '..'",
    ),
]
"""A file that a data set is read from; what is in it counts as part of the configuration."""
ColumnName = Annotated[str, NameOf("column")]
"""A column of the CSV file that a data set is read from."""
ArrayName = Annotated[str, NameOf("array")]
"""An array of the ``.npz`` file that a data set is read from."""
QuantityName = Annotated[str, NameOf("quantity")]
