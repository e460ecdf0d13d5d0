"""What the negative controls of all studies share: stored real measurements, perturbed until a claim reaches another verdict.

``tests/claims/<study>_numbers.csv`` has the rows of ``numbers.csv`` of a full build that the claims of a study read.
"""

from pathlib import Path

import numpy as np

from scripts.common.findings import Runs
from scripts.common.numbers import from_csv
from scripts.common.places import PROJECT, claims_path
from scripts.common.syntax import functions

FEW = 5
"""Replicas that are too few for what is said of every one: all 5 of 5 leave the lower bound of the share at 0.48."""


def stored(study):
    """Return the path of the stored measurements of a study."""
    return Path(__file__).parent / f"{study}_numbers.csv"


def names(study):
    """Return the names of all claims of a study."""
    return list(functions(PROJECT / claims_path(study)))


def verdict(claims, name, table):
    """Return the verdict that a claim of the module `claims` comes to on a table of numbers."""
    return getattr(claims, name)(Runs(table, seed=0, resamples=2000)).verdict


def scaled(variant, quantity, factor, *, step=None, index=None):
    """Return a perturbation: the rows of a quantity, of all replicas or of the first ones, times a factor."""
    return _changed(lambda values: values * factor, variant, quantity, step=step, index=index)


def raised(variant, quantity, amount, *, step=None, index=None):
    """Return a perturbation: the rows of a quantity, of all replicas or of the first ones, plus an amount."""
    return _changed(lambda values: values + amount, variant, quantity, step=step, index=index)


def _changed(change, variant, quantity, *, step, index):
    def perturb(table, replicas):
        rows = (table["variant"] == variant) & (table["quantity"] == quantity) & (table["replica"] < replicas)
        if step is not None:
            rows &= table["step"] == step
        if index is not None:
            rows &= table["index"].isin(index)
        assert rows.any()
        return table.assign(value=table["value"].where(~rows, change(table["value"])))

    return perturb


def lacking(variant, quantity, factor, **rows):
    """Return a perturbation as `scaled` does, of what a quantity lacks to 1."""

    def turned(table):
        return table.assign(value=np.where(table["quantity"] == quantity, 1 - table["value"], table["value"]))

    return lambda table, replicas: turned(scaled(variant, quantity, factor, **rows)(turned(table), replicas))


def fated(variant, fate):
    """Return a perturbation: another fate for replicas."""

    def perturb(table, replicas):
        rows = (table["variant"] == variant) & (table["quantity"] == "fate") & (table["replica"] < replicas)
        assert rows.any()
        return table.assign(index=table["index"].where(~rows, fate))

    return perturb


def reaches_all_three_verdicts(verdict, table, control):
    """Assert that a claim is supported and refuted by perturbations, and open where half of the replicas have the one and half the other.

    Args:
        verdict: returns the verdict of the claim on a table of numbers.
        table: the stored measurements.
        control: what makes a perturbation, the variant that is perturbed and its quantity, how much makes the claim true, how much makes
            it false, and which rows are perturbed, where step "last" is the last one of the variant.
    """
    kind, variant, quantity, to_true, to_false, rows = control
    of_variant = table[table["variant"] == variant]
    if rows.get("step") == "last":
        rows = {**rows, "step": of_variant["step"].max()}
    true, false = (kind(variant, quantity, much, **rows)(table, len(table)) for much in (to_true, to_false))
    half = of_variant["replica"].nunique() // 2
    mixed = true.assign(value=true["value"].where(true["replica"] >= half, false["value"]))
    assert [verdict(one) for one in (true, false, mixed)] == ["supported", "refuted", "inconclusive"]


def reaches_all_three_verdicts_by_one(verdict, table, perturbation):
    """Assert that a claim about every replica holds, is refuted by one that is perturbed, and is open where few replicas were measured.

    Args:
        verdict: returns the verdict of the claim on a table of numbers.
        table: the stored measurements.
        perturbation: what makes a replica a counterexample.
    """
    few = table[table["replica"] < FEW]
    assert [verdict(one) for one in (table, perturbation(table, 1), few)] == ["supported", "refuted", "inconclusive"]


def store(study, claims):
    """Write the stored measurements of a study anew from ``results/report/numbers.csv``: the rows that its claims read."""
    full = PROJECT / "results/report/numbers.csv"
    table = from_csv(full.read_text())
    kept = set(_read_by_claims(table[table["study"] == study], names(study), claims))
    header, *lines = full.read_text().splitlines(keepends=True)
    stored(study).write_text(header + "".join(line for number, line in enumerate(lines) if number in kept))


def _read_by_claims(table, names, claims):
    """Return the labels of the rows that the claims read, found by asking each claim."""
    asked = set()
    all_runs = Runs(table, seed=0, resamples=100)

    class Watched(Runs):
        def _of_quantity(self, variant, quantity, step):
            rows = super()._of_quantity(variant, quantity, step)
            asked.update(rows.index)
            return rows

        def values(self, variant, quantity, *, step=None, index=""):
            rows = all_runs._of_quantity(variant, quantity, step)
            asked.update(rows.index[rows["index"] == str(index)])
            return all_runs.values(variant, quantity, step=step, index=index)

    for name in names:
        getattr(claims, name)(Watched(table, seed=0, resamples=100))
    return asked
