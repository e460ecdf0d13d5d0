"""Files are written by numpy or byte by byte, and read by the data set."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from scripts.common import data_files, npz_arrays, places, storage
from scripts.common.errors import UserError
from scripts.datasets.npz_file import generate

POINTS = 30
X = np.arange(2 * POINTS, dtype=np.float64).reshape(POINTS, 2)
ARRAYS = {
    "x": X,
    "column": X[:, 0].astype(np.float32),
    "y": X[:, 0] ** 2,
    "pair": np.stack([X[:, 0], -X[:, 1]], axis=1).astype(np.int16),
    "label": np.arange(POINTS) % 3 + 5,
    "word": np.array(["red", "blue", "green"])[np.arange(POINTS) % 3],
    "truth": np.arange(POINTS) % 2 == 0,
    "more_x": X[:6] + 0.5,
    "more_y": X[:6, 0],
    "more_label": np.array([5, 5, 6, 6, 7, 7]),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "PROJECT", tmp_path)
    np.savez(tmp_path / "own.npz", **ARRAYS)
    np.savez_compressed(tmp_path / "more.npz", x=ARRAYS["more_x"], y=ARRAYS["more_y"])
    return tmp_path


def options(**changes):
    return {"file": "own.npz", "inputs": "x", "targets": "y", **changes}


@pytest.mark.usefixtures("project")
def test_every_point_is_in_one_part(tmp_path):
    data = generate(**options(test_share=0.3, validation_share=0.1))
    storage.save(tmp_path / "data.npz", data, kind=storage.DATA, digest="0" * 64)
    together = np.concatenate([data[f"{part}_x"] for part in ("train", "test", "validation")])
    np.testing.assert_array_equal(together[np.argsort(together[:, 0])], X)
    np.testing.assert_array_equal(data["test_y"][:, 0], data["test_x"][:, 0] ** 2)
    assert [len(data[f"{part}_x"]) for part in ("train", "test", "validation")] == [18, 9, 3]


@pytest.mark.usefixtures("project")
def test_columns_alone_and_several_targets_of_any_numbers():
    data = generate(**options(inputs="column", targets="pair"))
    assert (data["train_x"].shape, data["train_y"].shape, data["grid_x"].shape) == ((24, 1), (24, 2), (data_files.GRID, 1))
    np.testing.assert_array_equal(data["test_y"][:, 0], data["test_x"][:, 0])


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("labels", ["label", "word", "truth"])
def test_labels(labels):
    data = generate(**options(targets=None, labels=labels))
    classes = np.unique(ARRAYS[labels])
    expected = dict(zip(X[:, 0], ARRAYS[labels], strict=True))
    for part in ("train", "test"):
        assert classes[data[f"{part}_y"].argmax(axis=1)].tolist() == [expected[x] for x in data[f"{part}_x"][:, 0]]


@pytest.mark.usefixtures("project")
def test_test_points_of_their_own():
    for given in (
        {"test_file": "more.npz"},
        {"test_inputs": "more_x", "test_targets": "more_y"},
        {"test_file": "own.npz", "test_inputs": "more_x", "test_targets": "more_y"},
    ):
        data = generate(**options(**given))
        np.testing.assert_array_equal(data["train_x"], X)
        np.testing.assert_array_equal(data["test_x"], ARRAYS["more_x"])
        np.testing.assert_array_equal(data["test_y"][:, 0], ARRAYS["more_y"])
    data = generate(**options(targets=None, labels="label", test_inputs="more_x", test_labels="more_label"))
    assert data["test_y"].argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]


WRONG = {
    "no such array": ({"inputs": "z"}, "own.npz: has no array 'z'; its arrays: x, column, y, pair,"),
    "words as inputs": ({"inputs": "word"}, "own.npz: array 'word' is of numpy's kind 'U'; allowed: numbers"),
    "fractions as labels": ({"targets": None, "labels": "y"}, "own.npz: array 'y' is of numpy's kind 'f'; allowed: whole numbers or text"),
    "labels by two axes": ({"targets": None, "labels": "pair"}, "own.npz: array 'pair' has the shape (30, 2); allowed: (N,)"),
    "images": ({"inputs": "image"}, "own.npz: array 'image' has the shape (30, 4, 4); allowed: (N, D) or (N,)"),
    "fewer targets": ({"targets": "more_y"}, "own.npz: array 'x' has 30 points and 'more_y' 6; they must have as many"),
    "half of the test points": ({"test_inputs": "more_x"}, "give both 'test_inputs' and 'test_targets', or neither"),
    "test points of classes": ({"test_inputs": "more_x", "test_targets": "y", "test_labels": "label"}, "P.test_labels: goes with 'labels'"),
    "test points of another width": (
        {"test_inputs": "more_y", "test_targets": "more_y"},
        "own.npz: test points have 1 inputs and 1 targets, training points 2 and 1; they must have as many",
    ),
    "a pickle": ({"inputs": "object"}, "own.npz: array 'object' is pickled, which may run code when it is read, and is refused"),
    "complex numbers": ({"targets": "complex"}, "own.npz: array 'complex' is of numpy's kind 'c'; allowed: numbers"),
}


@pytest.mark.parametrize(("changes", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_before_anything_runs_and_by_the_job(project, changes, expected):
    others = {"image": np.zeros((POINTS, 4, 4)), "object": np.array([object()] * POINTS), "complex": X[:, 0] * 1j}
    np.savez(project / "own.npz", **ARRAYS, **others)
    found = data_files.problems("npz_file", options(**changes), "P")
    assert len(found) == 1
    assert expected in found[0]
    with pytest.raises(UserError) as error:
        generate(**options(**changes))
    assert expected.removeprefix("P") in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_told_by_the_job(project, value):
    wrong = X.copy()
    wrong[7, 1] = wrong[9, 0] = value
    np.savez(project / "own.npz", x=wrong, y=ARRAYS["y"])
    with pytest.raises(UserError, match=rf"^own.npz: array 'x', point 7, column 1: wrong value {value}; .*\(2 of its numbers are wrong\)"):
        generate(**options())


@pytest.mark.usefixtures("project")
def test_labels_that_no_training_point_has_and_classes_of_one():
    np.savez(places.PROJECT / "own.npz", **ARRAYS | {"more_label": np.array([5, 5, 6, 6, 7, 9])})
    with pytest.raises(UserError, match="array 'more_label' has the label 9, which no training point has"):
        generate(**options(targets=None, labels="label", test_inputs="more_x", test_labels="more_label"))
    np.savez(places.PROJECT / "own.npz", **ARRAYS | {"label": np.arange(POINTS)})
    with pytest.raises(UserError, match="label '0' has 1 of its 30 points, too few to divide"):
        generate(**options(targets=None, labels="label"))


def test_files_that_are_no_archives(project):
    for content in (b"", b"PK\x03\x04", b"x,y\n1,2\n", (project / "own.npz").read_bytes()[:300]):
        (project / "own.npz").write_bytes(content)
        assert "own.npz: damaged, truncated, or not an .npz file (" in data_files.problems("npz_file", options(), "P")[0]
    assert data_files.problems("npz_file", options(file="none.npz"), "P") == [
        "P.file: no such file 'none.npz'; put it there or correct its path"
    ]


def crafted(project, header, *, name="x"):
    """Write an archive of which one array begins with a header of our making."""
    text = header.encode("latin1")
    with zipfile.ZipFile(project / "own.npz", "w") as archive:
        archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
        for other in {"x", "y"} - {name}:
            buffer = io.BytesIO()
            np.save(buffer, ARRAYS[other])
            archive.writestr(f"{other}.npy", buffer.getvalue())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000), }", "too large, 1,000,000,000 by 1,000,000,000"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }", "is none of plain numbers or text"),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (30,), }", "is none of plain numbers or text"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (30, 2), }", "is pickled"),
        ("__import__('os').system('x')", "damaged, truncated, or not an .npz file"),
        ("[1, 2]", "is none of plain numbers or text"),
        ("(" * 3000, "damaged, truncated, or not an .npz file"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (30, 2), }", None),
    ],
    ids=["a bomb", "negative", "fields", "objects", "code", "a list", "nested", "no values"],
)
def test_headers_are_read_without_trust(project, header, expected):
    crafted(project, header)
    found = data_files.problems("npz_file", options(), "P")
    assert (expected in found[0]) if expected else found == []
    with pytest.raises(UserError):
        generate(**options())


def test_headers_are_what_numpy_reads(project):
    for name, array in ARRAYS.items():
        header = npz_arrays.header("own.npz", name)
        assert (header.kind, header.shape) == (array.dtype.kind, array.shape)
    assert npz_arrays.names("own.npz") == list(ARRAYS)
    np.savez(project / "fortran.npz", x=np.asfortranarray(X), y=X[:, 0].astype(">f4"))
    data = generate(file="fortran.npz", inputs="x", targets="y", test_share=0.2)
    np.testing.assert_array_equal(data["train_x"][:, 0], data["train_y"][:, 0])


def test_nothing_is_unpickled(project):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(project / "own.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue() + pickle.dumps([Trap()]))
        archive.writestr("y.npy", buffer.getvalue() + pickle.dumps([Trap()]))
    with pytest.raises(UserError, match="is pickled"):
        generate(**options())


def test_too_many_members(project):
    with zipfile.ZipFile(project / "own.npz", "w") as archive:
        for number in range(npz_arrays.MOST_MEMBERS + 1):
            archive.writestr(f"{number}.npy", b"")
    assert data_files.problems("npz_file", options(), "P") == ["P: own.npz: holds 1,001 members; at most 1,000 are read"]
