import json
import re
import shutil

import pikepdf
import pytest

from scripts.common import storage
from scripts.common.comparison import Sides, Status, worst
from scripts.common.comparison_builds import claims_of, compare_folders, compare_published, numbers_of
from scripts.common.errors import UserError
from tests.compare import made_up
from tests.compare.made_up import edit, edit_arrays, edit_json, flip

SIDES = Sides("results", "commit")


@pytest.fixture
def built(tmp_path):
    return made_up.results(tmp_path / "built")


@pytest.fixture
def planted(built, tmp_path):
    return made_up.copy(built, tmp_path / "planted")


def found(planted, built):
    items, left = compare_folders(planted, built, sides=SIDES)
    return [item for item in items if item.status], left


def test_equal_folders_are_identical_whatever_the_logs_say(planted, built):
    (planted / "log/train/one/wide.log").write_text("done in 5 s\n")
    assert found(planted, built) == ([], [])
    items, _ = compare_folders(planted, built, sides=SIDES)
    assert {item.kind for item in items} == {"claim", "number", "array", "figure", "table", "manifest", "file"}


@pytest.mark.parametrize("commit", ["d" * 40, "c" * 40 + " with uncommitted changes"])
def test_the_commit_is_not_compared(tmp_path, built, commit):
    assert found(made_up.results(tmp_path / "other", commit=commit), built) == ([], [])


def test_a_crate_with_another_checksum_differs(planted, built):
    edit_json(planted / "report/ro-crate-metadata.json", lambda crate: crate["@graph"].append({"@id": "report.pdf", "sha256": "0" * 64}))
    ((item,), _) = found(planted, built)
    assert (item.name, item.status) == ("report/ro-crate-metadata.json", D)


def test_files_of_other_builds_are_told_and_not_compared(planted, built):
    (planted / "figure/one/old.svg").write_text("<svg/>")
    (planted / "quick/report").mkdir(parents=True)
    (planted / "quick/report/report.html").write_text("")
    assert found(planted, built) == ([], ["figure/one/old.svg"])


def weight(folder):
    def change(arrays):
        arrays["parameters"][1, 0, 2] += 0.01

    edit_arrays(folder / "train/one/wide.npz", change)


def rounding(folder):
    def change(arrays):
        arrays["train_loss"][0, 1] *= 1 + 1e-12

    edit_arrays(folder / "train/one/wide.npz", change)


def seen_loss(folder):
    edit(folder / "report/numbers.csv", "0.75", "0.85")


def last_digit(folder):
    edit(folder / "report/numbers.csv", "1.5\n", "1.50\n")


def cut_numbers(folder):
    path = folder / "report/numbers.csv"
    path.write_text(path.read_text()[:70] + '"x')


def threshold(folder):
    edit_json(folder / "report/claims.json", lambda content: content["claims"][0].update(threshold=0.55))


def threshold_by_hand(folder):
    edit(folder / "report/claims.json", '"threshold": 1.0', '"threshold": 0.55')


def verdict(folder):
    edit_json(folder / "report/claims.json", lambda content: content["claims"][0].update(verdict="refuted"))


def color(folder):
    edit(folder / "figure/one/curves.svg", "#0072b2", "#cc79a7")


def shown_number(folder):
    edit(folder / "report/data/one/curves.csv", "0.75", "0.76")


def caption(folder):
    edit_json(folder / "figure/one/curves.json", lambda content: content.update(caption="Gains."))


def cell(folder):
    edit_json(folder / "table/one/fates.json", lambda content: content["rows"][0].__setitem__(1, "3"))


def checksum(folder):
    edit_json(folder / "report/manifest.json", lambda content: content["figures"]["one/curves"].update(sha256="0" * 64))


def input_checksum(folder):
    inputs = {"results/train/one/wide.npz": "0" * 64}
    edit_json(folder / "report/manifest.json", lambda content: content["figures"]["one/curves"].update(inputs=inputs))


def rule(folder):
    edit_json(folder / "report/manifest.json", lambda content: content["figures"]["one/curves"].update(rule="table"))


def bit(folder):
    flip(folder / "train/one/wide.npz")


def recipe(folder):
    path = folder / "train/one/wide.npz"
    storage.save(path, storage.load(path, kind="train"), kind=storage.TRAIN, digest="b" * 64)


def gone(folder):
    (folder / "figure/one/curves.json").unlink()


def layout(folder):
    path = folder / "table/one/fates.json"
    path.write_text(json.dumps(json.loads(path.read_text())))


D, W = Status.DIFFERENT, Status.WITHIN
PLANTS = [
    (weight, "array", "train/one/wide.npz: parameters", D, "1 of 12 elements (axes S R P), most at [1, 0, 2]: results 0.46"),
    (rounding, "array", "train/one/wide.npz: train_loss", W, "1 of 2 elements"),
    (bit, "array", "train/one/wide.npz", D, "damaged or not an array file"),
    (recipe, "array", "train/one/wide.npz: recipe", D, "made under another recipe: results bbbbbbbbbbbb, commit aaaaaaaaaaaa"),
    (seen_loss, "number", "one, wide, loss", D, "replica 1, step 0: results 0.85, commit 0.75"),
    (last_digit, "number", "report/numbers.csv", D, "the same content in other bytes"),
    (cut_numbers, "number", "report/numbers.csv", D, "damaged ("),
    (threshold, "claim", "one.falls", D, "threshold: results 0.55, commit 1.0"),
    (threshold_by_hand, "claim", "one.falls", D, "threshold: results 0.55, commit 1.0"),
    (verdict, "claim", "one.falls", D, "verdict: results refuted, commit supported"),
    (color, "figure", "one/curves", D, "colors of the picture: results #cc79a7 (1 times), commit #0072b2 (1 times)"),
    (shown_number, "figure", "one/curves", D, "data, line 3: results 1,0.76, commit 1,0.75"),
    (caption, "figure", "one/curves", D, "caption: results Gains., commit Losses."),
    (gone, "figure", "one/curves (figure/one/curves.json)", D, "only in commit"),
    (cell, "table", "table/one/fates.json", D, "rows 1 2: results 3, commit 2"),
    (layout, "table", "table/one/fates.json", D, "the same content in other bytes"),
    (
        checksum,
        "manifest",
        "checksums",
        D,
        "figures.one/curves.sha256: says 000000000000, which is not the checksum of that file in results",
    ),
    (input_checksum, "manifest", "checksums", D, "says 000000000000"),
    (rule, "manifest", "report/manifest.json", D, "figures.one/curves.rule: results table, commit figure"),
]


@pytest.mark.parametrize("case", PLANTS, ids=lambda case: case[0].__name__)
def test_what_is_planted_is_named_with_both_values(case, planted, built):
    plant, kind, name, status, words = case
    plant(planted)
    items, _ = found(planted, built)
    (item,) = [item for item in items if item.kind == kind and item.name == name]
    assert item.status is worst(items) is status
    assert words in "; ".join(item.details)
    assert {other.kind for other in items} == {kind}
    assert item.flipped == (plant is verdict)
    assert (item.pictures is not None) == (plant is color)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"claims": 5}', '{"claims": [{"id": "x"}]}', "[" * 100_000])
def test_damaged_claims_are_told(text, planted, built):
    (planted / "report/claims.json").write_text(text)
    items, _ = found(planted, built)
    assert [(item.kind, item.name) for item in items] == [("claim", "report/claims.json")]
    assert "damaged" in items[0].details[0]
    with pytest.raises(UserError, match="damaged"):
        claims_of(planted)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b"study,variant,replica,step,quantity,index,value\none,w,x,0,q,,1\n"])
def test_damaged_numbers_are_an_error(content, planted):
    (planted / "report/numbers.csv").write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        numbers_of(planted)


# a true build


def word(folder):
    edit(folder / "report/report.html", "Two networks learn", "Both networks learn")


def carried(folder):
    path = folder / "report/report.html"
    path.write_text(re.sub(r'("sha256": ")[0-9a-f]{64}', r"\g<1>" + "0" * 64, path.read_text(), count=1))


def drawing_in_pdf(folder):
    with pikepdf.open(folder / "report/report.pdf", allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"0 0 10 10 re f")
        pdf.save(folder / "report/report.pdf")


def cut_pdf(folder):
    path = folder / "report/report.pdf"
    path.write_bytes(path.read_bytes()[:5000])


def picture_in_page(folder):
    path = folder / "report/report.html"
    text = path.read_text()
    begin = text.index("%230072b2", text.index('id="fig:curves"'))
    path.write_text(text[:begin] + "%23cc79a7" + text[begin + 9 :])


def weight_of_narrow(folder):
    def change(arrays):
        arrays["parameters"][1, 0, 3] += 0.01

    edit_arrays(folder / "train/mini/narrow.npz", change)


def loss_of_narrow(folder):
    path = folder / "report/numbers.csv"
    path.write_text(
        re.sub(r"^(mini,narrow,1,20,test_loss,,0\.\d)(\d)", lambda one: one[1] + str((int(one[2]) + 5) % 10), path.read_text(), flags=re.M)
    )


IN_BUILD = [
    (weight_of_narrow, "array", "train/mini/narrow.npz: parameters", "most at [1, 0, 3]"),
    (loss_of_narrow, "number", "mini, narrow, test_loss", "replica 1, step 20: results 0."),
    (
        word,
        "page",
        "report.html, under '1 A small study'",
        "results Both networks learn a function., commit Two networks learn a function.",
    ),
    (picture_in_page, "page", "report.html, picture fig:curves", "results #cc79a7 (1 times), commit #0072b2 (1 times)"),
    (carried, "page", "report.html, what it carries of its build", "1 checksum"),
    (drawing_in_pdf, "page", "report.pdf, page 1", "the same words, drawn otherwise"),
    (cut_pdf, "page", "report.pdf", "cannot be read as a PDF"),
]


@pytest.mark.parametrize("case", IN_BUILD, ids=lambda case: case[0].__name__)
def test_what_is_planted_in_a_true_build_is_named(case, mini_build, tmp_path):
    plant, kind, name, words = case
    planted = shutil.copytree(mini_build / "results", tmp_path / "planted")
    assert found(planted, mini_build / "results")[0] == []
    plant(planted)
    (item,) = found(planted, mini_build / "results")[0]
    assert (item.kind, item.name) == (kind, name)
    assert words in "; ".join(item.details)


def test_a_published_page_is_compared_by_what_it_carries(mini_build, tmp_path):
    page = tmp_path / "published.html"
    shutil.copyfile(mini_build / "results/report/report.html", page)
    items = compare_published(page, mini_build / "results", sides=SIDES)
    assert worst(items) is Status.IDENTICAL
    assert {item.kind for item in items} == {"claim", "number", "page", "manifest"}
    edit(page, "Two networks learn", "Both networks learn")
    assert [item.name for item in compare_published(page, mini_build / "results", sides=SIDES) if item.status] == [
        "report.html, under '1 A small study'"
    ]
    page.write_text(page.read_text().replace('id="record"', 'id="x"'))
    with pytest.raises(UserError, match="carries no claims and numbers"):
        compare_published(page, mini_build / "results", sides=SIDES)
