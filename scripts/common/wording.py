"""The words of a chapter: its Jinja dialect, and what is checked of a chapter before anything runs.

Chapters are Markdown with ``<< value >>``, ``<% statement %>`` and ``<# comment #>``, so that the braces of LaTeX are left alone.
An unknown name is an error, never an empty place.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from scripts.common.places import BIBLIOGRAPHY

SYNTAX: dict[str, Any] = {
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "block_start_string": "<%",
    "block_end_string": "%>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
"""How Jinja reads chapters, and the templates of the page and of the PDF."""

VERDICTS = ("supported", "refuted", "inconclusive")

NAMED = {
    "figure": "figure",
    "table": "table",
    "claim": "claim",
    "verdict": "claim",
    "value": "variant",
    "interval": "variant",
    "count": "variant",
    "replicas": "variant",
    "setting": "variant or grid",
    "data_setting": "data set",
    "data_set": "data set",
    "inventory": "phase",
}
"""Functions of a chapter whose first argument is a name, and what it names."""

OTHERS = ("claims_table", "observations", "question", "answer", "task", "correction", "caller", "solutions")
"""What else a chapter may call or ask for."""


OWN_REFERENCES = ("fig:", "tbl:", "eq:", "sec:", "q-")
"""How the names of a report's own figures, tables, equations, sections and questions begin; any other name behind an @ is a paper's."""

_NO_WORDS = re.compile(r"<#.*?#>|^(`{3,}|~{3,}).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
"""Comments and code, in which an @ cites nothing."""
_CITATION = re.compile(r"(?<![\w\\])@\{?(\w+(?:[:.#$%&+?<>~/-]\w+)*)")


FILTERS = (
    "abs capitalize default first float int join last length list lower max min reject rejectattr replace round select selectattr sort"
)
FILTERS += " string sum title trim unique upper"
"""Filters of Jinja that a chapter may use: those that give no more than they take, and look into nothing."""
METHODS = "capitalize endswith items keys lower removeprefix removesuffix split startswith strip title upper values"
"""Methods of texts and mappings that a chapter may call."""
LONGEST_PRODUCT = 100_000
"""Letters or entries that a chapter may make by repeating."""


class Sandbox(SandboxedEnvironment):
    """Jinja without a way to Python's objects, to files, or to what is larger than a chapter needs."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may ask for an attribute: for a method of those that are known, or of a loop for what it tells."""
        return (attr in METHODS.split() or type(obj).__module__ == "jinja2.runtime") and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Return nothing, so that `format` of a text is a method like others: it makes texts of any width."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator that could give what is very large.

        Raises:
            SecurityError: it would be too large, or is no product of numbers, or of a number and a short text.
        """
        count = next((side for side in (left, right) if isinstance(side, int)), 0)
        other = next((side for side in (left, right) if isinstance(side, str | list | tuple)), "")
        if operator == "%" and not isinstance(left, int | float):
            raise SecurityError("% formats no text in a chapter; write << >> in the text itself")
        if operator == "**" and not (abs(left) <= LONGEST_PRODUCT and abs(right) <= 64):
            raise SecurityError(f"{left} ** {right} is a larger number than a chapter may make")
        if operator == "*" and count * len(other) > LONGEST_PRODUCT:
            raise SecurityError(f"'*' makes a text or list of more than {LONGEST_PRODUCT:,} entries")
        return super().call_binop(context, operator, left, right)


def environment() -> SandboxedEnvironment:
    """Return the Jinja environment of chapters."""
    made = Sandbox(autoescape=False, **SYNTAX)  # the product is Markdown; pandoc escapes for HTML and Typst
    made.filters = {name: made.filters[name] for name in FILTERS.split()}
    made.globals.clear()
    return made


def problems(
    path: Path, place: str, known: Mapping[str, Sequence[str] | None], measured: Mapping[str, Collection[str]] | None
) -> list[str]:
    """Return what is wrong with a chapter: its syntax, names that do not exist, claims without wording, claims and figures unused.

    Args:
        path: the chapter's file.
        place: how messages name it.
        known: the names of figures, tables, claims and variants of its study, and the keys of papers; None where they cannot be told.
        measured: the quantities of its study, and of which variants each is measured; None where that cannot be told.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = environment().parse(text)
    except FileNotFoundError:
        return [f"{place}: no such file; write the chapter there"]
    except TemplateSyntaxError as error:
        return [f"{place}: line {error.lineno}: {(error.message or '').rstrip('.')}; correct the << >> or <% %> there"]
    except (OSError, UnicodeDecodeError) as error:
        return [f"{place}: cannot be read as UTF-8 text ({error}); save it as UTF-8"]
    found = _unknown(tree, place)
    used: dict[str, set[str]] = {word: set() for word in known}
    for call in tree.find_all(nodes.Call):
        function = call.node.name if isinstance(call.node, nodes.Name) else ""
        if function not in NAMED or not call.args or not isinstance(call.args[0], nodes.Const):
            continue
        word, name = NAMED[function], call.args[0].value
        names = known.get(word)
        used.setdefault(word, set()).add(name)
        if names is not None and name not in names:
            found.append(f"{place}: line {call.lineno}: unknown {word} '{name}'; known: {', '.join(names) or 'none'}")
        elif function in ("value", "interval") and measured is not None:
            found += _not_measured(call, name, measured, place)
        if function == "claim":
            given = {keyword.key for keyword in call.kwargs}
            found += [
                f"{place}: line {call.lineno}: claim '{name}' has no wording for '{verdict}'; add {verdict}=\"...\""
                for verdict in VERDICTS
                if verdict not in given
            ]
    for word in ("figure", "table", "claim", "phase"):
        unused = [name for name in known.get(word) or [] if name not in used[word]]
        found += [f"{place}: {word} '{name}' is never used in the chapter; mention it or remove it" for name in unused]
    return found + unknown_papers(text, place, known.get("paper"))


def unknown_papers(text: str, place: str, known: Collection[str] | None) -> list[str]:
    """Return which of the papers that a text cites are not `known`; none where it cannot be told what is known."""
    if known is None:
        return []
    return [
        f"{place}: line {line}: unknown paper '{key}'; add it to {BIBLIOGRAPHY} or correct the key; known: {', '.join(known) or 'none'}"
        for line, key in _cited(text)
        if key not in known
    ]


def _cited(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and key of each citation of a paper in Markdown, with the dialect of chapters or without."""
    words = _NO_WORDS.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _CITATION.finditer(words):
        if not match[1].startswith(OWN_REFERENCES):
            yield words.count("\n", 0, match.start()) + 1, match[1]


def _not_measured(call: nodes.Call, variant: str, measured: Mapping[str, Collection[str]], place: str) -> list[str]:
    quantity = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], nodes.Const) else None
    if quantity is None or variant in measured.get(quantity, ()):
        return []
    if quantity not in measured:
        return [f"{place}: line {call.lineno}: unknown quantity '{quantity}'; known: {', '.join(sorted(measured)) or 'none'}"]
    known = ", ".join(measured[quantity]) or "none"
    return [f"{place}: line {call.lineno}: quantity '{quantity}' is not measured of variant '{variant}'; only of: {known}"]


def _unknown(tree: nodes.Template, place: str) -> list[str]:
    """Return the functions, values, filters and tests that a template asks for and that there are not."""
    known = {*NAMED, *OTHERS} | {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    asked: list[tuple[Any, str, set[str]]] = [(node, "function or value", known) for node in tree.find_all(nodes.Name)]
    asked += [(node, "filter", {*environment().filters}) for node in tree.find_all(nodes.Filter)]
    asked += [(node, "test", {*environment().tests}) for node in tree.find_all(nodes.Test)]
    refused = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    return [
        f"{place}: line {node.lineno}: unknown {word} '{node.name}'; known: {', '.join(sorted(allowed))}"
        for node, word, allowed in asked
        if node.name not in allowed
    ] + [f"{place}: line {node.lineno}: a chapter reads no other file; write the text here" for node in tree.find_all(refused)]
