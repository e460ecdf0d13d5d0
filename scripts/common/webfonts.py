"""The fonts of the HTML report: subsets with the characters of one page, so that it looks the same everywhere and needs no network.

Text is set in Source Serif, math in STIX Two Math (without a math font, browsers draw formulas poorly). Both come with a package.
"""

import base64
import functools
import hashlib
import io
import json
import unicodedata
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.common import storage
from scripts.common.places import package_folder

if TYPE_CHECKING:  # their files are read, not their code; named here, their versions count in what a page depends on
    import font_source_serif_pro  # noqa: F401
    import ziamath  # noqa: F401


MATH_FAMILY = "STIX Two Math"
MATH_FOLDER = package_folder("ziamath") / "fonts"
TEXT_FAMILY = "Source Serif"
TEXT_FOLDER = package_folder("font_source_serif_pro") / "files"
TEXT_FACES = (("Regular", "400", "normal"), ("It", "400", "italic"), ("Semibold", "600", "normal"))

_TEXT_FEATURES = ("kern", "liga", "lnum", "tnum", "mark", "ccmp")
_MATH_FEATURES = ("ssty", "dtls", "flac")
_DRAWN_BY_BROWSERS = "√∛⎷"  # radicals stand in MathML as elements
_ITALIC_CODES = (*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468), 0x1D6A4, 0x1D6A5, *range(0x1D6E2, 0x1D71C))
_ITALICS = {chr(int(unicodedata.decomposition(chr(code)).split()[1], 16)): chr(code) for code in _ITALIC_CODES} | {"h": "ℎ"}
"""The mathematical italic that MathML maps a single letter to."""


def font_faces(*, text: str, math: str, kept: Path | None = None) -> str:
    """Return the CSS rules ``@font-face`` with the fonts as data: the characters of `text`, and of `math` with their italics.

    The same characters give the same rules.

    Args:
        text: all text of the page but its formulas.
        math: all text of its formulas.
        kept: a folder that keeps the rules for the next page with the same characters; cutting a font takes as long as pandoc does.
    """
    characters = frozenset(text) | frozenset(map(chr, range(0x20, 0x7F)))
    symbols = frozenset(math) | frozenset(_ITALICS[letter] for letter in math if letter in _ITALICS) | frozenset(_DRAWN_BY_BROWSERS)
    if kept is None:
        return _rules(characters, symbols)
    versions = [metadata.version(package) for package in ("fonttools", "ziamath", "font-source-serif-pro")]
    key = hashlib.sha256(json.dumps([sorted(characters), sorted(symbols), versions]).encode()).hexdigest()
    path = kept / f"{key}.json"
    try:
        rules: str = storage.load_json(path, digest=key)["rules"]
    except storage.StorageError:
        rules = _rules(characters, symbols)
        storage.save_json(path, {"rules": rules, "digest": key})
    return rules


def _rules(characters: frozenset[str], symbols: frozenset[str]) -> str:
    faces = [(TEXT_FAMILY, weight, style, TEXT_FOLDER / f"SourceSerifPro-{face}.ttf", characters) for face, weight, style in TEXT_FACES]
    rules = [_rule(family, weight, style, _subset(file, wanted, _TEXT_FEATURES)) for family, weight, style, file, wanted in faces]
    return "".join([*rules, _rule(MATH_FAMILY, "400", "normal", _subset(MATH_FOLDER / "STIXTwoMath-Regular.ttf", symbols, _MATH_FEATURES))])


@functools.cache
def _subset(file: Path, characters: frozenset[str], features: tuple[str, ...]) -> bytes:
    from fontTools import subset  # noqa: PLC0415 - takes a while to import, and fonts are seldom cut

    options = subset.Options(flavor="woff", hinting=False, recalc_timestamp=False, notdef_outline=True, layout_features=list(features))
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted(map(ord, characters)))
    stream = io.BytesIO()
    with subset.load_font(str(file), options) as font:
        subsetter.subset(font)
        subset.save_font(font, stream, options)
    return stream.getvalue()


def _rule(family: str, weight: str, style: str, font: bytes) -> str:
    data = base64.b64encode(font).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; '
        f'src: url("data:font/woff;base64,{data}") format("woff"); }}\n'
    )
