"""One Markdown text becomes one HTML file and one PDF with the same content and the same numbers.

Pandoc reads the Markdown; ``templates/filter.lua`` gives its conventions a form in each format; ``templates/report.html.jinja`` and
``templates/report.typ.jinja`` hold the page around it; Typst compiles the PDF. The conventions:

- figure, alone in its paragraph: ``![caption](path.svg){#fig:name alt="what it shows"}``; the path starts at `folder`
- table: a block ``::: {#tbl:name .table}`` with a pipe table and a paragraph ``: caption``
- numbered equation: a block ``::: {#eq:name}`` with ``$$ ... $$``
- heading with a name: ``## Words {#sec:name}``
- reference: ``@fig:name`` gives "Figure 3", ``[-@fig:name]`` gives "3"; likewise ``@tbl:``, ``@eq:``, ``@sec:`` and a question's name
- blocks ``::: {.question #q-1}``, ``.answer``, ``.task``, ``.correction``; ``::: {.space lines="8"}`` is room to write
- ``::: {.details summary="..."}`` folds in HTML and is absent from the PDF; ``.only-html`` and ``.only-pdf`` mark blocks and words
- ``[supported]{.verdict .supported}`` (or ``.refuted``, ``.inconclusive``), ``[n = 20]{.evidence}``

Metadata are plain text and escaped here: ``title``, ``author``, ``student_id``, ``course``, ``date``, ``edition``, ``language``,
``sources`` (a list), ``manifest`` (embedded in the HTML as JSON), ``digest``. All but the title may be missing.
"""

import base64
import hashlib
import html
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pypandoc
import typst

from scripts.common import webfonts

TEMPLATES = Path(__file__).parents[2] / "templates"
PDF_STANDARDS = ["a-2a", "ua-1"]
MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

_FACTS = {"author": "Author", "student_id": "Student ID", "course": "Course", "date": "Date", "edition": "Edition"}
_CONTENTS_END = "<!-- contents end -->"


class TypesettingError(Exception):
    """A text that cannot be typeset; the message names the places, what is wrong there, and the remedy."""


def to_html(markdown: str, *, metadata: Mapping[str, Any], folder: str | Path) -> str:
    """Return `markdown` as one HTML file that needs nothing beside it; pictures are read from `folder`.

    Raises:
        TypesettingError: the text breaks a convention, a picture is missing, or a formula cannot be read.
    """
    fragment = _pandoc(markdown, "html", Path(folder), ["--mathml", "--shift-heading-level-by=1", "--id-prefix="])
    contents, _, body = fragment.partition(_CONTENTS_END)
    body = re.sub(r'<img src="([^"]+)"', lambda match: f'<img src="{_data_uri(Path(folder) / html.unescape(match[1]))}"', body)
    style = _style(fragment)
    return _template("report.html.jinja", autoescape=True).render(
        metadata=_plain(metadata),
        body=body,
        contents=contents,
        contents_narrow=re.sub(r' id="[^"]*"', "", contents),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        manifest=_script_json(metadata.get("manifest", {})),
    )


def to_pdf(markdown: str, *, metadata: Mapping[str, Any], folder: str | Path, timestamp: int = 0) -> bytes:
    """Return `markdown` as a tagged PDF (PDF/UA-1 and PDF/A-2a); pictures are read from `folder`.

    Args:
        markdown: the text.
        metadata: see the docstring of this module.
        folder: where the paths of the pictures start.
        timestamp: the creation date that the PDF states, in seconds since 1970; the standards ask for one.

    Raises:
        TypesettingError: the text breaks a convention, a picture is missing, or Typst reports an error or a warning.
    """
    body = _pandoc(markdown, "typst", Path(folder), [])
    source = _template("report.typ.jinja", autoescape=False).render(
        metadata=json.dumps(_plain(metadata), ensure_ascii=False, sort_keys=True), body=body, math_font=webfonts.MATH_FAMILY
    )
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(webfonts.MATH_FOLDER)])
    try:
        compiler = typst.Compiler(source.encode(), root=str(folder), font_paths=fonts, ignore_system_fonts=True)
        pdf, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=PDF_STANDARDS, timestamp=timestamp)
    except typst.TypstError as error:
        raise TypesettingError(f"PDF: {error.message}" + "".join(f"; {hint}" for hint in error.hints)) from None
    if warnings:
        raise TypesettingError("PDF: " + "; ".join(warning.message for warning in warnings))
    return pdf


def _pandoc(markdown: str, target: str, folder: Path, options: list[str]) -> str:
    command = [pypandoc.get_pandoc_path(), "--from=markdown-native_divs-native_spans", f"--to={target}", "--wrap=none"]
    command += ["--fail-if-warnings", "--syntax-highlighting=none", f"--lua-filter={TEMPLATES / 'filter.lua'}", *options]
    finished = subprocess.run(command, input=markdown, capture_output=True, cwd=folder, encoding="utf-8", check=False)
    if finished.returncode:
        raise TypesettingError(_explain(finished.stderr, markdown))
    return finished.stdout


def _explain(report: str, markdown: str) -> str:
    lines = markdown.splitlines()
    messages = []
    for line in report.splitlines():
        if line.startswith("problem\t"):
            _, text, message = line.split("\t", 2)
            place = next((number for number, content in enumerate(lines, 1) if text.strip() and text.strip() in content), None)
            messages.append(f"line {place}: {message}" if place else message)
    return "\n".join(dict.fromkeys(messages)) or "pandoc: " + report.strip()


def _template(name: str, *, autoescape: bool) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["typst_string"] = _typst_string
    return environment.get_template(name)


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    text = {key: str(metadata.get(key) or "") for key in ("title", "author", "student_id", "course", "date", "edition", "digest")}
    facts = [(label, text[key]) for key, label in _FACTS.items() if text[key] and key != "course"]
    sources = [str(source) for source in metadata.get("sources", [])]
    return text | {
        "language": str(metadata.get("language") or "en"),
        "facts": facts,
        "sources": sources,
        "keywords": [str(keyword) for keyword in metadata.get("keywords", [])],
        "description": ", ".join(filter(None, [text["title"], text["course"], text["edition"]])),
    }


def _typst_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{escaped}"'


def _script_json(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data_uri(path: Path) -> str:
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _style(body: str) -> str:
    text, math = html.unescape(re.sub(r"<[^>]+>", "", body)), html.unescape("".join(re.findall(r"<math.*?</math>", body, flags=re.DOTALL)))
    return (TEMPLATES / "style.css").read_text(encoding="utf-8") + webfonts.font_faces(text=text, math=math)
