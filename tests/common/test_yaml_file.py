import math

import pytest

from scripts.common.places import PROJECT
from scripts.common.yaml_file import YamlError, read_yaml


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "x.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(path)

    return read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001),
        ("-1E5", -100000.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("12", 12),
        ("-.inf", -math.inf),
        ("'1e-3'", "1e-3"),
        ("1e", "1e"),
        ("true", True),
        ("null", None),
        ("[1e-2, a]", [0.01, "a"]),
    ],
)
def test_numbers_are_read_as_people_write_them(read, written, value):
    found = read(f"key: {written}\n")["key"]
    assert found == value
    assert type(found) is type(value)


def test_a_mapping_may_be_laid_under_another_with_a_merge_key(read):
    assert read("base: &base {a: 1, b: 2}\nover:\n  <<: *base\n  b: 3\n")["over"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty; expected `key: value` lines"),
        ("# only a comment\n", "is empty"),
        ("- a\n- b\n", "holds no mapping; expected `key: value` lines"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, column 3: not valid YAML: key 'c' is given twice (lines 3 and 4); keep one"),
        ("a: [1,\nb: 2\n", "line 3, column 1: not valid YAML: "),
        (
            "a: 1\nb:\n\tc: 2\n",
            "line 3, column 1: not valid YAML: found character that cannot start any token, a tab where blanks indent; ",
        ),
        ("a:\n  b: 1\n   c: 2\n", "line 3, column 5: not valid YAML: mapping values are not allowed"),
        ("a: '\n", "correct the indentation, quotes or brackets there"),
        ("a: {{ x }}\n", "line 1, column 5: not valid YAML: a key is a list or a mapping; put it in quotes"),
        ("a: !!python/object:os.system x\n", "could not determine a constructor"),
        (
            "date: 2026-13-45\n",
            "column 7: not valid YAML: '2026-13-45' is no timestamp (month must be in 1..12); put it in quotes if it is meant as text",
        ),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: not valid YAML"),
        ("a: *nowhere\n", "undefined alias"),
        ("a: \x00\n", "not valid YAML"),
        (b"a: \xff\n", "cannot be read as UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line_with_its_place(read, text, expected):
    with pytest.raises(YamlError) as error:
        read(text)
    assert expected in str(error.value)
    assert "x.yaml: " in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(YamlError, match=r"nowhere\.yaml: no such file; create it or correct the name"):
        read_yaml(tmp_path / "nowhere.yaml")


def test_the_project_s_own_files_can_be_read():
    for path in [*(PROJECT / "config").rglob("*.yaml")]:
        assert read_yaml(path)
