"""A report whose every text is an attack: a chapter for each of them, made in this process by the functions that a build calls."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from scripts import figure, report, table
from scripts.common import chapter, numbers, pictures, storage
from scripts.common.plan import Plan
from scripts.common.style import Style
from scripts.common.yaml_file import read_yaml
from tests import synthetic
from tests.copies import STUDY

CHAPTER = """\
<< figure("curves_{place}") >>

<% call question(setting("narrow", "label")) %>
A formula is $x^2$. Labels: << setting("wide", "label") >>, << setting("layers", "label") >>.
<% endcall %>

<% call answer() %>
<< claim("claimed", supported="Yes.", refuted="No.", inconclusive="Open.") >> @fig:curves_{place}

<< figure("layers_{place}") >>

<< table("fates_{place}") >>

<< claims_table() >>

<< observations() >>

<< inventory("phase_{place}") >>
<% endcall %>
"""


def study_of(attack: str, place: int, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the small study with a text in each of its fields; captions, which are Markdown, have it escaped."""
    made = {key: base[key] for key in ("data", "linearize_on", "defaults", "measurements")}
    caption = f"Caption: {chapter.plain(attack)}"
    return made | {
        "title": attack,
        "sources": [attack],
        "variants": {name: variant | {"label": f"{name} {attack}"} for name, variant in base["variants"].items()},
        "simulations": {
            "layers": {
                "kind": "gradient_flow", "label": f"layers {attack}", "color": "#0072B2", "seed": 0, "replicas": 2, "activation": "tanh",
                "layers": 3, "width": 4, "samples": 5, "scales": [0.5, 1.0],
            }
        },
        "figures": {
            f"curves_{place}": {"kind": "curves", "variants": "all", "quantities": ["train_loss"], "titles": [attack], "caption": caption},
            f"layers_{place}": {
                "kind": "by_layer", "simulations": ["layers"], "quantities": ["size"], "titles": [attack], "level_title": attack,
                "along_title": attack, "slider": attack, "readout": "share", "readout_words": attack, "caption": caption,
            },
        },
        "tables": {f"fates_{place}": {"kind": "fates", "variants": "all", "caption": caption}},
        "phases": {
            f"phase_{place}": {
                "title": attack, "variants": ["narrow", "wide"], "simulations": ["layers"], "swept": {attack: "network.hidden"},
            }
        },
        "observations": [{"says": attack, "claims": ["claimed"]}],
    }  # fmt: skip


def write(folder: Path, attacks: Sequence[str], *, of_report: Mapping[str, str]) -> None:
    """Make the studies of all attacks those of a copy of the project."""
    base = read_yaml(folder / STUDY)
    names = [f"attack_{place}" for place in range(len(attacks))]
    for place, (name, attack) in enumerate(zip(names, attacks, strict=True)):
        text = yaml.safe_dump(study_of(attack, place, base), allow_unicode=True, sort_keys=False)
        (folder / f"config/studies/{name}.yaml").write_text(text, encoding="utf-8")
        (folder / f"templates/chapters/{name}.md.jinja").write_text(CHAPTER.format(place=place), encoding="utf-8")
        claims = (folder / "scripts/claims/mini.py").read_text(encoding="utf-8")
        (folder / f"scripts/claims/{name}.py").write_text(claims.replace("wide_beats_narrow", "claimed"), encoding="utf-8")
    settings = read_yaml(folder / "config/report.yaml") | {"studies": names} | of_report
    (folder / "config/report.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")


def words(folder: Path, attacks: Sequence[str], *, drawn: Sequence[int]) -> tuple[Plan, dict[str, Any], dict[str, Any]]:
    """Return the plan, and words of figures and tables as a build stores them; only the figures of some of the studies are drawn."""
    plan = Plan(read_yaml(folder / "config/report.yaml"))
    known = synthetic.study(["good", "wild"], diverged=[])
    called = {"good": "narrow", "wild": "wide"}
    made = {key: {called.get(name, name): one for name, one in each.items()} for key, each in known.items() if isinstance(each, dict)}
    made["numbers"] = known["numbers"].assign(variant=known["numbers"]["variant"].replace(called))
    simulated = {"layers": known["simulations"]["layer_profiles"]["good"] | {"share": np.ones((3, 4))}}
    figures: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for (step, name), recipe in plan._recipes.items():
        place = int(name.split("/")[0].removeprefix("attack_")) if step in ("figure", "table") else 0
        settings = dict(recipe.settings)
        if step == "table":
            inputs = {key: made[key] for key in recipe.inputs}
            settings["styles"] = {name: Style(**style) for name, style in settings["styles"].items()}
            grid = table.build(inputs, **{key: value for key, value in settings.items() if key != "caption"})
            tables[name] = _stored(folder / f"results/table/{name}.json", grid._asdict() | {"caption": settings["caption"]})
        elif step == "figure" and place in drawn:
            caption = settings.pop("caption")
            given = {key: simulated if key == "simulated" else made[key] for key in recipe.inputs}
            picture = figure.draw(given, **settings)
            path = folder / f"results/figure/{name}.svg"
            pictures.save_svg(picture.figure, path)
            storage.save_text(path.with_suffix(".csv"), pictures.tabulate(picture.figure))
            told = {"caption": caption, "note": picture.note, "alt": picture.alt, "explorer": picture.explorer}
            figures[name] = _stored(path.with_suffix(".json"), told) | {"picture": f"results/figure/{name}.svg", "data": f"data/{name}.csv"}
    for step, name in plan._recipes:
        if step == "figure" and name not in figures:  # the picture of another, with the words of its own
            study, _, own = name.partition("/")
            like = f"attack_{drawn[0]}/{own.rpartition('_')[0]}_{drawn[0]}"
            attack = attacks[int(study.removeprefix("attack_"))]
            told = {"caption": f"Caption: {chapter.plain(attack)}", "note": "", "alt": f"Curves of some words: {attack}.", "explorer": None}
            figures[name] = figures[like] | told
    return plan, figures, tables


def typeset(folder: Path, attacks: Sequence[str], *, drawn: Sequence[int]) -> tuple[bytes, bytes]:
    """Return the HTML and the PDF of the report in `folder`, which the process works in."""
    plan, figures, tables = words(folder, attacks, drawn=drawn)
    known = {
        "id": "claimed", "direction": "below", "threshold": 1.0, "estimate": 0.5, "interval": [0.4, 0.6], "n": 20, "verdict": "supported",
    }  # fmt: skip
    claims = {
        f"attack_{place}": [known | {"statement": attack, "quantity": attack, "reason": attack}] for place, attack in enumerate(attacks)
    }
    provenance = {"rule": "figure", "digest": "0" * 64, "inputs": {}}
    manifest = {
        name: provenance | {"settings": {"kind": "x"}, "seeds": {f"a: {attack}": 1}, "libraries": {attack: "1.0"}}
        for name in (*figures, *tables)
        for attack in [attacks[int(name.split("/")[0].removeprefix("attack_"))]]
    }
    settings = dict(plan._recipes["report", "html"].settings)
    text = report.markdown(
        report=settings["report"],
        studies=settings["studies"],
        figures={name: told | {"provenance": manifest[name]} for name, told in figures.items()},
        tables={name: told | {"provenance": manifest[name]} for name, told in tables.items()},
        claims=claims,
        texts=dict.fromkeys(settings["studies"], numbers.to_csv([])),
    )
    fonts = folder / "results/font"
    record = {"numbers": " ".join(attacks)}
    common = {"figures": figures, "manifest": manifest, "record": record, "digest": "0" * 64, "fonts": fonts}
    common |= {"report": settings["report"], "studies": settings["studies"]}
    return tuple(report.typeset(text, kind=kind, **common) for kind in ("html", "pdf"))  # type: ignore[return-value]


def _stored(path: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content as it is read back from where it is stored."""
    storage.save_json(path, dict(content))
    return dict(storage.load_json(path))


def remove(folder: Path) -> None:
    """Remove what was made of it."""
    shutil.rmtree(folder / "results", ignore_errors=True)
