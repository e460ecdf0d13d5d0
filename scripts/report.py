"""The report, as HTML or as PDF: chapters filled with figures, tables, values and verdicts, and typeset."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.common import chapter, job, numbers, published, storage, typesetting
from scripts.common.chapter import Content
from scripts.common.findings import Runs
from scripts.common.places import BIBLIOGRAPHY, PREFACE, PROJECT, chapter_path
from scripts.common.recipe import Source


def markdown(
    *,
    report: Mapping[str, Any],
    studies: Mapping[str, Mapping[str, Any]],
    figures: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, Mapping[str, Any]],
    claims: Mapping[str, list[dict[str, Any]]],
    texts: Mapping[str, str],
) -> str:
    """Return the whole report as one Markdown text.

    Args:
        report: the report's configuration.
        studies: configuration of each study, in order.
        figures: each figure by ``study/figure``.
        tables: each table by ``study/table``.
        claims: the records of the claims of each study.
        texts: the numbers of each study, as CSV text.
    """
    solutions = report["edition"] == "solutions"
    parts: list[str] = []
    for study, settings in studies.items():
        runs = Runs(numbers.from_csv(texts[study]), **report["bootstrap"]) if solutions else None
        content = Content(
            study=study,
            settings=settings,
            solutions=solutions,
            figures=_of_study(figures, study),
            tables=_of_study(tables, study),
            claims={record["id"]: record for record in claims.get(study, [])},
            runs=runs,
        )
        if not parts:
            parts.append(_rendered(PREFACE, content))
        title = f"# {chapter.plain(settings['title'])} {{#sec:{study}}}"
        parts.append(f"{title}\n\n{_rendered(chapter_path(study), content)}")
    return "\n\n".join(parts)


def typeset(
    text: str,
    *,
    kind: str,
    report: Mapping[str, Any],
    studies: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, Any]],
    manifest: Mapping[str, Any],
    record: Mapping[str, str],
    digest: str,
    fonts: Path,
) -> bytes:
    """Return the report as the bytes of an HTML file (`kind` "html"), with its explorers and with fonts kept in `fonts`, or of a PDF.

    The HTML carries the `manifest` and the `record` of its claims and numbers.
    """
    keys = ("title", "author", "student_id", "course", "date", "edition")
    metadata = {key: report[key] for key in keys} | {
        "keywords": [report["course"], report["edition"], f"student {report['student_id']}", report["date"]],
        "language": "en",
        "sources": [source for settings in studies.values() for source in settings["sources"]],
        "manifest": manifest,
        "record": record,
        "digest": digest,
    }
    papers = PROJECT / BIBLIOGRAPHY
    if kind == "html":
        explorers = {known["picture"]: known["explorer"] for known in figures.values() if known["explorer"]}
        return typesetting.to_html(text, metadata=metadata, folder=PROJECT, papers=papers, fonts=fonts, explorers=explorers).encode()
    return typesetting.to_pdf(text, metadata=metadata, folder=PROJECT, papers=papers, timestamp=_midnight(report["date"]))


def with_provenance(
    words: Mapping[str, Mapping[str, Any]], manifest: Mapping[str, Any], pictures: Mapping[str, Source]
) -> dict[str, dict[str, Any]]:
    """Return the words of each figure or table, with its picture, the link to its numbers and how it was made.

    Raises:
        DamagedError: a picture is not the one that its words were written for.
    """
    found = {}
    for name, known in words.items():
        made = dict(known) | {"provenance": manifest.get(name)}
        if name in pictures:
            made |= {"picture": pictures[name].path, "data": f"data/{name}.csv"}
            if storage.file_sha256(made["picture"]) != known["sha256"]["svg"]:
                raise storage.DamagedError(made["picture"], "altered since it was drawn")
        found[name] = made
    return found


def _midnight(date: str) -> int:
    """Return the start of the report's day, in seconds since 1970, or 0 where the date is no ISO date: a PDF must state a time."""
    try:
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def _of_study(words: Mapping[str, Mapping[str, Any]], study: str) -> dict[str, Mapping[str, Any]]:
    return {name.partition("/")[2]: known for name, known in words.items() if name.startswith(f"{study}/")}


def _rendered(path: str, content: Content) -> str:
    return chapter.render((PROJECT / path).read_text(encoding="utf-8"), content, place=path)


if __name__ == "__main__":
    with job.run(snakemake) as running:
        settings, inputs = running.settings, running.recipe.inputs
        solutions = settings["report"]["edition"] == "solutions"
        manifest = {key: value for key, value in running.load("manifest").items() if key != "commit"} if solutions else {}
        figures = with_provenance(running.load_each("figures"), manifest.get("figures", {}), inputs["pictures"])
        claims = {study: content["claims"] for study, content in running.load_each("claims").items()} if solutions else {}
        texts = running.load_each("numbers") if solutions else {}
        text = markdown(
            report=settings["report"],
            studies=settings["studies"],
            figures=figures,
            tables=with_provenance(running.load_each("tables"), manifest.get("tables", {}), {}) if solutions else {},
            claims=claims,
            texts=texts,
        )
        fonts = Path(snakemake.output[0]).parents[1] / "font"
        record = published.record(settings=settings, claims=claims, texts=texts) if solutions and settings["kind"] == "html" else {}
        product = typeset(text, figures=figures, manifest=manifest, record=record, digest=running.digest, fonts=fonts, **settings)
        storage.write_atomically(Path(snakemake.output[0]), lambda file: file.write(product))
