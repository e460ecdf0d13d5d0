"""Seconds of one step of one replica of each variant that says them: ``python -m benchmarks.seconds``, or ``make seconds``.

Wall times differ from run to run and so cannot be computed in a build whose outputs are the same each time. They are measured here, on
one core, with one replica alone, and are then written into the study's YAML by hand as ``seconds_per_step``.
"""

import time
from typing import Any

from benchmarks.__main__ import use_one_core

STEPS, ROUNDS = 200, 7


def seconds_per_step(data: dict[str, Any], settings: dict[str, Any]) -> float:
    """Return the seconds of one step: the shortest of some rounds, less what a training of no steps to speak of takes."""
    from scripts.common.training import train  # noqa: PLC0415 - imports PyTorch, which must be told of its one core before

    def run(steps: int) -> float:
        begin = time.perf_counter()
        train(data, **settings | {"steps": steps, "evaluate_every": steps, "replicas": 1})
        return time.perf_counter() - begin

    run(1)
    return (min(run(STEPS + 1) for _ in range(ROUNDS)) - min(run(1) for _ in range(ROUNDS))) / STEPS


def main() -> None:
    """Print a line for each variant of the report that has ``seconds_per_step``."""
    use_one_core()
    from scripts.common.configuration import load_report  # noqa: PLC0415
    from scripts.common.places import PROJECT  # noqa: PLC0415
    from scripts.common.plan import settings_of_training  # noqa: PLC0415
    from scripts.common.yaml_file import read_yaml  # noqa: PLC0415
    from scripts.data import generate  # noqa: PLC0415

    _, studies = load_report(read_yaml(PROJECT / "config/report.yaml"))
    for study_name, study in studies.items():
        for name, variant in study.variants.items():
            if variant.seconds_per_step is None:
                continue
            part = study.data[variant.data]
            data = generate(kind=part.kind, **part.options())
            seconds = seconds_per_step(data, settings_of_training(variant))
            print(f"{study_name}: variants.{name}.seconds_per_step: {seconds:.2e}  (now {variant.seconds_per_step:.2e})", flush=True)


if __name__ == "__main__":
    main()
