from pathlib import Path

import pytest

from scripts.common import products

OUTPUTS = ["results/report/a.csv", "results/report/data/b.csv", "results/train/c.npz"]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A results folder with three files, of which two are handed on."""
    monkeypatch.chdir(tmp_path)
    for name in OUTPUTS:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"1,2 {name}\n")
    products.record(Path("results"), OUTPUTS)
    return Path("results")


def test_what_is_as_it_was_stays(results, capsys):
    products.set_altered_aside(results)
    assert all(Path(name).is_file() for name in OUTPUTS)
    assert not capsys.readouterr().err


def test_what_was_altered_is_set_aside_and_named(results, capsys):
    Path(OUTPUTS[1]).write_text("1,3\n")
    products.set_altered_aside(results)
    assert [Path(name).is_file() for name in OUTPUTS] == [True, False, True]
    assert (results / "report/data/b.csv.altered").read_text() == "1,3\n"
    expected = "results/report/data/b.csv: altered since it was made; now at results/report/data/b.csv.altered, and to be made anew\n"
    assert capsys.readouterr().err == expected


def test_what_is_missing_or_about_to_be_made_is_left_alone(results, capsys):
    Path(OUTPUTS[0]).unlink()
    products.forget(results, OUTPUTS)
    Path(OUTPUTS[1]).write_text("1,3\n")
    products.set_altered_aside(results)
    assert Path(OUTPUTS[1]).is_file()
    assert not capsys.readouterr().err


def test_a_damaged_checksum_does_no_harm(results):
    (results / "checksum/a.csv.sha256").write_bytes(b"\xff")
    products.set_altered_aside(results)
    assert not Path(OUTPUTS[0]).exists()
    assert Path(OUTPUTS[1]).exists()


def test_a_folder_is_set_aside_for_any_file_in_it(results):
    folder = results / "report/source"
    (folder / "below").mkdir(parents=True)
    (folder / "below/x.py").write_text("x = 1\n")
    for altered in ("x = 2\n", "x = 3\n"):
        products.record(results, [str(folder)])
        (folder / ".snakemake_timestamp").touch()
        products.set_altered_aside(results)
        assert folder.is_dir()
        (folder / "below/x.py").write_text(altered)
        products.set_altered_aside(results)
        assert not folder.exists()
        assert (results / "report/source.altered/below/x.py").read_text() == altered
        (folder / "below").mkdir(parents=True)
        (folder / "below/x.py").write_text("x = 1\n")
