"""Numbers in the prose of a chapter: a measured one has to come from the results, so one that is typed is an error.

What counts is a number in digits among the words of a chapter, and among those that it hands to its functions, as the wordings of a claim.
Formulas, code, headings, titles, citations and links are no prose; number words (three layers), names with digits in them (L2), and the
whole numbers 0 and 1, which are bounds and identities, pass, and so does what a call in the same line asks for (index="0.5"). What else is
typed on purpose is said in a comment, by phrases in which N stands for a number, or for several (10, 20 and 40):

    <# set-up: width N; batches of N #>                 what the study's YAML says: these numbers have to stand there
    <# by hand, what the source has: 1,321 parameters #>    what no run of the build measures, and why it is typed
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.common import memory

_READER = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
ALWAYS = (
    "replica N",
    "replicas N",
    "exercise N",
    "exercises N",
    "phase N",
    "N-bit",
    "95 % interval",
    "95 % intervals",
)
"""Phrases of every chapter."""
VERBATIM = {0.0, 1.0}
"""Numbers that pass as they are."""

_NUMBER = r"(?<![\w.\\])[−-]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|\.\d)"
_NUMBERS = rf"{_NUMBER}(?:(?:,| ×| to| by|,? and|,? or)\s+{_NUMBER})*"
_FOUND = re.compile(rf"({_NUMBER})(\s?%)?")
_YEAR = re.compile(r"(?:\(|, )(?:1[89]|20)\d\d[a-z]?\)")
_COMMENT = re.compile(r"<#(.*?)#>", re.DOTALL)
_ALLOWANCE = re.compile(r"\s*(set-up|by hand)(?:,\s*([^:]*?))?:\s+(.*)", re.DOTALL)
_JINJA = re.compile(r"<<.*?>>|<%.*?%>", re.DOTALL)
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_TITLE = re.compile(r"\b(?:question|task)\(\s*$")
_TYPED = re.compile(rf"<<\s*[\"']?({_NUMBER})\s*%?[\"']?\s*>>")
_ASKED = re.compile(r"\b(?:index|step|replica)=[\"']?(-?\d+(?:\.\d+)?)(?![\w.])")
_NO_PROSE = re.compile(
    r"^(`{3,}|~{3,}).*?^\1"  # code
    r"|`[^`\n]*`"
    r"|\$\$.*?\$\$|\$[^$]*\$"  # formulas
    r"|^#{1,6} .*?$"  # headings
    r"|^\s*\d+\.(?=\s)"  # the numbers of a list
    r"|\{[^{}\n]*\}"  # attributes
    r"|\[[^\[\]\n]*@[^\[\]\n]*\]|@\{?[\w:.-]+\w"  # citations and references
    r"|\]\([^)\n]*\)|<https?:[^>\n]*>",  # links
    re.DOTALL | re.MULTILINE,
)


class Allowance(NamedTuple):
    """Phrases that a chapter allows.

    Attributes:
        phrase: the phrase, with N for numbers.
        line: where it is allowed.
        configured: whether its numbers have to stand in the configuration.
    """

    phrase: str
    line: int
    configured: bool


def problems_of_file(path: Path, place: str, configuration: Path | None = None, source: str = "") -> list[str]:
    """Return what `problems` finds in a chapter's file, remembered by the content of the files; nothing where one cannot be read."""
    try:
        known = None if configuration is None else configuration.read_text(encoding="utf-8")
        version = hashlib.sha256("\0".join([_READER, place, source, str(known)]).encode()).hexdigest()
        found: list[str] = memory.recall(path, f"numbers typed {version}", lambda path: problems(_text(path), place, known, source))
    except (OSError, UnicodeDecodeError):  # who reads these files for what is in them says so
        return []
    return found


def problems(text: str, place: str, configuration: str | None, source: str = "") -> list[str]:
    """Return the numbers that are typed by hand in the prose of a chapter, and what is wrong with what it allows.

    Args:
        text: the chapter.
        place: how messages name it.
        configuration: the text of the study's YAML file; None where there is none, and nothing is held against it.
        source: how messages name that file.
    """
    allowances, found = _allowances(text, place)
    words = _prose(text)
    known = None if configuration is None else numbers_of(configuration)
    free: list[tuple[int, int]] = [match.span() for match in _YEAR.finditer(words)]
    for phrase in ALWAYS:
        free += [match.span() for match in _pattern(phrase).finditer(words)]
    for allowance in allowances:
        matches = list(_pattern(allowance.phrase).finditer(words))
        free += [match.span() for match in matches]
        if not matches:
            found.append(f"{place}: line {allowance.line}: nothing in the chapter is like the phrase '{allowance.phrase}'; remove it")
        if allowance.configured and known is not None:
            wrong = _not_configured(words, allowance, matches, known)
            found += [f"{place}: line {line}: {said} {source}; correct it, or print it with << setting(...) >>" for line, said in wrong]
    asked = _asked(text)
    for match in _FOUND.finditer(words):
        value = _value(match[1])
        plain = not match[2] and (value in VERBATIM or value in asked.get(words.count("\n", 0, match.start()), ()))
        if not plain and not any(start <= match.start() and match.end(1) <= end for start, end in free):
            found.append(_typed(words, match, place))
    return sorted(found, key=_line_of)


def numbers_of(configuration: str) -> set[float]:
    """Return the numbers that stand in a YAML file, in its values and in its words, but not in comments."""
    text = re.sub(r"(?:^|\s)#.*$", "", configuration, flags=re.MULTILINE)
    found = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)
    return {abs(float(number)) for number in found}


def _allowances(text: str, place: str) -> tuple[list[Allowance], list[str]]:
    found: list[Allowance] = []
    wrong: list[str] = []
    for comment in _COMMENT.finditer(text):
        given = _ALLOWANCE.fullmatch(comment[1])
        if not given:
            continue
        line = text.count("\n", 0, comment.start()) + 1
        if given[1] == "by hand" and not (given[2] or "").strip():
            wrong.append(f"{place}: line {line}: numbers are typed by hand for no reason; say why: <# by hand, why: phrases #>")
        phrases = [" ".join(phrase.split()) for phrase in given[3].split(";")]
        found += [Allowance(phrase, line, given[1] == "set-up") for phrase in phrases if phrase]
    return found, wrong


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = [_NUMBERS if part == "N" else re.escape(part).replace(r"\ ", r"\s+") for part in re.split(r"(?<!\w)(N)(?!\w)", phrase)]
    return re.compile(rf"(?<![\w.]){''.join(parts)}(?!\w)", re.IGNORECASE)


def _not_configured(words: str, allowance: Allowance, matches: list[re.Match[str]], known: Collection[float]) -> Iterator[tuple[int, str]]:
    """Yield the line of each number of set-up that stands nowhere in the configuration, and what is wrong."""
    for match in matches:
        for number in _FOUND.finditer(words, *match.span()):
            if abs(_value(number[1])) not in known:
                said = " ".join(match[0].split())
                yield (
                    words.count("\n", 0, number.start()) + 1,
                    f"'{said}' is set-up ('{allowance.phrase}'), but {number[1]} stands nowhere in",
                )


def _typed(words: str, match: re.Match[str], place: str) -> str:
    line = words.count("\n", 0, match.start()) + 1
    before = words[: match.start()].rpartition("\n")[2].split()[-3:]
    after = words[match.end() :].partition("\n")[0].split()[:2]
    said = " ".join([*before, match[0], *after])
    return (
        f"{place}: line {line}: the number {match[0]} is typed by hand ('{said}'); print a result with << value(...) >>, a setting with "
        "<< setting(...) >>, or allow it in a comment: <# set-up: phrase with N #> or <# by hand, why: phrase with N #>"
    )


def _asked(text: str) -> dict[int, set[float]]:
    """Return the numbers that calls ask for by index, step or replica, by the line that they end in, counted from 0."""
    found: dict[int, set[float]] = {}
    for call in _JINJA.finditer(text):
        numbers = {_value(given[1]) for given in _ASKED.finditer(call[0])}
        if numbers:
            found.setdefault(text.count("\n", 0, call.end()), set()).update(numbers)
    return found


def _prose(text: str) -> str:
    """Return a chapter with blanks for all that is no prose, so that places stay what they are."""
    words = _COMMENT.sub(_blanks, text)
    words = _JINJA.sub(_of_functions, words)
    return _NO_PROSE.sub(_blanks, words)


def _of_functions(match: re.Match[str]) -> str:
    """Return of an expression or statement the words in it: strings with blanks that are no titles, and numbers that are printed."""
    typed = _TYPED.fullmatch(match[0])
    spans = [typed.span(1)] if typed else []
    for string in _STRING.finditer(match[0]):
        group = 1 if string[1] is not None else 2
        if " " in string[group].strip() and not _TITLE.search(match[0][: string.start()]):
            spans.append(string.span(group))
    kept = _blanks(match)
    for start, end in spans:
        kept = kept[:start] + match[0][start:end] + kept[end:]
    return kept


def _blanks(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("−", "-"))


def _line_of(problem: str) -> int:
    found = re.search(r": line (\d+): ", problem)
    return int(found[1]) if found else 0
