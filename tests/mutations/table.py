"""The table of mutations: which reruns are predicted when a definition changes, and which outputs truly change.

The truth knows nothing of syntax trees: a job is affected by a function that it runs (as the interpreter tells while it does), and by a
change with which it fails or leaves other bytes. Predictions are compared: by what can be reached, by whole modules, and by the
trigger `code` of Snakemake, which looks at the script of a rule.
"""

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from scripts.common import definitions, digest, reach
from tests.copies import forget, working_in
from tests.modules import reachable
from tests.mutations import jobs, mutants

SCHEMES = ("reachable definitions", "whole modules", "Snakemake's code trigger")


@dataclass
class Table:
    """What was found: mutants, pairs of a mutant and a job, by scheme; and what was missed by reachable definitions."""

    mutants: Counter = field(default_factory=Counter)
    affected: int = 0
    predicted: Counter = field(default_factory=Counter)
    missed: Counter = field(default_factory=Counter)
    needless: Counter = field(default_factory=Counter)
    problems: list = field(default_factory=list)

    def add(self, kind, mutant, predictions, affected, among):
        """Take in a mutant: predicted and truly affected jobs, of those that were looked at."""
        self.mutants[kind] += 1
        self.affected += len(affected)
        for scheme, predicted in predictions.items():
            self.predicted[scheme] += len(predicted & among)
            self.missed[scheme] += len(affected - predicted)
            self.needless[scheme] += len((predicted & among) - affected)
        self.problems += [f"{mutant}: {'/'.join(job)} is affected, and not predicted" for job in affected - predictions[SCHEMES[0]]]

    def text(self):
        """Return the table as text."""
        lines = [", ".join(f"{count} {kind}" for kind, count in self.mutants.items()) + f"; {self.affected} outputs affected"]
        for scheme in SCHEMES:
            share = self.needless[scheme] / max(self.predicted[scheme], 1)
            told = f"{self.predicted[scheme]} reruns, {self.missed[scheme]} missed, {self.needless[scheme]} needless ({share:.0%})"
            lines.append(f"{scheme}: {told}")
        return "\n".join(lines + self.problems)


class Project:
    """A copy of the project with every job run once, and what each has run."""

    def __init__(self, folder):
        self.folder = folder
        self.plan = jobs.planned()
        self.plan.write_recipes()
        self.recipes = {job: recipe.path("results") for job, recipe in self.plan._recipes.items()}
        self.roots = {job: digest._roots(scripts) for job, scripts in self._scripts().items()}
        self.modules = {job: self._modules(roots) for job, roots in self.roots.items()}
        self.bytes, self.ran = {}, {}
        for job in self.recipes:
            self.bytes[job], self.ran[job] = jobs.run(job, self.recipes[job], folder, traced=True)
            assert self.bytes[job], f"{job} failed"
        self.again = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}_again")))

    def _scripts(self):
        """Return the scripts that the plan names for each job, as it names them to `make_recipe`."""
        found, made = {}, digest.make_recipe

        def noting(step, name, **content):
            found[step, name] = tuple(content["scripts"])
            return made(step, name, **content)

        from scripts.common import plan

        plan.make_recipe = noting
        try:
            jobs.planned()
        finally:
            plan.make_recipe = made
        return found

    def _modules(self, roots):
        return {path.relative_to(self.folder).as_posix() for path in reachable([self.folder / path for path, _ in roots], self.folder)}

    def code(self):
        """Return what each job can reach now."""
        forget()
        return {job: reach.reached(roots, self.plan._recipes[job].settings).code for job, roots in self.roots.items()}

    def predictions(self, mutant, *, anew=False):
        """Return the jobs that would rerun after a mutation, by scheme; `anew` looks at everything once more."""
        path, before = self.folder / mutant.path, (self.folder / mutant.path).read_text()
        old = definitions.read(path)
        try:
            path.write_text(mutant.text)
            forget()
            new = definitions.read(path)
            changed = {name for name in {*old.definitions, *new.definitions} if old.definitions.get(name) != new.definitions.get(name)}
            led = any(_links(old.definitions.get(name)) != _links(new.definitions.get(name)) for name in changed)
            if anew or led or old.imported != new.imported:
                after = self.code()
                finer = {job for job, recipe in self.plan._recipes.items() if recipe.code != after[job]}
            else:
                keys = {f"{mutant.path}:{name}" for name in changed}
                whole = {f"{mutant.path}:", f"{mutant.path}:*"}
                finer = {
                    job
                    for job, recipe in self.plan._recipes.items()
                    if keys & recipe.code.keys() or any(recipe.code.get(key) == old.whole for key in whole)
                }
        finally:
            path.write_text(before)
            forget()
        modules = {job for job, found in self.modules.items() if mutant.path in found}
        script = {job for job in self.recipes if mutant.path == f"scripts/{job[0]}.py"}
        return dict(zip(SCHEMES, (finer, modules, script), strict=True))

    def affected(self, mutant, among):
        """Return which of some jobs fail or leave other bytes with a mutation; each has the inputs that were made without it."""
        path, before = self.again / mutant.path, (self.folder / mutant.path).read_text()
        try:
            path.write_text(mutant.text)
            return {job for job in among if self._again(job) != self.bytes[job]}
        finally:
            path.write_text(before)

    def _again(self, job):
        found, _ = jobs.run(job, self.recipes[job], self.again)
        for name in jobs.outputs(job).values():
            if (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, self.again / name)
        return found

    def running(self, mutant):
        """Return the jobs that run a function, or code made in it."""
        inner = f"{mutant.qualified}.<locals>."
        return {
            job
            for job, ran in self.ran.items()
            if any(path == mutant.path and (name == mutant.qualified or name.startswith(inner)) for path, name in ran)
        }

    def importing(self, path):
        """Return the jobs that run the top of a module."""
        return {job for job, ran in self.ran.items() if (path, "<module>") in ran}


def _links(definition):
    """Return all of a definition but its digest."""
    return definition and definition._replace(digest="")


def make(folder, *, seed, functions, run, constants, slow=True):
    """Make the table in `folder`.

    Args:
        folder: a folder that is to be made; another one beside it is for mutations.
        seed: of what is drawn.
        functions: how many functions are looked at; None for all.
        run: with how many of the changed functions every job is run.
        constants: with how many changed constants every job is run that imports the module; None for all.
        slow: whether figures and reports are among the jobs that are run.
    """
    draw = random.Random(seed)  # noqa: S311 - a sample
    folder.mkdir()
    jobs.prepare(folder)
    with working_in(folder):
        project = Project(folder)
        every = {job for job in project.recipes if slow or job[0] not in ("figure", "report")}
        same = project.affected(mutants.Mutant("scripts/train.py", "", "", Path("scripts/train.py").read_text()), every)
        assert not same, f"not the same bytes twice: {same}"
        table = Table()
        raising = list(mutants.of_functions(folder))
        for mutant in _sample(draw, raising, functions):
            table.add("functions that raise", mutant, project.predictions(mutant), project.running(mutant), set(project.recipes))
        ran = [mutant for mutant in [*raising, *mutants.of_values(folder)] if project.importing(mutant.path) and mutant.qualified]
        for mutant in _sample(draw, ran, run):
            predictions = project.predictions(mutant, anew=True)
            assert predictions == project.predictions(mutant), f"{mutant}: two ways to predict differ"
            table.add("changed functions with every job run", mutant, predictions, project.affected(mutant, every), every)
        for mutant in _sample(draw, list(mutants.of_constants(folder)), constants):
            among = project.importing(mutant.path) & every
            table.add("changed constants", mutant, project.predictions(mutant), project.affected(mutant, among), among)
    return table


def _sample(draw, population, size):
    return population if size is None else draw.sample(population, min(size, len(population)))
