"""Ways to damage a stored file: what disks, copies, editors, other versions and other programs do to it."""

import io
import json
import re
import zipfile

import numpy as np


def flip_a_bit(content, generator, _):
    place, bit = generator.randrange(len(content)), generator.randrange(8)
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def cut_off(content, generator, _):
    return content[: generator.randrange(len(content))]


def lose_a_block(content, generator, _):
    """Zeros in the place of a block, as a file system leaves them after a power cut."""
    size = min(512, max(1, len(content) // 3))
    place = generator.randrange(len(content) - size + 1)
    return content[:place] + bytes(size) + content[place + size :]


def grow(content, generator, _):
    return content + generator.randbytes(generator.randrange(1, 100))


def put_another_in_its_place(content, generator, others):
    different = [other for other in others if other != content]
    return generator.choice(different) if different else None


def change_a_digit(content, generator, _):
    places = [found.start() for found in re.finditer(rb"[0-9]", content)]
    place = generator.choice(places)
    digit = generator.choice([digit for digit in b"0123456789" if digit != content[place]])
    return content[:place] + bytes([digit]) + content[place + 1 :]


def lose_a_line(content, generator, _):
    lines = content.splitlines(keepends=True)
    place = generator.randrange(len(lines))
    return b"".join(lines[:place] + lines[place + 1 :])


def put_nan_for_a_number(content, generator, _):
    places = list(re.finditer(rb"(?<![\w.\"])-?[0-9]+(\.[0-9]+)?(?![\w.\"])", content))
    if not places:
        return None
    chosen = generator.choice(places)
    return content[: chosen.start()] + b"NaN" + content[chosen.end() :]


def write_without_the_first_line(content, _, __):
    """The file as a version before this one wrote it, without a checksum."""
    if content.startswith(b"{\n"):
        first, second, rest = content.split(b"\n", 2)
        return first + b"\n" + rest if b"checksum" in second else None
    return content.partition(b"\n")[2]


def put_nan_into_an_array(content, generator, _):
    return _with_an_array(
        content, generator, lambda array: _with_nan(array, generator), lambda array: array.dtype.kind == "f" and array.size
    )


def change_the_shape_of_an_array(content, generator, _):
    return _with_an_array(content, generator, lambda array: array[:-1], lambda array: array.ndim and array.shape[0])


def change_the_type_of_an_array(content, generator, _):
    return _with_an_array(content, generator, lambda array: array.astype(np.float16), lambda array: array.dtype.kind == "f" and array.size)


def change_a_weight_in_its_last_bit(content, generator, _):
    def change(array):
        changed = array.copy().reshape(-1)
        place = generator.randrange(changed.size)
        changed[place] = np.nextafter(changed[place], np.inf, dtype=changed.dtype)
        return changed.reshape(array.shape)

    return _with_an_array(content, generator, change, lambda array: array.dtype.kind == "f" and np.isfinite(array).all() and array.size)


def write_as_another_version(content, _, __):
    def change(header):
        header["format"] += 1

    return _with_header(content, change)


def name_another_recipe(content, _, __):
    def change(header):
        header["digest"] = header["digest"][::-1]

    return _with_header(content, change)


ANY = (flip_a_bit, cut_off, lose_a_block, grow, put_another_in_its_place)
TEXT = (*ANY, change_a_digit, lose_a_line, put_nan_for_a_number, write_without_the_first_line)
ARRAYS = (
    *ANY,
    put_nan_into_an_array,
    change_the_shape_of_an_array,
    change_the_type_of_an_array,
    change_a_weight_in_its_last_bit,
    write_as_another_version,
    name_another_recipe,
)
PRODUCTS = (*ANY, change_a_digit)


def ways(path):
    """Return the ways to damage a file of this name."""
    if path.suffix == ".npz":
        return ARRAYS
    return TEXT if path.suffix in (".csv", ".json", ".svg") and "report" not in path.parts else PRODUCTS


def _members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def _stored(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _with_an_array(content, generator, change, is_fit):
    """Return an array file with one of its arrays changed and the header as it was; None where no array is fit for it."""
    members = _members(content)
    arrays = {name: np.load(io.BytesIO(data)) for name, data in members.items() if name != "header.npy"}
    fit = sorted(name for name, array in arrays.items() if is_fit(array))
    if not fit:
        return None
    name = generator.choice(fit)
    return _packed(members | {name: _stored(change(arrays[name]))})


def _with_header(content, change):
    members = _members(content)
    header = json.loads(np.load(io.BytesIO(members["header.npy"])).tobytes())
    change(header)
    return _packed(members | {"header.npy": _stored(np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8))})


def _with_nan(array, generator):
    changed = array.copy().reshape(-1)
    changed[generator.randrange(changed.size)] = np.nan
    return changed.reshape(array.shape)
