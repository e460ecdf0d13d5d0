import base64
import gzip
import json

import numpy as np
import pytest

from scripts.common import numbers, published
from scripts.common.errors import UserError
from tests.compare.made_up import CLAIM, ROWS

TEXT = numbers.to_csv(ROWS)
SETTINGS = {"kind": "html", "report": {"title": "T"}, "studies": {"one": {}}}


def record(text=TEXT):
    return published.record(settings=SETTINGS, claims={"one": [CLAIM]}, texts={"one": text})


def packed(content):
    return {"encoding": published.PACKED, "content": base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()}


def test_a_record_is_read_back_as_it_was_written():
    content = published.unpack(json.loads(json.dumps(record())), "page")
    assert content["settings"] == {"report": {"title": "T"}, "studies": {"one": {}}}
    assert content["claims"] == [CLAIM]
    assert content["numbers"] == {"one": TEXT}
    groups = published.groups(content, "page")
    assert groups[["study", "variant", "quantity", "count", "least", "median", "greatest"]].to_numpy().tolist() == [
        ["one", "wide", "loss", 4, "0.125", "0.75", "1.5"]
    ]


def test_a_record_is_the_same_each_time():
    assert record() == record()


def test_many_numbers_are_told_by_digests_alone(monkeypatch):
    monkeypatch.setattr(published, "MOST_NUMBERS", 20)
    content = published.unpack(record(), "page")
    assert "numbers" not in content
    assert len(content["groups"]) == 1


def test_a_group_without_a_number_is_described():
    table = numbers.from_csv(TEXT).assign(value=np.nan)
    assert published.described(table)[["least", "median", "greatest"]].to_numpy().tolist() == [["nan"] * 3]


GOOD = {"settings": {"report": {}, "studies": {}}, "claims": [], "groups": []}


@pytest.mark.parametrize(
    "found",
    [
        None,
        5,
        {},
        {"content": 5},
        {"content": "not base64"},
        {"content": base64.b64encode(b"not gzip").decode()},
        packed(5),
        packed({}),
        packed(GOOD | {"claims": {}}),
        packed(GOOD | {"settings": []}),
        packed(GOOD | {"settings": {"report": 1, "studies": {}}}),
        {"content": packed(GOOD)["content"][:-12]},
    ],
)
def test_a_damaged_record_is_an_error_that_names_the_page(found):
    with pytest.raises(
        UserError, match=r"^some\.html: its record of numbers and claims is damaged \(.*; take the file as it was published$"
    ):
        published.unpack(found, "some.html")


def test_a_record_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(published, "LARGEST_RECORD", 10_000)
    bomb = packed(GOOD | {"claims": ["x" * 50_000]})
    assert len(bomb["content"]) < 1000
    with pytest.raises(UserError, match="larger than 10,000 bytes"):
        published.unpack(bomb, "some.html")


@pytest.mark.parametrize("groups", [5, [5], [["a"]], [["a", "b", "c", "many", "d", "0", "0", "0"]]])
def test_damaged_digests_are_an_error(groups):
    with pytest.raises(UserError, match="its digests of numbers are damaged"):
        published.groups({"groups": groups}, "some.html")


def test_pages_that_cannot_be_read_are_errors(tmp_path, monkeypatch):
    (tmp_path / "binary.html").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.html").write_text("x" * 100)
    with pytest.raises(UserError, match="cannot be read"):
        published.read_page(tmp_path / "none.html")
    with pytest.raises(UserError, match="is not a page of HTML"):
        published.read_page(tmp_path / "binary.html")
    monkeypatch.setattr(published, "LARGEST_PAGE", 50)
    with pytest.raises(UserError, match="has 100 bytes"):
        published.read_page(tmp_path / "large.html")
