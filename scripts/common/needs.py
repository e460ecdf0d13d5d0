"""What each job of a build needs of the machine that it runs on: memory, time and a GPU; and the group that it is submitted in.

Rules ask for it: functions of a step that Snakemake calls with the wildcards of a job.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from scripts.common import costs, devices
from scripts.common.configuration import REPORT
from scripts.common.consistency import ENGINES
from scripts.common.costs import Job, Recipes
from scripts.common.devices import Device
from scripts.common.errors import UserError
from scripts.common.places import study_path
from scripts.common.settings import Report, Study, Variant

F = TypeVar("F", bound=Callable[..., Any])


class Asked(NamedTuple):
    """The device that a job is to have.

    Attributes:
        device: the device, its class settled.
        text: what the configuration says.
        place: where it says so.
    """

    device: Device
    text: str
    place: str


class Needs:
    """What the jobs of a build need.

    Attributes:
        asked: the device of each job that trains, filled in by the plan.
    """

    def __init__(self, report: Report, recipes: Recipes) -> None:
        """Speak of the jobs that `recipes` has whenever it is asked."""
        self._report, self._recipes = report, recipes
        self.asked: dict[Job, Asked] = {}

    def memory(self, step: str) -> Callable[[Iterable[str], int], int]:
        """Return the function of a step that gives a job's memory: wildcards, number of the attempt -> megabytes."""

        def megabytes(wildcards: Iterable[str], attempt: int) -> int:
            return attempt * costs.megabytes(self._recipes, step, _name(wildcards))

        return signed(megabytes)

    def runtime(self, step: str) -> Callable[[Iterable[str], int], int]:
        """Return the function of a step that gives a job's run time: wildcards, number of the attempt -> minutes."""

        def minutes(wildcards: Iterable[str], attempt: int) -> int:
            return attempt * costs.runtime(costs.seconds(self._recipes, step, _name(wildcards)))

        return signed(minutes)

    def group(self, step: str, workflow: Any) -> Callable[[Iterable[str]], str | None]:
        """Return the function of a step that gives a job's group: wildcards -> name, None in a dry run, which lists every job.

        Builds on one machine have no groups.
        """

        def name(wildcards: Iterable[str]) -> str | None:
            return None if workflow.dryrun else self._groups.get((step, _name(wildcards)))

        return signed(name)

    def gpus(self, step: str) -> Callable[[Iterable[str]], int]:
        """Return the function of a step that gives how many GPUs a job takes: wildcards -> 0 or 1."""

        def count(wildcards: Iterable[str]) -> int:
            asked = self.asked.get((step, _name(wildcards)))
            return int(asked is not None and asked.device.kind == devices.CUDA)

        return signed(count)

    def gpu_number(self, step: str) -> Callable[[Iterable[str]], int]:
        """Return the function of a step that gives which of the visible GPUs a job is to have: wildcards -> number, -1 for any."""

        def number(wildcards: Iterable[str]) -> int:
            asked = self.asked.get((step, _name(wildcards)))
            return -1 if asked is None or asked.device.number is None else asked.device.number

        return signed(number)

    def check_devices(self, *, local: bool) -> None:
        """Hold the devices of all jobs that are still to be done against what there is.

        Args:
            local: whether jobs run on this machine; where they are submitted to others, these check by themselves that they have a GPU.

        Raises:
            UserError: a GPU is asked for that this machine does not have; or ``auto``, where jobs run on other machines than this one.
        """
        open_jobs = [asked for job, asked in self.asked.items() if not self._is_done(*job)]
        gpus = devices.visible_gpus() if local and any(asked.device.kind == devices.CUDA for asked in open_jobs) else []
        elsewhere = "wrong value 'auto', jobs run on other machines than the one that plans; allowed: cpu, cuda; name one of these"
        problems = [
            f"{asked.place}: {problem}"
            for asked in open_jobs
            for problem in [devices.missing(asked.device, gpus) if local else elsewhere if asked.text == devices.AUTO else None]
            if problem
        ]
        if problems:
            raise UserError("\n".join(dict.fromkeys(problems)))

    @cached_property
    def _groups(self) -> dict[Job, str]:
        """The group of each job that is submitted with others, worked out once all are planned."""
        return costs.groups(self._recipes)

    @cached_property
    def _automatic(self) -> str:
        """The class of the device that ``auto`` is on this machine."""
        return devices.CUDA if devices.visible_gpus() else devices.CPU

    def _is_done(self, step: str, name: str) -> bool:
        """Whether the output of a job stands there, and its recipe is not newer."""
        output = Path(f"{self._report.results}/{step}/{name}.npz")
        recipe = Path(self._recipes[step, name].path(self._report.results))
        return output.is_file() and recipe.is_file() and output.lstat().st_mtime_ns >= recipe.stat().st_mtime_ns

    def device_of(self, place: str, study_name: str, study: Study, variant: Variant) -> Asked:
        """Return the device of a variant, which is named at `place` if the variant names one."""
        given = [(variant.device, place), (study.device, study_path(study_name)), (self._report.device, f"{REPORT} or --config")]
        text, where = next((text, where) for text, where in given if text is not None)
        device = devices.parse(text)
        if "device" in ENGINES[variant.engine]:
            device = Device(devices.CPU)
        elif device.kind == devices.AUTO:
            device = Device(self._automatic)
        return Asked(device, text, f"{where}: device" if where != place else f"{place}.device")


def _name(wildcards: Iterable[str]) -> str:
    return "/".join(wildcards) or "report"


def signed(function: F) -> F:
    """Return a function that has its signature worked out: Snakemake asks for it several times for each job."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    return function
