"""A results folder that no build made, small enough to say what is in it, and things that can be done to one."""

import json
import shutil
from pathlib import Path

import numpy as np

from scripts.common import files, numbers, pages, published, storage
from scripts.common.numbers import Row

DIGEST = "a" * 64
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="m0 0 4.5 4.5" stroke="#0072b2"/></svg>'
CLAIM = {
    "study": "one",
    "id": "falls",
    "statement": "The loss falls.",
    "quantity": "loss",
    "estimate": 0.5,
    "interval": [0.4, 0.6],
    "level": 0.95,
    "threshold": 1.0,
    "direction": "below",
    "verdict": "supported",
    "method": "median",
    "reason": "below 1 it fell",
    "n": 2,
}
ROWS = [Row("one", "wide", replica, step, "loss", None, 1.5 / (1 + replica + step)) for replica in (0, 1) for step in (0, 10)]
RECORD = published.record(settings={"report": {}, "studies": {}}, claims={"one": [CLAIM]}, texts={"one": numbers.to_csv(ROWS)})
PAGE = f"""<!DOCTYPE html><html><head><title>T</title><style>p {{ color: red }}</style></head><body>
<nav><ul><li>Contents to skip</li></ul></nav>
<main><h2>First</h2><p>Two <em>networks</em> learn &amp; forget.</p>
<table><tr><th>run</th><th>loss</th></tr><tr><td>wide</td><td>0.1</td></tr></table>
<figure id="fig:curves"><div><img src="{pages.address(SVG)}" alt="a"></div><figcaption>Figure 1. Losses.</figcaption></figure>
<details><summary>How this figure was made</summary><div><p>Rule <code>figure</code>, digest 12.</p></div></details>
<h3>Second</h3><ul><li>one</li><li>two</li></ul><p>x <math><mi>y</mi><annotation>y</annotation></math></p></main>
<footer><p>Built from recipe abc</p></footer>
<script type="application/json" id="manifest">{{"figures": {{}}}}</script>
<script type="application/json" id="record">{json.dumps(RECORD)}</script>
<script type="application/json" id="explorer-fig:curves">{{"panels": []}}</script>
<script>start()</script></body></html>"""


def trained():
    return {
        "step": np.array([0, 10]),
        "parameters": np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3),
        "parameter_name": np.array(["0.weight"]),
        "evaluated_step": np.array([10]),
        "train_loss": np.array([[0.5, 0.25]]),
        "test_loss": np.array([[0.75, np.inf]]),
        "diverged_at": np.array([-1, 4]),
        "initialization_seed": np.array([1, 2]),
        "batch_seed": np.array([3, 4]),
    }


def results(folder, *, commit="c" * 40):
    """Fill `folder` with one trained network, one figure, one table, numbers, a claim and a manifest."""
    storage.save(folder / "train/one/wide.npz", trained(), kind=storage.TRAIN, digest=DIGEST)
    for name, text in (("figure/one/curves.svg", SVG), ("report/data/one/curves.csv", "x,y\n0,1.5\n1,0.75\n")):
        files.save_text(folder / name, text)
    words = {"caption": "Losses.", "note": "n = 2.", "alt": "Two losses.", "explorer": None}
    files.save_json(
        folder / "figure/one/curves.json",
        words | {"digest": DIGEST, "sha256": {"svg": files.file_sha256(folder / "figure/one/curves.svg")}},
    )
    files.save_json(
        folder / "table/one/fates.json", {"header": ["run", "fine"], "rows": [["wide", "2"]], "align": "lr", "note": "", "digest": DIGEST}
    )
    files.save_text(folder / "report/numbers.csv", numbers.to_csv(ROWS))
    files.save_json(folder / "report/claims.json", {"claims": [CLAIM]})
    made = {"file": "results/figure/one/curves.json", "rule": "figure", "sha256": files.file_sha256(folder / "figure/one/curves.json")}
    made["inputs"] = {"results/train/one/wide.npz": files.file_sha256(folder / "train/one/wide.npz")}
    files.save_json(folder / "report/manifest.json", {"figures": {"one/curves": made}, "commit": commit})
    entry = {"@id": "manifest.json", "sha256": files.file_sha256(folder / "report/manifest.json"), "contentSize": str(len(commit))}
    crate = {"@graph": [{"@id": "#workflow", "version": commit}, entry]}
    files.save_json(folder / "report/ro-crate-metadata.json", crate)
    files.save_text(
        folder / "checksum/report/manifest.json", f"{files.file_sha256(folder / 'report/manifest.json')}  report/manifest.json\n"
    )
    files.save_text(folder / "log/train/one/wide.log", f"done in {len(commit)} s\n")
    return folder


def with_page(folder):
    """Add a page to a results folder."""
    files.save_text(folder / "report/report.html", PAGE)
    return folder


def copy(folder, place):
    return Path(shutil.copytree(folder, place))


def edit(path, old, new):
    """Replace `old`, which must be there, in a text file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edit_json(path, change):
    """Change what a JSON file holds, and save it as the project would."""
    content = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key != "checksum"}
    change(content)
    files.save_json(path, content)


def edit_arrays(path, change):
    """Change the arrays of a file, and save them as the project would."""
    header = storage.read_header(path)
    arrays = storage.load(path, kind=header["kind"])
    change(arrays)
    storage.save(path, arrays, kind=storage.TRAIN, digest=header["digest"])


def flip(path, *, at=0.5):
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)
