"""What a report in HTML carries of the build that made it: its manifest, its claims, and its numbers or digests of them.

The manifest stands in the page as JSON. The *record*, which has the claims, the settings and the numbers, is packed: numbers in full
where these are few, and of each group of numbers (a quantity of a variant) a digest with count, least, median and greatest value.
"""

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common import numbers
from scripts.common.errors import UserError

GROUP = ["study", "variant", "quantity"]
MOST_NUMBERS = 60_000
"""Numbers stand in a page in full where they take no more bytes than this, compressed."""
LARGEST_PAGE, LARGEST_RECORD = 200_000_000, 100_000_000
"""Bytes that are read of a page, and that its record may have once unpacked."""
PACKED = "gzip, base64"


def record(*, settings: Mapping[str, Any], claims: Mapping[str, Sequence[Mapping[str, Any]]], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the record of a report, packed, as a page carries it.

    Args:
        settings: the settings of the job: ``report`` and ``studies``, and others that are left out.
        claims: the records of the claims of each study.
        texts: the numbers of each study, as CSV text.
    """
    groups = [row for study in sorted(texts) for row in described(numbers.from_csv(texts[study])).itertuples(index=False)]
    full = {study: texts[study] for study in sorted(texts)}
    content: dict[str, Any] = {
        "settings": {key: settings[key] for key in ("report", "studies")},
        "claims": [claim for records in claims.values() for claim in records],
        "groups": groups,
    }
    if len(gzip.compress(json.dumps(full).encode(), 6)) <= MOST_NUMBERS:
        content["numbers"] = full
    packed = gzip.compress(json.dumps(content, sort_keys=True, ensure_ascii=False).encode(), 9, mtime=0)
    return {"encoding": PACKED, "content": base64.b64encode(packed).decode()}


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each group of numbers how many there are, a digest of them, and the least, median and greatest.

    Returns:
        A table with the columns study, variant, quantity, count, digest, least, median, greatest; the last three are text, to six digits.
    """
    found = []
    for names, rows in table.groupby(GROUP, sort=True):
        values = rows["value"].to_numpy(dtype=np.float64)
        finite = values[~np.isnan(values)]
        ends = [float(end(finite)) if finite.size else float("nan") for end in (np.min, _middle, np.max)]
        found.append([*(names if isinstance(names, tuple) else (names,)), len(values), _digest(rows), *(f"{end:.6g}" for end in ends)])
    return pd.DataFrame(found, columns=[*GROUP, "count", "digest", "least", "median", "greatest"])


def unpack(found: Any, place: str) -> dict[str, Any]:
    """Return the content of a packed record that stands in the page `place`.

    Raises:
        UserError: it is damaged, or larger than any report's.
    """
    try:
        packed = base64.b64decode(found["content"], validate=True)
        reader = zlib.decompressobj(wbits=31)
        text = reader.decompress(packed, LARGEST_RECORD)
        if reader.unconsumed_tail:
            raise UserError(
                f"{place}: its record is larger than {LARGEST_RECORD:,} bytes, as no report's is; take the file as it was published"
            )
        content = json.loads(text)
        parts = [content["settings"]["report"], content["settings"]["studies"], content["claims"], content["groups"]]
        if not reader.eof or [type(part) for part in parts] != [dict, dict, list, list]:
            raise ValueError("it is cut off or not whole")
    except (TypeError, KeyError, AttributeError, ValueError, binascii.Error, zlib.error, RecursionError) as error:
        raise UserError(f"{place}: its record of numbers and claims is damaged ({error}); take the file as it was published") from None
    return dict(content)


def groups(content: Mapping[str, Any], place: str) -> pd.DataFrame:
    """Return the groups of numbers of an unpacked record, as `described` gives them.

    Raises:
        UserError: they are not what a report carries.
    """
    columns = [*GROUP, "count", "digest", "least", "median", "greatest"]
    try:
        return pd.DataFrame([[str(cell) for cell in row] for row in content["groups"]], columns=columns).astype({"count": int})
    except (TypeError, ValueError) as error:
        raise UserError(f"{place}: its digests of numbers are damaged ({error}); take the file as it was published") from None


def read_page(path: str | Path) -> str:
    """Return the text of a page of HTML.

    Raises:
        UserError: there is no such file, or it is no text, or far larger than a report.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_PAGE:
            raise UserError(
                f"{path}: has {path.stat().st_size:,} bytes; a report has less than {LARGEST_PAGE:,}: name the report.html of a build"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name the report.html of a build") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a page of HTML in UTF-8; name the report.html of a build") from None
    return text


def _middle(values: np.ndarray[Any, Any]) -> float:
    return float(np.sort(values)[len(values) // 2])


def _digest(rows: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    digest.update(rows["replica"].to_numpy(dtype=np.int64).tobytes())
    digest.update(rows["step"].fillna(-1).to_numpy(dtype=np.int64).tobytes())
    digest.update("\0".join(rows["index"]).encode())
    digest.update(rows["value"].to_numpy(dtype=np.float64).tobytes())
    return digest.hexdigest()[:16]
