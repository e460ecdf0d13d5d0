"""The training points of each data set, beside the true function where it is known, the range that they cover shaded."""

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import check_known, counted, listing, number, sentence
from scripts.common.options import DataSetName
from scripts.common.storage import Arrays

COLOR = "#0072B2"


def draw(datasets: dict[str, Arrays], *, data_sets: list[DataSetName], titles: list[str] | None = None) -> Picture:
    """Draw a panel for each data set, side by side.

    Args:
        datasets: arrays of storage.DATA by name of the data set; one input, one output.
        data_sets: which of them, in order.
        titles: the panels' titles; the names of the data sets if not given.

    Raises:
        UserError: there is no such data set, or not one title for each.
    """
    for name in data_sets:
        check_known(name, datasets, "data set")
    if titles is not None and len(titles) != len(data_sets):
        raise UserError(f"{counted(len(titles), 'title')} for {counted(len(data_sets), 'data set')}; give one for each")
    figure, panels = drawing.new_figure(1, len(data_sets), height=2.3, sharex=True, sharey=True)
    known = all("grid_y" in datasets[name] for name in data_sets)
    found = []
    for axes, name, title in zip(panels, data_sets, titles or data_sets, strict=True):
        data = datasets[name]
        x, y = data["train_x"][:, 0], data["train_y"][:, 0]
        some = drawing.thinned(len(data["grid_x"]), 250)
        axes.axvspan(x.min(), x.max(), color=drawing.SHADE, linewidth=0, zorder=0, label="training range")
        axes.scatter(x, y, s=2.5, color=COLOR, alpha=0.55, linewidths=0, rasterized=True, label="training points")
        if known:
            axes.plot(
                data["grid_x"][some, 0], data["grid_y"][some, 0], color=drawing.INK, linewidth=1, linestyle=drawing.LINES[2], label="truth"
            )
        axes.set(title=title, xlabel="input $x$")
        found.append(
            f"{title}: {x.size} points, x from {number(x.min())} to {number(x.max())}, y from {number(y.min())} to {number(y.max())}"
        )
    panels[0].set_ylabel("output $y$")
    keys = [
        drawing.line_key("training points", COLOR, marker="o", markersize=3, linestyle="none"),
        *([drawing.line_key("truth, without noise", drawing.INK, linewidth=1, linestyle=drawing.LINES[2])] if known else []),
        drawing.range_key(),
    ]
    drawing.legend(figure, keys)
    alt = f"Training points{' scattered about the true function' if known else ''}. {sentence('; '.join(found))}"
    return Picture(figure, alt, f"n = {listing([str(len(datasets[name]['train_x'])) for name in data_sets])} points.")
