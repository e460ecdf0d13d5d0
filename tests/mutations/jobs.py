"""Every job of a small project, each in a child of a process that has imported the libraries, and what of the project's code it runs."""

import contextlib
import hashlib
import io
import json
import os
import runpy
import shutil
import sys
import threading
import warnings
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import yaml

from scripts.common.plan import Plan
from tests.copies import forget, mini_copy

HERE = Path(__file__).parent
LIBRARIES = """
    fontTools.subset jinja2 llvmlite.binding llvmlite.ir matplotlib.backends.backend_agg matplotlib.backends.backend_svg matplotlib.pyplot
    mpl_toolkits.mplot3d numpy pandas PIL.Image plotly pydantic pypandoc rocrate.rocrate scipy.optimize scipy.sparse.csgraph scipy.special
    scipy.stats scour.scour sklearn.datasets torch typst yaml ziamath
""".split()  # noqa: SIM905
"""What jobs import beside the project; with these at hand, a child starts at once."""
OUTPUTS = {
    "crate": {"metadata": "report/ro-crate-metadata.json", "configuration": "report/configuration.json", "source": "report/source"},
    "claim": {0: "claim/{name}.json"},
    "figure": {"svg": "figure/{name}.svg", "json": "figure/{name}.json", "csv": "report/data/{name}.csv"},
    "manifest": {0: "report/manifest.json"},
    "number": {0: "number/{name}.csv"},
    "report": {0: "report/report.{name}"},
    "summary": {"numbers": "report/numbers.csv", "claims": "report/claims.json"},
    "table": {0: "table/{name}.json"},
}
"""What each rule declares, by name or by place; all others declare one array file."""


class Files(dict):
    """Files of a rule, as Snakemake gives them: by place, by name, and as attributes."""

    __getattr__ = dict.__getitem__

    def __iter__(self):
        return iter(self.values())


def prepare(folder):
    """Copy the project to `folder`, with the study of many parts as its only one."""
    mini_copy(folder)
    for name, place in (("parts.yaml", "config/studies"), ("parts.md.jinja", "templates/chapters"), ("parts.py", "scripts/claims")):
        shutil.copyfile(HERE / name, folder / place / name)
    report = yaml.safe_load((folder / "config/report.yaml").read_text())
    (folder / "config/report.yaml").write_text(yaml.safe_dump(report | {"studies": ["parts"], "replicas": 2, "steps": 20}))


def planned():
    """Return the plan of what stands in the project now."""
    forget()
    return Plan(yaml.safe_load(Path("config/report.yaml").read_text()))


def import_libraries():
    """Import what jobs import beside the project."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARIES:
            import_module(name)


def outputs(job):
    """Return the files that a job leaves, by name or by place."""
    step, name = job
    return Files({key: f"results/{path.format(name=name)}" for key, path in OUTPUTS.get(step, {0: f"{step}/{{name}}.npz"}).items()})


def run(job, recipe, folder, *, traced=False):
    """Run a job in a child process.

    Args:
        job: step and name.
        recipe: path of its recipe.
        folder: the project.
        traced: whether to find out what it runs.

    Returns:
        A digest of the bytes of its outputs, None if it failed, and the functions and modules that it ran, as (path, qualified name).
    """
    answer, question = os.pipe()
    child = os.fork()
    if not child:
        os.close(answer)
        try:
            found = _in_child(job, recipe, folder, traced)
            with os.fdopen(question, "w") as file:
                json.dump(found, file)
        finally:
            os._exit(0)
    os.close(question)
    with os.fdopen(answer) as file:
        told = file.read()
    os.waitpid(child, 0)
    digest, ran = json.loads(told) if told else (None, [])
    return digest, {tuple(place) for place in ran}


def _in_child(job, recipe, folder, traced):
    os.chdir(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("scripts", "tests")]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    made = outputs(job)
    given = SimpleNamespace(
        input=Files(recipe=recipe),
        output=made,
        log=[f"results/log/{job[0]}/{job[1]}.log"],
        resources=SimpleNamespace(gpu_number=-1),
        rule=job[0],
    )
    ran = set()

    def note(frame, event, _argument):
        if event == "call" and frame.f_code.co_filename.startswith(scripts):
            ran.add((frame.f_code.co_filename[skipped:], frame.f_code.co_qualname))

    scripts, skipped = f"{folder}/scripts/", len(f"{folder}/")
    done = True
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if traced:
            threading.setprofile(note)
            sys.setprofile(note)
        try:
            runpy.run_path(f"{folder}/scripts/{job[0]}.py", init_globals={"snakemake": given}, run_name="__main__")
        except BaseException:  # noqa: BLE001 - however a job fails, it is affected
            done = False
        finally:
            sys.setprofile(None)
    digest = (
        hashlib.sha256(b"".join(Path(path).read_bytes() for path in made.values() if Path(path).is_file())).hexdigest() if done else None
    )
    return digest, sorted(ran)
