"""Whole builds compared: a results folder with another one, or with a published report."""

import filecmp
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.common import numbers, pages, published, storage
from scripts.common.comparison import (
    NAMED,
    TOLERANCE,
    Item,
    Sides,
    Status,
    compare_arrays,
    compare_claims,
    compare_drawings,
    compare_groups,
    compare_numbers,
    compare_tables_of_numbers,
    compare_values,
    first_difference,
    leaves,
    missing,
    with_rest,
    worst,
)
from scripts.common.comparison_pages import compare_pages, compare_pdfs
from scripts.common.errors import UserError

NOT_COMPARED = frozenset({"benchmark", "checksum", "comparison", "font", "log", "recipe", "resume"})
"""Folders of a build that hold what is not its result; what checksums are of is compared itself."""
CARRIED = ("settings", "claims")
"""What a page carries that is not compared elsewhere."""


def compare_folders(this: Path, that: Path, *, sides: Sides, tolerance: float = TOLERANCE) -> tuple[list[Item], list[str]]:
    """Compare the results folder `this` with a build from nothing, `that`.

    Returns:
        What was compared, and the files of `this` that the build does not make: they are left from builds of something else.

    Raises:
        UserError: `that` is not a whole build.
    """
    made, present = (dict.fromkeys(_files(folder)) for folder in (that, this))
    commits = _commit(this), _commit(that)
    found: list[Item] = []
    figures = {_figure_of(name) for name in made} - {""}
    found += [_compare_figure(name, this, that, sides=sides, tolerance=tolerance) for name in sorted(figures)]
    for name in made:
        if _figure_of(name):
            continue
        if name not in present:
            found.append(missing(_kind_of(name), name, sides, here=False))
            continue
        try:
            found += _compare_file(name, this / name, that / name, commits=commits, sides=sides, tolerance=tolerance)
        except UserError as error:
            found.append(Item(_kind_of(name), name, Status.DIFFERENT, (str(error),)))
    found += _misstated(this, that, sides)
    folders = {name.partition("/")[0] for name in made}
    return found, [name for name in present if name not in made and name.partition("/")[0] in folders]


def compare_published(path: Path, built: Path, *, sides: Sides, tolerance: float = TOLERANCE) -> list[Item]:
    """Compare a published page with the results folder of a build.

    Raises:
        UserError: the page is no report, or carries no record; or `built` is not a whole build.
    """
    page, own = pages.read_html(path), pages.read_html(built / "report/report.html")
    if page.record is None or own.record is None:
        which = path if page.record is None else built / "report/report.html"
        raise UserError(f"{which}: carries no claims and numbers: it is an assignment, or was made before reports did; name another report")
    claims, table = claims_of(built), numbers_of(built)
    found = compare_claims(_claims(page.record["claims"], str(path)), claims, sides=sides, tolerance=tolerance)
    if "numbers" in page.record:
        remedy = "take the file as it was published"
        texts = page.record["numbers"]
        tables = [_table(texts[study], str(path), remedy) for study in sorted(texts)] if isinstance(texts, dict) else []
        if not tables:
            raise UserError(f"{path}: its numbers are damaged (they are not those of studies); {remedy}")
        found += compare_numbers(pd.concat(tables), table, sides=sides, tolerance=tolerance)
    else:
        found += compare_groups(
            published.groups(page.record, str(path)), published.described(table).astype(str).astype({"count": int}), sides=sides
        )
    found += compare_pages(page, own, sides=sides, tolerance=tolerance)
    status, details = compare_values(page.manifest, own.manifest, sides=sides, tolerance=tolerance)
    found.append(Item("manifest", "manifest in the page", status, with_rest(details[:NAMED], len(details))))
    if worst(found) is Status.IDENTICAL and path.read_bytes() != (built / "report/report.html").read_bytes():
        found.append(Item("page", "report.html", Status.DIFFERENT, ("the same content in other bytes",)))
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds but for its own checksum, altered or not: what was altered is what is looked for.

    Raises:
        UserError: it cannot be read, or holds no object of JSON.
    """
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("it holds no keys")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); build the report first") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error}); delete it (rm {path}) and build again") from None
    return {key: value for key, value in content.items() if key != "checksum"}


def claims_of(results: Path) -> list[dict[str, Any]]:
    """Return the records of the claims of a build.

    Raises:
        UserError: they are missing or damaged.
    """
    path = results / "report/claims.json"
    return _claims(read_json(path).get("claims"), str(path))


def numbers_of(results: Path) -> pd.DataFrame:
    """Return the numbers of a build.

    Raises:
        UserError: they are missing or damaged.
    """
    path = results / "report/numbers.csv"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); build the report first") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: damaged ({error}); delete it (rm {path}) and build again") from None
    return _table(text, str(path), f"delete it (rm {path}) and build again")


def _table(text: Any, place: str, remedy: str) -> pd.DataFrame:
    try:
        table = numbers.from_csv(text)
        if list(table.columns) != list(numbers.TYPES) or not isinstance(table.index, pd.RangeIndex):
            raise ValueError(f"columns {', '.join(map(str, table.columns))} instead of {', '.join(numbers.TYPES)}")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f"{place}: damaged ({' '.join(str(error).split())}); {remedy}") from None
    return table


def _claims(content: Any, place: str) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not all(
        isinstance(claim, dict) and {"study", "id", "verdict"} <= claim.keys() for claim in content
    ):
        raise UserError(
            f"{place}: its claims are damaged (each needs a study, an id and a verdict); build again, or take it as it was published"
        )
    return content


def _files(folder: Path) -> list[str]:
    """Return the files of a results folder that are results, by their path in it."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.as_posix() for path in paths if path.parts[0] not in NOT_COMPARED and not path.name.startswith(".")]


def _kind_of(name: str) -> str:
    kinds = {"report/numbers.csv": "number", "report/claims.json": "claim", "report/manifest.json": "manifest"}
    kinds |= {f"report/report.{kind}": "page" for kind in ("html", "pdf")}
    if name.endswith(".npz"):
        return "array"
    return kinds.get(name, "table" if name.startswith("table/") else "file")


def _figure_of(name: str) -> str:
    """Return the name of the figure that a file is of, "" for none."""
    for folder in ("figure/", "report/data/"):
        if name.startswith(folder):
            return name.removeprefix(folder).rpartition(".")[0]
    return ""


def _compare_figure(name: str, this: Path, that: Path, *, sides: Sides, tolerance: float) -> Item:
    """Compare a figure: its picture, the numbers that it shows, its words and its explorer."""
    files = [f"figure/{name}.svg", f"report/data/{name}.csv", f"figure/{name}.json"]
    lost = [file for file in files if not (this / file).is_file() or not (that / file).is_file()]
    if lost:
        return missing("figure", f"{name} ({', '.join(lost)})", sides, here=not all((that / file).is_file() for file in lost))
    if all(filecmp.cmp(this / file, that / file, shallow=False) for file in files):
        return Item("figure", name, Status.IDENTICAL)
    texts = [[_text(folder / file) for folder in (this, that)] for file in files]
    status, details = compare_drawings(*texts[0], sides=sides, tolerance=tolerance)
    drawn = texts[0][0] != texts[0][1]
    data = compare_tables_of_numbers(*texts[1], sides=sides, tolerance=tolerance)
    try:
        words = compare_values(*(read_json(folder / files[2]) for folder in (this, that)), sides=sides, tolerance=tolerance)
    except UserError as error:
        words = Status.DIFFERENT, [str(error)]
    pictures = (pages.address(texts[0][0]), pages.address(texts[0][1])) if drawn else None
    told = [*details, *data[1], *words[1]]
    return Item("figure", name, max(status, data[0], words[0]), with_rest(told[: 2 * NAMED], len(told)), pictures=pictures)


def _compare_file(name: str, this: Path, that: Path, *, commits: tuple[str, str], sides: Sides, tolerance: float) -> list[Item]:
    kind = _kind_of(name)
    of: dict[str, Any] = {"sides": sides, "tolerance": tolerance}
    if kind == "array":
        return compare_arrays(name, this, that, **of)
    if kind == "number":
        found = compare_numbers(*(numbers_of(path.parents[1]) for path in (this, that)), **of)
    elif kind == "claim":
        found = compare_claims(*(claims_of(path.parents[1]) for path in (this, that)), **of)
    elif filecmp.cmp(this, that, shallow=False):
        found = [Item(kind, name, Status.IDENTICAL)]
    elif name == "report/report.pdf":
        found = compare_pdfs(this, that, sides=sides)
    elif name == "report/report.html":
        found = _compare_html(this, that, **of)
    elif name.endswith(".json"):
        contents = [without_commit(read_json(path), commit) for path, commit in zip((this, that), commits, strict=True)]
        status, details = compare_values(*contents, **of)
        found = [Item(kind, name, status, with_rest(details[:NAMED], len(details)))]
        if commits[0] != commits[1]:
            return found
    else:
        status, details = compare_tables_of_numbers(*(_text(path) for path in (this, that)), **of)
        found = [Item(kind, name, status, tuple(details))]
    return _or_bytes(found, name, this, that, sides=sides)


def _compare_html(this: Path, that: Path, *, sides: Sides, tolerance: float) -> list[Item]:
    page, own = pages.read_html(this), pages.read_html(that)
    found = compare_pages(page, own, sides=sides, tolerance=tolerance)
    carried = [{"manifest": one.manifest} | {key: (one.record or {}).get(key) for key in CARRIED} for one in (page, own)]
    status, details = compare_values(*carried, sides=sides, tolerance=tolerance)
    if status:
        found.append(Item("page", "report.html, what it carries of its build", status, with_rest(details[:NAMED], len(details))))
    return found


def _or_bytes(found: list[Item], name: str, this: Path, that: Path, *, sides: Sides) -> list[Item]:
    """Return what was found, and where that is nothing, whether the bytes differ nevertheless."""
    if worst(found) is Status.IDENTICAL and not filecmp.cmp(this, that, shallow=False):
        told = first_difference(_text(this), _text(that), sides) if not name.endswith(".pdf") else ""
        return [*found, Item(_kind_of(name), name, Status.DIFFERENT, ("the same content in other bytes", *([told] if told else [])))]
    return found


def without_commit(value: Any, commit: str) -> Any:
    """Return a value of JSON with a commit, as a manifest names it, left out wherever it stands.

    The key ``commit`` goes with it, and so do checksum and size of the manifest, which differ where it does.
    """
    if isinstance(value, Mapping):
        left_out = ("commit", "sha256", "contentSize") if value.get("@id") == "manifest.json" else ("commit",)
        return {key: without_commit(part, commit) for key, part in value.items() if key not in left_out}
    if isinstance(value, list):
        return [without_commit(part, commit) for part in value]
    return value.replace(commit, "<commit>") if isinstance(value, str) and len(commit) >= 40 else value


def _commit(folder: Path) -> str:
    try:
        return str(read_json(folder / "report/manifest.json").get("commit", ""))
    except UserError:
        return ""


def _misstated(this: Path, that: Path, sides: Sides) -> list[Item]:
    """Return the checksums of the manifest of `this` that are neither those of the build nor those of the files beside it."""
    try:
        one, other = (dict(leaves(read_json(folder / "report/manifest.json"))) for folder in (this, that))
    except UserError:
        return []  # told where the manifest itself is compared
    found = []
    for key, value in one.items():
        if value == other.get(key) or not re.search(r"\bsha256$|\.inputs\.", key):
            continue
        name = one.get(f"{key.removesuffix('.sha256')}.file") if key.endswith(".sha256") else key.partition(".inputs.")[2]
        path = _below(this, str(name))
        if path is None or storage.file_sha256(path) != value:
            found.append(f"{key}: says {str(value)[:12]}, which is not the checksum of that file in {sides.this}")
    return [Item("manifest", "checksums", Status.DIFFERENT, with_rest(found[:NAMED], len(found)))] if found else []


def _below(folder: Path, name: str) -> Path | None:
    """Return the file of a results folder that `name`, a path from the project's root, stands for."""
    parts = Path(name).parts
    candidates = (folder.joinpath(*parts[place:]) for place in range(1, len(parts)))
    return next((path for path in candidates if ".." not in parts and path.is_file()), None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="backslashreplace")
