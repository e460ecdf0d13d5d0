"""The built report as a PDF."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report import checks_pdf


@pytest.mark.parametrize("check", checks_pdf.CHECKS, ids=lambda check: check.__name__)
def test_pdf(check: Callable[[Path], None], built_report: Path) -> None:
    check(built_report / "report.pdf")


def test_numbers_are_those_of_the_page(built_report: Path) -> None:
    checks_pdf.has_the_numbers_of(built_report / "report.pdf", built_report / "report.html")
