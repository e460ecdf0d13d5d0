"""Profiles along the layers of networks, or along their depth: a row of panels for each quantity, a column for each simulation."""

from scripts.common.drawing import Picture
from scripts.common.layer_profiles import draw_profiles
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    simulated: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    quantities: list[str],
    titles: list[str] | None = None,
    along: str = "layer",
    along_title: str = "layer",
    levels: list[str] | None = None,
    level_names: list[str] | None = None,
    level_title: str = "",
    logarithmic: bool = False,
    linear: list[str] | None = None,
    theory: bool = False,
    panel_height: Count = 2,
) -> Picture:
    """Draw median and band of each quantity at each level, along layers or depths; where theory says something of it, that is dashed.

    Args:
        simulated: simulations of one kind by name, each with ``level`` (X,), an array `along` (L,), quantities (R, X, L) and, with
            `theory`, what theory says of them, the name and ``_theory``, (X, L).
        styles: label of each simulation, which is the title of its column; levels have colors of their own here.
        quantities: names of the quantities, a row for each.
        titles: the titles of the rows; the names of the quantities if not given.
        along: the name of the array that they go along.
        along_title: the title of the axis of x.
        levels: the levels that are drawn; those of the first simulation if not given, by their place where others have different ones.
        level_names: the names of the levels in the legend; the levels if not given.
        level_title: what the levels are, before them in the legend.
        logarithmic: whether the axis of x is logarithmic.
        linear: those of the quantities that stand on a linear axis.
        theory: whether theory is drawn.
        panel_height: height of a row in inches.

    Raises:
        UserError: a quantity or level that there is not, or names that do not go with the levels.
    """
    return draw_profiles(
        simulated,
        styles=styles,
        quantities=quantities,
        titles=titles,
        along=along,
        along_title=along_title,
        levels=levels,
        level_names=level_names,
        level_title=level_title,
        logarithmic=logarithmic,
        linear=linear,
        theory=theory,
        panel_height=panel_height,
    )
