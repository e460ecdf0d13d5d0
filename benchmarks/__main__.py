"""Run every benchmark of this folder, or those named, on one core, and print one table: ``python -m benchmarks [name ...]``."""

import os
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.comparison import Comparison, table


def main(names: list[str]) -> str:
    """Return the table of the benchmarks `names`, each a module ``bench_<name>`` with a function `comparisons`; of all if none is named."""
    use_one_core()
    names = names or sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    lines: list[Comparison] = []
    for name in names:
        lines += import_module(f"benchmarks.bench_{name}").comparisons()
    return table(lines)


def use_one_core() -> None:
    """Let all that runs from here on have one thread and one core; the libraries read this when they are loaded, which is later."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if __name__ == "__main__":
    print(main(sys.argv[1:]))
