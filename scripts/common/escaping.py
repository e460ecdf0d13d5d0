"""Text that stands inside of another language and must not become a part of it, and text that cannot be shown at all.

What a configuration says is text, whatever it looks like; captions and the data of papers alone are Markdown, and of that no more than
words, formulas, code, references and links. `docs/security.md` says where each is escaped.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from scripts.common.errors import UserError

LONGEST_TEXT = 2000
"""Letters of a text."""
LONGEST_WORD = 60
"""Letters between two places where a line may be broken; the address of a page may be longer."""

SCHEMES = ("https:", "http:", "mailto:")
"""How the target of a link may begin, beside what stands in the report itself or beside it."""

_ESCAPED = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "<>&"})
"""What could end a script element, or begin another one or a comment in it."""
_NEVER = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, separators of lines that are none, what turns the direction of writing, and what is no character."""
_WORD_ENDS = re.compile(r"[\s/-]+")
_ADDRESS = re.compile(r"https?:\S+")
_ESCAPE, _CODE, _FORMULA = r"\\[^A-Za-z0-9\s]", r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", r"\$(?=\S)[^$]*?[^\s\\$]\$(?!\d)"
_NO_WORDS = re.compile(f"{_ESCAPE}|(?P<code>{_CODE})|{_FORMULA}", re.DOTALL)
"""What is read as it stands, from the left on, as pandoc does: a sign behind a backslash, code, and a formula."""
_LINK = re.compile(r"\]\(([^()\s]*)\)")
_MORE_THAN_A_LINE = (
    (r"<(?=[\w/!?])", "HTML"),
    (r"!\[", "pictures"),
    (r"[\]`]\s*[{(:]", "attributes"),
    (r"\\(?=[A-Za-z0-9])", "TeX outside of $ ... $"),
)
_OF_MARKDOWN = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_{}[]#|<>$@~^&"})
"""What begins something in a line of Markdown, beside quotes, dashes and dots, which it makes typographic."""


def json_for_script(value: Any) -> str:
    """Return `value` as JSON in ASCII, with sorted keys, that may stand in a script element: nothing in it can end that element.

    What is not ASCII is escaped too, so that U+2028 and U+2029, which end a line of JavaScript, do not stand in it.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(value, sort_keys=True, allow_nan=False).translate(_ESCAPED)


def checked_text(text: str) -> str:
    """Return a text that can be shown in every format.

    Raises:
        ValueError: it cannot; the message says what would be allowed.
    """
    found = _NEVER.search(text)
    if found:
        raise ValueError(f"text without control characters and the like; U+{ord(found[0]):04X} stands at letter {found.start() + 1}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"text of at most {LONGEST_TEXT:,} letters; this has {len(text):,}")
    return text


def checked_words(text: str) -> str:
    """Return a text that can be shown, and broken into lines, in every format.

    Raises:
        ValueError: it cannot; the message says what would be allowed.
    """
    words = _WORD_ENDS.split(_ADDRESS.sub(" ", _NO_WORDS.sub(_letter_or_blank, checked_text(text))))
    longest = max(len(word) for word in words)
    if longest > LONGEST_WORD:
        raise ValueError(f"words of at most {LONGEST_WORD} letters, so that lines can be broken; one has {longest:,}")
    return text


def checked_markdown(text: str) -> str:
    """Return a text that is a line of Markdown and no more: words, emphasis, formulas, code, references, and links to pages.

    Raises:
        ValueError: it has something else in it; the message says what would be allowed.
    """
    checked_words(text)
    words = _NO_WORDS.sub(lambda match: "`" if match["code"] else "", text)
    for match in _LINK.finditer(words):
        if not match[1].startswith((*SCHEMES, "#")):
            raise ValueError(f"links to addresses that begin with https://, http:// or mailto:; this goes to '{match[1]}'")
    rest = _LINK.sub("] ", words)
    for wrong, what in _MORE_THAN_A_LINE:
        if re.search(wrong, rest) or (what == "attributes" and re.search(r"[{.](only-|=)", re.sub(_ESCAPE, "", text))):
            raise ValueError(f"Markdown without {what}; put a backslash before a sign that stands for itself")
    if not _balanced(rest):
        raise ValueError("Markdown in which each [ has its ]; put a backslash before one that stands for itself")
    return text


def _letter_or_blank(match: re.Match[str]) -> str:
    return " " if len(match[0]) > 2 else match[0][-1]


def _balanced(text: str) -> bool:
    depth = 0
    for letter in re.sub(r"[^\[\]]", "", text):
        depth += 1 if letter == "[" else -1
        if depth < 0:
            return False
    return depth == 0


def markdown_of_note(note: str) -> str:
    r"""Return the Markdown of what the code adds to a caption: words, in which nothing but formulas between $ ... $ is Markdown.

    A ``\$`` stands for a $ that begins no formula.
    """
    parts, end = [], 0
    for match in re.finditer(rf"(?<!\\){_FORMULA}", note):
        parts += [_plain_words(note[end : match.start()]), match[0]]
        end = match.end()
    return one_line("".join([*parts, _plain_words(note[end:])]))


def _plain_words(text: str) -> str:
    return text.replace("\\$", "$").translate(_OF_MARKDOWN)


def one_line(text: str) -> str:
    """Return text with each run of blanks and ends of lines as one blank; blanks that do not break a line stay."""
    return re.sub(r"[ \t\r\n\v\f\u0085\u2028\u2029]+", " ", text).strip()


def line_of_markdown(text: str, place: str) -> str:
    """Return a caption or the like, which is a line of Markdown, as it may stand in a chapter.

    Raises:
        UserError: it is more than that; the message names its place.
    """
    try:
        return one_line(checked_markdown(text))
    except ValueError as error:
        raise UserError(f"{place}: wrong value {text[:60]!r}; allowed: {error}") from None


def printable(message: str) -> str:
    """Return a message in one line, in which letters that cannot be shown, as those that steer a terminal, stand as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in message)


def dollars_kept(value: Any) -> Any:
    r"""Return a value in whose texts, at any depth, each $ is written ``\$``: matplotlib draws a $, and sets no formula."""
    return _in_texts(value, "$", "\\$")


def dollars_plain(value: Any) -> Any:
    """Return a value that `dollars_kept` made as it was."""
    return _in_texts(value, "\\$", "$")


def _in_texts(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, Mapping):
        return {key: _in_texts(entry, old, new) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_in_texts(entry, old, new) for entry in value]
    return value


def plotly_text(text: str) -> str:
    """Return text so escaped that Plotly shows it as it is: in its labels and titles it reads a few tags, and %{...} as a value."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%", "&#37;")


def cell(text: str) -> str:
    """Return text as a cell of a CSV file that spreadsheets do not take for a formula: with a quote before what begins like one."""
    begins = text[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{text}" if begins and not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+](inf|nan)", text) else text
