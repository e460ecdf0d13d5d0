"""The HTML report in a browser, on all cores: the time to its first paint, and to the first explorer that can be used."""

import os
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.comparison import Comparison
from scripts.common.places import PROJECT

REPORT = PROJECT / "results/report/report.html"
MOST_SECONDS = 2.0
RUNS = 7
WATCH = """
    document.addEventListener("DOMContentLoaded", () => {
        const data = document.querySelector('script[id^="explorer-"]');
        const figure = document.getElementById(data.id.replace("explorer-", ""));
        new MutationObserver(() => {
            if (figure.querySelector(".explorer[data-ready]")) window.usable ??= performance.now();
        }).observe(figure, {subtree: true, childList: true, attributes: true});
        figure.scrollIntoView();
    });
"""
"""Scrolls to the first explorer as soon as the page is read, and records when it is ready."""


def comparisons() -> list[Comparison]:
    """Open the built report in fresh windows; the reader scrolls to the first explorer at once."""
    if not REPORT.is_file():
        print(f"{REPORT.relative_to(PROJECT)} is missing; run `make report` before this benchmark")
        return []
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        times = [_opened(browser, REPORT) for _ in range(RUNS + 1)][1:]
        browser.close()
    size = REPORT.stat().st_size / 1e6
    works = (f"first paint of the report, {size:.1f} MB", "first explorer that can be used")
    limit = f"the line of {MOST_SECONDS:g} s"
    medians = [statistics.median(seconds) for seconds in zip(*times, strict=True)]
    return [Comparison(work, limit, MOST_SECONDS, seconds, at_least=1) for work, seconds in zip(works, medians, strict=True)]


def _opened(browser: Browser, file: Path) -> tuple[float, float]:
    """Return the seconds from opening a page to its first paint and to its first explorer."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(file.as_uri(), wait_until="commit")
    page.wait_for_selector(".explorer[data-ready]")
    painted: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    usable: float = page.evaluate("usable")
    context.close()
    return painted / 1e3, usable / 1e3
