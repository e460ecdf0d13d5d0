"""Coverage-guided fuzzing of what reads files: `python -m tests.fuzzing.loaders <loader> <seconds> <seed> <folder>`.

Each input is written to a file, and read by one of the loaders. It has to be read, or refused by a `UserError` in one line, in time, in
little memory, without writing anything. The folder keeps inputs that break this, and receives what was counted, in ``<loader>.json``.
"""

import gzip
import io
import json
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scripts.common", "scripts.datasets"]):
    from scripts.common import files, memory, npz_arrays, numbers, places, storage, yaml_file
    from scripts.common.errors import UserError
    from scripts.common.settings import Study
    from scripts.common.validation import validate
    from scripts.datasets import csv_file, image_files, npz_file

import numpy as np

MEMORY = 6 * 2**30
"""Bytes of address space, PyTorch and all."""
SECONDS = 10
"""Longest time for one input."""


def read_configuration(path: str) -> None:
    """Read a YAML file and hold it against the model of a study."""
    content = yaml_file.read_yaml(path)
    problems: list[str] = []
    validate(Study, content, str, problems)


def read_arrays(path: str) -> None:
    """Read an array file of a build."""
    storage.load(path, kind="data")


def read_images(path: str) -> None:
    """Read an IDX file of images, and one of labels."""
    for name in ("train_images", "train_labels"):
        try:
            image_files._from_idx(path, name)
        except UserError as error:
            _one_line(error)


def read_own_arrays(path: str) -> None:
    """Read an ``.npz`` of a user, by both kinds of data sets that take one."""
    for read in (lambda: npz_file.generate(file=path, inputs="x", targets="y"), lambda: image_files.generate(seed=0, archive=path)):
        try:
            read()
        except UserError as error:
            _one_line(error)
    for name in npz_arrays.names(path):
        npz_arrays.header(path, name)


def read_table(path: str) -> None:
    """Read a CSV file of a user; what was found in the one before, which had the same path, is forgotten."""
    memory._used.clear()
    memory._content.cache_clear()
    csv_file.generate(file=path, inputs=["x"], targets=["y"])


def read_numbers(path: str) -> None:
    """Read the numbers of a build."""
    numbers.from_csv(files.load_numbers(path, digest="d"))


def _one_line(error: UserError) -> None:
    assert str(error).strip()
    assert "Traceback" not in str(error)


LOADERS: dict[str, Callable[[str], None]] = {
    "yaml": read_configuration,
    "arrays": read_arrays,
    "idx": read_images,
    "npz": read_own_arrays,
    "csv": read_table,
    "numbers": read_numbers,
}


def seeds(loader: str, project: Path) -> list[bytes]:
    """Return inputs that a loader reads, to begin with."""
    idx = bytes([0, 0, 8, 3]) + struct.pack(">III", 2, 2, 2) + bytes(range(8))
    own, images, built = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(own, x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
    digits = {
        f"{part}_{name}": array for name in ("train", "test") for part, array in (("x", np.zeros((4, 2, 2), np.uint8)), ("y", np.arange(4)))
    }
    np.savez_compressed(images, **digits)
    data = {key: np.zeros((2, 1)) for key in ("train_x", "train_y", "test_x", "test_y", "grid_x", "grid_y")}
    storage.save(project / "own.npz", data, kind=storage.DATA, digest="d")
    built.write((project / "own.npz").read_bytes())
    rows = "study,variant,replica,step,quantity,index,value\nmini,wide,0,0,test_loss,,0.5\n"
    files.save_numbers(project / "numbers.csv", rows, digest="d")
    study = (Path(__file__).parents[1] / "mini/mini.yaml").read_bytes()
    return {
        "yaml": [study, b"a: &b {c: [1, *b]}", b"<<: {x: 1}\ny: 1e-3", b"a: 2026-01-01", b"a: !!int '3'"],
        "arrays": [built.getvalue()],
        "idx": [idx, gzip.compress(idx, mtime=0), bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + b"abc"],
        "npz": [own.getvalue(), images.getvalue()],
        "csv": [
            b"x,y\n" + b"".join(b"%d,%d.5\n" % (place, place) for place in range(10)),
            b'x;y\n"1";2e3\n3;4\n',
            "\ufeffx\ty\n1\t2\n".encode(),
        ],
        "numbers": [(project / "numbers.csv").read_bytes()],
    }[loader]


def main() -> None:
    """Fuzz one loader for some seconds."""
    loader, seconds, seed, kept = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).resolve()
    project = Path(tempfile.mkdtemp())
    places.PROJECT = image_files.PROJECT = project
    corpus = project / "corpus"
    corpus.mkdir()
    for place, content in enumerate(seeds(loader, project)):
        (corpus / str(place)).write_bytes(content)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    absolute = loader in ("yaml", "arrays", "numbers")
    target = project / "input"
    given = str(target) if absolute else "input"
    before = sorted([*(path.name for path in project.iterdir()), "input"])
    counts = {"executions": 0, "read": 0, "refused": 0, "slowest": 0.0}
    random.seed(seed)

    def one(data: bytes) -> None:
        target.write_bytes(data)
        counts["executions"] += 1
        started = time.monotonic()
        try:
            LOADERS[loader](given)
            counts["read"] += 1
        except UserError as error:
            _one_line(error)
            counts["refused"] += 1
        counts["slowest"] = max(counts["slowest"], time.monotonic() - started)
        if counts["executions"] % 100 == 1:
            assert sorted(path.name for path in project.iterdir()) == sorted({*before}), "a file was written"
            (kept / f"{loader}.json").write_text(json.dumps(counts))

    kept.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds:.0f}",
        f"-seed={seed}",
        f"-timeout={SECONDS}",
        "-max_len=4096",
        f"-artifact_prefix={kept}/{loader}-",
    ]
    atheris.Setup([sys.argv[0], *options, "-rss_limit_mb=4096", "-print_final_stats=1", str(corpus)], one)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(project, ignore_errors=True)


if __name__ == "__main__":
    main()
