import re

import pytest

from scripts.common import chapter, wording
from scripts.common.chapter import ChapterError, Content, render
from scripts.common.errors import UserError
from scripts.common.findings import Runs
from scripts.common.numbers import Row, from_csv, to_csv

PROVENANCE = {
    "rule": "figure",
    "digest": "0123456789abcdef0123",
    "settings": {"kind": "fit"},
    "seeds": {"train/s/a: initialization.seed": 7, "data/s/x: seed": 10, "train/s/b: initialization.seed": 7},
    "inputs": {"results/a": "1", "results/b": "2"},
    "libraries": {"python": "3.11", "numpy": "2.4"},
}
FIGURE = {
    "picture": "results/figure/s/fit.svg",
    "caption": "A *fit*.",
    "note": "Line: median of 3 replicas.",
    "alt": 'A "fit" with a \\ in it.',
    "data": "data/s/fit.csv",
    "provenance": PROVENANCE,
}
TABLE = {"header": ["a|b", "n"], "rows": [["*x*", "1"]], "align": "lr", "caption": "A table.", "note": "", "provenance": None}
CLAIM = {
    "statement": "It works.",
    "quantity": "loss",
    "estimate": 0.5,
    "interval": [0.25, 0.75],
    "threshold": 1,
    "direction": "below",
    "reason": "why",
    "n": 20,
    "verdict": "supported",
}
EVERY = CLAIM | {
    "direction": "every",
    "estimate": 0.95,
    "interval": [0.751, 0.999],
    "threshold": 0.8,
    "verdict": "refuted",
    "statement": "All work.",
}
ROWS = [
    *(Row("s", "a", replica, step, "loss", None, (replica + 1.0) / (step + 1)) for replica in range(3) for step in (0, 9)),
    *(Row("s", "a", replica, 0, "norm", "0.weight", 1234567.0) for replica in range(3)),
    *(Row("s", "a", replica, None, "fate", fate, 1) for replica, fate in enumerate(["fine", "fine", "diverged"])),
    Row("s", "a", 2, None, "diverged_at", None, 4),
]


def content(*, solutions=True, claims=None):
    return Content(
        study="s",
        settings={
            "data": {"waves": {"samples": 1500}},
            "variants": {
                "a": {"label": "A", "replicas": 3, "steps": 9, "save_every": 150_000, "optimizer": {"learning_rate": 0.1}},
                "b": {"label": "B", "replicas": 3, "steps": 9, "optimizer": {"learning_rate": 0.02}},
                "c": {"label": "C", "replicas": 1, "steps": 12_000, "optimizer": {"kind": "none"}},
            },
            "simulations": {"drawn": {"label": "Drawn", "replicas": 2, "rates": [0.5, 2.0, 0.5], "method": "plain"}},
            "sweeps": {"widths": {"label": "Widths", "replicas": 3, "steps": 40, "batches": {"size": [2, 16]}}},
            "grids": {"crossed": {"label": "Crossed", "replicas": 3, "steps": 40, "network": {"depth": [2, 4]}}},
            "phases": {
                "first": {
                    "title": "phase 1",
                    "variants": ["a", "b", "c"],
                    "simulations": ["drawn", "widths"],
                    "grids": [],
                    "swept": {"learning rate": "optimizer.learning_rate", "rate": "rates", "method": "method", "size": "batches.size"},
                },
                "second": {
                    "title": "phase 2",
                    "variants": [],
                    "simulations": [],
                    "grids": ["crossed"],
                    "swept": {"depth": "network.depth"},
                },
            },
            "observations": [{"says": "It works | well.", "claims": ["it_works", "all_work"]}],
        },
        solutions=solutions,
        figures={"fit": FIGURE} if solutions else {"given": FIGURE | {"provenance": None}},
        tables={"losses": TABLE},
        claims={"it_works": CLAIM, "all_work": EVERY} if claims is None else claims,
        runs=Runs(from_csv(to_csv(ROWS)), seed=0, resamples=200) if solutions else None,
    )


def rendered(text, **keywords):
    return render(text, content(**keywords), place="chapter")


def test_what_a_chapter_may_call_is_what_is_checked_before_anything_runs():
    assert rendered("".join(f"<% if {name} is defined %>{name} <% endif %>" for name in (*wording.NAMED, *wording.OTHERS))).split() == [
        name for name in (*wording.NAMED, *wording.OTHERS) if name != "caller"
    ]


def test_a_figure_has_its_caption_its_alternative_text_and_how_it_was_made():
    text = rendered('<< figure("fit") >>')
    assert '![A *fit*. Line: median of 3 replicas.](results/figure/s/fit.svg){#fig:fit alt="A \\"fit\\" with a \\\\ in it."}' in text
    assert '::: {.details summary="How this figure was made"}' in text
    assert "Rule `figure`, digest `0123456789abcdef`; kind `fit`; " in text
    assert "seeds: initialization\\.seed 7, seed 10; 2 input files; numpy 2\\.4, python 3\\.11; " in text
    assert "[the numbers that it shows (CSV)](data/s/fit.csv)" in text


def test_a_table_prints_its_cells_as_they_are():
    text = rendered('<< table("losses") >>')
    assert "::: {#tbl:losses .table}\n\n| a\\|b | n |\n| :--- | ---: |\n| \\*x\\* | 1 |\n\n: A table.\n\n:::" in text
    assert "details" not in text


@pytest.mark.parametrize("call", ['figure("fit")', 'table("losses")'])
def test_a_caption_is_a_line_of_markdown_and_no_more(monkeypatch, call):
    part = FIGURE if call.startswith("figure") else TABLE
    monkeypatch.setitem(part, "caption", "Two\n# lines.")
    assert "Two # lines." in rendered(f"<< {call} >>")
    monkeypatch.setitem(part, "caption", "`raw`{=html}")
    with pytest.raises(UserError, match=r"caption of '\w+': wrong value '`raw`\{=html\}'; allowed: Markdown without attributes"):
        rendered(f"<< {call} >>")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('value("a", "loss")', "0.200"),
        ('value("a", "loss", step=0)', "2"),
        ('value("a", "loss", step=0, replica=2)', "3"),
        ('value("a", "norm", step=0, index="0.weight")', "1.23 × 10⁶"),
        ('value("a", "norm", index="0.weight")', "not available"),
        ('value("a", "diverged_at", step=none)', "infinite"),
        ('value("a", "diverged_at", step=none, replica=2)', "4"),
        ('value("a", "diverged_at", step=none, replica=0)', "not available"),
        ('interval("a", "loss", step=0)', "1 to 3"),
        ('interval("a", "norm", index="0.weight")', "not available"),
        ('count("a", "fine")', "2"),
        ('replicas("a")', "3"),
        ('setting("a", "optimizer.learning_rate")', "0.1"),
        ('setting("a", "steps")', "9"),
        ('setting("a", "save_every")', "150,000"),
        ('data_setting("waves", "samples")', "1500"),
        ('verdict("it_works")', "supported"),
    ],
)
def test_values_are_printed_as_words(call, expected):
    assert rendered(f"<< {call} >>") == expected


@pytest.mark.parametrize("verdict", wording.VERDICTS)
def test_a_claim_has_the_words_of_its_verdict_and_no_other(verdict):
    text = rendered(
        '<< claim("it_works", supported="  S words. ", refuted="R words.", inconclusive="I words.") >>',
        claims={"it_works": CLAIM | {"verdict": verdict}},
    )
    assert text.startswith(f"{verdict[0].upper()} words. [{verdict}]{{.verdict .{verdict}}} [")
    assert re.findall(r"[SRI] words", text) == [f"{verdict[0].upper()} words"]
    assert text.endswith(r"[loss: 0\.500, 95 % interval 0\.250 to 0\.750, n = 20]{.evidence}")


def test_evidence_is_told_in_words():
    assert chapter.evidence(CLAIM) == "loss: 0.500, 95 % interval 0.250 to 0.750, n = 20"
    assert (
        chapter.evidence(CLAIM | {"estimate": "inf", "interval": [0.25, "inf"]})
        == "loss: infinite, 95 % interval 0.250 to infinity, n = 20"
    )
    assert chapter.evidence(EVERY) == "loss: 19 of 20 replicas; share at least 0.751 at 95 %"


def test_the_table_of_claims_has_every_claim_with_what_it_was_held_against():
    lines = rendered("<< claims_table() >>").splitlines()
    assert "::: {#tbl:claims_s .table}" in lines
    rows = [line for line in lines if line.startswith("| ")][2:]
    assert len(rows) == 2
    assert r"| It works\. |" in rows[0]
    assert r"| below 1: why | [supported]{.verdict .supported} |" in rows[0]
    assert r"every replica, and a lower bound of at least 0\.8: why | [refuted]{.verdict .refuted} |" in rows[1]


def test_the_table_of_observations_has_each_once_with_all_its_claims():
    text = rendered("<< observations() >>")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[0] == "| What the source says | What 20 seeds say | Verdict |"
    assert rows[2].startswith(r"| It works \| well\. | It works\. Loss: 0\.500,")
    assert rows[3].startswith(r"|  | All work\. Loss: 19 of 20 replicas")


def test_questions_are_numbered_within_their_study():
    text = rendered('<% call question("One") %>A?<% endcall %><% call question("Two") %>B?<% endcall %>')
    assert re.findall(r"::: \{\.question #(q-s-\d)\}\n\n\*\*(\w+)\.\*\* (\w)\?", text) == [("q-s-1", "One", "A"), ("q-s-2", "Two", "B")]


def test_tasks_corrections_and_answers_are_blocks():
    text = rendered('<% call task("Do") %> it <% endcall %><% call correction() %> no <% endcall %><% call answer() %> yes <% endcall %>')
    assert "::: {.task}\n\n**Do.** it\n\n:::" in text
    assert "::: {.correction}\n\nno\n\n:::" in text
    assert "::: {.answer}\n\nyes\n\n:::" in text


def test_an_assignment_has_room_instead_of_an_answer_and_never_renders_it():
    text = rendered('<% call answer(lines=5) %>secret << value("a", "loss") >><% endcall %>', solutions=False)
    assert text == '\n\n::: {.space lines="5"}\n\n:::\n\n'


def test_an_assignment_prints_what_is_given():
    assert "![A *fit*." in rendered('<< figure("given") >>', solutions=False)
    assert rendered('<< setting("a", "steps") >><% if solutions %>secret<% endif %>', solutions=False) == "9"


@pytest.mark.parametrize(
    "call",
    [
        'value("a", "loss")',
        'interval("a", "loss")',
        'count("a", "fine")',
        'replicas("a")',
        'figure("fit")',
        'table("losses")',
        'claim("it_works", supported="", refuted="", inconclusive="")',
        'verdict("it_works")',
        "claims_table()",
        "observations()",
    ],
)
def test_an_assignment_refuses_every_result(call):
    with pytest.raises(ChapterError, match=r"chapter: an assignment may not show a result \(.*\); move it into an answer"):
        rendered(f"<< {call} >>", solutions=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<< figure("fitt") >>', "chapter: unknown figure 'fitt'; known: fit"),
        ('<< table("x") >>', "chapter: unknown table 'x'; known: losses"),
        ('<< verdict("x") >>', "chapter: unknown claim 'x'; known: it_works, all_work"),
        ('<< value("b", "loss") >>', "chapter: no numbers of variant 'b'; known: a"),
        ('<< value("a", "loss", step=5) >>', "chapter: no numbers of 'a' at step 5; known: 0, 9, or last"),
        ('<< value("a", "norm", step=0, index="1.weight") >>', "chapter: no 'norm' of 'a' has the index '1.weight'; known: 0.weight"),
        ('<< count("a", "dead") >>', "chapter: unknown fate 'dead'; known: "),
        ('<< setting("d", "steps") >>', "chapter: unknown variant 'd'; known: a, b, c, drawn"),
        ('<< setting("a", "optimizer.rate") >>', "chapter: unknown setting of 'a' 'rate'; known: learning_rate"),
        ('<< data_setting("waves", "noise") >>', "chapter: unknown setting of 'waves' 'noise'; known: samples"),
        ('<< setting("a", "steps.rate") >>', "chapter: unknown setting of 'a' 'rate'; known: none"),
        ('<< claim("it_works", refuted="") >>', "chapter: unknown wording of claim 'it_works' 'supported'; known: refuted"),
        ("<< nothing >>", "chapter: cannot be rendered: 'nothing' is undefined; correct the << >> or <% %> that asks for it"),
        ("<< nothing(1) >>", "chapter: cannot be rendered: 'nothing' is undefined"),
        ("<< 1 / 0 >>", "chapter: cannot be rendered: division by zero"),
        ("<% if %>", "chapter: cannot be rendered: "),
    ],
)
def test_what_cannot_be_rendered_is_told_with_its_chapter(text, expected):
    with pytest.raises(ChapterError) as error:
        rendered(text)
    assert str(error.value).startswith(expected)


def test_a_chapter_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(chapter, "SECONDS", 0.05)
    loops = "".join(f"<% for {name} in '{'x' * 100}' %>" for name in "abcd") + "<% endfor %>" * 4
    with pytest.raises(ChapterError, match=r"chapter: takes more than 0.05 s to render; make its loops shorter"):
        rendered(loops)


def test_what_is_printed_as_it_is_has_no_meaning_to_markdown():
    assert chapter.plain("a*b_c`d$e@f|g<h>[i](j){k}#l~m^n\\") == "a\\*b\\_c\\`d\\$e\\@f\\|g\\<h\\>\\[i\\]\\(j\\)\\{k\\}\\#l\\~m\\^n\\\\"


def test_braces_of_latex_are_left_alone():
    assert rendered(r"$\frac{a}{b}$ {{ x }} {% y %}") == r"$\frac{a}{b}$ {{ x }} {% y %}"


FIRST = """
<% call question("Why") %>Why?<% endcall %>
<% call answer() %><< figure("fit") >> << claim("it_works", supported="Yes.", refuted="No.", inconclusive="Perhaps.") >><% endcall %>
<< inventory("first") >>
<% call question("How") %>How?<% endcall %>
<< inventory("second") >>
"""


def inventory_rows(text, name):
    """Return the rows of an inventory in a rendered chapter."""
    table = text.partition(f"#tbl:inventory_{name} ")[2].partition(":::")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")][2:]


def test_an_inventory_has_what_is_run_and_swept_and_all_that_was_used_since_the_one_before():
    text = rendered(FIRST)
    assert inventory_rows(text, "first") == [
        ["variants", "A; B", "3 replicas, 9 steps"],
        ["variant", "C", "1 replica, 12,000 steps"],
        ["simulation", "Drawn", "2 replicas"],
        ["sweep", "Widths", "3 replicas, at most 40 steps"],
        ["swept", "learning rate", r"0\.02, 0\.1"],
        ["swept", "rate", r"0\.5, 2"],
        ["swept", "method", "plain"],
        ["swept", "size", "2, 16"],
        ["question", "@q-s-1", "Why"],
        ["figure", "@fig:fit", "A *fit*."],
        ["claim", r"It works\.", "[supported]{.verdict .supported}"],
    ]
    assert inventory_rows(text, "second") == [
        ["grid", "Crossed", "3 replicas, at most 40 steps"],
        ["swept", "depth", "2, 4"],
        ["question", "@q-s-2", "How"],
    ]
    assert "Inventory of phase 2." in text


def test_the_inventory_of_an_assignment_has_no_verdicts():
    text = rendered(FIRST, solutions=False)
    assert [row[0] for row in inventory_rows(text, "first")] == [
        *["variants", "variant", "simulation", "sweep"],
        *["swept"] * 4,
        "question",
    ]
    assert "supported" not in text


def test_a_question_whose_title_asks_has_no_further_stop():
    text = rendered('<% call question("Does it pay?") %>Say.<% endcall %><% call question("Pay") %>Say.<% endcall %>')
    assert "**Does it pay?** Say." in text
    assert "**Pay.** Say." in text
