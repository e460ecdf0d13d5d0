"""Data sets that are read from files of the project: what is wrong with their options and files, told before anything runs."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from scripts.common import csv_table, npz_arrays
from scripts.common.errors import UserError
from scripts.common.npz_arrays import NUMBERS, TEXT, WHOLE_NUMBERS
from scripts.common.places import inside

FILES = ("file", "test_file")
"""Options of a table or of arrays that name files."""
TEST_SHARE = 0.2
"""Share of the points that are test points where a data set does not say it."""
GRID = 200
"""Points along the grid of a data set of one input that does not say it."""
LARGEST_GRID = 1_000_000
LEAST = 2
"""Least training points."""
MOST_CLASSES = 1000


def parts(rows: int, options: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of the rows of a file are test points, and validation points; at least one where there are to be some."""
    test = 0 if options.get("test_file") or options.get("test_inputs") else _share_of(rows, _test_share(options))
    share = options.get("validation_share") or 0.0
    return test, _share_of(rows, share) if share else 0


def known(kind: str, options: Mapping[str, Any]) -> dict[str, Collection[str] | None]:
    """Return the columns or arrays that the options of a data set may name, by what they are; None where they cannot be told."""
    found: dict[str, Collection[str] | None] = {"column": None, "array": None}
    reader = {"csv_file": ("column", csv_table.names), "npz_file": ("array", npz_arrays.names)}.get(kind)
    if reader is not None and isinstance(options.get("file"), str):
        word, names = reader
        try:
            found[word] = names(options["file"])
        except UserError:
            return found  # `problems` tells it
    return found


def problems(kind: str, options: Mapping[str, Any], place: str, *, files: Iterable[str] = FILES) -> list[str]:
    """Return what is wrong with the files of a data set, whose options are right by themselves.

    Args:
        kind: its kind.
        options: its options.
        place: how messages name where it is.
        files: those of its options that name files.
    """
    found = []
    for key in files:
        if options.get(key) is not None:
            found += _file_problems(str(options[key]), f"{place}.{key}")
    if found or kind not in CHECKS:
        return found
    try:
        return [f"{place}{'' if problem.startswith('.') else ': '}{problem}" for problem in CHECKS[kind](options)]
    except UserError as error:
        return [f"{place}: {error}"]


def _file_problems(path: str, place: str) -> list[str]:
    try:
        there = inside(path, place=place)
    except UserError as error:
        return [str(error)]
    if there.is_dir():
        return [f"{place}: '{path}' is a folder; give the path of a file in it"]
    return [] if there.is_file() else [f"{place}: no such file '{path}'; put it there or correct its path"]


def _csv(options: Mapping[str, Any]) -> list[str]:
    found = _of_both(options)
    asked = [*options["inputs"], *(options.get("targets") or ()), *([options["labels"]] if options.get("labels") else [])]
    found += [f"column '{name}' is asked for twice; give it once" for name in dict.fromkeys(asked) if asked.count(name) > 1]
    if found:
        return found
    columns = csv_table.columns_of(options)
    files = [csv_table.summary(path, columns) for path in (options["file"], options.get("test_file")) if path is not None]
    for file in files:
        found += file.problems
    if found:
        return found
    train, *second = files
    if second:
        found += [
            f"{options['test_file']}: label {label!r} is in no row of {options['file']}; add one or leave it out"
            for label in second[0].classes
            if label not in train.classes
        ]
    return found + of_sizes(options, train.rows, train.classes, inputs=len(options["inputs"]))


def _npz(options: Mapping[str, Any]) -> list[str]:
    found = _of_both(options)
    path, second = options["file"], options.get("test_file") or options["file"]
    target = "labels" if options.get("labels") else "targets"
    if not options.get("test_file") and bool(options.get("test_inputs")) != bool(options.get(f"test_{target}")):
        found.append(f"give both 'test_inputs' and 'test_{target}', or neither")
    wrong = f"test_{'targets' if target == 'labels' else 'labels'}"
    if options.get(wrong):
        found.append(f".{wrong}: goes with '{wrong.removeprefix('test_')}' alone; remove it")
    if found:
        return found
    inputs, targets = options["inputs"], options[target]
    sizes = _shapes(path, inputs, targets, labels=target == "labels", problems=found)
    if options.get("test_file") or options.get("test_inputs"):
        names = options.get("test_inputs") or inputs, options.get(f"test_{target}") or targets
        others = _shapes(second, *names, labels=target == "labels", problems=found)
        if not found and (sizes[1], sizes[2]) != (others[1], others[2]):
            found.append(
                f"{second}: test points have {others[1]} inputs and {others[2]} targets, training points {sizes[1]} and {sizes[2]}; "
                "they must have as many"
            )
    return found or of_sizes(options, sizes[0], None, inputs=sizes[1])


def _shapes(path: str, inputs: str, targets: str, *, labels: bool, problems: list[str]) -> tuple[int, int, int]:
    """Return how many points two arrays of a file have, and the inputs and targets of each; what is wrong is added to `problems`."""
    x, y = npz_arrays.header(path, inputs), npz_arrays.header(path, targets)
    of_labels = WHOLE_NUMBERS + TEXT
    for name, header, allowed in ((inputs, x, NUMBERS), (targets, y, of_labels if labels else NUMBERS)):
        if header.kind not in allowed:
            wanted = "numbers" if allowed == NUMBERS else "whole numbers or text"
            problems.append(f"{path}: array '{name}' is of numpy's kind '{header.kind}'; allowed: {wanted}")
    for name, header, axes in ((inputs, x, "(N, D) or (N,)"), (targets, y, "(N,)" if labels else "(N, C) or (N,)")):
        if not 1 <= len(header.shape) <= (1 if axes == "(N,)" else 2) or 0 in header.shape[1:]:
            problems.append(f"{path}: array '{name}' has the shape {header.shape}; allowed: {axes}")
    if problems:
        return 0, 0, 0
    if x.shape[0] != y.shape[0]:
        problems.append(f"{path}: array '{inputs}' has {x.shape[0]} points and '{targets}' {y.shape[0]}; they must have as many")
    return x.shape[0], x.shape[1] if len(x.shape) > 1 else 1, y.shape[1] if len(y.shape) > 1 else 1


def _of_both(options: Mapping[str, Any]) -> list[str]:
    """Return what of the options of a table or of arrays does not go with others of them."""
    found = []
    if (options.get("targets") is None) == (options.get("labels") is None):
        found.append("give either 'targets', numbers to predict, or 'labels', classes")
    if (options.get("test_file") or options.get("test_inputs")) and options.get("test_share") is not None:
        found.append(".test_share: the test points are given by themselves; remove it or them")
    return found + [f".{key}: wrong value []; allowed: at least one" for key in ("inputs", "targets") if options.get(key) == []]


def of_sizes(options: Mapping[str, Any], rows: int, classes: Mapping[str, int] | None, *, inputs: int) -> list[str]:
    """Return what is wrong with how many points there are, of which classes, and with the grid; None for classes that are not known."""
    path, (test, validation) = options["file"], parts(rows, options)
    found = _of_classes(options, rows, classes) if classes is not None and options.get("labels") else []
    if not found and rows - test - validation < LEAST:
        found.append(
            f"{path}: has {rows} points, of which {max(rows - test - validation, 0)} would be training points; allowed: {LEAST} at least; "
            "add points or lower the shares of the others"
        )
    grid = options.get("grid_samples")
    if grid and inputs > 2:
        found.append(f".grid_samples: wrong value {grid}; allowed: 0 with {inputs} inputs, a grid is one of one or two")
    elif grid and grid**inputs > LARGEST_GRID:
        most = int(LARGEST_GRID ** (1 / inputs))
        found.append(f".grid_samples: wrong value {grid}; allowed: at most {most:,} with {inputs} input{'s' if inputs > 1 else ''}")
    return found


def _of_classes(options: Mapping[str, Any], rows: int, classes: Mapping[str, int]) -> list[str]:
    path, counts = options["file"], dict(zip(("test", "validation"), parts(rows, options), strict=True))
    if not 2 <= len(classes) <= MOST_CLASSES:
        return [f"{path}: has {len(classes)} classes in '{options['labels']}'; allowed: 2 to {MOST_CLASSES:,}"]
    few = {label: count for label, count in classes.items() if count < 1 + sum(1 for of_part in counts.values() if of_part)}
    if few:
        label, count = next(iter(few.items()))
        return [f"{path}: label {label!r} has {count} of its {rows} points, too few to divide; add some or leave the class out"]
    return [
        f"{path}: {count} of its {rows} points would be {word} points, of {len(classes)} classes; allowed: as many as classes at least; "
        f"add points or raise '{word}_share'"
        for word, count in counts.items()
        if 0 < count < len(classes)
    ]


def _test_share(options: Mapping[str, Any]) -> float:
    given = options.get("test_share")
    return TEST_SHARE if given is None else float(given)


def _share_of(rows: int, share: float) -> int:
    return max(1, round(rows * share))


CHECKS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {"csv_file": _csv, "npz_file": _npz}
"""What looks into the files of a kind of data set."""
