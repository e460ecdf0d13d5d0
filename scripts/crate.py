"""A Workflow Run RO-Crate: what the build made, from what, with what software, in a form that other programs know.

The folder of the report is the crate. Beside what stands there anyway it gets the configuration as it was run, and copies of the texts
that the report was made from.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from scripts.common import job, storage
from scripts.common.digest import DISTRIBUTIONS
from scripts.common.errors import UserError
from scripts.common.places import LICENSE, PROJECT, SNAKEFILE

CRATE = "1.1"
"""The version of RO-Crate that the profiles are for."""
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256", "creditText": "http://schema.org/creditText"}
"""Names that are not in the vocabulary of that version itself."""
SOURCE = "source"
"""Folder of the texts that the report was made from."""
FORMATS = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".css": "text/css",
    ".js": "text/javascript",
}
TEXT = "text/plain"
NAMES = {
    "report.html": "The report as a web page",
    "report.pdf": "The report in print",
    "numbers.csv": "Every number of the report",
    "claims.json": "Every claim of the report with its verdict",
    "manifest.json": "How each figure, table and number was made",
    "configuration.json": "The configuration as it was run",
}
TYPES = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}


def described(folder: Path, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return size, SHA-256 and format of files in a folder, as properties of their entities, by name."""
    return {
        name: {
            "name": NAMES.get(name, name),
            "contentSize": str((folder / name).stat().st_size),
            "sha256": storage.file_sha256(folder / name),
            "encodingFormat": FORMATS.get(Path(name).suffix, TEXT),
        }
        for name in sorted(names)
    }


def crate(
    *,
    report: Mapping[str, Any],
    made: Mapping[str, Mapping[str, str]],
    read: Mapping[str, Mapping[str, str]],
    libraries: Mapping[str, str],
    snakemake_version: str,
    commit: str,
) -> dict[str, Any]:
    """Return the crate's metadata.

    Args:
        report: the report's configuration.
        made: what the build made, by path in the crate: the properties of each file.
        read: what it was made from, likewise.
        libraries: versions of the libraries that the build used, and of Python.
        snakemake_version: the version of Snakemake.
        commit: the commit that it was built from, or "none".
    """
    found = ROCrate(version=CRATE)
    found.metadata.extra_terms.update(TERMS)
    profiles = [_entity(found, link, "CreativeWork", name=name, version=version) for link, (name, version) in PROFILES.items()]
    workflow_path = f"{SOURCE}/{SNAKEFILE}"
    workflow = found.add_workflow(
        dest_path=workflow_path, main=True, lang="snakemake", lang_version=snakemake_version, properties=dict(read[workflow_path])
    )
    workflow["name"] = "The workflow of the report"
    if commit != "none":
        workflow["version"] = commit
    workflow["softwareRequirements"] = [_library(found, package, version) for package, version in sorted(libraries.items())]
    inputs = [found.add_file(dest_path=name, properties=dict(facts)) for name, facts in read.items() if name != workflow_path]
    results = [found.add_file(dest_path=name, properties=dict(facts)) for name, facts in made.items()]
    parameters = [_parameter(found, key, value) for key, value in sorted(_flat(report).items())]
    workflow["input"] = [_formal(found, entity) for entity in (*parameters, found.get("configuration.json"))]
    workflow["output"] = [_formal(found, found.get(name)) for name in NAMES if name in made]
    action = found.add_action(workflow, identifier="#build", object=[*inputs, *parameters], result=results)
    action["name"] = "The build of the report"
    action["description"] = (
        "One run of the workflow: data made, networks trained and measured, claims decided, figures drawn, pages typeset."
    )
    action["actionStatus"] = "http://schema.org/CompletedActionStatus"
    root = found.root_dataset
    root["name"] = report["title"]
    root["description"] = f"{report['title']}: a report, all numbers behind it, and how it was made from its sources."
    root["creditText"] = report["author"]
    root["license"] = found.get(f"{SOURCE}/{LICENSE}")
    root["conformsTo"] = profiles
    root["mentions"] = action
    published = _published(report["date"])
    if published:
        root["datePublished"] = published
    else:
        del root["datePublished"]
    content: dict[str, Any] = found.metadata.generate()
    return content | {"@graph": sorted(content["@graph"], key=lambda entity: str(entity["@id"]))}


def copy(files: Mapping[str, str], folder: Path) -> list[str]:
    """Copy files of the project, given with their SHA-256, to `folder`; return their paths there.

    Raises:
        UserError: one of them was changed since the build was planned.
    """
    for name, sha256 in files.items():
        if storage.file_sha256(PROJECT / name) != sha256:
            raise UserError(f"{name}: changed since this build was planned; run the same command again")
        content = (PROJECT / name).read_bytes()
        storage.write_atomically(folder / name, lambda file, content=content: file.write(content))  # type: ignore[misc]
    return sorted(files)


def _entity(found: ROCrate, link: str, kind: str, **properties: Any) -> ContextEntity:
    return found.add(ContextEntity(found, link, properties={"@type": kind, **properties}))


def _library(found: ROCrate, package: str, version: str) -> ContextEntity:
    if package == "python":
        link = f"https://docs.python.org/{version}/"
        return _entity(found, link, "SoftwareApplication", name="Python", softwareVersion=version, url={"@id": link})
    name = DISTRIBUTIONS.get(package, package)
    link = f"https://pypi.org/project/{name}/{version}/"
    return _entity(found, link, "SoftwareApplication", name=name, softwareVersion=version, url={"@id": link})


def _parameter(found: ROCrate, key: str, value: Any) -> ContextEntity:
    return _entity(found, f"#parameter-{key}", "PropertyValue", name=key, value=value)


def _formal(found: ROCrate, entity: Any) -> ContextEntity:
    """Return the formal parameter of the workflow that an entity is a value of."""
    is_file = entity.id[0] != "#"
    kind = "File" if is_file else TYPES[type(entity["value"])]
    name = entity.id if is_file else entity["name"]
    formal = _entity(found, f"#formal-{name}", "FormalParameter", additionalType=kind, name=name, workExample={"@id": entity.id})
    entity["exampleOfWork"] = formal
    return formal


def _flat(settings: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return settings by their paths, lists as words, without those that are not set."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{place}{key}.")
        elif value is not None:
            found[f"{place}{key}"] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return found


def _published(text: str) -> str | None:
    """Return the date on the title page in the form of ISO 8601: the day, or else the year that it names."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        years = re.findall(r"(?<!\d)\d{4}(?!\d)", text)
        return years[0] if years else None


if __name__ == "__main__":
    with job.run(snakemake) as running:
        folder, settings = Path(snakemake.output.metadata).parent, running.settings
        commit = running.load("manifest")["commit"]
        running.save_json(snakemake.output.configuration, {key: settings[key] for key in ("report", "studies")})
        read = [f"{SOURCE}/{name}" for name in copy(running.recipe.files, Path(snakemake.output.source))]
        made = [Path(source.path).relative_to(folder).as_posix() for group in running.recipe.inputs.values() for source in group.values()]
        content = crate(
            report=settings["report"],
            made=described(folder, made),
            read=described(folder, ["configuration.json", *read]),
            libraries=settings["libraries"],
            snakemake_version=settings["snakemake"],
            commit=commit,
        )
        storage.save_text(snakemake.output.metadata, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
