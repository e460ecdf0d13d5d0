"""Each file here is written as text, and read by the table."""

import csv

import numpy as np
import pytest

from scripts.common import csv_table, memory, places
from scripts.common.csv_table import Columns
from scripts.common.errors import UserError

ASKED = Columns(("a", "b"), None)
LABELED = Columns(("a",), "kind")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a function that writes a file and reads some of its columns."""
    monkeypatch.setattr(places, "PROJECT", tmp_path)

    def read(content, columns=ASKED):
        (tmp_path / "own.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return csv_table.read("own.csv", columns)

    return read


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_are_found_by_name_whatever_stands_between_them(table, separator, end):
    text = end.join(separator.join(row) for row in (["b", " c ", "a"], ["1", "x", " 2.5"], ["-1e3", '"y"', ".5"], []))
    found = table(text)
    assert (found.numbers, found.problems) == ([[2.5, 1.0], [0.5, -1000.0]], [])


def test_a_mark_at_the_start_and_empty_lines_are_passed_over(table):
    assert table("\ufeffa,b\n\n1,2\n,\n3,4\n").numbers == [[1.0, 2.0], [3.0, 4.0]]


def test_numbers_are_those_of_python_to_the_last_bit(table):
    generator = np.random.default_rng(0)
    values = (generator.uniform(-1, 1, size=(200, 2)) * 10.0 ** generator.integers(-300, 300, size=(200, 2))).tolist()
    text = "a,b\n" + "".join(",".join(map(repr, row)) + "\n" for row in values)
    assert table(text).numbers == values


def test_labels_are_text_and_classes_in_order(table):
    found = table('a,kind\n1,"red, dark"\n2,10\n3,9\n', LABELED)
    assert found.labels == ["red, dark", "10", "9"]
    assert csv_table.classes(found.labels) == ["10", "9", "red, dark"]
    assert csv_table.classes(["10", "9", "-1", "9"]) == ["-1", "9", "10"]


@pytest.mark.parametrize("cell", ["", "x", "nan", "inf", "1e999", "1_000", "0x1", "1,5", "١", "--1", "1 2", "true"])
def test_what_is_no_finite_number_is_told_with_line_and_column(table, cell):
    found = table(f'a,b\n1,2\n3,"{cell}"\n')
    assert found.problems == [
        f"own.csv: line 3, column 'b': wrong value {cell!r}; allowed: a finite number with a point, as -1.5e-3; "
        "mend it or leave the row out"
    ]


def test_a_cell_of_several_lines_does_not_shift_the_numbers_of_lines(table):
    found = table('a,b,c\n1,2,"x\ny"\n1,?,z\n')
    assert [problem.split(":")[1] for problem in found.problems] == [" line 4, column 'b'"]


def test_few_of_many_wrong_cells_are_told(table):
    found = table("a,b\n" + "x,1\n" * 20)
    assert len(found.problems) == csv_table.TOLD + 1
    assert found.problems[-1] == "own.csv: 15 more of its cells or rows are wrong; mend those above first"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2,3\n", "own.csv: line 2: wrong number of cells 3; allowed: 2, as in the first line"),
        ("a,b\n", "own.csv: has no rows below its first line; add some"),
        ("a,c\n1,2\n", "own.csv: has no column 'b'; its columns: a, c"),
    ],
)
def test_what_is_wrong_with_rows_and_columns(table, text, problem):
    assert table(text).problems == [problem]


def test_a_row_without_a_label(table):
    assert table("a,kind\n1,\n", LABELED).problems == [
        "own.csv: line 2, column 'kind': wrong value ''; allowed: a label; give one or leave the row out"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "own.csv: is empty; expected a first line with the names of its columns, and rows"),
        ("a,a\n1,2\n", "own.csv: line 1: column 'a' is there twice; give every column a name of its own"),
        ('a,b\n1,"2\n', "own.csv: line 2: not valid CSV: unexpected end of data; correct the quotes there"),
        (b"a,b\n1,\xff\n", "own.csv: line 2: is no UTF-8 text; save the file as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_table(table, content, problem):
    with pytest.raises(UserError) as error:
        table(content)
    assert str(error.value) == problem


def test_files_that_cannot_be_read(table, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"^none.csv: no such file; put it there or correct its path$"):
        csv_table.names("none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=r"^folder.csv: cannot be read \(Is a directory\)"):
        csv_table.names("folder.csv")
    monkeypatch.setattr(csv_table, "MOST_BYTES", 5)
    with pytest.raises(UserError, match=r"^own.csv: too large"):
        table("a,b\n1,2\n")
    monkeypatch.undo()
    with pytest.raises(UserError, match="goes up by"):
        csv_table.names("../own.csv")


def test_too_many_cells(table, monkeypatch):
    monkeypatch.setattr(csv_table, "MOST_CELLS", 3)
    assert table("a,b\n1,2\n3,4\n").problems == ["own.csv: too large: 2 rows of 2 columns; at most 3 cells are read"]


def test_a_summary_is_remembered_by_content(table, tmp_path, monkeypatch):
    table("a,kind\n1,x\n2,y\n3,x\n", LABELED)
    assert csv_table.summary("own.csv", LABELED) == csv_table.Summary([], 3, {"x": 2, "y": 1})
    monkeypatch.setattr(csv_table, "read", lambda *_: pytest.fail("read again"))
    assert csv_table.summary("own.csv", LABELED).rows == 3
    monkeypatch.undo()
    monkeypatch.setattr(places, "PROJECT", tmp_path)
    (tmp_path / "own.csv").write_text("a,kind\n1,x\n")
    memory._content.cache_clear()
    assert csv_table.summary("own.csv", LABELED).rows == 1


def test_a_summary_of_a_file_that_is_no_table_is_an_error(table):
    table("a,b\n1,2\n")
    (places.PROJECT / "twice.csv").write_text("a,a\n")
    with pytest.raises(UserError, match="is there twice"):
        csv_table.summary("twice.csv", ASKED)


@pytest.mark.usefixtures("table")
def test_files_of_the_csv_module_come_back():
    rows = [["a", "b"], *([str(n), str(n / 7)] for n in range(50))]
    path = places.PROJECT / "written.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    assert csv_table.read("written.csv", ASKED).numbers == [[float(a), float(b)] for a, b in rows[1:]]
