"""What a chapter can say: the functions of its Jinja dialect, which turn results into Markdown.

    << figure("fit_he") >>  << table("fates") >>        a numbered figure or table, with how it was made
    << value("deep_he", "test_loss") >>                 the median over replicas, as words
    << interval("deep_he", "test_loss") >>              its 95 % interval, "0.003 to 0.005"
    << count("deep_he", "fine") >> << replicas("deep_he") >>
    << setting("deep_he", "optimizer.learning_rate") >> a value of the configuration of a variant
    << data_setting("sines", "samples") >>              the same, of a data set
    << data_set("sines") >>                             what a data set is, in words
    << claim("he_beats_shallow", supported="...", refuted="...", inconclusive="...") >>
    << claims_table() >> << observations() >>           all claims; what the source says, and what the runs say
    << inventory("descent") >>                          all that a phase has, from the inventory before it on
    <% call question("Title") %> ... <% endcall %>      a numbered question
    <% call answer() %> ... <% endcall %>               its answer; an assignment has room to write instead
    <% call task("Title") %> ... <% endcall %>          a coding task
    <% call correction() %> ... <% endcall %>           where a source is wrong

In an assignment nothing measured may be printed: an answer is left out, and a result outside of one is an error.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import data_words, formatting, wording
from scripts.common.errors import UserError
from scripts.common.escaping import line_of_markdown, markdown_of_note, one_line
from scripts.common.findings import Runs
from scripts.common.limits import limited
from scripts.common.settings import NAME, setting_at
from scripts.common.statistics import Interval, median_interval

NOT_AVAILABLE = "not available"
THOUSANDS_FROM = 10_000
"""Whole numbers of the configuration from here on are printed with a comma, as 150,000."""
SECONDS = 300.0
"""How long the processor may work on one chapter."""
MOST_LEVELS = 24
"""So many levels an inventory lists; of more it says how many there are, and the ends."""


class ChapterError(UserError):
    """A chapter that cannot be rendered; the message names the chapter and what is wrong."""


@dataclass(frozen=True)
class Content:
    """What one chapter is rendered from.

    Attributes:
        study: name of the study.
        settings: the study's configuration.
        solutions: whether answers and results are printed.
        figures: picture, caption, note, alternative text and provenance of each figure, by name.
        tables: grid, caption, note and provenance of each table, by name.
        claims: the records of the study's claims, by name.
        runs: the study's numbers; None in an assignment.
        questions: titles of the questions so far; filled while the chapter is rendered.
        used: what was used since the last inventory, in order: "figure", "table", "question" or "claim", and which; filled likewise.
    """

    study: str
    settings: Mapping[str, Any]
    solutions: bool
    figures: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, Mapping[str, Any]]
    claims: Mapping[str, Mapping[str, Any]]
    runs: Runs | None
    questions: list[str] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)


def render(text: str, content: Content, *, place: str) -> str:
    """Return the Markdown of a chapter's template.

    Raises:
        ChapterError: the template asks for something that there is not, or is wrong in itself.
    """
    functions: dict[str, Callable[..., str]] = {
        name: _bound(function, content)
        for name, function in (
            ("figure", figure),
            ("table", table),
            ("value", value),
            ("interval", interval),
            ("count", count),
            ("replicas", replicas),
            ("setting", setting),
            ("data_setting", data_setting),
            ("data_set", data_set),
            ("claim", claim),
            ("verdict", verdict),
            ("claims_table", claims_table),
            ("observations", observations),
            ("inventory", inventory),
            ("question", question),
            ("answer", answer),
        )
    }
    functions |= {"task": task, "correction": correction}
    try:
        with limited(SECONDS, ChapterError(f"takes more than {SECONDS:g} s to render; make its loops shorter")):
            return wording.environment().from_string(text).render(**functions, solutions=content.solutions)
    except (UserError, KeyError) as error:
        raise ChapterError(f"{place}: {error.args[0]}") from None
    except Exception as error:
        raise ChapterError(f"{place}: cannot be rendered: {error}; correct the << >> or <% %> that asks for it") from error


def plain(text: str) -> str:
    """Return `text` in one line, so escaped that Markdown prints it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>$@~^&\"'])", r"\\\1", one_line(text))


def figure(content: Content, name: str) -> str:
    """Return a figure with its number, caption, alternative text, and how it was made."""
    if not content.solutions and name not in content.figures:
        raise _refusal(f"figure '{name}'")
    known = _known(content.figures, name, "figure")
    content.used.append(("figure", name))
    alt = re.sub(r'([\\"&])', r"\\\1", one_line(known["alt"]))
    return f'\n\n![{_caption(name, known)}]({known["picture"]}){{#fig:{name} alt="{alt}"}}\n\n{_provenance("figure", known)}'


def table(content: Content, name: str) -> str:
    """Return a table with its number and caption, and how it was made."""
    _measured(content, f"table '{name}'")
    known = _known(content.tables, name, "table")
    content.used.append(("table", name))
    rows = _pipe_table(known["header"], known["rows"], known["align"])
    return f"\n\n::: {{#tbl:{name} .table}}\n\n{rows}\n\n: {_caption(name, known)}\n\n:::\n\n{_provenance('table', known)}"


def _caption(name: str, known: Mapping[str, Any]) -> str:
    """Return the caption that the study gives, a line of Markdown, and what the code adds to it."""
    return " ".join(part for part in (line_of_markdown(known["caption"], f"caption of '{name}'"), markdown_of_note(known["note"])) if part)


def value(
    content: Content, variant: str, quantity: str, *, step: int | str | None = "last", index: int | str = "", replica: int | None = None
) -> str:
    """Return in words the median of a quantity over replicas, or its value for one of them; "not available" where no run has it."""
    runs = _measured(content, f"value of '{quantity}'")
    values = _values(runs, variant, quantity, step=step, index=index, replica=replica)
    if values is None:
        return NOT_AVAILABLE
    return formatting.number(_median(runs, values).estimate if replica is None else float(values[replica]))


def interval(content: Content, variant: str, quantity: str, *, step: int | str | None = "last", index: int | str = "") -> str:
    """Return in words the 95 % interval of the median of a quantity over replicas; "not available" where no run has it."""
    runs = _measured(content, f"interval of '{quantity}'")
    values = _values(runs, variant, quantity, step=step, index=index)
    if values is None:
        return NOT_AVAILABLE
    found = _median(runs, values)
    return formatting.interval(found.low, found.high)


def count(content: Content, variant: str, fate: str) -> str:
    """Return how many replicas of a variant met a fate."""
    return str(_measured(content, "count").count(variant, fate))


def replicas(content: Content, variant: str) -> str:
    """Return the number of replicas of a variant."""
    return str(_measured(content, "number of replicas").replicas(variant))


def setting(content: Content, variant: str, path: str) -> str:
    """Return a value of the configuration of a variant, simulation, sweep or grid, as ``optimizer.learning_rate``."""
    runs = {key: run for section in ("variants", "simulations", "sweeps", "grids") for key, run in content.settings[section].items()}
    return _configured(runs, "variant", variant, path)


def data_setting(content: Content, data_set: str, path: str) -> str:
    """Return a value of a data set's configuration, as ``samples``."""
    return _configured(content.settings["data"], "data set", data_set, path)


def data_set(content: Content, name: str) -> str:
    """Return in words what a data set is: its file, columns, division and units, or its kind and options."""
    return data_words.about(_known(content.settings["data"], name, "data set"), plain)


def claim(content: Content, name: str, **wordings: str) -> str:
    """Return the sentence for a claim's verdict, the verdict in words, and the numbers that it rests on."""
    _measured(content, f"claim '{name}'")
    known = _known(content.claims, name, "claim")
    content.used.append(("claim", name))
    words = _known(wordings, known["verdict"], f"wording of claim '{name}'")
    return f"{words.strip()} {_badge(known)} [{plain(evidence(known))}]{{.evidence}}"


def verdict(content: Content, name: str) -> str:
    """Return a claim's verdict in words."""
    _measured(content, f"claim '{name}'")
    return str(_known(content.claims, name, "claim")["verdict"])


def claims_table(content: Content) -> str:
    """Return a table of all claims of the study with their verdicts."""
    _measured(content, "table of claims")
    rows = [
        [plain(known["statement"]), plain(evidence(known)), plain(f"{_condition(known)}: {known['reason']}"), _badge(known)]
        for known in content.claims.values()
    ]
    grid = _pipe_table(["Claim", "Measured", "Held against", "Verdict"], rows, "lllc", escaped=True)
    caption = "Every claim of this chapter, what was measured, and the verdict."
    return f"\n\n::: {{#tbl:claims_{content.study} .table}}\n\n{grid}\n\n: {caption}\n\n:::\n\n"


def observations(content: Content) -> str:
    """Return the table of what the source says and what the runs say."""
    _measured(content, "table of observations")
    rows = []
    for observation in content.settings["observations"]:
        for place, name in enumerate(observation["claims"]):
            known = _known(content.claims, name, "claim")
            says = plain(observation["says"]) if place == 0 else ""
            rows.append([says, f"{plain(known['statement'])} {plain(_sentence(evidence(known)))}", _badge(known)])
    grid = _pipe_table(["What the source says", f"What {_most_replicas(content)} seeds say", "Verdict"], rows, "llc", escaped=True)
    caption = f"What the source says, and what {_most_replicas(content)} seeds say."
    return f"\n\n::: {{#tbl:observations_{content.study} .table}}\n\n{grid}\n\n: {caption}\n\n:::\n\n"


def inventory(content: Content, name: str) -> str:
    """Return a table of all that a phase has: what is run and swept, and the figures, tables, questions and claims since the last one."""
    phase = _known(content.settings["phases"], name, "phase")
    runs = [("variant", content.settings["variants"][key]) for key in phase["variants"]]
    for word in ("simulation", "sweep"):
        known = content.settings[f"{word}s"]
        runs += [(word, known[key]) for key in phase["simulations"] if key in known]
    runs += [("grid", content.settings["grids"][key]) for key in phase["grids"]]
    rows = []
    for (word, replicas, steps), labels in _grouped(runs).items():
        counted = f", at most {steps:,} steps" if word != "variant" and steps else f", {steps:,} steps" if steps else ""
        rows.append(
            [
                f"{word}{'s' if len(labels) > 1 else ''}",
                plain("; ".join(labels)),
                plain(f"{formatting.counted(replicas, 'replica')}{counted}"),
            ]
        )
    for words, path in phase["swept"].items():
        rows.append(["swept", plain(words), plain(", ".join(_levels([run for _, run in runs], path)))])
    for word, key in dict.fromkeys(content.used):
        if word == "question":
            title = re.sub(r"(?<!\\)\|", r"\\|", one_line(content.questions[int(key) - 1]))
            rows.append([word, f"@q-{content.study}-{key}", title])
        elif word == "claim":
            rows.append([word, plain(content.claims[key]["statement"]), _badge(content.claims[key])])
        else:
            shown = content.figures[key] if word == "figure" else content.tables[key]
            rows.append([word, f"@{'fig' if word == 'figure' else 'tbl'}:{key}", _caption(key, {**shown, "note": ""})])
    content.used.clear()
    grid = _pipe_table(["What", "Which", "How much"], rows, "lll", escaped=True)
    caption = f"Inventory of {plain(phase['title'])}."
    return f"\n\n::: {{#tbl:inventory_{name} .table}}\n\n{grid}\n\n: {caption}\n\n:::\n\n"


def _grouped(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[tuple[str, int, int | None], list[str]]:
    """Return the labels of variants, simulations and sweeps, those together that have as many replicas and steps."""
    found: dict[tuple[str, int, int | None], list[str]] = {}
    for word, run in runs:
        labels = found.setdefault((word, run["replicas"], run.get("steps")), [])
        if run["label"] not in labels:
            labels.append(run["label"])
    return found


def _levels(runs: Sequence[Mapping[str, Any]], path: str) -> list[str]:
    """Return the distinct values that a setting has in several runs, in order, as text; lists give each of their entries."""
    found: list[Any] = []
    for run in runs:
        value = setting_at(run, path)
        found += value if isinstance(value, list) else [] if value is None else [value]
    numbers = sorted({value for value in found if isinstance(value, int | float)})
    words = [str(value) for value in dict.fromkeys(found) if not isinstance(value, int | float)]
    told = [f"{value:,.0f}" if float(value).is_integer() else f"{value:g}" for value in numbers]
    return ([f"{len(told)} values from {told[0]} to {told[-1]}"] if len(told) > MOST_LEVELS else told) + words


def evidence(known: Mapping[str, Any]) -> str:
    """Return in words what a claim's verdict rests on: estimate, interval and number of replicas."""
    low, high = (float(end) for end in known["interval"])
    if known["direction"] == "every":
        held = round(float(known["estimate"]) * known["n"])
        return f"{known['quantity']}: {held} of {known['n']} replicas; share at least {formatting.number(low)} at 95 %"
    estimate = formatting.number(float(known["estimate"]))
    return f"{known['quantity']}: {estimate}, 95 % interval {formatting.interval(low, high)}, n = {known['n']}"


def question(content: Content, title: str, *, caller: Callable[[], str]) -> str:
    """Return a numbered question."""
    content.questions.append(title)
    content.used.append(("question", str(len(content.questions))))
    heading = title if title.endswith("?") else f"{title}."
    return f"\n\n::: {{.question #q-{content.study}-{len(content.questions)}}}\n\n**{heading}** {caller().strip()}\n\n:::\n\n"


def answer(content: Content, *, lines: int = 8, caller: Callable[[], str]) -> str:
    """Return an answer; in an assignment, room to write it."""
    if not content.solutions:
        return f'\n\n::: {{.space lines="{lines}"}}\n\n:::\n\n'
    return f"\n\n::: {{.answer}}\n\n{caller().strip()}\n\n:::\n\n"


def task(title: str, *, caller: Callable[[], str]) -> str:
    """Return a coding task."""
    return f"\n\n::: {{.task}}\n\n**{title}.** {caller().strip()}\n\n:::\n\n"


def correction(*, caller: Callable[[], str]) -> str:
    """Return a note on where a source is wrong, and what is done instead."""
    return f"\n\n::: {{.correction}}\n\n{caller().strip()}\n\n:::\n\n"


def _bound(function: Callable[..., str], content: Content) -> Callable[..., str]:
    def bound(*arguments: Any, **keywords: Any) -> str:
        return function(content, *arguments, **keywords)

    return bound


def _refusal(what: str) -> ChapterError:
    return ChapterError(f"an assignment may not show a result ({what}); move it into an answer: <% call answer() %> ... <% endcall %>")


def _measured(content: Content, what: str) -> Runs:
    if content.runs is None:
        raise _refusal(what)
    return content.runs


def _known(names: Mapping[str, Any], name: str, word: str) -> Any:
    if name not in names:
        raise ChapterError(f"unknown {word} '{name}'; known: {', '.join(names) or 'none'}")
    return names[name]


def _configured(section: Mapping[str, Any], word: str, name: str, path: str) -> str:
    found: Any = _known(section, name, word)
    for key in path.split("."):
        found = _known(found if isinstance(found, Mapping) else {}, key, f"setting of '{name}'")
    if isinstance(found, float):
        return f"{found:g}"
    if isinstance(found, list):
        return ", ".join(f"{entry:g}" if isinstance(entry, float) else _worded(entry) for entry in found)
    return f"{found:,}" if isinstance(found, int) and found >= THOUSANDS_FROM else _worded(found)


def _worded(setting: Any) -> str:
    """Return a setting as Markdown that prints it as it is; names and numbers need no escapes, and so can stand in formulas and code."""
    return str(setting) if not isinstance(setting, str) or re.fullmatch(NAME, setting) else plain(setting)


def _values(
    runs: Runs, variant: str, quantity: str, *, step: int | str | None, index: int | str, replica: int | None = None
) -> NDArray[np.float64] | None:
    exists = runs.exists(variant, quantity, step=step, replica=replica)
    return runs.values(variant, quantity, step=step, index=index) if exists else None


def _median(runs: Runs, values: NDArray[np.float64]) -> Interval:
    return median_interval(values, seed=runs.seed, resamples=runs.resamples)


def _badge(known: Mapping[str, Any]) -> str:
    return f"[{known['verdict']}]{{.verdict .{known['verdict']}}}"


def _condition(known: Mapping[str, Any]) -> str:
    if known["direction"] == "every":
        return f"every replica, and a lower bound of at least {known['threshold']:g}"
    return f"{known['direction']} {known['threshold']:g}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _most_replicas(content: Content) -> int:
    return max(int(known["n"]) for known in content.claims.values())


def _pipe_table(header: list[str], rows: list[list[str]], align: str, *, escaped: bool = False) -> str:
    rules = {"l": ":---", "r": "---:", "c": ":---:"}
    cells = rows if escaped else [[plain(cell) for cell in row] for row in rows]
    lines = [header if escaped else [plain(cell) for cell in header], [rules[letter] for letter in align], *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _provenance(word: str, known: Mapping[str, Any]) -> str:
    made = known.get("provenance")
    if not made:
        return ""
    seeds = sorted({f"{name.rpartition(': ')[2]} {seed}" for name, seed in made["seeds"].items()})
    parts = [
        f"Rule {_code(made['rule'])}, digest {_code(made['digest'][:16])}",
        f"kind {_code(made['settings']['kind'])}",
        f"seeds: {plain(', '.join(seeds)) or 'none'}",
        f"{len(made['inputs'])} input files",
        plain(", ".join(f"{name} {version}" for name, version in sorted(made["libraries"].items()))),
    ]
    if "data" in known:
        parts.append(f"[the numbers that it shows (CSV)]({known['data']})")
    record = f"{'; '.join(parts)}. The whole record stands in `manifest.json`."
    return f'\n::: {{.details summary="How this {word} was made"}}\n\n{record}\n\n:::\n\n'


def _code(text: str) -> str:
    return f"`{one_line(text.replace('`', chr(39)))}`"
