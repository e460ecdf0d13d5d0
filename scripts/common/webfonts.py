"""The fonts of the HTML report: subsets with the characters of one page, so that it looks the same everywhere and needs no network.

Text is set in Source Serif, math in STIX Two Math (without a math font, browsers draw formulas poorly). Both come with a package.
"""

import base64
import functools
import importlib.util
import io
import unicodedata
from pathlib import Path

from fontTools import subset


def _folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package '{package}' is not installed; install the requirements of the project")
    return Path(spec.origin).parent


MATH_FAMILY = "STIX Two Math"
MATH_FOLDER = _folder("ziamath") / "fonts"
TEXT_FAMILY = "Source Serif"
TEXT_FOLDER = _folder("font_source_serif_pro") / "files"
TEXT_FACES = (("Regular", "400", "normal"), ("It", "400", "italic"), ("Semibold", "600", "normal"))

_TEXT_FEATURES = ("kern", "liga", "lnum", "tnum", "mark", "ccmp")
_MATH_FEATURES = ("ssty", "dtls", "flac")
_DRAWN_BY_BROWSERS = "√∛⎷"  # radicals stand in MathML as elements
_ITALIC_CODES = (*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468), 0x1D6A4, 0x1D6A5, *range(0x1D6E2, 0x1D71C))
_ITALICS = {chr(int(unicodedata.decomposition(chr(code)).split()[1], 16)): chr(code) for code in _ITALIC_CODES} | {"h": "ℎ"}
"""The mathematical italic that MathML maps a single letter to."""


def font_faces(*, text: str, math: str) -> str:
    """Return the CSS rules ``@font-face`` with the fonts as data: the characters of `text`, and of `math` with their italics.

    The same characters give the same rules.
    """
    characters = frozenset(text) | frozenset(map(chr, range(0x20, 0x7F)))
    rules = [
        _rule(TEXT_FAMILY, weight, style, _subset(TEXT_FOLDER / f"SourceSerifPro-{face}.ttf", characters, _TEXT_FEATURES))
        for face, weight, style in TEXT_FACES
    ]
    symbols = frozenset(math) | frozenset(_ITALICS[letter] for letter in math if letter in _ITALICS) | frozenset(_DRAWN_BY_BROWSERS)
    rules.append(_rule(MATH_FAMILY, "400", "normal", _subset(MATH_FOLDER / "STIXTwoMath-Regular.ttf", symbols, _MATH_FEATURES)))
    return "".join(rules)


@functools.cache
def _subset(file: Path, characters: frozenset[str], features: tuple[str, ...]) -> bytes:
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
