"""Rows with numbers of their own are written, and found again in the parts of the data set."""

import numpy as np
import pytest

from scripts.common import components, data_files, memory, places, storage
from scripts.common.errors import UserError
from scripts.datasets.csv_file import generate

ROWS = 40


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's root with two files: numbers that tell rows apart, and labels."""
    monkeypatch.setattr(places, "PROJECT", tmp_path)
    memory._content.cache_clear()
    write(tmp_path / "own.csv", range(ROWS))
    write(tmp_path / "more.csv", range(100, 106))
    yield tmp_path
    memory._content.cache_clear()


def write(path, numbers):
    rows = [f"{n},{n * n},{-3 * n},{('red', 'blue', 'green')[n % 3]}" for n in numbers]
    path.write_text("\n".join(["x,square,z,color", *rows]) + "\n")


def options(**changes):
    return {"file": "own.csv", "inputs": ["x", "z"], "targets": ["square"], **changes}


def numbers(data, part):
    return data[f"{part}_x"][:, 0].astype(int).tolist()


def save(data, path):
    """Save a data set as the job does, which checks keys, axes and dtypes."""
    storage.save(path, data, kind=storage.DATA, digest="0" * 64)


@pytest.mark.usefixtures("project")
def test_every_row_is_in_one_part_with_its_columns(tmp_path):
    data = generate(**options(test_share=0.25, validation_share=0.1, seed=3))
    save(data, tmp_path / "data.npz")
    parts = [numbers(data, part) for part in ("train", "test", "validation")]
    assert [len(part) for part in parts] == [26, 10, 4]
    assert sorted(number for part in parts for number in part) == list(range(ROWS))
    for part in ("train", "test", "validation"):
        np.testing.assert_array_equal(data[f"{part}_x"][:, 1], -3 * data[f"{part}_x"][:, 0])
        np.testing.assert_array_equal(data[f"{part}_y"], data[f"{part}_x"][:, :1] ** 2)
    assert data["grid_x"].shape == (0, 2)
    assert "grid_y" not in data


@pytest.mark.usefixtures("project")
def test_the_division_is_that_of_the_seed():
    assert numbers(generate(**options()), "test") == numbers(generate(**options(seed=0, test_share=0.2)), "test")
    assert numbers(generate(**options()), "test") != numbers(generate(**options(seed=1)), "test")


@pytest.mark.usefixtures("project")
def test_a_second_file_has_the_test_points():
    data = generate(**options(test_file="more.csv"))
    assert (numbers(data, "train"), numbers(data, "test")) == (list(range(ROWS)), list(range(100, 106)))


@pytest.mark.usefixtures("project")
def test_standardized_by_the_training_points_alone():
    plain, data = generate(**options(test_file="more.csv")), generate(**options(test_file="more.csv", standardize=True))
    for key in ("x", "y"):
        mean, deviation = plain[f"train_{key}"].mean(axis=0), plain[f"train_{key}"].std(axis=0)
        np.testing.assert_allclose(data[f"train_{key}"].mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(data[f"train_{key}"].std(axis=0), 1)
        np.testing.assert_allclose(data[f"test_{key}"] * deviation + mean, plain[f"test_{key}"])


@pytest.mark.usefixtures("project")
def test_labels_are_one_hot_in_alphabetical_order_and_divided_by_their_shares():
    data = generate(**options(targets=None, labels="color", standardize=True, test_share=0.5))
    assert data["train_y"].shape == (20, 3)
    names = np.array(["blue", "green", "red"])
    plain = generate(**options(targets=None, labels="color", test_share=0.5))
    for part in ("train", "test"):
        assert names[plain[f"{part}_y"].argmax(axis=1)].tolist() == [("red", "blue", "green")[n % 3] for n in numbers(plain, part)]
        assert np.abs(plain[f"{part}_y"].sum(axis=0) - ROWS / 6).max() <= 1


@pytest.mark.usefixtures("project")
def test_grids():
    line = generate(**options(inputs=["x"]))["grid_x"]
    np.testing.assert_allclose(line[:, 0], np.linspace(0, ROWS - 1, data_files.GRID))
    square = generate(**options(grid_samples=5))["grid_x"]
    assert square.shape == (25, 2)
    rows = square.reshape(5, 5, 2)
    np.testing.assert_allclose(np.diff(rows[:, :, 0], axis=1), 3 * (ROWS - 1) / 4)
    np.testing.assert_allclose(np.diff(rows[:, :, 1], axis=0), 3 * (ROWS - 1) / 4)
    assert generate(**options(inputs=["x"], grid_samples=0))["grid_x"].shape == (0, 1)


WRONG = {
    "neither targets nor labels": ({"targets": None}, "give either 'targets', numbers to predict, or 'labels', classes"),
    "both": ({"labels": "color"}, "give either 'targets', numbers to predict, or 'labels', classes"),
    "a share and a file": (
        {"test_share": 0.1, "test_file": "more.csv"},
        "P.test_share: the test points are given by themselves; remove it",
    ),
    "no inputs": ({"inputs": []}, "P.inputs: wrong value []; allowed: at least one"),
    "a column twice": ({"targets": ["x"]}, "P: column 'x' is asked for twice; give it once"),
    "a grid of three": ({"inputs": ["x", "z", "square"], "targets": ["x"]}, "P: column 'x' is asked for twice; give it once"),
    "a large grid": ({"grid_samples": 2000}, "P.grid_samples: wrong value 2000; allowed: at most 1,000 with 2 inputs"),
    "words as numbers": ({"file": "one.csv", "targets": ["z"], "inputs": ["word"]}, "one.csv: line 2, column 'word': wrong value 'red'"),
    "no training points": ({"test_share": 0.99}, "own.csv: has 40 points, of which 0 would be training points; allowed: 2 at least"),
    "one class": (
        {"targets": None, "labels": "z", "inputs": ["x"], "file": "same.csv"},
        "same.csv: has 1 classes in 'z'; allowed: 2 to 1,000",
    ),
    "a class of one": ({"targets": None, "labels": "x", "inputs": ["z"]}, "own.csv: label '0' has 1 of its 40 points, too few to divide"),
    "few test points": (
        {"targets": None, "labels": "color", "test_share": 0.05},
        "own.csv: 2 of its 40 points would be test points, of 3 classes; allowed: as many as classes at least",
    ),
    "an unknown class": ({"targets": None, "labels": "color", "test_file": "other.csv"}, "other.csv: label 'pink' is in no row of own.csv"),
    "no file": ({"file": "none.csv"}, "P.file: no such file 'none.csv'; put it there or correct its path"),
    "a folder": ({"file": "folder"}, "P.file: 'folder' is a folder; give the path of a file in it"),
    "a link that leads out": ({"file": "link.csv"}, "leads out of the project's folder through a link"),
    "a second file with other columns": ({"test_file": "one.csv"}, "one.csv: has no column 'square'; its columns: x, z, word"),
}


@pytest.mark.parametrize(("changes", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_before_anything_runs_and_by_the_job(project, changes, expected):
    (project / "one.csv").write_text("x,z,word\n3,4,red\n")
    (project / "same.csv").write_text("x,z\n" + "1,2\n3,2\n" * 4)
    (project / "other.csv").write_text("x,square,z,color\n1,1,1,pink\n")
    (project / "folder").mkdir()
    (project / "link.csv").symlink_to("/dev/null")
    given = options(**changes)
    found = data_files.problems("csv_file", given, "P")
    assert len(found) == 1
    assert expected in found[0]
    assert found[0].startswith("P")
    with pytest.raises(UserError) as error:
        generate(**given)
    assert expected.removeprefix("P") in str(error.value)


def test_what_is_the_same_everywhere_cannot_be_standardized(project):
    (project / "flat.csv").write_text("x,y\n" + "".join(f"5,{n}\n" for n in range(10)))
    with pytest.raises(UserError, match=r"^flat.csv: column 'x' has no standard deviation, .*take it out of 'inputs'"):
        generate(file="flat.csv", inputs=["x"], targets=["y"], standardize=True)


@pytest.mark.usefixtures("project")
def test_columns_are_known_by_name():
    known = data_files.known("csv_file", options())
    assert known["column"] == ["x", "square", "z", "color"]
    found = components.problems(components.DATASET, "csv_file", options(inputs=["xx"]), "P", known=known)
    assert found == ["P.inputs: unknown column 'xx'; known: x, square, z, color"]
    assert data_files.known("csv_file", {"file": "none.csv"}) == {"column": None, "array": None}
