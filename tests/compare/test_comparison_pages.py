import pytest

from scripts.common import pages
from scripts.common.comparison import Sides, Status, worst
from scripts.common.comparison_pages import changed_blocks, changed_words, compare_pages, told_change
from scripts.common.errors import UserError
from scripts.common.pages import Block
from tests.compare.made_up import CLAIM, PAGE, RECORD, SVG

SIDES = Sides("report", "commit")


def read(tmp_path, text=PAGE):
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    return pages.read_html(tmp_path / "page.html")


def test_a_page_is_read_into_what_it_says_and_shows(tmp_path):
    page = read(tmp_path)
    assert page.blocks == [
        Block("First", "First"),
        Block("First", "Two networks learn & forget."),
        Block("First", "run | loss"),
        Block("First", "wide | 0.1"),
        Block("First", "Figure 1. Losses."),
        Block("Second", "Second"),
        Block("Second", "one"),
        Block("Second", "two"),
        Block("Second", "x y"),
    ]
    assert [block.text for block in page.how_made] == ["How this figure was made", "Rule figure, digest 12.", "Built from recipe abc"]
    assert page.pictures == {"fig:curves": pages.address(SVG)}
    assert page.captions == {"fig:curves": "Figure 1. Losses."}
    assert page.explorers == {"explorer-fig:curves": '{"panels": []}'}
    assert page.manifest == {"figures": {}}
    assert page.record["settings"] == {"report": {}, "studies": {}}
    assert page.record["claims"] == [CLAIM]
    assert len(page.other) == 2


@pytest.mark.parametrize(
    ("old", "new", "name", "words"),
    [
        ("Two <em>", "Both <em>", "report.html, under 'First'", "report Both networks learn & forget., commit Two networks"),
        ("<td>0.1", "<td>0.2", "report.html, under 'First'", "report wide | 0.2, commit wide | 0.1"),
        ("<li>two</li>", "", "report.html, under 'Second'", "only in commit: two"),
        (pages.address(SVG), pages.address(SVG.replace("4.5", "8.5")), "report.html, picture fig:curves", "picture: from letter"),
        ('id="fig:curves"', 'id="fig:other"', "report.html, picture fig:curves", "only in commit"),
        ('"panels": []', '"panels": [1]', "report.html, explorer-fig:curves", "from letter"),
        ("digest 12", "digest 13", "report.html, how things were made", "digest 13."),
        ("color: red", "color: blue", "report.html, styles, fonts and scripts", "not the same"),
        ("start()", "stop()", "report.html, styles, fonts and scripts", "not the same"),
    ],
)
def test_each_difference_of_two_pages_is_named(tmp_path, old, new, name, words):
    assert old in PAGE
    own = read(tmp_path)
    assert worst(compare_pages(own, read(tmp_path), sides=SIDES)) is Status.IDENTICAL
    found = [item for item in compare_pages(read(tmp_path, PAGE.replace(old, new)), own, sides=SIDES) if item.status]
    assert found[0].name == name
    assert words in " ".join(found[0].details)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html></html>", "is not a report of this project"),
        (PAGE.replace('{"figures": {}}', "{"), "what it says of how it was made is damaged"),
        (PAGE.replace('{"figures": {}}', "[1]"), "what it says of how it was made is damaged"),
        (PAGE.replace(RECORD["content"], "!"), "its record of numbers and claims is damaged"),
        (PAGE.replace(RECORD["content"][:40], ""), "its record of numbers and claims is damaged"),
    ],
)
def test_what_is_no_report_is_an_error(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        read(tmp_path, text)


def test_a_page_without_a_record_is_read(tmp_path):
    assert read(tmp_path, PAGE.replace('id="record"', 'id="another"')).record is None


def test_a_pdf_that_is_none_is_an_error(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 and no more")
    with pytest.raises(UserError, match="cannot be read as a PDF"):
        pages.changed_pages(tmp_path / "a.pdf", tmp_path / "a.pdf")


def test_words_that_changed_are_marked():
    assert changed_words("the old word stays", "the new word stays") == [
        ("same", "the "),
        ("removed", "old"),
        ("added", "new"),
        ("same", " word stays"),
    ]


@pytest.mark.parametrize(("this", "that"), [("a b c", "a x c d"), ("", "new"), ("gone", ""), ("same", "same"), ("a  b\n", "a b")])
def test_both_texts_can_be_had_back_from_the_marked_words(this, that):
    words = changed_words(this, that)
    assert "".join(text for kind, text in words if kind != "added") == this
    assert "".join(text for kind, text in words if kind != "removed") == that


def test_a_paragraph_without_end_is_not_compared_word_by_word():
    assert [kind for kind, _ in changed_words("a " * 30_000, "b " * 30_000)] == ["removed", "added"]


def test_a_long_paragraph_is_told_from_where_it_changes():
    (change,) = changed_blocks([Block("s", "word " * 100 + "end of it")], [Block("s", "word " * 100 + "start of it")])
    told = told_change(change, SIDES)
    assert "end of it" in told
    assert "start of it" in told
    assert len(told) < 200
