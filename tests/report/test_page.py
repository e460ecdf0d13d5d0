"""The built report as a page, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.report import checks_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks_page.chromium() as started:
        yield started


# Accessibility of the whole page takes minutes; test_typesetting.py has a page with one of each thing.
CHECKS = [pytest.param(check, marks=pytest.mark.long if check is checks_page.is_accessible else ()) for check in checks_page.CHECKS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_page(check: Callable[[Browser, Path], None], browser: Browser, built_report: Path) -> None:
    check(browser, built_report / "report.html")
