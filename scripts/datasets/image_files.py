"""Images with labels from files in the project: four in the IDX format of MNIST, plain or compressed by gzip, or one ``.npz``."""

import gzip
import math
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scripts.common import labeled_images
from scripts.common.errors import UserError
from scripts.common.options import Count, DataFile, Seed
from scripts.common.places import PROJECT
from scripts.common.storage import Arrays

MOST_VALUES = 2**27
"""Most numbers in one array: what declares more is refused before it is read."""
MOST_CLASSES = 1000
PARTS = ("train_images", "train_labels", "test_images", "test_labels")
KEYS = {"train_images": "x_train", "train_labels": "y_train", "test_images": "x_test", "test_labels": "y_test"}
"""Names of the arrays in an ``.npz``: those of Keras' copy of MNIST."""
AXES = {"images": 3, "labels": 1}
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError)
"""What reading a damaged file raises."""


def generate(
    *,
    seed: Seed,
    archive: DataFile | None = None,
    train_images: DataFile | None = None,
    train_labels: DataFile | None = None,
    test_images: DataFile | None = None,
    test_labels: DataFile | None = None,
    train_samples: Count | None = None,
    test_samples: Count | None = None,
) -> Arrays:
    """Return the images and labels that files hold, all of them or a random choice in which every label has its share.

    Args:
        seed: seed of the choice.
        archive: an ``.npz`` with the arrays x_train, y_train, x_test and y_test: images (N, height, width) or (N, D), labels (N,), whole
            numbers from 0. It stands instead of the four files below.
        train_images: an IDX file of bytes (N, height, width).
        train_labels: an IDX file of bytes (N,).
        test_images: as the training images.
        test_labels: as the training labels.
        train_samples: how many of the training images are taken; all if null.
        test_samples: how many of the test images are taken; all if null.

    Returns:
        The arrays of `scripts.common.storage.DATA`: images (N, D), row by row, of bytes 1/255 of their values, of floating-point numbers
        these; labels one-hot (N, C); and a grid of no points.

    Raises:
        UserError: a file is missing, damaged, too large, or not what is described here.
    """
    files = dict(zip(PARTS, (train_images, train_labels, test_images, test_labels), strict=True))
    given = [name for name, path in files.items() if path is not None]
    if (archive is None) != (len(given) == len(PARTS)) or (archive is not None and given):
        raise UserError(f"image files: give 'archive', or else all of {', '.join(PARTS)}; given: {', '.join(given) or 'none of them'}")
    found = _from_archive(archive) if archive is not None else {name: _from_idx(str(path), name) for name, path in files.items()}
    chosen: list[NDArray[Any]] = []
    for part, count in (("train", train_samples), ("test", test_samples)):
        images, labels = found[f"{part}_images"], found[f"{part}_labels"].astype(np.int64)
        place = archive or files[f"{part}_labels"]
        if len(images) != len(labels) or len(labels) == 0:
            raise UserError(f"{place}: has {len(labels)} labels of {len(images)} {part} images; one label for each image is needed")
        if labels.min() < 0 or labels.max() >= MOST_CLASSES:
            raise UserError(f"{place}: has the labels {labels.min()} to {labels.max()}; allowed: 0 to {MOST_CLASSES - 1}")
        some = slice(None) if count is None else labeled_images.stratified(labels, count, seed=seed, word=f"{part}_samples")[0]
        chosen += [images[some].reshape(len(labels[some]), -1) / (255 if images.dtype == np.uint8 else 1), labels[some]]
    if chosen[0].shape[1] != chosen[2].shape[1]:
        raise UserError(
            f"{archive or test_images}: test images have {chosen[2].shape[1]} pixels and training images {chosen[0].shape[1]}; "
            "they must have as many"
        )
    return labeled_images.arrays(*chosen, classes=int(max(chosen[1].max(), chosen[3].max())) + 1)


def _opened(path: str) -> BinaryIO:
    try:
        return (PROJECT / path).open("rb")
    except FileNotFoundError:
        raise UserError(f"{path}: missing; put the file there, or mend its path in the data set's options") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); mend the file or its path in the data set's options") from None


def _check_size(path: str, shape: tuple[int, ...], what: str) -> None:
    if math.prod(max(length, 1) for length in shape) > MOST_VALUES:  # numpy refuses lengths beyond that, even of arrays of nothing
        size = " by ".join(f"{length:,}" for length in shape)
        raise UserError(f"{path}: too large: its {what} are {size}; at most {MOST_VALUES:,} numbers are read")


def _from_idx(path: str, name: str) -> NDArray[np.uint8]:
    """Return the array of bytes that an IDX file holds; see the page of MNIST (LeCun, Cortes and Burges) for the format."""
    what = name.partition("_")[2]
    axes = AXES[what]
    with _opened(path) as plain:
        compressed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        file: Any = gzip.GzipFile(fileobj=plain) if compressed else plain
        try:
            magic = file.read(4)
            if len(magic) == 4 and magic != bytes([0, 0, 8, axes]):
                raise UserError(
                    f"{path}: not an IDX file of {what}: begins with the bytes {magic.hex(' ')}, expected 00 00 08 {axes:02x} "
                    f"(unsigned bytes, {axes} {'axes' if axes > 1 else 'axis'})"
                )
            lengths = file.read(4 * axes)
            shape = tuple(int.from_bytes(lengths[at : at + 4], "big") for at in range(0, 4 * axes, 4))
            values = b""
            if len(magic + lengths) == 4 + 4 * axes:  # or the lengths are not those that were written
                _check_size(path, shape, what)
                values = file.read(math.prod(shape) + 1)
        except DAMAGED as error:
            raise UserError(f"{path}: damaged or truncated ({_told(error)}); fetch the file again") from None
    if len(magic + lengths) < 4 + 4 * axes or len(values) != math.prod(shape):
        state = "longer than it says" if len(magic + lengths) == 4 + 4 * axes and len(values) > math.prod(shape) else "truncated"
        raise UserError(f"{path}: {state}: its header declares {math.prod(shape):,} bytes of {what}; fetch the file again")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _from_archive(path: str) -> Mapping[str, NDArray[Any]]:
    with _opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return {name: _member(path, archive, name) for name in PARTS}
        except DAMAGED as error:
            raise UserError(f"{path}: damaged, truncated, or not an .npz file ({_told(error)}); fetch the file again") from None


def _member(path: str, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Return one array of an ``.npz``, its shape and dtype looked at before its values are read."""
    key, what = KEYS[name], name.partition("_")[2]
    if f"{key}.npy" not in archive.namelist():
        held = sorted(member.removesuffix(".npy") for member in archive.namelist())
        raise UserError(f"{path}: has no array '{key}'; it holds {', '.join(held) or 'none'}, needed are {', '.join(KEYS.values())}")
    with archive.open(f"{key}.npy") as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
    if dtype.hasobject:
        raise UserError(f"{path}: array '{key}' is pickled, which may run code when it is read, and is refused; save it as numbers")
    allowed = dtype.kind in "ui" if what == "labels" else dtype == np.uint8 or dtype.kind == "f"
    if not allowed:
        wanted = "whole numbers" if what == "labels" else "uint8, from 0 to 255, or floating-point numbers"
        raise UserError(f"{path}: array '{key}' has dtype {dtype}; allowed: {wanted}")
    if len(shape) not in ((1,) if what == "labels" else (2, 3)):
        wanted = "(N,)" if what == "labels" else "(N, height, width) or (N, D)"
        raise UserError(f"{path}: array '{key}' has the shape {shape}; allowed: {wanted}")
    _check_size(path, shape, what)
    with archive.open(f"{key}.npy") as member:
        values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    if not np.isfinite(values).all():
        raise UserError(f"{path}: array '{key}' has numbers that are not finite; mend the file")
    return values


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
