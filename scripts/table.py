"""One table: its header, rows, caption and note, as words, from the numbers of its study."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scripts.common import job, numbers
from scripts.common.formatting import Grid
from scripts.common.style import Style


def build(inputs: Mapping[str, Any], *, kind: str, options: Mapping[str, Any], **settings: Any) -> Grid:
    """Return the table of `kind` (a module of `tables`).

    Args:
        inputs: what the table reads, by the names of its parameters.
        kind: name of the kind of table.
        options: the options that the study sets.
        **settings: what else the table asks for, as `styles` or `bootstrap`.
    """
    grid: Grid = import_module(f"scripts.tables.{kind}").build(**inputs, **settings, **options)
    return grid


if __name__ == "__main__":
    with job.run(snakemake) as running:
        settings = running.settings
        caption = settings.pop("caption")
        if "styles" in settings:
            settings["styles"] = {variant: Style(**style) for variant, style in settings["styles"].items()}
        inputs: dict[str, Any] = {name: running.load_each(name) for name in running.recipe.inputs if name != "numbers"}
        if "numbers" in running.recipe.inputs:
            inputs["numbers"] = numbers.from_csv(running.load("numbers"))
        running.save_json(snakemake.output[0], build(inputs, **settings)._asdict() | {"caption": caption})
