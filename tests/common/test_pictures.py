import base64
import io
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import typst
from PIL import Image

from scripts.common import drawing, pictures
from scripts.common.drawing import Spread


def test_settings_of_the_user_do_not_show(tmp_path: Path) -> None:
    def save(name: str) -> bytes:
        figure, (axes,) = drawing.new_figure(height=1.5)
        axes.plot([0, 1], [0, 1], label="line")
        pictures.save_svg(figure, tmp_path / name)
        return (tmp_path / name).read_bytes()

    plain = save("plain.svg")
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 5, "svg.hashsalt": "other", "axes.grid": False}):
        assert save("mine.svg") == plain


def test_svg_has_no_date_no_text_elements_and_short_coordinates(tmp_path: Path) -> None:
    figure, (axes,) = drawing.new_figure(height=1.5)
    axes.plot(np.linspace(0, 1, 50), np.sin(np.linspace(0, 9, 50)))
    axes.set_xlabel("input $x$")
    pictures.save_svg(figure, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    assert "dc:date" not in text
    assert "<text" not in text
    assert not [found for found in re.findall(r' d="([^"]*)"', text) if re.search(r"\d\.\d{3}", found)]


def test_pictures_get_a_palette_and_keep_every_pixel() -> None:
    pixels = np.zeros((6, 8, 4), dtype=np.uint8)
    pixels[2:4, 1:5] = [196, 196, 196, 128]
    pixels[0, 0] = [0, 114, 178, 255]
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, format="png")
    text = f'href="data:image/png;base64,{base64.b64encode(raw.getvalue()).decode()}"'
    (found,) = pictures.IMAGES.findall(pictures.IMAGES.sub(pictures._with_palette, text))
    image = Image.open(io.BytesIO(base64.b64decode(found)))
    assert image.mode == "P"
    assert (np.asarray(image.convert("RGBA")) == pixels).all()


def test_pictures_of_many_colors_stay_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 4), dtype=np.uint8)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, format="png")
    text = "data:image/png;base64," + base64.b64encode(raw.getvalue()).decode()
    assert pictures.IMAGES.sub(pictures._with_palette, text) == text


def test_table_of_lines_dots_bars_bands_ranges_and_words() -> None:
    figure, (one, two) = drawing.new_figure(1, 2, height=1.5)
    one.set_label("first, panel")
    one.plot([1, 2], [0.5, 1 / 3], label="line")
    one.plot([0, 1], [0, 0])
    one.axhline(0.1, label="level")
    drawing.band(one, np.array([1, 2]), Spread(np.ones(2), np.zeros(2), np.array([2.0, np.inf])), color="red", label="band", top=5)
    one.axvspan(0.25, 0.75, label="range")
    two.set_title("second")
    two.bar([1, 2], [3, 4], label="bar")
    drawing.dots(two, [1.1], [2], color="red", label="dots")
    drawing.ranks(two, 3)
    drawing.empty(one, "nothing\nhere")
    assert pictures.tabulate(figure).splitlines() == [
        "panel,series,x,y",
        '"first, panel",line,1,0.5',
        '"first, panel",line,2,0.333333',
        '"first, panel",level,,0.1',
        '"first, panel",level,,0.1',
        '"first, panel","band, low",1,0',
        '"first, panel","band, high",1,2',
        '"first, panel","band, low",2,0',
        '"first, panel","band, high",2,5',
        '"first, panel",range,0.25,',
        '"first, panel",range,0.75,',
        '"first, panel",nothing here,,',
        "second,dots,1,2",
        "second,bar,1,3",
        "second,bar,2,4",
    ]


def test_bands_end_where_the_percentile_is_infinite() -> None:
    figure, (axes,) = drawing.new_figure(height=1.5)
    high = np.array([2.0, 2.0, np.inf])
    drawing.band(axes, np.arange(3), Spread(np.ones(3), np.zeros(3), high), color="red", label="band")
    assert {row.split(",")[-2] for row in pictures.tabulate(figure).splitlines()[1:]} == {"0", "1"}


def test_places_are_rounded_since_the_layout_differs_in_its_last_digits(tmp_path: Path) -> None:
    figure, panels = drawing.small_multiples(3, columns=2)
    figure.supxlabel("input")
    pictures.save_svg(figure, tmp_path / "figure.svg")
    places = np.array([axes.get_position().bounds for axes in panels] + [(*text.get_position(), 0, 0) for text in figure.texts])
    assert places == pytest.approx(places.round(4), abs=1e-12)
    assert len(np.unique(places[:3, :2], axis=0)) == 3


def test_what_is_written_looks_as_it_did(tmp_path: Path) -> None:
    """Against what matplotlib writes, both drawn by Typst."""
    figure, (axes,) = drawing.new_figure(height=1.5)
    axes.plot([0, 1, 2], [0, 1, 0.5], marker="o", label="line")
    axes.scatter(np.linspace(0, 2, 40), np.linspace(1, 0, 40), s=4, color="#D55E00")
    axes.set_xlabel("input $x$")
    pictures.save_svg(figure, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    raw = io.BytesIO()
    figure.savefig(raw, format="svg")
    assert text.startswith("<svg")
    assert "<!--" not in text
    assert "'" not in text, "in a page its quotes become single ones, which need not be escaped"
    assert len(text) < 0.7 * len(raw.getvalue())
    shown = []
    for source in (text, raw.getvalue().decode()):
        (tmp_path / "shown.svg").write_text(source)
        (tmp_path / "page.typ").write_text('#set page(width: auto, height: auto, margin: 0pt)\n#image("shown.svg", width: 400pt)')
        picture = typst.compile(str(tmp_path / "page.typ"), format="png", ppi=72.0)
        shown.append(np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float))
    assert shown[0].shape == shown[1].shape
    assert np.abs(shown[0] - shown[1]).mean() < 0.5
    assert shown[0].std() > 10
