import pytest

from scripts.common import prose
from scripts.common.places import PROJECT, chapter_path, study_path
from tests.copies import forget

YAML = """\
variants:  # of 77 units
  wide: {hidden: [20, 40], learning_rate: 1e-2, label: "1 × 40"}
  logarithmic: {rates: "logspace(-3, 1, 50)"}
"""


def told(text, configuration=YAML):
    """Return the numbers that are told to be typed by hand, with their lines."""
    found = prose.problems(text, "chapter", configuration, "study.yaml")
    assert all(problem.startswith("chapter: line ") for problem in found)
    return [(int(problem.split()[2][:-1]), problem.split("the number ")[1].split(" is typed")[0]) for problem in found]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The accuracy is 0.93 in the end.", ["0.93"]),
        ("It is right in 93 % of all cases, and in 94% of some.", ["93 %", "94%"]),
        ("It takes 1,250 steps, −3 or -4.5.", ["1,250", "−3", "-4.5"]),
        ("In 17 of << replicas('wide') >> runs it fails; << count('wide', 'fine') >> are fine.", ["17"]),
        ('<< claim("it_works", supported="It reaches 0.93,", refuted="It does not,", inconclusive="It may reach 0.93,") >>', ["0.93"] * 2),
        ("<< 0.93 >> and << '0.93' >>", ["0.93"] * 2),
        ('<% if verdict("a") == "supported" %>It is 0.93.<% endif %>', ["0.93"]),
        ('<< "a loss of 0.2" if verdict("a") == "supported" else "none" >>', ["0.2"]),
        ("| Xavier | 0.93 |", ["0.93"]),
        ("A rate of 0.5 has << value('wide', 'loss', index='0.7') >>.", ["0.5"]),
        ("In 1 % of all cases.", ["1 %"]),
        ("[0.93]{.verdict}, *0.94* and **0.95**.", ["0.93", "0.94", "0.95"]),
        ("He said so (1234).", ["1234"]),
    ],
)
def test_a_number_among_the_words_is_told(text, numbers):
    assert [number for _, number in told(text)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "On $[-0.03, 0.03]$, $$f(x) = 2 x$$ and\n$$\n3.5 x\n$$\n",
        "```python\nwidth = 20\n```\n`x = 3.5`\n~~~\n17\n~~~\n",
        "## Exercise 6: the 20 layers {#sec:six}\n",
        '<% call question("What do 20 layers do?") %>What?<% endcall %><% call task("Take 20") %>Do.<% endcall %>',
        "1. first\n2. second\n  17. third\n",
        "As @fig:fit_20, [@he2015, page 1026], -@roy2007 and @tbl:losses_300 say; [here](page_20.html).",
        "Three layers of ten units, L2, conv2d and x1; 0 is no turn and 1 a right angle.",
        "Replica 0, replicas 3 and 4, phase 2, exercise 3; 32-bit numbers; a 95 % interval.",
        "Described by Maennel, Bousquet and Gelly (2018) and others (Roy and Vetterli, 2007).",
        '<< value("wide", "loss", step=300, index="0.5") >> at a rate of 0.5 after 300 steps.',
        '<< figure("fit_20") >><< value("wide_20", "loss_95") >>',
        "<# it was 0.93 once #>",
    ],
)
def test_what_is_no_result_passes(text):
    assert told(text) == []


def test_a_number_is_told_with_its_place_its_words_and_the_remedy():
    found = prose.problems("First.\n\nThe accuracy is 0.93 in the end.\n", "templates/chapters/mini.md.jinja", YAML)
    assert found == [
        "templates/chapters/mini.md.jinja: line 3: the number 0.93 is typed by hand ('The accuracy is 0.93 in the'); print a result with "
        "<< value(...) >>, a setting with << setting(...) >>, or allow it in a comment: <# set-up: phrase with N #> or <# by hand, why: "
        "phrase with N #>"
    ]


def test_what_a_phrase_allows_is_allowed_everywhere_and_nothing_else():
    text = "<# by hand, counted in the source: about N times; N × N networks #>\nAbout\n15 times, 3 × 4 networks; for 15 times.\n"
    assert told(text) == [(3, "15")]


@pytest.mark.parametrize("numbers", ["20", "20 and 40", "20, 40 and 50", "20 to 40", "20 or 40", "20 by 40", "1 × 40"])
def test_n_stands_for_several_numbers(numbers):
    assert told(f"<# set-up: widths N #>\nOf widths {numbers}.\n") == []


def test_the_numbers_of_set_up_have_to_stand_in_the_configuration():
    text = "<# set-up: width N; rate of N #>\nAt width 20, width 77 and a rate of 0.01.\n"
    assert prose.problems(text, "chapter", YAML, "study.yaml") == [
        "chapter: line 2: 'width 77' is set-up ('width N'), but 77 stands nowhere in study.yaml; "
        "correct it, or print it with << setting(...) >>"
    ]
    assert prose.problems(text, "chapter", None) == []


def test_numbers_of_a_configuration_are_those_of_its_values():
    assert prose.numbers_of(YAML) == {20, 40, 0.01, 1, 3, 50}


def test_a_phrase_that_is_like_nothing_is_told():
    found = prose.problems("Words.\n<# by hand, counted: N steps #>\n", "chapter", YAML)
    assert found == ["chapter: line 2: nothing in the chapter is like the phrase 'N steps'; remove it"]


def test_a_reason_is_asked_for():
    found = prose.problems("<# by hand: N steps #>\n20 steps.\n", "chapter", YAML)
    assert found == ["chapter: line 1: numbers are typed by hand for no reason; say why: <# by hand, why: phrases #>"]


@pytest.mark.parametrize("path", sorted((PROJECT / "templates/chapters").glob("*.jinja")), ids=lambda path: path.name)
def test_a_result_typed_into_a_chapter_of_the_project_is_told(path):
    study = path.name.removesuffix(".md.jinja")
    text, configuration = path.read_text(), (PROJECT / study_path(study)).read_text()
    assert prose.problems(text, chapter_path(study), configuration, study_path(study)) == []
    typed = f"{text}\nThe accuracy of the best of them is 0.8137.\n"
    assert [problem.split(" is typed")[0] for problem in prose.problems(typed, "chapter", configuration)] == [
        f"chapter: line {text.count(chr(10)) + 2}: the number 0.8137"
    ]


def test_it_is_read_once_and_again_when_a_file_has_changed(tmp_path, monkeypatch):
    chapter, configuration = tmp_path / "chapter", tmp_path / "study.yaml"
    chapter.write_text("<# set-up: width N #>\nWidth 20.\n")
    configuration.write_text("width: 20")
    assert prose.problems_of_file(chapter, "chapter", configuration, "study.yaml") == []
    read = prose.problems
    monkeypatch.setattr(prose, "problems", lambda *_: pytest.fail("it was known"))
    assert prose.problems_of_file(chapter, "chapter", configuration, "study.yaml") == []
    monkeypatch.setattr(prose, "problems", read)
    configuration.write_text("width: 30")
    assert len(prose.problems_of_file(chapter, "chapter", configuration, "study.yaml")) == 1
    chapter.write_text("Width 30.\n")
    forget()
    assert len(prose.problems_of_file(chapter, "chapter", configuration, "study.yaml")) == 1
    assert prose.problems_of_file(tmp_path / "none", "chapter", configuration, "study.yaml") == []
