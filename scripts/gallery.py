"""The gallery of figures and tables: each kind with the lines of YAML of a study that comes with the project, and what they make.

    python -m scripts.gallery results results/init_sweep

Pictures and rows are those of builds in the given results folders. It writes docs/gallery.md and docs/gallery/*.png.
"""

import ast
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from PIL import Image
from playwright.sync_api import sync_playwright

from scripts.common import components, syntax
from scripts.common.components import Family
from scripts.common.errors import UserError
from scripts.common.places import PROJECT, study_path
from scripts.common.yaml_file import read_yaml

PAGE, FOLDER = "docs/gallery.md", "docs/gallery"
STUDIES = ("init_depth", "linear_features", "training_dynamics", "techniques", "init_sweep")
"""Where examples are taken from, in this order."""
CHOSEN = {
    "curves": "batch_normalization_course",
    "by_layer": "deep_by_layer",
    "against_level": "dropout_by_rate",
    "linearization": "linearization_he",
    "fit": "fit_he",
    "grid_map": "loss_map",
    "learned": "learned_last",
    "steps_to_tolerance": "fit_steps",
}
"""Examples that are not the first of their kind."""
SCALE, COLORS = 1.2, 64
"""Of the pictures: how many pixels a pixel of the page is, and how many colors they have, so that they are small files."""
MOST_ROWS = 5
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--force-color-profile=srgb")
INTRODUCTION = """\
# Gallery of figures and tables

Each kind of figure and of table that a study may name, with the lines of YAML that make the one shown, from a study that comes with the
project. What a kind may be told is in its file, in [scripts/figures](../scripts/figures) or [scripts/tables](../scripts/tables), and in the
schema that an editor shows; measurements that it reads have to stand under `measurements` in the study. A kind of your own is one function
in one file: [docs/your-own-study.md](your-own-study.md#an-own-figure).

This page is made by `make gallery` from finished builds; it is not written by hand.
"""


class Example(NamedTuple):
    """A figure or table of a study: the study, its name, and what the study says of it."""

    study: str
    name: str
    settings: Mapping[str, Any]


def examples(family: Family) -> dict[str, Example]:
    """Return an example of each kind of figure or table, by the kind, in alphabetical order."""
    found: dict[str, Example] = {}
    for study in STUDIES:
        for name, settings in read_yaml(PROJECT / study_path(study)).get(f"{family.word}s", {}).items():
            kind = settings["kind"]
            if name == CHOSEN.get(kind) or kind not in found:
                found[kind] = Example(study, name, settings)
    return dict(sorted(found.items()))


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of the gallery.

    Args:
        rows: what each table of an example holds, ``header`` and ``rows``, by the name of the table.
    """
    sections = [INTRODUCTION]
    for family in (components.FIGURE, components.TABLE):
        shown = examples(family)
        sections.append(f"## {family.word.capitalize()}s\n\n" + " · ".join(f"[{kind}](#{_anchor(family, kind)})" for kind in shown) + "\n")
        for kind, example in shown.items():
            sections.append(f"### {_heading(family, kind)}\n\n{_about(family, kind)}\n")
            if family is components.FIGURE:
                sections.append(f"![{kind}](gallery/{kind}.png)\n")
            else:
                sections.append(_as_markdown(rows[example.name]))
            read = [name for name in components.reads(family, kind) if name in components.names(components.MEASUREMENT)]
            needs = f" It reads {'the measurement' if len(read) == 1 else 'the measurements'} {_listed(read)}." if read else ""
            sections.append(f"In [{study_path(example.study)}](../{study_path(example.study)}), under `{family.word}s`.{needs}\n")
            sections.append(f"```yaml\n{yaml_of(example)}```\n")
    return "\n".join(sections)


def yaml_of(example: Example) -> str:
    """Return the lines of YAML that make a figure or table: all that its study says of it, without the anchors of other lines."""
    text: str = yaml.dump({example.name: dict(example.settings)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes lists in one line, and what is the same in full each time."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - what it is makes no difference
        """Return that nothing is written as an alias."""
        return True


_Dumper.add_representer(list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True))


def _about(family: Family, kind: str) -> str:
    """Return the first line of what the file of a kind says of itself."""
    return (ast.get_docstring(syntax.parse(family.files()[kind][0])) or "").partition("\n")[0]


def _heading(family: Family, kind: str) -> str:
    return f"`{kind}`" if family is components.FIGURE else f"`{kind}`, a table"


def _anchor(family: Family, kind: str) -> str:
    return kind if family is components.FIGURE else f"{kind}-a-table"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _as_markdown(table: Mapping[str, Any]) -> str:
    lines = [table["header"], ["---"] * len(table["header"]), *table["rows"][:MOST_ROWS]]
    shown = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    left = len(table["rows"]) - MOST_ROWS
    return "\n".join(shown) + (f"\n\n({left} more rows.)\n" if left > 0 else "\n")


def _built(folders: Sequence[str], step: str, example: Example, suffix: str) -> Path:
    """Return the file of a figure or table in the first of the results folders that has it.

    Raises:
        UserError: none has it.
    """
    for folder in folders:
        path = Path(folder) / step / example.study / f"{example.name}.{suffix}"
        if path.is_file():
            return path
    raise UserError(
        f"{step} '{example.name}' of study '{example.study}' is in none of the results folders {', '.join(folders) or '(none given)'}; "
        f"build it: snakemake --cores 2 --config studies=[{example.study}] results=results/{example.study}"
    )


def _pictures(paths: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Yield each SVG file as a PNG of few colors, by its name; drawn by a browser.

    Raises:
        UserError: there is no browser.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise UserError(f"no browser to draw pictures with; install one of {', '.join(PROGRAMS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            tab = browser.new_page(device_scale_factor=SCALE)
            for name, path in paths.items():
                tab.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{path.read_text(encoding='utf-8')}")
                drawn = tab.locator("svg").first.screenshot()
                image = Image.open(io.BytesIO(drawn)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
                small = io.BytesIO()
                image.save(small, format="PNG", optimize=True)
                yield name, small.getvalue()
        finally:
            browser.close()


def make(folders: Sequence[str]) -> None:
    """Write the gallery from what is built in results folders.

    Raises:
        UserError: a figure or table is in none of them, or there is no browser.
    """
    drawn = {kind: _built(folders, "figure", example, "svg") for kind, example in examples(components.FIGURE).items()}
    tables = [(example, _built(folders, "table", example, "json")) for example in examples(components.TABLE).values()]
    rows = {example.name: json.loads(path.read_text(encoding="utf-8")) for example, path in tables}
    text = page(rows)
    (PROJECT / FOLDER).mkdir(exist_ok=True)
    for name, content in _pictures(drawn):
        (PROJECT / FOLDER / f"{name}.png").write_bytes(content)
    for old in (PROJECT / FOLDER).glob("*.png"):
        if old.stem not in drawn:
            old.unlink()
    (PROJECT / PAGE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        make(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
