"""Data from files in a study: told before anything runs, and a part of the recipe of what reads it."""

import os
import shutil

import numpy as np
import pytest

from scripts import data
from scripts.common import data_words, drawing
from scripts.common.chapter import plain
from scripts.common.errors import UserError
from scripts.common.plan import Plan
from scripts.common.storage import file_sha256
from scripts.common.yaml_file import read_yaml
from tests.builds import replace
from tests.copies import STUDY, editable_study, forget, mini_copy, problems, working_in

OWN = {"kind": "csv_file", "file": "data/own.csv", "inputs": ["x"], "targets": ["y"]}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return mini_copy(tmp_path_factory.mktemp("data_files"))


@pytest.fixture
def project(copied):
    with working_in(copied) as folder:
        (folder / "data").mkdir()
        (folder / "data/own.csv").write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(20)))
        yield folder
        shutil.rmtree(folder / "data")


@pytest.fixture
def study(project, monkeypatch):
    return editable_study(project, monkeypatch)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"inputs": ["z"]}, ["inputs: unknown column 'z'; known: x, y"]),
        ({"file": "data/none.csv"}, ["file: no such file 'data/none.csv'; put it there or correct its path"]),
        ({"inputs": "x"}, ["inputs: wrong value 'x'; allowed: a list, each entry the name of a column"]),
        ({"test_share": 1.0}, ["test_share: wrong value 1.0; allowed: a number of at least 0 and below 1"]),
        (
            {"standardise": True},
            ["standardise: data set 'csv_file' has no option 'standardise'; its options: file, inputs, targets, labels, "],
        ),
        ({"file": "../own.csv"}, ["file: wrong value '../own.csv'; allowed: the path of a file inside the project, from its root,"]),
        ({"grid_samples": 10**7}, ["grid_samples: wrong value 10000000; allowed: at most 1,000,000 with 1 input"]),
    ],
)
def test_what_is_wrong_is_a_problem_of_the_configuration(study, changes, expected):
    study["data"]["own"] = OWN | changes
    found = problems(read_yaml("config/report.yaml"))
    assert len(found) == len(expected)
    for problem, words in zip(found, expected, strict=True):
        assert problem.startswith(f"{STUDY}: data.own.{words}")


def test_a_wrong_cell_is_a_problem_of_the_configuration(project, study):
    study["data"]["own"] = OWN
    (project / "data/own.csv").write_text("x,y\n1,2\n2,three\n")
    assert problems(read_yaml("config/report.yaml")) == [
        f"{STUDY}: data.own: data/own.csv: line 3, column 'y': wrong value 'three'; allowed: a finite number with a point, as -1.5e-3; "
        "mend it or leave the row out"
    ]


def test_an_array_is_known_by_name(project, study):
    np.savez(project / "data/own.npz", x=np.zeros((9, 2)), y=np.arange(9.0))
    study["data"]["own"] = {"kind": "npz_file", "file": "data/own.npz", "inputs": "x", "targets": "z"}
    assert problems(read_yaml("config/report.yaml")) == [f"{STUDY}: data.own.targets: unknown array 'z'; known: x, y"]


def planned():
    forget()
    return Plan(read_yaml("config/report.yaml"))


def test_an_edit_of_the_file_is_another_recipe_and_a_touch_is_none(project):
    text = "".join(f"  {line}\n" for line in ["own:", "  kind: csv_file", "  file: data/own.csv", "  inputs: [x]", "  targets: [y]"])
    replace(project, STUDY, "data:\n", f"data:\n{text}")
    replace(project, STUDY, "  data: sines", "  data: own")
    first = planned()
    os.utime(project / "data/own.csv")
    again = planned()
    (project / "data/own.csv").write_text((project / "data/own.csv").read_text() + "20,400\n")
    edited = planned()
    assert {job for job, recipe in again._recipes.items() if recipe.digest != first._recipes[job].digest} == set()
    changed = {job for job, recipe in edited._recipes.items() if recipe.digest != first._recipes[job].digest}
    assert {("data", "mini/own"), ("train", "mini/wide"), ("measure", "mini/narrow/loss"), ("number", "mini"), ("report", "pdf")} <= changed
    assert ("data", "mini/sines") not in changed
    assert list(first._recipes["data", "mini/own"].files) == ["data/own.csv"]


def test_a_file_that_changes_while_its_job_runs_is_an_error(project):
    known = {"data/own.csv": file_sha256(project / "data/own.csv")}
    data.check_files(known)
    (project / "data/own.csv").write_text("x,y\n1,2\n")
    with pytest.raises(UserError, match=r"^data/own.csv: changed while the build ran; run the same command again$"):
        data.check_files(known)


def test_a_figure_of_a_true_function_says_that_there_is_none():
    with pytest.raises(UserError, match="against a true function, which data from files do not have"):
        drawing.truth_of({"grid_x": np.zeros((3, 1))})
    with pytest.raises(UserError, match="against a true function"):
        drawing.learned_limits([{"train_y": np.zeros((3, 1)), "grid_x": np.zeros((3, 1))}])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            OWN | {"inputs": ["x", "a_b"], "standardize": True},
            "from `data/own.csv`; inputs x, a\\_b; targets y; a share of 0.2 of the points are "
            "test points, drawn with seed 0; inputs and targets are standardized, "
            "to mean 0 and standard deviation 1 over the training points",
        ),
        (
            {
                "kind": "csv_file",
                "file": "a.csv",
                "inputs": ["x"],
                "labels": "<b>",
                "test_file": "b.csv",
                "validation_share": 0.1,
                "seed": 4,
                "standardize": True,
            },
            "from `a.csv`; inputs x; labels \\<b\\>; test points are given by themselves, in `b.csv`; 0.1 of them validation "
            "points, drawn with seed 4; inputs are standardized, to mean 0 and standard deviation 1 over the training points",
        ),
        ({"kind": "sine", "frequency": 7.0, "seed": 0}, "of kind `sine`; frequency 7, seed 0"),
    ],
    ids=["numbers", "classes", "made up"],
)
def test_a_data_set_in_words(settings, expected):
    assert data_words.about(settings, plain) == expected
