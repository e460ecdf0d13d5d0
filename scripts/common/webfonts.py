"""The fonts of the HTML report: subsets with the characters of one page, so that it looks the same everywhere and needs no network.

Text is set in Source Serif, math in STIX Two Math (without a math font, browsers draw formulas poorly). Both come with a package.
"""

import base64
import functools
import importlib.util
import io
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
TEXT_FACES = {"SourceSerifPro-Regular.ttf": "400 normal", "SourceSerifPro-It.ttf": "400 italic", "SourceSerifPro-Semibold.ttf": "600 normal"}

_TEXT_FEATURES = ("kern", "liga", "lnum", "tnum", "mark", "ccmp")
_MATH_FEATURES = ("ssty", "dtls", "flac")
_DRAWN_BY_BROWSERS = "√∛⎷"  # radicals stand in MathML as elements
_ITALIC = {"h": "\u210e", "ı": "\U0001d6a4", "ȷ": "\U0001d6a5"}


def font_faces(*, text: str, math: str) -> str:
    """Return the CSS rules ``@font-face`` with the fonts as data: the characters of `text`, and of `math` with their italics.

    The same characters give the same rules.
    """
    characters = frozenset(text) | frozenset(map(chr, range(0x20, 0x7F)))
    rules = [
        _rule(TEXT_FAMILY, style.split()[1], style.split()[0], _subset(TEXT_FOLDER / file, characters, _TEXT_FEATURES))
        for file, style in TEXT_FACES.items()
    ]
    symbols = frozenset(math) | frozenset(map(_italic, math)) | frozenset(_DRAWN_BY_BROWSERS)
    rules.append(_rule(MATH_FAMILY, "normal", "400", _subset(MATH_FOLDER / "STIXTwoMath-Regular.ttf", symbols, _MATH_FEATURES)))
    return "".join(rules)


def _italic(character: str) -> str:
    """Return the mathematical italic that MathML maps a single letter to, or the character itself."""
    if character in _ITALIC:
        return _ITALIC[character]
    for first, last, italic in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC)):
        if first <= character <= last:
            return chr(italic + ord(character) - ord(first))
    return {"∂": "\U0001d715", "ϵ": "\U0001d716", "ϑ": "\U0001d717", "ϰ": "\U0001d718", "ϕ": "\U0001d719", "ϱ": "\U0001d71a", "ϖ": "\U0001d71b"}.get(
        character, character
    )


@functools.cache
def _subset(file: Path, characters: frozenset[str], features: tuple[str, ...]) -> bytes:
    options = subset.Options(flavor="woff", hinting=False, recalc_timestamp=False, notdef_outline=True, layout_features=list(features))
    font = subset.load_font(str(file), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted(map(ord, characters)))
    subsetter.subset(font)
    stream = io.BytesIO()
    subset.save_font(font, stream, options)
    return stream.getvalue()


def _rule(family: str, style: str, weight: str, font: bytes) -> str:
    data = base64.b64encode(font).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; '
        f'src: url("data:font/woff;base64,{data}") format("woff"); }}\n'
    )
