import hashlib
import io
import json
import os
import subprocess
import time
import zipfile

import numpy as np
import pytest

from scripts.common import storage
from scripts.common.files import bring_back_from_the_future, remove_leftovers, with_checksum
from scripts.common.storage import Array, Kind, StorageError

KIND = Kind(
    "example",
    {
        "step": Array("S", "int64"),
        "loss": Array("S R", "float64", quantity=True),
        "name": Array("R", "str"),
        "weight": Array("R P", "float32 float64"),
        "count": Array("", "int64"),
        "flag": Array("S R", "bool"),
    },
    optional=frozenset({"flag"}),
)


def arrays():
    return {
        "step": np.array([0, 5]),
        "loss": np.array([[0.1, np.nan, np.inf], [-np.inf, 5e-324, -0.0]]),
        "name": np.array(["a", "längstes", ""]),
        "weight": np.arange(6, dtype=np.float32).reshape(3, 2).T.copy().T,
        "count": np.array(3),
    }


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "results/example.npz"
    storage.save(path, arrays(), kind=KIND, digest="d" * 64)
    return path


def load(path):
    return storage.load(path, kind="example", digest="d" * 64)


def refused(path, expected):
    """See that a file is not used, and told in one line with its name and the remedy."""
    with pytest.raises(StorageError) as error:
        load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: {expected}"), message
    delete = "" if expected == "missing" else f"delete it (rm {path}) and "
    assert message.endswith(f"; {delete}run the same command again to rebuild it")
    assert "\n" not in message


def test_arrays_read_back_as_they_were_to_the_bit(stored):
    found = load(stored)
    assert found.keys() == arrays().keys()
    for key, array in arrays().items():
        assert found[key].dtype == array.dtype
        assert found[key].tobytes() == array.tobytes()
        assert found[key].shape == array.shape


def test_the_same_arrays_are_the_same_bytes(stored, tmp_path):
    storage.save(
        tmp_path / "again.npz", dict(reversed(arrays().items())) | {"loss": np.asfortranarray(arrays()["loss"])}, kind=KIND, digest="d" * 64
    )
    again = {key: array.tobytes() for key, array in load(tmp_path / "again.npz").items()}
    assert again == {key: array.tobytes() for key, array in load(stored).items()}
    storage.save(tmp_path / "once_more.npz", arrays(), kind=KIND, digest="d" * 64)
    assert (tmp_path / "once_more.npz").read_bytes() == stored.read_bytes()


def test_the_header_says_what_there_is(stored):
    header = storage.read_header(stored)
    assert (header["kind"], header["digest"], header["format"]) == ("example", "d" * 64, storage.FORMAT)
    assert header["arrays"]["loss"]["axes"] == "S R"
    assert storage.quantities(stored) == {"loss": "S R"}


def test_files_are_written_in_full_or_not_at_all(stored):
    before = stored.read_bytes()

    def fail(file):
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        storage.write_atomically(stored, fail)
    assert stored.read_bytes() == before
    assert [path.name for path in stored.parent.iterdir()] == ["example.npz"]
    assert oct(stored.stat().st_mode & 0o777) == "0o644"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"loss": None}, "array 'loss' is missing"),
        ({"extra": np.zeros(1)}, "unknown array 'extra' (known: count, flag, loss, name, step, weight)"),
        ({"loss": np.zeros((2, 3), dtype=np.float32)}, "'loss' has dtype float32, expected float64"),
        ({"weight": np.zeros((3, 2), dtype=np.float16)}, "'weight' has dtype float16, expected float32 or float64"),
        ({"name": np.zeros(3)}, "'name' has dtype float64, expected str"),
        ({"loss": np.zeros(2)}, "'loss' has 1 axes, expected 2 (S R)"),
        ({"loss": np.zeros((2, 4))}, "axis R of 'name' has length 3, elsewhere 4"),
        ({"flag": np.zeros((2, 4), dtype=bool)}, "axis R of 'loss' has length 3, elsewhere 4"),
    ],
)
def test_what_is_not_of_its_kind_is_not_saved(tmp_path, changes, expected):
    content = {key: array for key, array in (arrays() | changes).items() if array is not None}
    with pytest.raises(StorageError) as error:
        storage.save(tmp_path / "x.npz", content, kind=KIND, digest="d")
    assert str(error.value).startswith(f"{tmp_path / 'x.npz'}: not a file of kind 'example': ")
    assert expected in str(error.value)
    assert not list(tmp_path.iterdir())


def test_all_mismatches_are_told_at_once(tmp_path):
    with pytest.raises(StorageError, match=r"'step' is missing; .*'loss' has dtype int64.*unknown array 'x'"):
        storage.save(
            tmp_path / "x.npz", {"loss": np.zeros((2, 3), dtype=int), "name": arrays()["name"], "x": np.zeros(1)}, kind=KIND, digest="d"
        )


def test_a_truncated_file_is_not_used(stored):
    whole = stored.read_bytes()
    for length in range(0, len(whole), 7):
        stored.write_bytes(whole[:length])
        refused(stored, "damaged or not an array file of this project (")


def test_no_altered_bit_is_ever_read_as_a_result(stored):
    """Flip a bit of each byte: the file is refused, or it holds the same arrays (dates and attributes of the archive do not matter)."""
    whole, expected, told = stored.read_bytes(), {key: array.tobytes() for key, array in load(stored).items()}, 0
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1 << (place % 8)
        stored.write_bytes(altered)
        try:
            found = load(stored)
        except StorageError as error:
            told += 1
            assert str(stored) in str(error)  # noqa: PT017 - some of the flips are refused, others harmless
        else:
            assert {key: array.tobytes() for key, array in found.items()} == expected, place
    assert told > len(whole) / 2


def test_a_file_put_in_the_place_of_another_is_not_used(stored, tmp_path):
    other = Kind("other", {"x": Array("N", "float64")})
    storage.save(tmp_path / "other.npz", {"x": np.zeros(3)}, kind=other, digest="d" * 64)
    (tmp_path / "other.npz").replace(stored)
    refused(stored, "is a file of kind 'other', expected 'example'")


def test_a_file_made_under_another_recipe_is_not_used(stored):
    storage.save(stored, arrays(), kind=KIND, digest="e" * 64)
    refused(stored, "was made under recipe eeeeeeeeeeee, this build needs dddddddddddd (a setting, code or library changed since)")
    assert storage.load(stored, kind="example").keys() == arrays().keys()


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def as_npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"loss.npy": as_npy(np.zeros((2, 3)))}, "altered since it was saved (array loss)"),
        ({"step.npy": as_npy(np.array([0, 5], dtype=np.int32))}, "altered since it was saved (array step)"),
        ({"more.npy": as_npy(np.zeros(1))}, "altered since it was saved (array more)"),
        ({"name.npy": None}, "altered since it was saved (array name)"),
        ({"header.npy": None}, "damaged or not an array file of this project ('header"),
        ({"header.npy": as_npy(np.frombuffer(b"{}", dtype=np.uint8))}, "damaged or not an array file of this project ('arrays')"),
        ({"header.npy": as_npy(np.frombuffer(b"[", dtype=np.uint8))}, "damaged or not an array file of this project ("),
    ],
)
def test_a_file_repacked_with_other_content_is_not_used(stored, changes, expected):
    write_members(stored, {name: data for name, data in (members(stored) | changes).items() if data is not None})
    refused(stored, expected)


def test_a_file_of_another_format_is_not_used(stored, monkeypatch):
    monkeypatch.setattr(storage, "FORMAT", 2)
    refused(stored, "has format 1, this version reads 2")


class Trap:
    """Something that writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (self.path.write_text, ("sprung",))


def test_pickles_are_never_read(stored, tmp_path):
    np.savez(stored, header=np.array([Trap(tmp_path / "trap")], dtype=object))
    refused(stored, "damaged or not an array file of this project (")
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("content", [b"", b"text", as_npy(np.zeros(3)), b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_other_files_are_not_used(stored, content):
    stored.write_bytes(content)
    refused(stored, "damaged or not an array file of this project (")


def test_a_missing_file_and_a_folder_in_its_place_are_told(stored):
    stored.unlink()
    refused(stored, "missing")
    stored.mkdir()
    refused(stored, "cannot be read (Is a directory)")


def test_json_reads_back_and_is_the_same_text_every_time(tmp_path):
    path = tmp_path / "x.json"
    storage.save_json(path, {"b": 1, "a": ["ü", None], "digest": "d"})
    text = '{\n "a": [\n  "ü",\n  null\n ],\n "b": 1,\n "digest": "d"\n}'
    stated = f'{{\n "checksum": "{hashlib.sha256(text.encode()).hexdigest()}",'
    assert path.read_text(encoding="utf-8") == stated + text[1:] + "\n"
    assert json.loads(path.read_text(encoding="utf-8")).keys() == {"checksum", "a", "b", "digest"}
    assert storage.load_json(path, digest="d") == {"b": 1, "a": ["ü", None], "digest": "d"}
    with pytest.raises(ValueError, match="JSON"):
        storage.save_json(path, {"a": float("nan")})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"digest": "d", "a"', "cannot be read as JSON ("),
        (b"", "cannot be read as JSON ("),
        (b"\xff", "cannot be read as JSON ("),
        (b"[" * 100_000, "cannot be read as JSON ("),
        (b'["d"]', "altered since it was saved"),
        (b'{\n "digest": "d"\n}\n', "altered since it was saved"),
        (with_checksum('{\n "digest": "e"\n}').encode(), "was made under recipe e, this build needs d "),
        (with_checksum('{\n "digest": "d"\n}').encode().replace(b'"d"', b'"e"'), "altered since it was saved"),
        (None, "missing"),
    ],
)
def test_json_that_cannot_be_used_is_told(tmp_path, content, expected):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError) as error:
        storage.load_json(path, digest="d")
    assert str(error.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(error.value)


CSV = "study,value\ns,0.1\n"


def test_numbers_read_back(tmp_path):
    storage.save_numbers(tmp_path / "x.csv", CSV, digest="d")
    assert storage.load_numbers(tmp_path / "x.csv", digest="d") == CSV


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (lambda data: data.replace(b"0.1", b"0.2"), "altered since it was saved"),
        (lambda data: data[:-3], "altered since it was saved"),
        (lambda data: data.partition(b"\n")[2], "altered since it was saved"),
        (lambda _: b"", "altered since it was saved"),
        (lambda data: data.replace(b"recipe d", b"recipe e"), "was made under recipe e, this build needs d "),
        (lambda data: b"\xff" + data, "cannot be read as text ("),
        (None, "missing"),
    ],
    ids=["a value", "cut off", "without its first line", "empty", "another recipe", "no text", "missing"],
)
def test_numbers_that_cannot_be_used_are_told(tmp_path, alter, expected):
    path = tmp_path / "x.csv"
    storage.save_numbers(path, CSV, digest="d")
    if alter:
        path.write_bytes(alter(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(StorageError) as error:
        storage.load_numbers(path, digest="d")
    assert str(error.value).startswith(f"{path}: {expected}")


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(StorageError, match=r"results/x\.txt: cannot be written \(.*\); make the folder writable or free disk space"):
        storage.save_text(tmp_path / "results/x.txt", "text")


def test_the_checksum_of_a_file_is_that_of_sha256sum(stored):
    expected = subprocess.run(["sha256sum", str(stored)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert storage.file_sha256(stored) == expected
    assert json.loads(members(stored)["header.npy"].partition(b"\n")[2])["arrays"]["count"]["shape"] == []


def test_temporary_files_of_killed_processes_are_removed_and_those_being_written_stay(tmp_path):
    left, other = tmp_path / "train/.wide.npz.abcdefgh.part", tmp_path / "train/.hidden"
    left.parent.mkdir()
    left.write_bytes(b"half")
    other.write_bytes(b"")

    def write(file):
        file.write(b"whole")
        remove_leftovers(tmp_path)

    storage.write_atomically(tmp_path / "train/narrow.npz", write)
    assert sorted(path.name for path in left.parent.iterdir()) == [".hidden", "narrow.npz"]


def test_what_is_dated_in_the_future_is_dated_as_of_now_and_nothing_else_is(tmp_path):
    now = time.time()
    for name, moment in (("old", now - 1000), ("new", now + 86400)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (moment, moment))
    bring_back_from_the_future(tmp_path)
    assert (tmp_path / "old").stat().st_mtime == pytest.approx(now - 1000, abs=1)
    assert now - 1 <= (tmp_path / "new").stat().st_mtime <= time.time()
