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
        sweeps: labels of sweeps that have as many replicas and steps, with these.
        tables: how many tables.
    """

    runs: list[tuple[list[str], int, int | None]]
    swept: dict[str, str]
    figures: int
    questions: list[str]
    claims: int
    sweeps: tuple[tuple[list[str], int, int], ...] = ()
    tables: int = 0


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


RATES = "0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 3"
NORMALIZATIONS = ["batch normalization", "layer normalization", "instance normalization", "group normalization"]
COMPARED = [
    *("baseline", "Xavier", "He", *NORMALIZATIONS),
    *("dropout", "DropConnect", "DropBlock", "mixup", "CutMix", "early stopping"),
]

TECHNIQUES = {
    "exercise_1": Expected(
        runs=[
            (["10 layers, tanh", "10 layers, ReLU", "10 layers, linear", "edge of chaos, tanh"], 20, None),
            (["100 layers, tanh", "100 layers, ReLU", "100 layers, linear"], 10, None),
        ],
        swept={
            "activation": "tanh, relu, linear",
            "scale of ten layers": "0.01, 0.03, 0.1, 0.2, 0.316, 0.447, 0.7, 1, 2",
            "variance of weights times inputs": "0.5, 0.8, 1, 1.2, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 3, 3.5, 4",
            "variance of biases": "0.01, 0.03, 0.1, 0.3",
            "hidden layers": "2, 5, 10, 20, 50, 100",
        },
        figures=6,
        questions=["What does the simplified gradient leave out?", "Which scales are stable?", "A hundred layers", "The edge of chaos"],
        claims=10,
    ),
    "exercise_2": Expected(
        runs=[
            (
                [
                    f"{activation}, {weights}"
                    for activation in ("tanh", "sigmoid")
                    for weights in ("Xavier uniform", "Xavier normal", "zeros", "U(−0.1, 0.1)")
                ],
                10,
                600,
            ),
            (["5 layers, tanh", "5 layers, sigmoid"], 20, None),
        ],
        swept={"activation": "tanh, sigmoid", "initialization": "xavier_uniform, xavier_normal, zeros, uniform"},
        figures=2,
        questions=["Where does the formula come from?", "Variance by layer", "Trained on digits"],
        claims=10,
    ),
    "exercise_3": Expected(
        runs=[
            (["PyTorch's default", "Xavier", "He", "orthogonal", "LSUV", "zero-initialized branches"], 10, 300),
            (["one layer, ReLU", "gain of ReLU", "gain by slope", "49 hidden layers of 32"], 20, None),
        ],
        swept={
            "slope left of zero": "0, 0.01, 0.1, 0.25, 0.5",
            "variance of weights times inputs": "2",
            "initialization at depth 50": "torch_default, xavier_normal, he_normal, orthogonal, lsuv, fixup",
        },
        figures=4,
        questions=["The gain", "Which histogram is better?", "Leaky ReLU and PReLU", "Fifty layers"],
        claims=11,
    ),
    "exercise_4": Expected(
        runs=[(["baseline", "batch normalization"], 10, 300), (["biased (source)", "unbiased (PyTorch)"], 20, 100)],
        sweeps=((["baseline", "batch normalization"], 10, 300),),
        swept={"batch size of running statistics": "2, 4, 8, 16, 32, 64, 128, 256", "learning rate": RATES},
        figures=5,
        questions=["Biased or unbiased?", "What does the gradient not see?", "Learning rates", "Does it reduce the shift?"],
        claims=6,
    ),
    "exercise_5": Expected(
        runs=[
            (["baseline", *NORMALIZATIONS, *(f"perceptron, {kind}" for kind in ("none", "batch", "layer"))], 10, 300),
            ([f"{network}, {kind}" for network in ("recurrent", "attention") for kind in ("none", "batch", "layer")], 10, 600),
            (["normalized images"], 20, None),
        ],
        sweeps=((["baseline", *NORMALIZATIONS, *(f"perceptron, {kind}" for kind in ("none", "batch", "layer"))], 10, 3000),),
        swept={"batch size": "2, 4, 8, 16, 32, 50, 64, 128, 256", "normalization": "batch, layer, instance, group"},
        figures=4,
        tables=1,
        questions=["A table that tells them apart", "The size of the batch", "Rows one after another, and rows at once"],
        claims=13,
    ),
    "exercise_6": Expected(
        runs=[
            (["baseline", "dropout", "DropConnect", "DropBlock", "perceptron, none", "perceptron, dropout"], 10, 300),
            (["dropout", "DropConnect", "DropConnect, source", "DropBlock"], 20, None),
        ],
        sweeps=((["dropout", "DropConnect", "DropBlock"], 10, 300),),
        swept={
            "rate of masks": "0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6",
            "rate in training": "0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6",
            "data": "digits_300, digits_100, digits_1000",
        },
        figures=2,
        questions=["Mean and variance of an output", "When does dropout help?", "Best for fully connected layers?"],
        claims=12,
    ),
    "exercise_7": Expected(
        runs=[(["baseline", "mixup", "CutMix"], 10, 300), (["plain", "mixup"], 10, 1000)],
        sweeps=((["mixup", "CutMix"], 10, 300),),
        swept={"α": "0.1, 0.2, 0.4, 0.5, 1, 2, 4"},
        figures=4,
        questions=["Accuracy and calibration", "Smoother boundaries?"],
        claims=9,
    ),
    "exercise_8": Expected(
        runs=[(["to the end", "early stopping"], 10, 480), (["mode min", "mode max"], 20, None)],
        swept={"patience of the rule": "1, 2, 3, 4, 5, 6, 7, 8", "minimal change of the rule": "0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2"},
        figures=3,
        questions=["The source’s sequence", "What it saves, and what it costs", "How much patience?"],
        claims=9,
    ),
    "exercise_9": Expected(
        runs=[(["members"], 20, 300)],
        swept={},
        figures=1,
        questions=["How many members?", "Average, vote or stack?", "Calibration and diversity"],
        claims=9,
    ),
    "exercise_10": Expected(
        runs=[(COMPARED, 10, 300), (["1,000 images"], 10, 1000)],
        sweeps=((["baseline", "Xavier", "He", *NORMALIZATIONS, "dropout", "mixup", "CutMix", "PyTorch's default"], 10, 300),),
        swept={
            "learning rate": RATES,
            "normalization of the factorial": "batch, layer, instance, group, none",
            "dropout": "dropout, drop_connect, drop_block",
            "augmentation": "mixup, cutmix",
        },
        figures=1,
        tables=2,
        questions=["One technique at a time", "Do effects add up?", "The source’s table, phrase by phrase"],
        claims=12,
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


EXPECTED = TRAINING_DYNAMICS | TECHNIQUES


@pytest.mark.parametrize("name", EXPECTED)
def test_an_inventory_has_all_that_was_planned(name: str, built_report: Path) -> None:
    found = rows((built_report / "report.html").read_text(encoding="utf-8"), name)
    expected = EXPECTED[name]
    full = read_yaml(PROJECT / "config/report.yaml")
    quick = read_yaml(PROJECT / "config/quick.yaml")
    limits = (full["replicas"], MANY) if built_report.parent.name != "quick" else (quick["replicas"], quick["steps"])

    def told(*words: str) -> set[tuple[str, str]]:
        of_words = [row for row in found if row[0].removesuffix("s") in words]
        return {(label, row[2].replace("at most ", "")) for row in of_words for label in row[1].split("; ")}

    for runs, words in ((expected.runs, ("variant", "simulation")), (expected.sweeps, ("sweep",))):
        assert told(*words) == {(label, counted(replicas, steps, limits)) for labels, replicas, steps in runs for label in labels}
    assert {row[1]: row[2] for row in found if row[0] == "swept"} == expected.swept
    assert [sum(row[0] == word for row in found) for word in ("figure", "table")] == [expected.figures, expected.tables]
    assert [row[2] for row in found if row[0] == "question"] == expected.questions
    claims = [row for row in found if row[0] == "claim"]
    assert len(claims) == expected.claims
    assert {row[2] for row in claims} <= {"supported", "refuted", "inconclusive"}


def test_every_inventory_is_expected(built_report: Path) -> None:
    page = (built_report / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'id="tbl:inventory_(\w+)"', page) == list(EXPECTED)
