"""The words of a chapter: its Jinja dialect, and what is checked of a chapter before anything runs.

Chapters are Markdown with ``<< value >>``, ``<% statement %>`` and ``<# comment #>``, so that the braces of LaTeX are left alone.
An unknown name is an error, never an empty place.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

VERDICTS = ("supported", "refuted", "inconclusive")

NAMED = {"figure": "figure", "table": "table", "claim": "claim", "verdict": "claim", "value": "variant", "interval": "variant", "count": "variant"}
"""Functions of a chapter whose first argument is a name, and what it names."""


def environment() -> SandboxedEnvironment:
    """Return the Jinja environment of chapters."""
    return SandboxedEnvironment(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the product is Markdown; pandoc escapes for HTML and Typst
    )


def problems(path: Path, place: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what is wrong with a chapter: its syntax, names that do not exist, claims without wording, claims and figures unused.

    Args:
        path: the chapter's file.
        place: how messages name it.
        known: the names of figures, tables, claims and variants of its study.
    """
    try:
        tree = environment().parse(path.read_text(encoding="utf-8"))
    except TemplateSyntaxError as error:
        return [f"{place}: line {error.lineno}: {error.message}; correct the << >> or <% %> there"]
    except (OSError, UnicodeDecodeError) as error:
        return [f"{place}: cannot be read as UTF-8 text ({error})"]
    found: list[str] = []
    used: dict[str, set[str]] = {word: set() for word in known}
    for call in tree.find_all(nodes.Call):
        function = call.node.name if isinstance(call.node, nodes.Name) else None
        if function not in NAMED or not call.args or not isinstance(call.args[0], nodes.Const):
            continue
        word, name = NAMED[function], call.args[0].value
        used[word].add(name)
        if name not in known[word]:
            found.append(f"{place}: line {call.lineno}: unknown {word} '{name}'; known: {', '.join(known[word])}")
        if function == "claim":
            missing = [verdict for verdict in VERDICTS if verdict not in {keyword.key for keyword in call.kwargs}]
            found += [f"{place}: line {call.lineno}: claim '{name}' has no wording for '{verdict}'; add {verdict}=\"...\"" for verdict in missing]
    for word in ("figure", "table", "claim"):
        found += [f"{place}: {word} '{name}' is never used in the chapter; mention it or remove it" for name in known[word] if name not in used[word]]
    return found
