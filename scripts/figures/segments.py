"""How many linear pieces the principal features have, by their rank, a panel for each step."""

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, divergence, number, sentence
from scripts.common.options import Moment
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(segments: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style], steps: list[Moment]) -> Picture:
    """Draw the number of pieces of every replica as a dot, the variants of one rank side by side, and their medians as lines.

    Args:
        segments: the measurement by variant: `segments` (S, R, F).
        fate: the measurement by variant, for the words where no replica has features.
        styles: label and color by variant.
        steps: which steps: "first", "last", or a saved step in digits.
    """
    figure, panels = drawing.new_figure(1, len(steps), height=2.9, sharex=True, sharey=True)
    room = 0.8 / len(segments)
    found = []
    for axes, which in zip(panels, steps, strict=True):
        told, missing, when = [], [], which
        for place, (variant, measured) in enumerate(segments.items()):
            style = styles[variant]
            step, when = drawing.at(measured["step"], which)
            pieces = drawing.existing(measured, "segments")[step]
            exist = np.isfinite(pieces)
            if not exist.any():
                missing.append(f"{style.label}: not available, {divergence(fate[variant]) or 'not finite'}")
                continue
            ranks = np.arange(1, pieces.shape[1] + 1) + (place - (len(segments) - 1) / 2) * room
            dots = ranks + drawing.jitter(len(pieces), 0.6 * room)[:, None]
            drawing.dots(axes, dots[exist], pieces[exist], color=style.color, size=4, label=f"{style.label}, replicas", many=True)
            shown = exist.any(axis=0)
            middle = [float(np.median(pieces[exist[:, rank], rank])) for rank in np.flatnonzero(shown)]
            axes.plot(ranks[shown], middle, color=style.color, marker=drawing.marker_of(place), label=f"{style.label}, median")
            told.append(f"{style.label} {number(float(np.median(pieces[exist])))}")
        drawing.entitle(axes, when, "; ".join(missing))
        axes.set_xlabel("rank of the principal feature")
        found.append(f"{when}, median over replicas and ranks: {'; '.join([*told, *missing])}")
    panels[0].set_ylabel("linear pieces")
    panels[0].set_ylim(bottom=0)
    drawing.ranks(panels[0], max(values["segments"].shape[2] for values in segments.values()))
    keys = [
        drawing.line_key(styles[variant].label, styles[variant].color, marker=drawing.marker_of(place))
        for place, variant in enumerate(segments)
    ]
    drawing.legend(figure, keys, columns=3)
    count = drawing.replicas(segments, "segments")
    alt = f"Number of linear pieces of the principal features, by rank. {' '.join(sentence(words) for words in found)}"
    return Picture(figure, alt, f"n = {counted(count, 'replica')}, each a dot; lines: median of those that have a feature of that rank.")
