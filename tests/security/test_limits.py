"""What is larger, deeper or elsewhere than it may be is refused before it is built, read or run."""

import io
import json
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from scripts.common import chapter, resume, storage, wording
from scripts.common.chapter import ChapterError, Content
from scripts.common.errors import UserError
from scripts.common.escaping import cell, json_for_script, markdown_of_note, plotly_text, printable
from scripts.common.places import PROJECT, checked_folder, inside
from scripts.common.storage import Array, Kind, StorageError
from scripts.common.yaml_file import YamlError, read_yaml
from scripts.datasets import image_files
from tests.copies import mini_copy, problems, working_in

# YAML

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LAUGHS, "line 7, column 5: not valid YAML: it comes to more than 200,000 entries where each *name is written out"),
        (MERGES, "line 13, column 7: not valid YAML: it comes to more than 200,000 entries"),
        ("a: &a [*a]", "line 1, column 4: not valid YAML: a list or mapping holds itself; write it out"),
        ("a: " + "[" * 100_000, "more than 40 lists and mappings stand inside of each other"),
        ("- " * 100_000, "more than 40 lists and mappings stand inside of each other"),
        ("a: " + "{b: " * 60 + "}" * 60, "more than 40 lists and mappings stand inside of each other"),
        ("a: 1" + "0" * 500, "a number has 501 letters, at most 400 are read; put it in quotes if it is text"),
        ("a: " + "word " * 500, "a value is not text of at most 2,000 letters"),
        ("a: b\n" * 500_000, "has 2,500,000 bytes, at most 2,000,000 are read"),
        ("a: !!timestamp x", "'x' is no timestamp"),
        ("a: !!bool maybe", "'maybe' is no bool"),
        ("a: !!int ''", "'' is no int"),
        ("a: !!set {b}", "could not determine a constructor"),
        ("a: !!binary aGk=", "could not determine a constructor"),
        ("a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
    ],
    ids=range(15),
)
def test_yaml_is_bounded(text, expected, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    started = time.process_time()
    with pytest.raises(YamlError) as error:
        read_yaml(file)
    assert expected in str(error.value)
    assert time.process_time() - started < 5


# array files

PAIR = Kind("pair", {"one": Array("N", "float64")})


def forged(path, change):
    """Write a file of the project again with its members changed: name -> bytes, and how they are packed."""
    storage.save(path, {"one": np.zeros(1000)}, kind=PAIR, digest="d")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members, packed = change(members)
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def declaring(shape, dtype="<f8"):
    """Return the bytes of an array that declares a shape and holds a thousand numbers."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(8000)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda members: (members, zipfile.ZIP_DEFLATED), "its arrays would take more room than the file does"),
        (lambda members: (members | {"one.npy": bytes(50_000_000)}, zipfile.ZIP_DEFLATED), "its arrays would take more room"),
        (lambda members: (members | {"one.npy": declaring((10**12,))}, zipfile.ZIP_STORED), "not of the size that it declares"),
        (lambda members: (members | {"one.npy": declaring((1,), "<U500000000")}, zipfile.ZIP_STORED), "not of the size that it declares"),
        (lambda members: (members | {"one.npy": declaring((-1,))}, zipfile.ZIP_STORED), "not of the size that it declares"),
    ],
    ids=["compressed", "bomb", "shape", "dtype", "negative"],
)
def test_an_array_file_takes_no_more_room_than_it_has(change, expected, tmp_path):
    forged(tmp_path / "x.npz", change)
    with pytest.raises(StorageError, match=expected):
        storage.load(tmp_path / "x.npz", kind="pair")


def test_members_that_lie_over_each_other_are_counted_each(tmp_path):
    path = tmp_path / "x.npz"
    storage.save(path, {"one": np.zeros(1000)}, kind=PAIR, digest="d")
    content = path.read_bytes()
    begin = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entries = content[begin:end]
    count, size = 40 * 2, 40 * len(entries)
    tail = b"PK\x05\x06" + bytes(4) + count.to_bytes(2, "little") * 2 + size.to_bytes(4, "little") + begin.to_bytes(4, "little") + bytes(2)
    path.write_bytes(content[:begin] + entries * 40 + tail)
    with pytest.raises(StorageError, match="would take more room"):
        storage.load(path, kind="pair")


# what fuzzing has found


def test_a_truncated_header_of_images_is_not_taken_for_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "PROJECT", tmp_path)
    monkeypatch.setattr("scripts.common.places.PROJECT", tmp_path)
    asked = []
    monkeypatch.setattr(image_files, "_check_size", lambda *arguments: asked.append(arguments))
    (tmp_path / "x").write_bytes(bytes.fromhex("00000803000000ff01040302050607"))  # 255 times 17 million times 5, cut off
    tracemalloc.start()
    with pytest.raises(UserError, match="truncated"):
        image_files._from_idx("x", "train_images")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert asked == []


def test_images_of_nothing_with_large_sides_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "PROJECT", tmp_path)
    monkeypatch.setattr("scripts.common.places.PROJECT", tmp_path)
    (tmp_path / "x").write_bytes(bytes.fromhex("0000080300000000ff1600fdff66ff01"))  # none, of 4 by 4 billion
    with pytest.raises(UserError, match="too large: its images are 0 by "):
        image_files._from_idx("x", "train_images")


def test_keys_of_a_configuration_do_not_steer_a_terminal(tmp_path):
    mini_copy(tmp_path)
    with working_in(tmp_path):
        told = problems(read_yaml("config/report.yaml") | {"a\x1b[31m\nb": 1})
    assert len(told) == 1
    assert told[0].startswith("--config or --configfile: a\\x1b[31m\\nb: unknown key; allowed: ")


# states to resume from


def state(steps):
    return {
        "parameters": np.zeros((1, 2)),
        "diverged_at": np.array([-1]),
        "checkpoints": np.zeros((0, 1, 2)),
        "scores": np.zeros((2, steps, 1)),
    }


@pytest.fixture
def kept(tmp_path):
    said = []
    return resume.Resume(tmp_path / "results/train/a/b.npz", digest="d" * 64, say=said.append), said


def test_files_of_other_names_are_no_states(kept):
    files, _ = kept
    files.save(0, 5, state(1))
    for name in ("0-x", "0-", "0-0", "5-5", "5-3", "0-99999999999999999999999"):
        (files._folder / f"{name}.npz").write_bytes((files._folder / "0-5.npz").read_bytes())
    (files._folder / "replicas-x-y").mkdir()
    assert [(first, last) for first, last, _ in files.load()] == [(0, 5)]
    assert list(files.of(range(1)).load())
    files.save(5, 5, state(1))  # which would lead to itself
    assert [(first, last) for (first, last, _), _ in zip(files.load(), range(3), strict=False)] == [(0, 5)]


def test_a_state_of_another_kind_is_not_used(kept):
    files, said = kept
    wrong = Kind("resume", {"parameters": Array("R P Q", "float64")})
    path = files._folder / "0-5.npz"
    storage.save(path, {"parameters": np.zeros((1, 2, 3))}, kind=wrong, digest=files._own_digest(path))
    assert list(files.load()) == []
    assert said[0].startswith("not used: ")
    assert "kind 'resume'" in said[0]


# chapters

CONTENT = Content(
    study="mini",
    settings={"variants": {"a": {"label": "<b>*x*", "kind": "a_b"}}, "simulations": {}, "sweeps": {}, "grids": {}},
    solutions=True,
    figures={},
    tables={},
    claims={},
    runs=None,
)


@pytest.mark.parametrize(
    "text",
    [
        "<% for i in range(10**12) %>x<% endfor %>",
        "<< 'ab' * 60000 >>",
        "<< 2 ** 65 >>",
        "<< 'a' * 10**10 >>",
        "<< [1] * 10**9 >>",
        "<< 9**9**9 >>",
        "<< '%09999999999d' % 1 >>",
        "<< '{:9999999999}'.format(1) >>",
        "<< 'a'|center(10**10) >>",
        "<< 'a'.zfill(3) >>",
        "<< 'a'.zfill(10**10) >>",
        "<< lipsum(10**9) >>",
        "<< ''.__class__ >>",
        "<< ''['__class__'] >>",
        "<< ''|attr('__class__') >>",
        "<< setting.__globals__ >>",
        "<< self.__init__ >>",
        "<% include '/etc/passwd' %>",
        "<% import '/etc/passwd' as x %>",
        "<% extends '/etc/passwd' %>",
        "<% macro a() %><< a() >><% endmacro %><< a() >>",
        "<% for a in 'xxxxxxxxxx' %>" * 12 + "." + "<% endfor %>" * 12,
    ],
)
def test_a_chapter_reaches_nothing_and_takes_no_more_than_it_may(text, monkeypatch):
    monkeypatch.setattr(chapter, "SECONDS", 0.2)
    with pytest.raises(ChapterError, match=r"^a chapter: "):
        chapter.render(text, CONTENT, place="a chapter")


def test_a_chapter_may_still_do_what_it_needs():
    assert chapter.render("<% for a in ['x', 'y'] %><< loop.index >><< a|upper >><% endfor %><< 2 * 3 >>", CONTENT, place="") == "1X2Y6"
    assert chapter.render("<< setting('a', 'label') >> << setting('a', 'kind') >>", CONTENT, place="") == "\\<b\\>\\*x\\* a_b"


@pytest.mark.parametrize(
    "text", ["<% include 'x' %>", "<% import 'x' as y %>", "<% extends 'x' %>", "<< range(3) >>", "<< 'a'|attr('b') >>"]
)
def test_what_a_chapter_may_not_ask_for_is_told_before_anything_runs(text, tmp_path):
    (tmp_path / "x").write_text(text)
    found = wording.problems(tmp_path / "x", "x", {}, None)
    assert len(found) == 1
    assert found[0].startswith("x: line 1: ")


# paths


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a/..", "~/x", "", " ", "a\0b", "a\\b", "a\nb", "x" * 241, "out/x"])
def test_paths_stay_in_the_project(path, tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.common.places.PROJECT", tmp_path)
    (tmp_path / "out").symlink_to(tmp_path.parent)
    with pytest.raises(UserError, match=r"^config: the path '.*' .*; put the file into the project's folder and give its path from there"):
        inside(path, place="config")
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    assert inside("link/own.csv") == tmp_path / "link/own.csv"


def test_results_are_not_written_over_the_project(tmp_path):
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"results", "data", "shared"}
    for folder in folders:
        with pytest.raises(ValueError, match="a folder that holds nothing of the project itself"):
            checked_folder(folder)
    mini_copy(tmp_path)
    with working_in(tmp_path):
        told = problems(read_yaml("config/report.yaml") | {"results": "scripts/x"})
    assert told[0].startswith(
        "--config or --configfile: results: wrong value 'scripts/x'; allowed: a folder that holds nothing of the project"
    )


# text in other languages


def test_json_in_a_script_element_ends_nothing():
    value = {"</script>": ["<!--", "]]>", "&", "\u2028\u2029", 'a"b', 1.5]}
    text = json_for_script(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_for_script(float("nan"))


def test_text_for_plotly_notes_and_spreadsheets():
    assert plotly_text("<a> & %{x}") == "&lt;a&gt; &amp; &#37;{x}"
    assert (
        markdown_of_note("shares of $2/\\lambda$ of a*b, \\$5 and [x] <b>") == "shares of $2/\\lambda$ of a\\*b, \\$5 and \\[x\\] \\<b\\>"
    )
    assert [cell(text) for text in ("=1", "+x", "-x", "@x", "-1.5e-3", "+2", "a=1", "")] == [
        "'=1",
        "'+x",
        "'-x",
        "'@x",
        "-1.5e-3",
        "+2",
        "a=1",
        "",
    ]
    assert printable("a\x1b[31m\nb\u202ec é") == "a\\x1b[31m\\nb\\u202ec é"
