"""What stands beside the report for other programs: ``numbers.csv`` and ``claims.json`` of all studies."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.common import job, storage
from scripts.common.errors import UserError


class UnsupportedClaimError(UserError):
    """A claim that is not supported in a report that is strict."""


def join(texts: Mapping[str, str]) -> str:
    """Return the CSV texts of several studies, by their names, as one: with one header, sorted by the names as their rows are."""
    first, *others = (texts[name] for name in sorted(texts))
    return first + "".join(text.partition("\n")[2] for text in others)


def check(claims: Sequence[Mapping[str, Any]], *, strict: bool) -> None:
    """Check that all claims are supported, where the report is strict.

    Raises:
        UnsupportedClaimError: one is not, and `strict` is set.
    """
    failed = [f"{claim['study']}.{claim['id']} is {claim['verdict']}" for claim in claims if claim["verdict"] != "supported"]
    if strict and failed:
        told = "; ".join(failed)
        raise UnsupportedClaimError(f"strict: true, and not every claim is supported: {told}; correct the text or set strict: false")


if __name__ == "__main__":
    with job.run(snakemake) as running:
        claims = [claim for content in running.load_each("claims").values() for claim in content["claims"]]
        check(claims, **running.settings)
        storage.save_text(snakemake.output.numbers, join(running.load_each("numbers")))
        storage.save_text(snakemake.output.claims, json.dumps({"claims": claims}, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
