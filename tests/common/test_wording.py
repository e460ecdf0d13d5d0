import pytest

from scripts.common import wording

KNOWN = {"figure": ["curve"], "table": ["losses"], "claim": ["it_works"], "variant": ["wide", "narrow"], "paper": ["he2015"]}
KNOWN |= {"variant or grid": ["wide", "narrow", "crossed"]}
MEASURED = {"loss": ["wide", "narrow"], "range": ["wide"]}
RIGHT = """\
<# a comment #>
$f(x) = {x}$ << figure("curve") >> << table("losses") >> << value("wide", "loss") >> << setting("narrow", "steps") >>
<% call answer(lines=3) %><< claim("it_works", supported="a", refuted="b", inconclusive="c") >><% endcall %>
<% if solutions %><% set word = "x" %><< word | upper >><% endif %>
"""


@pytest.fixture
def check(tmp_path):
    def check(text, known=KNOWN, measured=MEASURED):
        path = tmp_path / "chapter.md.jinja"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return wording.problems(path, "chapter", known, measured)

    return check


def test_a_right_chapter_has_no_problems(check):
    assert check(RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('figure("curve")', 'figure("curv")', "chapter: line 2: unknown figure 'curv'; known: curve"),
        ('table("losses")', 'table("loss")', "chapter: line 2: unknown table 'loss'; known: losses"),
        ('claim("it_works"', 'claim("it_work"', "chapter: line 3: unknown claim 'it_work'; known: it_works"),
        ('value("wide"', 'value("wid"', "chapter: line 2: unknown variant 'wid'; known: wide, narrow"),
        ('setting("narrow"', 'setting("narow"', "chapter: line 2: unknown variant or grid 'narow'; known: wide, narrow, crossed"),
        ('"wide", "loss"', '"wide", "los"', "chapter: line 2: unknown quantity 'los'; known: loss, range"),
        ('"wide", "loss"', '"narrow", "range"', "chapter: line 2: quantity 'range' is not measured of variant 'narrow'; only of: wide"),
        (', refuted="b"', "", "chapter: line 3: claim 'it_works' has no wording for 'refuted'; add refuted=\"...\""),
        ('refuted="b"', 'refutd="b"', "chapter: line 3: claim 'it_works' has no wording for 'refuted'; add refuted=\"...\""),
        ("<< table(", "<< tabel(", "chapter: line 2: unknown function or value 'tabel'; known: answer, "),
        ("| upper", "| uper", "chapter: line 4: unknown filter 'uper'; known: "),
        ("if solutions", "if solutions is twisted", "chapter: line 4: unknown test 'twisted'; known: "),
        ("<% endif %>", "", "chapter: line 4: "),
        ('<< figure("curve") >>', '<< figure("curve" >>', "chapter: line 2: unexpected '>'; correct the << >> or <% %> there"),
        ('<< figure("curve") >>', "", "chapter: figure 'curve' is never used in the chapter; mention it or remove it"),
        ('<< table("losses") >>', "", "chapter: table 'losses' is never used in the chapter; mention it or remove it"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(check, old, new, expected):
    assert old in RIGHT
    found = check(RIGHT.replace(old, new, 1))
    assert any(problem.startswith(expected) for problem in found), found


CITING = """\
<# by @nobody1900 #> Mail to a@b.org, \\@home, `@decorator`, @fig:a, [-@tbl:b], @eq:c, @sec:d, @q-mini-1; [@he2015, section 2].
```python
@torch.no_grad()
```
~~~
@other
~~~
<% call answer() %><% if verdict("it_works") == "refuted" %>-@he2015<% endif %><% endcall %>
"""


def test_citations_are_told_from_all_else_behind_an_at_sign(check):
    assert check(RIGHT + CITING) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[@he2015, section", "[@he2016, section", 5),
        ("[@he2015, section", "[see @he2015; also -@he2016 and", 5),
        ("-@he2015", "@{he2016}", 12),
        ("-@he2015", "@he2016: so", 12),
    ],
)
def test_an_unknown_paper_is_told_with_its_line(check, old, new, line):
    assert old in CITING
    assert check(RIGHT + CITING.replace(old, new)) == [
        f"chapter: line {line}: unknown paper 'he2016'; add it to config/bibliography.yaml or correct the key; known: he2015"
    ]


def test_all_problems_are_told_at_once(check):
    assert [problem.removeprefix("chapter: ").partition(";")[0] for problem in check('<< figure("a") >>\n<< nothing >>\n')] == [
        "line 2: unknown function or value 'nothing'",
        "line 1: unknown figure 'a'",
        "figure 'curve' is never used in the chapter",
        "table 'losses' is never used in the chapter",
        "claim 'it_works' is never used in the chapter",
    ]


def test_what_cannot_be_told_is_not_checked(check):
    text = '<< figure("a") >> << value("b", "c") >> << claim("it_works", supported="", refuted="", inconclusive="") >>'
    assert check(text, known=KNOWN | {"figure": None, "table": None, "variant": None, "paper": None}, measured=None) == []
    assert check(RIGHT + "@he2016", known=KNOWN | {"paper": None}) == []


def test_names_that_are_worked_out_are_left_to_the_rendering(check):
    assert check(RIGHT + '<% for name in ["a"] %><< value(name, "loss") >><% endfor %>') == []


def test_a_chapter_that_is_missing_or_no_text_is_told(check, tmp_path):
    assert check(b"\xff") == [
        "chapter: cannot be read as UTF-8 text ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte); save it as UTF-8"
    ]
    assert wording.problems(tmp_path / "nowhere", "chapter", KNOWN, MEASURED) == ["chapter: no such file; write the chapter there"]


def test_templates_cannot_reach_beyond_what_they_are_given():
    with pytest.raises(Exception, match="unsafe"):
        wording.environment().from_string("<< ''.__class__.__mro__ >>").render()
