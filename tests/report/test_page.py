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


@pytest.mark.parametrize("check", checks_page.CHECKS, ids=lambda check: check.__name__)
def test_page(check: Callable[[Browser, Path], None], browser: Browser, built_report: Path) -> None:
    check(browser, built_report / "report.html")
