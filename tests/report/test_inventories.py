"""The inventories of the built report against lists written by hand: a variant, level, figure, question or claim that is missing fails."""

import html
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.common.places import PROJECT
from scripts.common.yaml_file import read_yaml

MANY = 10**9


class Expected(NamedTuple):
    """What an inventory must have.

    Attributes:
        runs: labels of variants or simulations that have as many replicas and steps, with these; None where there are no steps.
        swept: every level, by what is swept.
        figures: how many figures.
        questions: the titles of the questions, in order.
        claims: how many claims.
    """

    runs: list[tuple[list[str], int, int | None]]
    swept: dict[str, str]
    figures: int
    questions: list[str]
    claims: int


TRAINING_DYNAMICS = {
    "descent": Expected(
        runs=[
            (["natural gradient"], 20, 150),
            ([f"{rule}, {rate}" for rule in ("momentum", "Adam") for rate in ("0.01", "0.03", "0.1", "0.3")], 20, 3000),
            (
                ["gradient descent", "gradient descent, log σ", "momentum 0.9", "Adam", "natural gradient", "natural gradient, log σ"],
                20,
                10_000,
            ),
            (["oscillating descent"], 20, 1000),
            (["paths in two coordinates"], 20, None),
            (["gradient descent", "momentum", "natural gradient"], 20, 5_000_000),
            (["Adam"], 20, 100_000),
            (["gradient descent"], 20, 60),
        ],
        swept={
            "learning rate of a fit and of Adam on least squares": (
                "0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.28, 0.3, 0.5, 0.7, 1, 1.5, 3"
            ),
            "learning rate of a network": "0.01, 0.03, 0.1, 0.3",
            "step size": "0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1",
            "condition number": "1, 10, 100, 1,000, 10,000, 100,000, 1,000,000",
            "share of the limit of the learning rate": "0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1, 1.01, 1.05",
        },
        figures=6,
        questions=["Where the metric is", "Steps to the best fit", "Other coordinates", "The limit of the learning rate", "Does it pay?"],
        claims=14,
    ),
    "regimes": Expected(
        runs=[
            (
                ["width 32", "width 256", "width 2,048", *(f"α = {alpha}" for alpha in ("0.1", "0.3", "1", "3", "10", "30", "100"))],
                20,
                2000,
            ),
            (["1 hidden layer", "3 hidden layers"], 20, None),
        ],
        swept={
            "width at initialization": "16, 32, 64, 128, 256, 512, 1,024, 2,048, 4,096",
            "hidden layers at initialization": "1, 3",
            "width in training": "32, 256, 2,048",
            "output scale α": "0.1, 0.3, 1, 3, 10, 30, 100",
        },
        figures=7,
        questions=["How wide is wide?", "Eigenvalues in training", "Width", "Does feature learning help?"],
        claims=16,
    ),
    "path": Expected(
        runs=[(["rate 0.02", "rate 0.05"], 8, 1200)],
        swept={"learning rate": "0.02, 0.05"},
        figures=4,
        questions=["The path in three dimensions", "Two stages?"],
        claims=10,
    ),
}


def rows(page: str, name: str) -> list[list[str]]:
    """Return the text of the cells of an inventory, row by row."""
    begin = page.index(f'id="tbl:inventory_{name}"')
    body = page[begin : page.index("</table>", begin)].partition("<tbody>")[2]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)]
    return [[" ".join(html.unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in row] for row in cells]


def counted(replicas: int, steps: int | None, limits: tuple[int, int]) -> str:
    """Return how an inventory says replicas and steps, cut by the limits of the report; "at most" is left out."""
    replicas, steps = min(replicas, limits[0]), steps and min(steps, limits[1])
    least = f"{replicas} replica{'s' if replicas > 1 else ''}"
    return least if steps is None else f"{least}, {steps:,} steps"


@pytest.mark.parametrize("name", TRAINING_DYNAMICS)
def test_the_inventories_of_training_dynamics(name: str, built_report: Path) -> None:
    found = rows((built_report / "report.html").read_text(encoding="utf-8"), name)
    expected = TRAINING_DYNAMICS[name]
    full = read_yaml(PROJECT / "config/report.yaml")
    quick = read_yaml(PROJECT / "config/quick.yaml")
    limits = (full["replicas"], MANY) if built_report.parent.name != "quick" else (quick["replicas"], quick["steps"])
    runs = {(label, row[2].replace("at most ", "")) for row in found if row[0].startswith(("v", "sim")) for label in row[1].split("; ")}
    assert runs == {(label, counted(replicas, steps, limits)) for labels, replicas, steps in expected.runs for label in labels}
    assert {row[1]: row[2] for row in found if row[0] == "swept"} == expected.swept
    assert sum(row[0] == "figure" for row in found) == expected.figures
    assert [row[2] for row in found if row[0] == "question"] == expected.questions
    claims = [row for row in found if row[0] == "claim"]
    assert len(claims) == expected.claims
    assert {row[2] for row in claims} <= {"supported", "refuted", "inconclusive"}
