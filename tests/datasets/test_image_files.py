"""Each file here is written byte by byte or by numpy, and read by the data set."""

import gzip
import io
import pickle
import zipfile

import numpy as np
import pytest

from scripts.common import components, storage
from scripts.common.errors import UserError
from scripts.datasets import image_files
from scripts.datasets.image_files import generate

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
COUNTS = {"train": 12, "test": 6}


def bytes_of(part):
    """Return images (n, 2, 3), or labels from 0 to 2 in turn."""
    name, _, what = part.partition("_")
    count = COUNTS[name]
    return (np.arange(count) % 3 if what == "labels" else np.arange(count * 6).reshape(count, 2, 3) * 3).astype(np.uint8)


def idx(values):
    header = bytes([0, 0, 8, values.ndim]) + b"".join(length.to_bytes(4, "big") for length in values.shape)
    return header + values.tobytes()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a project's root with the four files of IDX, plain."""
    monkeypatch.setattr(image_files, "PROJECT", tmp_path)
    for part in PARTS:
        (tmp_path / part).write_bytes(idx(bytes_of(part)))
    return tmp_path


def read(**options):
    return generate(seed=0, **{part: part for part in PARTS}, **options)


def archive(folder, **changes):
    arrays = {image_files.KEYS[part]: bytes_of(part) for part in PARTS} | changes
    np.savez(folder / "images.npz", **{key: values for key, values in arrays.items() if values is not None})
    return {"seed": 0, "archive": "images.npz"}


def check(data):
    assert data["train_x"].shape == (12, 6)
    np.testing.assert_array_equal(data["train_x"] * 255, bytes_of("train_images").reshape(12, 6))
    np.testing.assert_array_equal(data["test_x"] * 255, bytes_of("test_images").reshape(6, 6))
    np.testing.assert_array_equal(data["train_y"].argmax(axis=1), bytes_of("train_labels"))
    np.testing.assert_array_equal(data["test_y"], np.eye(3)[[0, 1, 2, 0, 1, 2]])
    assert (data["grid_x"].shape, data["grid_y"].shape) == ((0, 6), (0, 3))


@pytest.mark.usefixtures("folder")
def test_plain_files():
    check(read())


def test_compressed_files(folder):
    for part in PARTS:
        (folder / part).write_bytes(gzip.compress(idx(bytes_of(part))))
    check(read())


def test_an_archive(folder):
    check(generate(**archive(folder)))
    check(generate(**archive(folder, y_train=bytes_of("train_labels").astype(np.int64))))


def test_floating_point_images_are_as_they_are(folder):
    images = np.linspace(-1, 2, 72, dtype=np.float32).reshape(12, 6)
    np.testing.assert_array_equal(generate(**archive(folder, x_train=images))["train_x"], images.astype(np.float64))


@pytest.mark.usefixtures("folder")
def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", read(), kind=storage.DATA, digest="d")


@pytest.mark.usefixtures("folder")
def test_some_of_the_images_are_a_choice_by_label():
    data = read(train_samples=6, test_samples=3)
    assert data["train_y"].sum(axis=0).tolist() == [2, 2, 2]
    assert data["test_y"].sum(axis=0).tolist() == [1, 1, 1]
    all_rows = {row.tobytes(): label for row, label in zip(read()["train_x"], bytes_of("train_labels"), strict=True)}
    assert [all_rows[row.tobytes()] for row in data["train_x"]] == data["train_y"].argmax(axis=1).tolist()


def refuses(message, **options):
    with pytest.raises(UserError, match=message) as error:
        read(**options)
    assert "\n" not in str(error.value)


def test_a_missing_file(folder):
    (folder / "test_labels").unlink()
    refuses("test_labels: missing; put the file there")


def test_a_folder_instead_of_a_file(folder):
    (folder / "test_labels").unlink()
    (folder / "test_labels").mkdir()
    refuses("test_labels: cannot be read")


@pytest.mark.parametrize("length", [0, 3, 7, 15, 16, 87])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_a_file_whose_end_is_missing(folder, length, pack):
    whole = idx(bytes_of("train_images"))
    (folder / "train_images").write_bytes(pack(whole[:length]))
    refuses("train_images: truncated: its header declares")


@pytest.mark.parametrize("length", [5, 12, 40])
def test_a_compressed_file_whose_end_is_missing(folder, length):
    (folder / "train_images").write_bytes(gzip.compress(idx(bytes_of("train_images")))[:length])
    refuses("train_images: damaged or truncated")


def test_a_compressed_file_that_was_altered(folder):
    packed = bytearray(gzip.compress(idx(bytes_of("train_images"))))
    packed[-6] ^= 1
    (folder / "train_images").write_bytes(packed)
    refuses("train_images: damaged or truncated")


def test_a_file_that_is_longer_than_it_says(folder):
    (folder / "train_images").write_bytes(idx(bytes_of("train_images")) + b"x")
    refuses("train_images: longer than it says")


@pytest.mark.parametrize("magic", [b"\x00\x00\x0d\x03", b"\x00\x00\x08\x01", b"PK\x03\x04", b"\x89PNG"])
def test_another_kind_of_file(folder, magic):
    (folder / "train_images").write_bytes(magic + idx(bytes_of("train_images"))[4:])
    refuses(f"train_images: not an IDX file of images: begins with the bytes {magic.hex(' ')}, expected 00 00 08 03")


def test_a_file_that_declares_too_much_is_not_read(folder, monkeypatch):
    header = bytes([0, 0, 8, 3]) + b"".join(length.to_bytes(4, "big") for length in (2**31, 2**12, 2**12))
    (folder / "train_images").write_bytes(header)
    refuses("train_images: too large: its images are 2,147,483,648 by 4,096 by 4,096; at most 134,217,728 numbers are read")
    (folder / "train_images").write_bytes(gzip.compress(header + bytes(10**6)))
    monkeypatch.setattr(gzip.GzipFile, "read", limited(gzip.GzipFile.read))
    refuses("train_images: too large")


def limited(read):
    def some(self, size=-1):
        assert 0 <= size <= 64
        return read(self, size)

    return some


def test_labels_that_do_not_fit_the_images(folder):
    (folder / "train_labels").write_bytes(idx(bytes_of("train_labels")[:-1]))
    refuses("train_labels: has 11 labels of 12 train images")


def test_images_of_two_sizes(folder):
    (folder / "test_images").write_bytes(idx(np.zeros((6, 2, 2), dtype=np.uint8)))
    refuses("test_images: test images have 4 pixels and training images 6")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", [{"archive": "images.npz"}, {"train_labels": None}, dict.fromkeys(PARTS)])
def test_options_that_do_not_go_together(options):
    with pytest.raises(UserError, match="image files: give 'archive', or else all of train_images, train_labels"):
        generate(seed=0, **({part: part for part in PARTS} | options))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "has no array 'x_test'; it holds x_train, y_test, y_train, needed are x_train, y_train, x_test, y_test"),
        ({"x_train": np.array([object()] * 12)}, "array 'x_train' is pickled"),
        ({"x_train": np.full((12, 6), "a")}, "array 'x_train' has dtype <U1; allowed: uint8"),
        ({"x_train": np.zeros((12, 6), dtype=np.int16)}, "array 'x_train' has dtype int16; allowed: uint8"),
        ({"y_train": np.zeros(12)}, "array 'y_train' has dtype float64; allowed: whole numbers"),
        ({"y_train": np.zeros((12, 3), dtype=np.uint8)}, r"array 'y_train' has the shape \(12, 3\); allowed: \(N,\)"),
        ({"x_train": np.zeros((12, 6, 1, 1), dtype=np.uint8)}, r"array 'x_train' has the shape \(12, 6, 1, 1\)"),
        ({"y_train": np.full(12, -1)}, "has the labels -1 to -1; allowed: 0 to 999"),
        ({"y_train": np.full(12, 1000)}, "has the labels 1000 to 1000; allowed: 0 to 999"),
        ({"x_train": np.full((12, 6), np.nan)}, "array 'x_train' has numbers that are not finite"),
        ({"x_train": np.zeros((0, 6)), "y_train": np.zeros(0, dtype=int)}, "has 0 labels of 0 train images"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_archive_of_something_else(folder, changes, message):
    options = archive(folder, **changes)
    with pytest.raises(UserError, match=f"images.npz: {message}") as error:
        generate(**options)
    assert "\n" not in str(error.value)


def test_a_pickled_array_is_never_run(folder):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("it ran",))

    array = np.empty(1, dtype=object)
    array[0] = Evil()
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    content.write(pickle.dumps(array))
    with zipfile.ZipFile(folder / "images.npz", "w") as written:
        written.writestr("x_train.npy", content.getvalue())
    with pytest.raises(UserError, match="array 'x_train' is pickled"):
        generate(seed=0, archive="images.npz")


def test_an_archive_that_declares_too_much_is_not_read(folder):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (2**20, 2**10)})
    with zipfile.ZipFile(folder / "images.npz", "w") as written:
        written.writestr("x_train.npy", content.getvalue())
    with pytest.raises(UserError, match=r"images\.npz: too large: its images are 1,048,576 by 1,024"):
        generate(seed=0, archive="images.npz")


@pytest.mark.parametrize("damage", [lambda whole: whole[:100], lambda whole: b"no archive at all" + whole[:0], lambda whole: whole[:0]])
def test_a_damaged_archive(folder, damage):
    options = archive(folder)
    (folder / "images.npz").write_bytes(damage((folder / "images.npz").read_bytes()))
    with pytest.raises(UserError, match=r"images\.npz: damaged, truncated, or not an \.npz file"):
        generate(**options)


def test_values_of_an_archive_that_were_altered(folder):
    options = archive(folder)
    whole = bytearray((folder / "images.npz").read_bytes())
    whole[whole.index(bytes_of("train_images").tobytes())] ^= 1
    (folder / "images.npz").write_bytes(whole)
    with pytest.raises(UserError, match=r"images\.npz: damaged"):
        generate(**options)


@pytest.mark.parametrize(
    "path", ["/data/images.npz", "../images.npz", "data/../../images.npz", "data//images.npz", "data/", "", ".git/config"]
)
def test_a_path_outside_of_the_project_is_no_path_of_a_data_file(path):
    problems = components.problems(components.DATASET, "image_files", {"seed": 0, "archive": path}, "data.images")
    (problem,) = problems
    assert "allowed: the path of a file inside the project, from its root, without '..'" in problem


def test_a_path_inside_of_the_project_is_one():
    assert components.problems(components.DATASET, "image_files", {"seed": 0, "archive": "data/images-1.npz"}, "data.images") == []
