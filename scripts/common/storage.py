"""Every stored file: its name, digest, keys, axes, dtypes and checksums, checked when it is saved and when it is loaded.

An array file is an ``.npz`` without pickles. Beside its arrays it holds one member, ``header``, a JSON text that states the kind of
the file, the digest of the recipe it was made under, and for each array its axes, dtype, shape and SHA-256. The axes are those of
the whole project: N samples, D inputs, C outputs, P parameters, R replicas, S saved steps, L layers or named tensors, E evaluated
steps, G points of the dense grid, K singular values, F features, Q = N C rows of a Jacobian. An axis that stands in two arrays of
one file has one length.
"""

import errno
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scripts.common.files import DamagedError as DamagedError
from scripts.common.files import StorageError as StorageError
from scripts.common.files import check_digest, remedy
from scripts.common.files import file_sha256 as file_sha256
from scripts.common.files import load_json as load_json
from scripts.common.files import load_numbers as load_numbers
from scripts.common.files import save_json as save_json
from scripts.common.files import save_numbers as save_numbers
from scripts.common.files import save_text as save_text
from scripts.common.files import write_atomically as write_atomically
from scripts.common.scores import ALWAYS
from scripts.common.scores import SCORES as SCORES

FORMAT = 1

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Array:
    """What one stored array is.

    Attributes:
        axes: names of its axes, one letter or word each, separated by blanks; "" for a scalar.
        dtype: numpy's name of its dtype, or "str" for text of any length; names of several that are allowed are separated by blanks.
        quantity: whether its elements are numbers of the report (rows of ``numbers.csv``).
        finite: whether every element has to be a finite number.
    """

    axes: str
    dtype: str
    quantity: bool = False
    finite: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of array file: its name, and its arrays by key. A key in `optional` may be missing."""

    name: str
    arrays: Mapping[str, Array]
    optional: frozenset[str] = frozenset()


DATA = Kind(
    "data",
    {
        "train_x": Array("N D", "float64", finite=True),
        "train_y": Array("N C", "float64", finite=True),
        "test_x": Array("M D", "float64", finite=True),
        "test_y": Array("M C", "float64", finite=True),
        "grid_x": Array("G D", "float64", finite=True),
        "grid_y": Array("G C", "float64", finite=True),
        "validation_x": Array("V D", "float64", finite=True),
        "validation_y": Array("V C", "float64", finite=True),
    },
    optional=frozenset({"grid_y", "validation_x", "validation_y"}),
)
"""Of data from files no true function is known, and so no ``grid_y``."""

TRAIN = Kind(
    "train",
    {
        "step": Array("S", "int64"),
        "parameters": Array("S R P", "float32 float64"),
        "parameter_name": Array("L", "str"),
        "evaluated_step": Array("E", "int64"),
        "train_loss": Array("E R", "float64"),
        "test_loss": Array("E R", "float64"),
        "train_accuracy": Array("E R", "float64"),
        "test_accuracy": Array("E R", "float64"),
        "validation_loss": Array("E R", "float64"),
        "validation_accuracy": Array("E R", "float64"),
        "diverged_at": Array("R", "int64"),
        "stopped_at": Array("R", "int64"),
        "best_step": Array("R", "int64"),
        "initialization_seed": Array("R", "int64"),
        "batch_seed": Array("R", "int64"),
    },
    optional=frozenset({"train_accuracy", "test_accuracy", "validation_loss", "validation_accuracy", "stopped_at", "best_step"}),
)

SWEEP = Kind(
    "sweep",
    {score: Array("R X", "float64", quantity=True) for score in SCORES} | {f"index_{score}": Array("X", "str") for score in SCORES},
    optional=frozenset(key for score in SCORES if score not in ALWAYS for key in (score, f"index_{score}")),
)

LEVEL = Kind("level", {score: Array("R", "float64") for score in SCORES}, optional=frozenset(SCORES) - frozenset(ALWAYS))
"""What is kept of one level of a sweep while it runs."""

JACOBIAN = Kind(
    "jacobian",
    {
        "step": Array("S", "int64"),
        "jacobian": Array("S N C P", "float64"),
        "jacobian_own_points": Array("S O C P", "float64"),
        "gram": Array("S R Q Q", "float64"),
    },
    optional=frozenset({"jacobian", "jacobian_own_points", "gram"}),
)


def save(path: str | Path, arrays: Mapping[str, NDArray[Any]], *, kind: Kind, digest: str) -> None:
    """Write `arrays` to `path` as one file of `kind`, under `digest`, in full or not at all.

    Raises:
        StorageError: an array is missing, unknown, or not of its kind; or the place cannot be written.
    """
    path = Path(path)
    problems = _mismatches(arrays, kind)
    if problems:
        raise StorageError(f"{path}: not a file of kind '{kind.name}': " + "; ".join(problems))
    contiguous = {key: np.ascontiguousarray(array) if array.ndim else np.asarray(array) for key, array in arrays.items()}
    header = {
        "format": FORMAT,
        "kind": kind.name,
        "digest": digest,
        "arrays": {
            key: {
                "axes": kind.arrays[key].axes,
                "quantity": kind.arrays[key].quantity,
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "sha256": _sha256(array),
            }
            for key, array in sorted(contiguous.items())
        },
    }
    text = json.dumps(header, sort_keys=True).encode()

    def write(file: BinaryIO) -> None:
        np.savez(file, allow_pickle=False, header=np.frombuffer(text, dtype=np.uint8), **contiguous)

    write_atomically(path, write)


def load(path: str | Path, *, kind: str, digest: str | None = None) -> Arrays:
    """Read a file of `kind`, checked against its header, its checksums and, where given, the `digest` it must carry.

    Raises:
        StorageError: the file is missing, truncated, altered, of another kind, or was made under another digest.
    """
    path = Path(path)
    header, arrays = _read(path)
    if header.get("kind") != kind:
        raise DamagedError(path, f"is a file of kind '{header.get('kind')}', expected '{kind}'")
    check_digest(path, header.get("digest"), digest)
    return arrays


def read_header(path: str | Path) -> dict[str, Any]:
    """Return the checked header of an array file: kind, digest, and axes, dtype, shape and checksum of each array."""
    return _read(Path(path))[0]


def quantities(path: str | Path) -> dict[str, str]:
    """Return the axes of each array of a file that holds numbers of the report, by key."""
    return {key: spec["axes"] for key, spec in read_header(path)["arrays"].items() if spec["quantity"]}


def check_kind(path: str | Path, arrays: Mapping[str, NDArray[Any]], kind: Kind) -> None:
    """Check that the arrays of a file that was read are what a file of its kind holds.

    Raises:
        StorageError: an array is missing, unknown, or has other axes or another dtype.
    """
    problems = _mismatches(arrays, kind)
    if problems:
        raise StorageError(f"{path}: not a file of kind '{kind.name}': {'; '.join(problems)}; {remedy(Path(path))}")


def _sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).hexdigest()


def _mismatches(arrays: Mapping[str, NDArray[Any]], kind: Kind) -> list[str]:
    problems = [f"array '{key}' is missing" for key in sorted(kind.arrays.keys() - kind.optional - arrays.keys())]
    lengths: dict[str, int] = {}
    for key, array in sorted(arrays.items()):
        if key not in kind.arrays:
            problems.append(f"unknown array '{key}' (known: {', '.join(sorted(kind.arrays))})")
            continue
        spec = kind.arrays[key]
        axes = spec.axes.split()
        found = "str" if array.dtype.kind == "U" else array.dtype.name
        if found not in spec.dtype.split():
            problems.append(f"'{key}' has dtype {found}, expected {' or '.join(spec.dtype.split())}")
        elif spec.finite and not np.isfinite(array).all():
            problems.append(f"'{key}' has values that are not finite")
        if array.ndim != len(axes):
            problems.append(f"'{key}' has {array.ndim} axes, expected {len(axes)} ({spec.axes})")
            continue
        for axis, length in zip(axes, array.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                problems.append(f"axis {axis} of '{key}' has length {length}, elsewhere {lengths[axis]}")
    return problems


def _check_sizes(file: BinaryIO) -> None:
    """Check, before any array of an archive is read, that it takes no more room than the archive does.

    What this project writes is not compressed, so that a file which unpacks to more than it is was not written by it.

    Raises:
        ValueError: an array is compressed, larger than the file, or not of the size that its dtype and shape come to.
    """
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > size or any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("its arrays would take more room than the file does")
        for member in members:
            with archive.open(member) as opened:
                read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                shape, _, dtype = read[np.lib.format.read_magic(opened)](opened)
                if math.prod(shape) * dtype.itemsize != member.file_size - opened.tell():
                    raise ValueError(f"array '{member.filename}' is not of the size that it declares")
    file.seek(0)


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    try:
        with path.open("rb") as file:
            _check_sizes(file)
            with np.load(file, allow_pickle=False) as archive:
                stored = {key: archive[key] for key in archive.files}
        header = json.loads(stored.pop("header").tobytes())
        specs = {key: (spec["dtype"], tuple(spec["shape"]), spec["sha256"]) for key, spec in header["arrays"].items()}
    except FileNotFoundError:
        raise StorageError(f"{path}: missing; run the same command again to rebuild it") from None
    except (PermissionError, IsADirectoryError) as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); {remedy(path)}") from None
    except MemoryError:
        raise
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # which a damaged archive leads to, by places that are not in it
            raise DamagedError(path, f"damaged or not an array file of this project ({error})") from None
        raise StorageError(f"{path}: cannot be read ({error.strerror}); run the same command again once it can be") from None
    except Exception as error:  # noqa: BLE001 - there is little that zipfile, zlib and numpy do not raise on a damaged archive
        problem = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(path, f"damaged or not an array file of this project ({problem})") from None
    if header.get("format") != FORMAT:
        raise DamagedError(path, f"has format {header.get('format')}, this version reads {FORMAT}")
    found = {key: (array.dtype.str, array.shape, _sha256(array)) for key, array in stored.items()}
    if found != specs:
        altered = sorted(key for key in found.keys() | specs.keys() if found.get(key) != specs.get(key))
        raise DamagedError(path, f"altered since it was saved (array {', '.join(altered)})")
    return header, stored
