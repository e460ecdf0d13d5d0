import re

import pytest

from scripts.common import comparison_report
from scripts.common.changes import Changes, ClaimChange, FigureChange, NumberChange
from scripts.common.comparison import Item, Sides, Status
from scripts.common.comparison_pages import Change
from scripts.common.statistics import Interval
from tests.compare.made_up import CLAIM
from tests.report import checks_page

SIDES = Sides("results", "commit")
ATTACK = "</style><script>document.title = 'run'</script><img src=x onerror=alert(1)>\x1b[2J\u202e&amp;"
PICTURE = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5IDkiLz4="
FACTS = [("Commit", "abc"), (ATTACK, ATTACK)]
TOLD = {"facts": FACTS, "notes": [ATTACK]}


def items(words):
    return [
        Item("number", "", Status.IDENTICAL, count=1234),
        Item("array", f"train/{words}", Status.WITHIN, (words,)),
        Item("figure", words, Status.DIFFERENT, (words,), pictures=(PICTURE, "javascript:alert(1)")),
        Item("claim", f"one.{words}", Status.DIFFERENT, (words,), flipped=True),
    ]


def changes(words):
    interval = Interval(0.5, 0.4, 0.6)
    return Changes(
        settings=[(words, words, {words: words})],
        claims=[ClaimChange(words, CLAIM | {"statement": words}, CLAIM | {"verdict": "refuted", "statement": words})],
        numbers=[NumberChange(words, words, interval, None, float("inf"), 1, 2)],
        figures=[FigureChange(words, words, PICTURE, PICTURE), FigureChange(words, words, "", "http://example.org/x.svg")],
        text=[Change(words, words, f"{words} more"), Change(words, "", words)],
    )


def verification(words):
    return comparison_report.verification_page(items(words), **TOLD, sides=SIDES, tolerance=1e-6)


def differences(words):
    return comparison_report.changes_page(changes(words), **TOLD, sides=SIDES)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "identical: every item is the same"),
        ([Item("array", "a", Status.WITHIN)], "within tolerance: some items differ, by numbers that agree within 1e-06"),
        (items("a"), "different: 2 items, 1 verdict flipped"),
    ],
)
def test_the_result_is_told_in_words(found, words):
    assert comparison_report.result(found, 1e-6) == words


def test_flipped_claims_stand_first_in_the_text():
    text = comparison_report.verification_text(items("a"), facts=[("Commit", "abc")], notes=["mind"], tolerance=1e-6)
    lines = text.splitlines()
    assert lines[:5] == ["Commit: abc", "Note: mind", "", "FLIPPED    claim one.a", "    a"]
    assert "numbers                                  1,234           0           0" in lines
    assert lines[-1] == "Result: different: 2 items, 1 verdict flipped"


def test_the_text_has_nothing_that_a_terminal_obeys():
    for text in (
        comparison_report.verification_text(items(ATTACK), **TOLD, tolerance=1e-6),
        comparison_report.changes_text(changes(ATTACK), **TOLD, sides=SIDES),
    ):
        assert all(letter == "\n" or letter.isprintable() for letter in text)
        assert "onerror" in text


def test_many_items_are_counted():
    found = [Item("table", f"t{place}", Status.DIFFERENT) for place in range(500)]
    told = {"facts": [], "notes": [], "tolerance": 1e-6}
    assert "and 460 more, which the page lists" in comparison_report.verification_text(found, **told)
    assert "And 100 more." in comparison_report.verification_page(found, sides=SIDES, **told)


def test_nothing_changed_is_said():
    nothing = Changes([], [], [], [], [])
    assert comparison_report.changes_text(nothing, facts=[], notes=[], sides=SIDES) == "\nResult: nothing changed\n"
    assert "nothing changed" in comparison_report.changes_page(nothing, facts=[], notes=[], sides=SIDES)


@pytest.mark.parametrize("made", [verification, differences])
def test_what_is_told_is_text_in_the_page(made):
    page = made(ATTACK)
    assert not re.search(r"<script|<img (?!loading)|javascript:|http:", page)
    assert "&lt;script&gt;" in page
    assert 'src="data:image/svg+xml' in page


@pytest.fixture(scope="module")
def browser():
    with checks_page.chromium() as started:
        yield started


@pytest.mark.parametrize("made", [verification, differences])
def test_a_page_stands_alone_and_fits_a_phone(made, browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(made(ATTACK), encoding="utf-8")
    checks_page.is_silent_and_alone(browser, file)
    checks_page.does_not_scroll_sideways(browser, file)
    with checks_page.opened(browser, file) as page:
        assert page.title() in ("Verification", "What changed between two reports")


@pytest.mark.long
@pytest.mark.parametrize("made", [verification, differences])
def test_a_page_is_accessible(made, browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(made("narrow network"), encoding="utf-8")
    checks_page.is_accessible(browser, file)
