"""The plan of a build: every job that a configuration asks for, with its recipe. The rules ask it for inputs and recipes.

Names of jobs are paths below the folder of their step: ``init_depth/deep_he`` for `train`, ``init_depth/deep_he/spectrum`` for
`measure`. A rule's wildcards, joined by slashes, are the name of its job.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from scripts.common import cache, components, devices, grids, memory
from scripts.common.components import Family
from scripts.common.configuration import load_report
from scripts.common.digest import make_recipe
from scripts.common.errors import UserError
from scripts.common.files import check_writable, file_sha256, save_text
from scripts.common.needs import Needs, signed
from scripts.common.places import BIBLIOGRAPHY, LICENSE, PROJECT, SNAKEFILE, chapter_path, claims_path, study_path
from scripts.common.recipe import Recipe, Source, code_digest, code_path, code_text
from scripts.common.settings import Figure, Simulation, Study, Sweep, Variant, levels_of, swept_settings

TEMPLATES = tuple(
    f"templates/{name}"
    for name in ("preface.md.jinja", "report.html.jinja", "report.typ.jinja", "filter.lua", "math.lua", "style.css", "explorer.js")
)

RECIPES_KEPT = 3
"""How many former recipes of a job are kept beside the one that is needed now."""

SETTINGS_OF_TRAINING = (
    "network",
    "initialization",
    "optimizer",
    "batches",
    "loss",
    "evaluate_every",
    "save_every",
    "save_at",
    "precision",
    "engine",
    "trained",
    "augmentation",
    "early_stopping",
)


class Plan:
    """All jobs of a build by step and name, each with its recipe.

    Attributes:
        report: the settings of the report.
        studies: the studies by name.
        results: the folder of results.
        needs: what the jobs need of the machine.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Check `settings`, the merged configuration of the report, and work out every job.

        Raises:
            ConfigurationError: anything in the report's or a study's configuration is wrong.
        """
        memory.load(Path(f"{settings.get('results')}/recipe/sources.memory"))
        self.report, self.studies = load_report(settings)
        self.results = self.report.results
        self._recipes: dict[tuple[str, str], Recipe] = {}
        self.needs = Needs(self.report, self._recipes)
        for name, study in self.studies.items():
            self._plan_study(name, study)
        self._plan_report()

    def inputs(self, step: str) -> Callable[[Iterable[str]], dict[str, Any]]:
        """Return the input function of a step: wildcards -> paths of its inputs by name, one path or a list."""

        def paths(wildcards: Iterable[str]) -> dict[str, Any]:
            inputs = self._recipe(step, wildcards).inputs
            return {
                name: sources[""].path if list(sources) == [""] else [source.path for source in sources.values()]
                for name, sources in inputs.items()
                if sources
            }

        return signed(paths)

    def recipe(self, step: str) -> Callable[[Iterable[str]], str]:
        """Return the function of a step that gives a job's recipe file: wildcards -> path."""

        def path(wildcards: Iterable[str]) -> str:
            return self._recipe(step, wildcards).path(self.results)

        return signed(path)

    def targets(self) -> list[str]:
        """Return the files that the whole build is for."""
        files = ["report.html", "report.pdf"]
        if self.report.edition == "solutions":
            files += ["numbers.csv", "claims.json", "manifest.json", "ro-crate-metadata.json"]
            files += [f"data/{name}.csv" for step, name in self._recipes if step == "figure"]
        return [f"{self.results}/report/{file}" for file in files]

    def work(self) -> str:
        """Return how much training the build is planned to be, a line for each study, in updates of one replica."""
        lines = ["Planned training:"]
        for name in self.studies:
            trained = [made.settings for (step, job), made in self._recipes.items() if step == "train" and job.startswith(f"{name}/")]
            sweeps = [made.settings for (step, job), made in self._recipes.items() if step == "sweep" and job.startswith(f"{name}/")]
            levels = [level for sweep in sweeps for level in sweep["levels"].values()]
            updates = sum(settings["steps"] * settings["replicas"] for settings in [*trained, *levels])
            swept = f" and {len(levels)} levels of {len(sweeps)} sweep{'s' if len(sweeps) > 1 else ''}" if sweeps else ""
            lines.append(f"  {name}: {len(trained)} variants{swept}, {updates:,} replica-steps")
        return "\n".join(lines)

    def check_cache(self, *, used: bool) -> None:
        """Check what may stand in a cache that builds share, and the cache itself if it is to be used.

        Raises:
            UserError: a result is a link that leads nowhere, or the cache cannot be used.
        """
        outputs = (Path(f"{self.results}/{step}/{name}.npz") for step, name in self._recipes if step in cache.STEPS)
        cache.check(outputs, results=self.results, used=used)

    def write_recipes(self) -> None:
        """Write each recipe to ``results/recipe``; rules have them as inputs.

        A recipe's file is named by its digest and never changes, so that a build that is running keeps its own. One that is needed
        again after another one of its job is made newer than that one's outputs. Of each job the last few are kept, and the code that
        these name.

        Raises:
            StorageError: the results folder cannot be written.
        """
        check_writable(Path(self.results))
        folder = Path(f"{self.results}/recipe")
        self._write_code()
        removed = False
        written: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*.json"), key=lambda path: path.stat().st_mtime_ns):
            written.setdefault(path.as_posix().rsplit(".", 2)[0], []).append(path)
        for made in self._recipes.values():
            path = Path(made.path(self.results))
            others = [other for other in written.get(path.as_posix().rsplit(".", 2)[0], []) if other != path]
            if not path.is_file():
                save_text(path, made.as_json(self.results))
            elif others and others[-1].stat().st_mtime_ns > path.stat().st_mtime_ns:
                path.touch()
            for old in others[:-RECIPES_KEPT]:
                old.unlink(missing_ok=True)
                removed = True
        if removed:
            _remove_code(folder)
        memory.save(folder / "sources.memory")

    def _write_code(self) -> None:
        """Write the code that recipes name, and what is damaged of it anew."""
        for digest, code in {code_digest(made.code): made.code for made in self._recipes.values()}.items():
            path = Path(code_path(digest, self.results))
            if not path.is_file() or file_sha256(path)[:16] != digest:
                save_text(path, code_text(code))

    def _recipe(self, step: str, wildcards: Iterable[str]) -> Recipe:
        name = "/".join(wildcards) or "report"
        if (step, name) not in self._recipes:
            known = ", ".join(sorted(n for s, n in self._recipes if s == step))
            raise UserError(f"no {step} job '{name}'; known: {known}")
        return self._recipes[step, name]

    def _add(self, step: str, name: str, *, scripts: Sequence[str] = (), **content: Any) -> None:
        self._recipes[step, name] = make_recipe(step, name, scripts=[f"scripts/{step}.py", *scripts], **content)

    def _source(self, step: str, name: str, *, kind: str | None = None, suffix: str = "npz") -> Source:
        return Source(f"{self.results}/{step}/{name}.{suffix}", kind or step, self._recipes[step, name].digest)

    def _plan_study(self, study_name: str, study: Study) -> None:
        for name, part in study.data.items():
            scripts = [_file(components.DATASET, part.kind)]
            named = [key for key, option in components.options(components.DATASET, part.kind).items() if "DataFile" in option.annotation]
            files = [value for key, value in part.options().items() if key in named and value is not None]
            settings = {"kind": part.kind, **part.options()}
            self._add("data", f"{study_name}/{name}", settings=settings, inputs={}, scripts=scripts, files=files)
        for name, simulation in study.simulations.items():
            self._plan_simulation(study_name, name, simulation)
        for name, variant in study.variants.items():
            self._plan_variant(study_name, study, name, variant)
        for name, sweep in study.sweeps.items():
            self._plan_sweep(study_name, study, name, sweep)
        for measurement in _in_order_of_reading(study):
            for variant_name in _variants(study, study.measurements[measurement].variants):
                self._plan_measurement(study_name, study, variant_name, measurement)
        measured = {
            name: self._source("measure", name, kind=name.rpartition("/")[2])
            for step, name in self._recipes
            if step == "measure" and name.startswith(f"{study_name}/")
        }
        measured |= {
            f"{study_name}/{name}/{simulation.kind}": self._source("simulate", f"{study_name}/{name}", kind=simulation.kind)
            for name, simulation in study.simulations.items()
        }
        measured |= {f"{study_name}/{name}/sweep": self._source("sweep", f"{study_name}/{name}") for name in study.sweeps}
        scripts = sorted(
            {_file(components.MEASUREMENT, name) for name in study.measurements}
            | {_file(components.SIMULATION, simulation.kind) for simulation in study.simulations.values()}
        )
        self._add("number", study_name, settings={}, inputs={"measured": measured}, scripts=scripts)
        self._add(
            "claim",
            study_name,
            settings={"study": study_name, "bootstrap": self.report.bootstrap.model_dump()},
            inputs={"numbers": {"": self._source("number", study_name, suffix="csv")}},
            scripts=[claims_path(study_name)],
        )
        for family, figures in ((components.FIGURE, study.figures), (components.TABLE, study.tables)):
            for name, figure in figures.items():
                self._plan_figure(study_name, study, family, name, figure)

    def _plan_simulation(self, study_name: str, name: str, simulation: Simulation) -> None:
        settings = {"kind": simulation.kind, "seed": simulation.seed, **simulation.options()} | self._limits_of(simulation)
        data = {"data": {"": self._source("data", f"{study_name}/{simulation.data}")}} if simulation.data else {}
        scripts = [_file(components.SIMULATION, simulation.kind)]
        self._add("simulate", f"{study_name}/{name}", settings=settings, inputs=data, scripts=scripts)

    def _plan_sweep(self, study_name: str, study: Study, name: str, sweep: Sweep) -> None:
        levels, asked = {}, []
        for level, settings in levels_of(sweep, study.variants[sweep.variant].model_dump(exclude_none=True)).items():
            at_level = Variant.model_validate(settings)
            asked.append(self.needs.device_of(f"{study_path(study_name)}: sweeps.{name}", study_name, study, at_level))
            told = settings_of_training(at_level) | self._limits(at_level) | {"save_every": None, "save_at": []}
            told["device"] = asked[-1].device.kind
            if at_level.early_stopping is None:
                told["evaluate_every"] = told["steps"]  # what is kept is as it is at the end
            levels[level] = told | {"data": at_level.data}
        data = {key: self._source("data", f"{study_name}/{key}") for key in sorted({told["data"] for told in levels.values()})}
        self._add("sweep", f"{study_name}/{name}", settings={"levels": levels}, inputs={"data": data})
        self.needs.asked["sweep", f"{study_name}/{name}"] = max(asked, key=lambda one: one.device.kind == devices.CUDA)

    def _plan_variant(self, study_name: str, study: Study, name: str, variant: Variant) -> None:
        asked = self.needs.device_of(f"{study_path(study_name)}: variants.{name}", study_name, study, variant)
        self.needs.asked["train", f"{study_name}/{name}"] = asked
        settings = settings_of_training(variant) | self._limits(variant) | {"device": asked.device.kind}
        data = self._source("data", f"{study_name}/{variant.data}")
        self._add("train", f"{study_name}/{name}", settings=settings, inputs={"data": {"": data}})
        if variant.jacobian == "none":
            return
        reference = variant.linearize_on or study.linearize_on
        inputs = {
            "train": {"": self._source("train", f"{study_name}/{name}")},
            "reference_points": {"": self._source("data", f"{study_name}/{reference}")},
        }
        if variant.data != reference and variant.jacobian == "stored":
            inputs["own_points"] = {"": data}
        settings = {"network": variant.network.options(), "moments": variant.moments, "form": variant.jacobian}
        if variant.jacobian == "gram":
            settings["memory"] = self.report.memory
        self._add("jacobian", f"{study_name}/{name}", settings=settings, inputs=inputs)

    def _plan_measurement(self, study_name: str, study: Study, variant_name: str, measurement: str) -> None:
        variant, configured = study.variants[variant_name], study.measurements[measurement]
        names = {parameter.name for parameter in components.parameters(components.MEASUREMENT, measurement)}
        known = {
            "network": variant.network.options(),
            "loss_function": variant.loss.model_dump(),
            "optimizer": variant.optimizer.model_dump(),
            "batches": variant.batches.model_dump(),
            "seconds_per_step": variant.seconds_per_step,
            "variant": variant_name,
            "reference": configured.reference,
        }
        settings = {"kind": measurement, **configured.options(), **{key: value for key, value in known.items() if key in names}}
        job = f"{study_name}/{variant_name}"
        inputs: dict[str, dict[str, Source]] = {}
        reads = components.reads(components.MEASUREMENT, measurement)
        if "train" in reads:
            settings["moments"] = variant.moments
        for read in reads:
            if read == "data":
                inputs[read] = {"": self._source("data", f"{study_name}/{variant.data}")}
            elif read == "reference_points":
                inputs[read] = {"": self._source("data", f"{study_name}/{variant.linearize_on or study.linearize_on}")}
            elif read in ("train", "jacobian", "gram"):
                inputs[read] = {"": self._source("train" if read == "train" else "jacobian", job)}
            elif read in study.measurements:
                inputs[read] = {"": self._source("measure", f"{job}/{read}", kind=read)}
            elif read.removeprefix("reference_") in study.measurements:
                other = read.removeprefix("reference_")
                inputs[read] = {"": self._source("measure", f"{study_name}/{configured.reference}/{other}", kind=other)}
        scripts = [_file(components.MEASUREMENT, measurement)]
        self._add("measure", f"{job}/{measurement}", settings=settings, inputs=inputs, scripts=scripts)

    def _plan_figure(self, study_name: str, study: Study, family: Family, name: str, figure: Figure) -> None:
        variants, simulations = _variants(study, figure.variants), _simulations(study, figure.simulations)
        settings: dict[str, Any] = {"kind": figure.kind, "caption": figure.caption, "options": figure.options()}
        inputs: dict[str, dict[str, Source]] = {}
        for read in components.reads(family, figure.kind):
            if read == "styles":
                colored = family is components.FIGURE  # a table shows no colors, and so is not made anew for one
                styles = {run: _style(study, run) for run in [*variants, *simulations]}
                settings["styles"] = {run: {"label": label, "color": color if colored else ""} for run, (label, color) in styles.items()}
            elif read == "grids":
                settings["grids"] = {key: grids.described(key, study.grids[key]) for key in _grids(family, figure)}
            elif read == "numbers":
                inputs[read] = {"": self._source("number", study_name, suffix="csv")}
            elif read == "simulated":
                inputs[read] = {s: self._simulated(study_name, study, s) for s in simulations}
            elif read == "datasets":
                inputs[read] = {key: self._source("data", f"{study_name}/{key}") for key in study.data}
            elif read == "data":
                inputs[read] = {v: self._source("data", f"{study_name}/{study.variants[v].data}") for v in variants}
            elif read == "train":
                inputs[read] = {v: self._source("train", f"{study_name}/{v}") for v in variants}
            elif read in study.measurements:
                inputs[read] = {v: self._source("measure", f"{study_name}/{v}/{read}", kind=read) for v in variants}
        known = {
            "variants": variants,
            "bootstrap": self.report.bootstrap.model_dump(),
            "losses": {variant: study.variants[variant].loss.kind for variant in variants},
        }
        names = {parameter.name for parameter in components.parameters(family, figure.kind)}
        settings |= {key: value for key, value in known.items() if key in names}
        self._add(family.word, f"{study_name}/{name}", settings=settings, inputs=inputs, scripts=[_file(family, figure.kind)])

    def _simulated(self, study_name: str, study: Study, name: str) -> Source:
        if name in study.sweeps:
            return self._source("sweep", f"{study_name}/{name}")
        return self._source("simulate", f"{study_name}/{name}", kind=study.simulations[name].kind)

    def _plan_report(self) -> None:
        names = [name for step, name in self._recipes if step == "figure"]
        if self.report.edition == "assignment":
            names = [name for name in names if self.given(name)]
        inputs = {
            "figures": {name: self._source("figure", name, suffix="json") for name in names},
            "pictures": {name: self._source("figure", name, suffix="svg") for name in names},
        }
        if self.report.edition == "solutions":
            inputs |= {
                "tables": {name: self._source("table", name, suffix="json") for step, name in self._recipes if step == "table"},
                "numbers": {name: self._source("number", name, suffix="csv") for name in self.studies},
                "claims": {name: self._source("claim", name, suffix="json") for name in self.studies},
            }
            summarized = {key: inputs[key] for key in ("numbers", "claims")}
            self._add("summary", "report", settings={"strict": self.report.strict}, inputs=summarized)
            self._add("manifest", "report", settings={}, inputs=inputs)
            manifest = Source(f"{self.results}/report/manifest.json", "manifest", self._recipes["manifest", "report"].digest)
            inputs = inputs | {"manifest": {"": manifest}}
        files = [*(chapter_path(name) for name in self.studies), *TEMPLATES, BIBLIOGRAPHY]
        studies = {name: self._as_run(name, study) for name, study in self.studies.items()}
        settings = {"report": self.report.model_dump(exclude={"results", "device"}), "studies": studies}
        for kind in ("html", "pdf"):
            self._add("report", kind, settings={"kind": kind, **settings}, inputs=inputs, files=files)
        if self.report.edition == "solutions":
            self._plan_crate(settings, files)

    def _plan_crate(self, settings: Mapping[str, Any], files: Sequence[str]) -> None:
        """Plan the description of the whole report; what stands in it of the software is what all jobs together use."""
        made = {
            "html": ("report", "html", "report.html"),
            "pdf": ("report", "pdf", "report.pdf"),
            "numbers": ("summary", "report", "numbers.csv"),
            "claims": ("summary", "report", "claims.json"),
            "manifest": ("manifest", "report", "manifest.json"),
        }
        inputs = {
            key: {"": Source(f"{self.results}/report/{file}", step, self._recipes[step, name].digest)}
            for key, (step, name, file) in made.items()
        }
        figures = [name for step, name in self._recipes if step == "figure"]
        inputs["data"] = {
            name: Source(f"{self.results}/report/data/{name}.csv", "figure", self._recipes["figure", name].digest) for name in figures
        }
        libraries = {package: version for recipe in self._recipes.values() for package, version in recipe.libraries.items()}
        software = {"libraries": dict(sorted(libraries.items())), "snakemake": metadata.version("snakemake")}
        self._add("crate", "report", settings={**settings, **software}, inputs=inputs, files=[SNAKEFILE, LICENSE, *files])

    def _as_run(self, study_name: str, study: Study) -> dict[str, Any]:
        """Return a study's configuration with the updates and replicas that are run, which the report may limit, and classes of devices."""
        kinds = {job: {"device": asked.device.kind} for job, asked in self.needs.asked.items()}
        variants = {
            name: variant.model_dump() | self._limits(variant) | kinds["train", f"{study_name}/{name}"]
            for name, variant in study.variants.items()
        }
        simulations = {name: simulation.model_dump() | self._limits_of(simulation) for name, simulation in study.simulations.items()}
        sweeps = {
            name: swept_settings(sweep, variants[sweep.variant])
            | {"steps": self._most_steps(sweep, study.variants[sweep.variant])}
            | kinds["sweep", f"{study_name}/{name}"]
            for name, sweep in study.sweeps.items()
        }
        crossed = {}
        for name, grid in study.grids.items():
            own = [variants[variant] for variant in grids.points(name, grid)]
            crossed[name] = swept_settings(grid, own[0]) | {"steps": max(variant["steps"] for variant in own), "device": own[0]["device"]}
        return study.model_dump(exclude={"device"}) | {"variants": variants, "simulations": simulations, "sweeps": sweeps, "grids": crossed}

    def _most_steps(self, sweep: Sweep, variant: Variant) -> int:
        levels = levels_of(sweep, variant.model_dump(exclude_none=True)).values()
        return max(self._limits(Variant.model_validate(settings))["steps"] for settings in levels)

    def _limits(self, variant: Variant) -> dict[str, int]:
        return {
            "steps": min(variant.steps, self.report.steps or variant.steps),
            "replicas": min(variant.replicas or self.report.replicas, self.report.replicas),
        }

    def _limits_of(self, simulation: Simulation) -> dict[str, int]:
        limits = {"replicas": min(simulation.replicas or self.report.replicas, self.report.replicas)}
        if "steps" in components.options(components.SIMULATION, simulation.kind) and self.report.steps:
            limits["steps"] = min(simulation.options().get("steps", self.report.steps), self.report.steps)
        return limits

    def given(self, figure: str) -> bool:
        """Whether a figure shows only what is given (data and targets), so that an assignment may print it."""
        return set(self._recipes["figure", figure].inputs) <= {"data", "datasets"}


def settings_of_training(variant: Variant) -> dict[str, Any]:
    """Return what `scripts.common.training.train` is told of a variant, but for the numbers of steps and replicas."""
    full = variant.model_dump()
    return {key: full[key] for key in SETTINGS_OF_TRAINING} | {"network": variant.network.options()}


def _remove_code(folder: Path) -> None:
    """Remove the code that no recipe in a folder names any more."""
    texts = [path.read_bytes() for path in folder.rglob("*.json") if path.parent != folder / "code"]
    named = {found[1].decode() for text in texts if (found := re.search(rb'^ "code": "([0-9a-f]+)"', text, flags=re.MULTILINE))}
    for path in (folder / "code").glob("*.json"):
        if path.stem not in named:
            path.unlink(missing_ok=True)


def _file(family: Family, name: str) -> str:
    return family.files()[name][0].relative_to(PROJECT).as_posix()


def _variants(study: Study, chosen: str | list[str]) -> list[str]:
    return list(study.variants) if isinstance(chosen, str) else list(chosen)


def _grids(family: Family, figure: Figure) -> list[str]:
    """Return the grids that a figure or table names."""
    named = [key for key, option in components.options(family, figure.kind).items() if "GridName" in option.annotation]
    return [figure.options()[key] for key in named if key in figure.options()]


def _simulations(study: Study, chosen: str | list[str]) -> list[str]:
    return [*study.simulations, *study.sweeps] if isinstance(chosen, str) else list(chosen)


def _style(study: Study, name: str) -> tuple[str, str]:
    """Return label and color of a variant, a simulation or a sweep."""
    if name in study.sweeps:
        sweep = study.sweeps[name]
        variant = study.variants[sweep.variant]
        return sweep.label or variant.label, sweep.color or variant.color
    run = study.variants[name] if name in study.variants else study.simulations[name]
    return run.label, run.color


def _in_order_of_reading(study: Study) -> list[str]:
    """Return the study's measurements, each after those that it reads."""
    ordered: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = " -> ".join([*above, name])
            raise UserError(f"scripts/measurements: measurements read each other in a circle: {circle}; let one do without the other")
        if name in study.measurements and name not in ordered:
            for read in components.reads(components.MEASUREMENT, name):
                visit(read.removeprefix("reference_") if read not in study.measurements else read, (*above, name))
            ordered.append(name)

    for name in study.measurements:
        visit(name, ())
    return ordered
