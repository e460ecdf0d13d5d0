"""Random configurations, and random files: each is taken or refused in a sentence, in time, and nothing is written elsewhere."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from scripts.common.places import PROJECT
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml
from tests.copies import STUDY, mini_copy, working_in
from tests.fuzzing import configurations

LOADERS = ("yaml", "arrays", "npz", "csv", "idx", "numbers")
QUICK = ("yaml", "npz", "csv")
"""The loaders that are fuzzed for a few seconds; the others have fewer ways to go."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    mini_copy(folder)
    with working_in(folder):
        yield folder


@pytest.mark.parametrize("examples", [100, pytest.param(20_000, marks=pytest.mark.long)])
def test_a_configuration_is_planned_or_refused_with_its_place(examples: int, project: Path) -> None:
    report, study = read_yaml(project / "config/report.yaml"), read_yaml(project / STUDY)
    papers = read_yaml(project / "config/bibliography.yaml")["references"]
    bibliography = {"references": [paper for paper in papers if paper["id"] == "clopper1934"] + papers[:3]}
    Plan(report)  # so that what is read of the sources is known, whatever comes first
    files = sorted(path for path in project.rglob("*") if "__pycache__" not in path.parts)
    counts = {"planned": 0, "refused": 0}
    same = [st.just(content) for content in (report, study, bibliography)]
    ways = [configurations.changed(content) for content in (report, study, bibliography)]
    cases = st.one_of(*(st.tuples(*same[:place], ways[place], *same[place + 1 :]) for place in (0, 1, 1, 2)))

    @seed(20261122)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def check(case: tuple[Any, Any, Any]) -> None:
        plan = configurations.planned(*case)
        counts["planned" if plan else "refused"] += 1
        for path in configurations.paths(plan) if plan else []:
            assert path.startswith(f"{plan.results}/"), path
            assert (project / path).resolve().is_relative_to((project / plan.results).resolve())

    check()
    print(counts)
    assert min(counts.values()) > 0
    assert sorted(path for path in project.rglob("*") if "__pycache__" not in path.parts) == files


@pytest.mark.parametrize(
    ("loader", "seconds"), [*((loader, 2) for loader in QUICK), *(pytest.param(loader, 100, marks=pytest.mark.long) for loader in LOADERS)]
)
def test_a_file_is_read_or_refused(loader: str, seconds: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzzing.loaders", loader, str(seconds), "20261122", str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=seconds * 3 + 300)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads((tmp_path / f"{loader}.json").read_text())
    print(counts)
    assert counts["executions"] > 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{loader}.json"]
