"""One Markdown text becomes one HTML file and one PDF with the same content and the same numbers.

Pandoc reads the Markdown; ``templates/filter.lua`` gives its conventions a form in each format; ``templates/report.html.jinja`` and
``templates/report.typ.jinja`` hold the page around it; Typst compiles the PDF. The conventions:

- figure, alone in its paragraph: ``![caption](path.svg){#fig:name alt="what it shows"}``; the path starts at `folder`
- table: a block ``::: {#tbl:name .table}`` with a pipe table and a paragraph ``: caption``
- numbered equation: a block ``::: {#eq:name}`` with ``$$ ... $$``
- heading with a name: ``## Words {#sec:name}``; with ``.unnumbered`` it has no number
- reference: ``@fig:name`` gives "Figure 3", ``[-@fig:name]`` gives "3", ``[@fig:a; @fig:b]`` both; so do tables, equations,
  sections and questions
- citation: ``[@jacot2018]`` gives "(Jacot et al. 2018)", ``@jacot2018`` in a sentence "Jacot et al. (2018)", each with a link to the
  bibliography, which stands at the end of a text that cites papers
- blocks ``::: {.question #q-1}`` (numbered), ``.answer``, ``.task``, ``.correction``; ``::: {.space lines="8"}`` is room to write
- ``::: {.details summary="..."}`` folds in HTML and is absent from the PDF; ``.only-html`` and ``.only-pdf`` mark blocks and words;
  neither may hold anything that is numbered
- ``[supported]{.verdict .supported}`` (or ``.refuted``, ``.inconclusive``); ``[n = 20]{.evidence}`` stands in parentheses

Anything else that would be lost or look wrong in one of the formats is an error: raw HTML, an unknown class, a reference without
target, a formula that only one format can show.

Metadata are plain text and escaped here: ``title``, ``author``, ``student_id``, ``course``, ``date``, ``edition``, ``language``,
``keywords`` and ``sources`` (lists), ``manifest`` and ``record`` (embedded in the HTML as JSON), ``digest``. All but the title may be
missing.
"""

import base64
import gzip
import hashlib
import html
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import jinja2
import pypandoc
import typst

from scripts.common import webfonts
from scripts.common.errors import UserError
from scripts.common.escaping import json_for_script
from scripts.common.places import PROJECT, package_folder
from scripts.common.wording import SYNTAX

if TYPE_CHECKING:  # its script is read, not its code; named here, its version counts in what a page depends on
    import plotly  # noqa: F401

TEMPLATES = PROJECT / "templates"
PDF_STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
PLOTLY = package_folder("plotly") / "package_data/plotly.min.js"
WRITTEN_BY_PLOTLY = "−×"
"""Characters that Plotly writes beside those of ASCII."""
MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

_TEXTS = ("title", "author", "student_id", "course", "date", "edition", "digest")
_FACTS = {"author": "Author", "student_id": "Student ID", "date": "Date", "edition": "Edition"}
_CONTENTS_END = "<!-- contents end -->"
_FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
_PICTURE = re.compile(r'(<img loading="lazy" src=")([^"]+)')
_FIGURE = re.compile(r'<figure id="([^"]+)"><div [^>]*><img loading="lazy" src="([^"]+)')
_DIGEST_SHOWN = 12
_NOT_IN_ADDRESS = '%#<>&"'
"""What does not stand for itself in the address of a picture or in an attribute of HTML; the percent sign first."""


class TypesettingError(UserError):
    """A text that cannot be typeset; the message names the places, what is wrong there, and the remedy."""


def to_html(
    markdown: str,
    *,
    metadata: Mapping[str, Any],
    folder: str | Path,
    papers: Path | None = None,
    fonts: Path | None = None,
    explorers: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return `markdown` as one HTML file that needs nothing beside it.

    Args:
        markdown: the text.
        metadata: see the docstring of this module.
        folder: where the paths of the pictures start.
        papers: the file with the papers that may be cited, in CSL-YAML.
        fonts: a folder that keeps fonts for the next page with the same characters.
        explorers: what stands in place of a picture where scripts run, by the picture's path, as `scripts.common.explorer.pack` makes it.

    Raises:
        TypesettingError: the text breaks a convention, a picture is missing, a formula cannot be read, or the metadata are wrong.
    """
    facts = _checked(metadata)
    fragment = _pandoc(markdown, "html", Path(folder), papers, facts["language"], "--shift-heading-level-by=1")
    contents, _, body = fragment.partition(_CONTENTS_END)
    known = explorers or {}
    shown = {figure: known[picture] for figure, picture in _FIGURE.findall(fragment) if picture in known}
    style = _style(fragment, [json.dumps(facts, ensure_ascii=False), *map(_words, shown.values())], fonts)
    return _template("report.html.jinja", autoescape=True).render(
        metadata=facts,
        contents=re.sub(r' id="toc-[^"]*"', "", contents),
        body=_PICTURE.sub(lambda match: match[1] + _data_uri(html.unescape(match[2]), Path(folder)), body),
        style=style,
        manifest=json_for_script(metadata.get("manifest", {})),
        record=json_for_script(metadata["record"]) if metadata.get("record") else "",
        explorers=[(figure, json_for_script(content)) for figure, content in shown.items()],
        plotly=_plotly() if shown else "",
        script=(TEMPLATES / "explorer.js").read_text(encoding="utf-8") if shown else "",
    )


def to_pdf(markdown: str, *, metadata: Mapping[str, Any], folder: str | Path, papers: Path | None = None, timestamp: int = 0) -> bytes:
    """Return `markdown` as a tagged PDF (PDF/UA-1 and PDF/A-2a); pictures are read from `folder`.

    Args:
        markdown: the text.
        metadata: see the docstring of this module.
        folder: where the paths of the pictures start.
        papers: the file with the papers that may be cited, in CSL-YAML.
        timestamp: the creation date that the PDF states, in seconds since 1970; the standards ask for one.

    Raises:
        TypesettingError: the text breaks a convention, a picture is missing, the metadata are wrong, or Typst reports an error or
            a warning.
    """
    facts = _checked(metadata)
    source = _template("report.typ.jinja", autoescape=False).render(
        metadata=json.dumps(facts, ensure_ascii=False, sort_keys=True),
        body=_pandoc(markdown, "typst", Path(folder), papers, facts["language"]),
        math_font=webfonts.MATH_FAMILY,
    )
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(webfonts.MATH_FOLDER)])
    try:
        compiler = typst.Compiler(source.encode(), root=str(folder), font_paths=fonts, ignore_system_fonts=True)
        pdf, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=[*PDF_STANDARDS], timestamp=timestamp)
    except typst.TypstError as error:
        raise TypesettingError(_explain_typst([error], markdown)) from None
    if warnings:
        raise TypesettingError(_explain_typst(warnings, markdown))
    return cast("bytes", pdf)


def _pandoc(markdown: str, target: str, folder: Path, papers: Path | None, language: str, *options: str) -> str:
    """Return `markdown` in the format `target`, by the pandoc of the package, in `folder`, with the cited ones of `papers`."""
    if not folder.is_dir():
        raise TypesettingError(f"{folder}: no such folder; give the one where the paths of the pictures start")
    bundled = Path(pypandoc.__file__).parent / "files" / "pandoc"
    command = [str(bundled) if bundled.exists() else pypandoc.get_pandoc_path()]
    command += ["--from=markdown-native_divs-native_spans", f"--to={target}", "--wrap=none", "--mathml", "--syntax-highlighting=none"]
    command += [f"--metadata=lang:{language}", *([f"--metadata=bibliography:{papers.resolve()}"] if papers else [])]
    command += ["--fail-if-warnings", f"--lua-filter={TEMPLATES / 'filter.lua'}", *options]
    finished = subprocess.run(command, input=markdown, capture_output=True, cwd=folder, encoding="utf-8", check=False)
    if finished.returncode:
        raise TypesettingError(_explain_pandoc(finished.stderr, markdown))
    return finished.stdout


def _explain_pandoc(report: str, markdown: str) -> str:
    """Return the messages of the filter with the lines that they are about, or what pandoc said itself."""
    messages = []
    for line in report.splitlines():
        if line.startswith("problem\t"):
            _, text, message = line.split("\t", 2)
            messages.append(_at(text, markdown) + message)
    return "\n".join(dict.fromkeys(messages)) or "pandoc: " + " ".join(report.split()).removesuffix(" Failing because there were warnings.")


def _explain_typst(reports: list[Any], markdown: str) -> str:
    messages = []
    for report in reports:
        quoted = re.search(r'"(.+?)"', report.message)
        place = _at(quoted[1], markdown) if quoted else ""
        messages.append("; ".join([f"{place}PDF: {report.message}", *report.hints]))
    return "\n".join(messages)


def _at(text: str, markdown: str) -> str:
    """Return "line 12: " for the first line that holds `text`, or nothing."""
    wanted = text.strip()
    found = (number for number, line in enumerate(markdown.splitlines(), 1) if wanted and wanted in line)
    return next((f"line {number} of the text: " for number in found), "")


def _template(name: str, *, autoescape: bool) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - on for HTML; the values for Typst are escaped by typst_string
        **SYNTAX,
    )
    environment.filters["typst_string"] = _typst_string
    environment.filters["sha256"] = lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    environment.filters["gzip"] = lambda text: base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
    return environment.get_template(name)


def _checked(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the templates print of the metadata, as text without control characters."""
    texts = {key: _one_line(metadata.get(key)) for key in _TEXTS}
    language = _one_line(metadata.get("language", "en"))
    lists = {key: metadata.get(key, []) for key in ("sources", "keywords")}
    problems = [] if texts["title"] else ["the report has no title; set 'title'"]
    if not re.fullmatch(r"[a-z]{2,3}", language):
        problems.append(f"language '{language}' is not a code of two or three letters, as 'en'; set 'language'")
    unlisted = (key for key, value in lists.items() if not isinstance(value, list))
    problems += [f"'{key}' is not a list of texts; write one item per line, each after a dash" for key in unlisted]
    if problems:
        raise TypesettingError("\n".join(problems))
    return texts | {
        "language": language,
        "facts": [(label, texts[key]) for key, label in _FACTS.items() if texts[key]],
        "sources": [_one_line(source) for source in lists["sources"]],
        "keywords": [_one_line(keyword) for keyword in lists["keywords"]] or [text for text in (texts["course"], texts["edition"]) if text],
        "description": ", ".join(text for text in (texts["title"], texts["course"], texts["edition"]) if text),
        "digest": texts["digest"][:_DIGEST_SHOWN],
    }


def _one_line(value: Any) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", "" if value is None else str(value)).split())


def _typst_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _data_uri(source: str, folder: Path) -> str:
    """Return a picture of a folder as an address that holds it; a drawing as text, which is a quarter shorter than base64."""
    path = folder / source
    if not path.resolve().is_relative_to(folder.resolve()) or path.suffix not in MEDIA_TYPES:
        raise TypesettingError(f"{source}: is no picture inside the folder of the report; correct the path")
    if path.suffix == ".svg":
        drawing = " ".join(path.read_text(encoding="utf-8").split())
        drawing = drawing if "'" in drawing else drawing.replace('"', "'")
        for letter in _NOT_IN_ADDRESS:  # one after the other: urllib's quote takes ten times as long
            drawing = drawing.replace(letter, f"%{ord(letter):02X}")
        return f"data:image/svg+xml,{drawing}"
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _plotly() -> str:
    """Return Plotly's bundle, with two cuts that halve the time until it can be used.

    Without its wrapper for module loaders, browsers read all of it once, not twice. And of the kinds of traces that it sets up it sets
    up bars alone, the first in its list; lines and dots are part of its core.
    """
    text = PLOTLY.read_text(encoding="utf-8")
    license_, wrapper, rest = text.partition("*/")
    _, begin, rest = rest.partition('"use strict";var Plotly=')
    script, end, _ = rest.rpartition("window.Plotly = Plotly;")
    script, lists = re.subn(r"\.register\(\[(\w+\(\)),[^\]]*\]\)", r".register([\1])", script)
    if not (wrapper and begin and end and lists == 1):
        raise TypesettingError(f"{PLOTLY}: not the bundle that this version reads; install the pinned requirements")
    return f"{license_}{wrapper}\n{begin}{script}"


def _words(explorer: Mapping[str, Any]) -> str:
    """Return all that is written in an explorer."""
    return json.dumps({key: value for key, value in explorer.items() if key != "arrays"}, ensure_ascii=False) + WRITTEN_BY_PLOTLY


def _style(fragment: str, words: list[str], fonts: Path | None) -> str:
    """Return the style of the page, with fonts that hold the characters of a fragment of HTML and of other words."""
    math = html.unescape("".join(_FORMULA.findall(fragment)))
    text = html.unescape(re.sub(r"<[^>]+>", "", _FORMULA.sub("", fragment))) + "".join(words)
    return (TEMPLATES / "style.css").read_text(encoding="utf-8") + webfonts.font_faces(text=text, math=math, kept=fonts)
