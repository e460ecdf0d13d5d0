"""The gallery: every kind is in it, with lines of YAML of a study that comes with the project, and its picture."""

import re

import pytest
import yaml
from PIL import Image

from scripts import gallery
from scripts.common import components
from scripts.common.errors import UserError
from scripts.common.places import PROJECT, study_path
from scripts.common.yaml_file import read_yaml

PAGE = (PROJECT / gallery.PAGE).read_text(encoding="utf-8")
TABLES = dict(re.findall(r"^### `(\w+)`, a table\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
FIGURES = dict(re.findall(r"^### `(\w+)`\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
LARGEST = 2 * 2**20


def test_every_kind_of_figure_and_table_is_in_the_gallery():
    assert list(FIGURES) == list(components.names(components.FIGURE))
    assert list(TABLES) == list(components.names(components.TABLE))
    listed = re.findall(r"\[(\w+)\]\(#([\w-]+)\)", PAGE)
    assert listed == [(kind, kind) for kind in FIGURES] + [(kind, f"{kind}-a-table") for kind in TABLES]


@pytest.mark.parametrize(("family", "sections"), [(components.FIGURE, FIGURES), (components.TABLE, TABLES)], ids=["figures", "tables"])
def test_its_lines_are_those_of_a_shipped_study(family, sections):
    for kind, text in sections.items():
        study = re.search(r"\[config/studies/(\w+)\.yaml\]", text)[1]
        ((name, settings),) = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]).items()
        assert settings["kind"] == kind
        assert settings == read_yaml(PROJECT / study_path(study))[f"{family.word}s"][name]


def test_every_picture_is_there_and_no_other_and_they_are_small():
    files = sorted((PROJECT / gallery.FOLDER).iterdir())
    assert [file.name for file in files] == [f"{kind}.png" for kind in components.names(components.FIGURE)]
    assert sum(file.stat().st_size for file in files) < LARGEST
    for kind, text in FIGURES.items():
        assert f"](gallery/{kind}.png)" in text
        with Image.open(PROJECT / gallery.FOLDER / f"{kind}.png") as image:
            assert (500 < image.width < 1000, 100 < image.height < 1600) == (True, True), kind
            assert len(image.convert("RGB").getcolors(2**20)) > 4, kind


def test_the_page_is_what_the_command_writes():
    """All but the rows of tables, which are those of a build, follows from the project's files."""
    rows = {example.name: {"header": ["a"], "rows": [["1"]]} for example in gallery.examples(components.TABLE).values()}

    def without_rows(text):
        return re.sub(r"^(\|.*\n)+\n(\(\d+ more rows\.\)\n\n)?", "", text, flags=re.MULTILINE)

    assert without_rows(gallery.page(rows)) == without_rows(PAGE)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)(?:#[\w-]*)?\)", PAGE):
        assert (PROJECT / "docs" / target).exists(), target
    heading = re.search(r"your-own-study\.md#([\w-]+)", PAGE)[1]
    headings = re.findall(r"^#+ (.*)$", (PROJECT / "docs/your-own-study.md").read_text(), re.MULTILINE)
    assert heading in [words.lower().replace(" ", "-") for words in headings]


def test_a_figure_that_is_not_built(tmp_path):
    with pytest.raises(
        UserError, match=r"is in none of the results folders .*; build it: snakemake --cores 2 --config studies=\[techniques\]"
    ):
        gallery.make([str(tmp_path)])
