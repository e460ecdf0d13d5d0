"""One figure: a picture of measurements (SVG), the numbers that it shows (CSV), and its words and its explorer, if any (JSON)."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scripts.common import escaping, job, pictures, storage
from scripts.common.drawing import Picture
from scripts.common.style import Style


def draw(
    inputs: Mapping[str, Any],
    *,
    kind: str,
    options: Mapping[str, Any],
    styles: Mapping[str, Mapping[str, str]] | None = None,
    **settings: Any,
) -> Picture:
    """Return the figure of `kind` (a module of `figures`), in which labels and options are text: a $ in them begins no formula.

    Args:
        inputs: what the figure reads, by the names of its parameters: for each, arrays by variant or by data set.
        kind: name of the kind of figure.
        options: the options that the study sets.
        styles: label and color of each variant, where the figure asks for them.
        **settings: what else the figure asks for, as `variants` or `bootstrap`.
    """
    given = dict(inputs)
    if styles is not None:
        given["styles"] = {variant: Style(**escaping.dollars_kept(style)) for variant, style in styles.items()}
    settings, options = escaping.dollars_kept(dict(settings)), escaping.dollars_kept(dict(options))
    picture: Picture = import_module(f"scripts.figures.{kind}").draw(**given, **settings, **options)
    return picture._replace(alt=escaping.dollars_plain(picture.alt), explorer=escaping.dollars_plain(picture.explorer))


if __name__ == "__main__":
    with job.run(snakemake) as running:
        settings = running.settings
        caption = settings.pop("caption")
        inputs: dict[str, Any] = {name: running.load_each(name) for name in running.recipe.inputs if name != "numbers"}
        if "numbers" in running.recipe.inputs:
            from scripts.common import numbers  # takes a while to import, and few figures read it

            inputs["numbers"] = numbers.from_csv(running.load("numbers"))
        picture = draw(inputs, **settings)
        pictures.save_svg(picture.figure, snakemake.output.svg)
        storage.save_text(snakemake.output.csv, pictures.tabulate(picture.figure))
        words = {"caption": caption, "note": picture.note, "alt": picture.alt, "explorer": picture.explorer}
        checksums = {suffix: storage.file_sha256(snakemake.output[suffix]) for suffix in ("svg", "csv")}
        running.save_json(snakemake.output.json, words | {"sha256": checksums})
