"""Print the table of mutations: ``python -m tests.mutations``."""

import argparse
import os
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from tests.mutations import jobs, table

parser = argparse.ArgumentParser(description="Print the table of mutations.")
parser.add_argument("--seed", type=int, default=0)
for name in ("functions", "run", "constants"):
    parser.add_argument(f"--{name}", type=int, help="how many; all, if it is not given")
parser.add_argument("--fast", action="store_true", help="run no figures and no reports")
given = parser.parse_args()
jobs.import_libraries()
with tempfile.TemporaryDirectory() as folder:
    made = table.make(
        Path(folder).resolve() / "project",
        seed=given.seed,
        functions=given.functions,
        run=given.run,
        constants=given.constants,
        slow=not given.fast,
    )
print(f"seed {given.seed}: {made.text()}")
