"""Claims decided: a finding holds an estimate over replicas and its interval against a threshold, and has one of three verdicts.

The rule, for all claims: the level is 95 %; a location is a median with a seeded bootstrap interval; a share is held by its Clopper
and Pearson interval; what is said of every replica is refuted by one counterexample and otherwise supported where the lower bound
of the share is high enough. A value that is not finite counts as infinite; a replica is never dropped. That a median lies above a
threshold is not supported by values that are not numbers: for it they count as minus infinity at the lower end.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict, Unpack, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from scripts.common.formatting import FATES
from scripts.common.statistics import LEVEL, Interval, median_interval, ratio_interval, share_interval

Direction = Literal["above", "below", "every"]
Verdict = Literal["supported", "refuted", "inconclusive"]

EVERY = 0.8
"""What is said of every replica needs a share whose lower bound is at least this: 20 of 20 give 0.83, 3 of 3 only 0.29."""


class Words(TypedDict):
    """What a finding is about: the statement, what the estimate is, and the reason for the threshold."""

    statement: str
    quantity: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """What the replicas say about one statement.

    Attributes:
        statement: the sentence that is tested.
        quantity: what the estimate is, in words with its unit.
        estimate: the estimate over replicas.
        low: lower end of its interval.
        high: upper end of its interval.
        threshold: what the interval is held against.
        direction: the side of the threshold on which the statement says that the estimate is; "every" for all replicas.
        method: how estimate and interval were computed.
        reason: why this threshold.
        n: number of replicas.
    """

    statement: str
    quantity: str
    estimate: float
    low: float
    high: float
    threshold: float
    direction: Direction
    method: str
    reason: str
    n: int

    @property
    def verdict(self) -> Verdict:
        """Whether the interval lies on the stated side of the threshold, on the other side, or on both."""
        if self.direction == "every":
            return "refuted" if self.estimate < 1 else "supported" if self.low >= self.threshold else "inconclusive"
        below, above = self.high < self.threshold, self.low > self.threshold
        stated, other = (below, above) if self.direction == "below" else (above, below)
        return "supported" if stated else "refuted" if other else "inconclusive"

    def as_record(self, name: str, study: str) -> dict[str, Any]:
        """Return the finding as an entry of ``claims.json``; numbers that are not finite are the words inf, -inf."""
        return {
            "id": name,
            "study": study,
            "statement": self.statement,
            "quantity": self.quantity,
            "estimate": _plain(self.estimate),
            "interval": [_plain(self.low), _plain(self.high)],
            "level": LEVEL,
            "method": self.method,
            "threshold": self.threshold,
            "direction": self.direction,
            "reason": self.reason,
            "n": self.n,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Runs:
    """The runs of a study, as its numbers tell them: `table` has the columns of ``numbers.csv``."""

    table: pd.DataFrame
    seed: int
    resamples: int

    def values(self, variant: str, quantity: str, *, step: int | str | None = None, index: int | str = "") -> NDArray[np.float64]:
        """Return a quantity of each replica, (R,) float64; nan where it does not exist.

        Args:
            variant: name of the variant.
            quantity: name of the quantity.
            step: a training step, "last" for the last one of the variant, or None for a quantity without steps.
            index: which element of a quantity with an index.

        Raises:
            KeyError: there is no such variant, quantity, step or index, whatever the runs came to; or the quantity has steps and none is
                asked for, or one is and it has none.
        """
        labels, values = self._by_replica(variant, quantity, step)
        if str(index) not in labels:
            raise KeyError(f"no '{quantity}' of '{variant}' has the index '{index}'; known: {', '.join(labels)}")
        return values[:, labels.index(str(index))]

    def vectors(self, variant: str, quantity: str, *, step: int | str | None = None) -> NDArray[np.float64]:
        """Return all elements of a quantity of each replica, (R, X) float64; nan where one does not exist.

        Raises:
            KeyError: there is no such variant, quantity or step, whatever the runs came to.
        """
        return self._by_replica(variant, quantity, step)[1]

    def exists(self, variant: str, quantity: str, *, step: int | str | None = None, replica: int | None = None) -> bool:
        """Return whether some replica, or the given one, has a number of this quantity at a step; a diverged run has none of some.

        Raises:
            KeyError: there is no such variant or step.
        """
        rows = self._of_quantity(variant, quantity, step)
        return bool((rows["replica"] == replica).any() if replica is not None else len(rows))

    def count(self, variant: str, fate: str) -> int:
        """Return how many replicas of a variant met a fate: "fine", "blown up", "collapsed" or "diverged".

        Raises:
            KeyError: there is no such variant or fate.
        """
        if fate not in FATES:
            raise KeyError(f"unknown fate '{fate}'; known: {', '.join(FATES)}")
        rows = self._of_quantity(variant, "fate", None)
        return int((rows["index"] == fate).sum())

    def replicas(self, variant: str) -> int:
        """Return the number of replicas of a variant.

        Raises:
            KeyError: there is no such variant.
        """
        return int(self._of_variant(variant)["replica"].nunique())

    def median(self, values: ArrayLike, *, above: float | None = None, below: float | None = None, **words: Unpack[Words]) -> Finding:
        """Return the finding that the median of `values` (R,) lies above or below a threshold; nan supports neither."""
        found = median_interval(values, seed=self.seed, resamples=self.resamples)
        if above is not None:
            least = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
            found = found._replace(low=median_interval(least, seed=self.seed, resamples=self.resamples).low)
        method = "median, 95 % bootstrap interval"
        return _finding(found, above=above, below=below, method=method, n=np.size(values), words=words)

    def near(self, values: ArrayLike, target: float, *, within: float, **words: Unpack[Words]) -> Finding:
        """Return the finding that the median of `values` (R,) is no farther than `within` from a target; the estimate is its distance."""
        found = median_interval(values, seed=self.seed, resamples=self.resamples)
        ends = [abs(end - target) for end in (found.low, found.high)]
        low = 0.0 if found.low <= target <= found.high else min(ends)
        distance = Interval(abs(found.estimate - target), low, max(ends))
        method = f"distance of the median from {target:g}, from its 95 % bootstrap interval"
        return _decided(distance, threshold=within, direction="below", method=method, n=np.size(values), words=words)

    def ratio(
        self,
        numerator: ArrayLike,
        denominator: ArrayLike,
        *,
        above: float | None = None,
        below: float | None = None,
        **words: Unpack[Words],
    ) -> Finding:
        """Return the finding that the ratio of the medians of two independent samples lies above or below a threshold."""
        found = ratio_interval(numerator, denominator, seed=self.seed, resamples=self.resamples)
        size = min(np.size(numerator), np.size(denominator))
        method = "ratio of medians, 95 % bootstrap interval"
        return _finding(found, above=above, below=below, method=method, n=size, words=words)

    def share(self, holds: ArrayLike, *, above: float | None = None, below: float | None = None, **words: Unpack[Words]) -> Finding:
        """Return the finding that the share of replicas for which something `holds` (R,) lies above or below a threshold."""
        found = share_interval(int(np.sum(holds)), np.size(holds))
        method = "share of replicas, 95 % interval by Clopper and Pearson"
        return _finding(found, above=above, below=below, method=method, n=np.size(holds), words=words)

    def every(self, holds: ArrayLike, **words: Unpack[Words]) -> Finding:
        """Return the finding that something `holds` (R,) in every replica: refuted by one counterexample."""
        found = share_interval(int(np.sum(holds)), np.size(holds))
        method = "share of replicas, 95 % interval by Clopper and Pearson; one counterexample refutes"
        return _decided(found, threshold=EVERY, direction="every", method=method, n=np.size(holds), words=words)

    @cached_property
    def _variants(self) -> dict[str, pd.DataFrame]:
        return {str(name): rows for name, rows in self.table.groupby("variant", sort=False)}

    @cached_property
    def _steps(self) -> dict[str, set[int]]:
        return {name: {int(step) for step in rows["step"].dropna().unique()} for name, rows in self._variants.items()}

    @cached_property
    def _has_steps(self) -> dict[tuple[str, str], bool]:
        """By variant and quantity whether its numbers, if there are any, are those of steps."""
        stepped = self.table["step"].notna().groupby([self.table["variant"], self.table["quantity"]], sort=False).any()
        return {cast("tuple[str, str]", names): bool(has) for names, has in stepped.items()}

    @cached_property
    def _quantities(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        """By variant and quantity the places of its rows in the table."""
        found: dict[str, dict[str, NDArray[np.int64]]] = {}
        for names, places in self.table.groupby(["variant", "quantity"], sort=False).indices.items():
            variant, quantity = cast("tuple[str, str]", names)
            found.setdefault(variant, {})[quantity] = np.asarray(places, dtype=np.int64)
        return found

    def _of_variant(self, variant: str) -> pd.DataFrame:
        if variant not in self._variants:
            raise KeyError(f"no numbers of variant '{variant}'; known: {', '.join(self._variants)}")
        return self._variants[variant]

    def _of_quantity(self, variant: str, quantity: str, step: int | str | None) -> pd.DataFrame:
        none = self._of_variant(variant).iloc[:0]
        rows = self.table.iloc[self._quantities[variant][quantity]] if quantity in self._quantities.get(variant, {}) else none
        if step is None:
            return rows
        if not self._has_steps.get((variant, quantity), True):
            raise KeyError(f"'{quantity}' of '{variant}' has no steps; write step=None in a claim, step=none in a chapter, not step {step}")
        steps = self._steps[variant]
        # the last step of the variant: a quantity of which no run has it there has an earlier last step of its own
        wanted = max(steps) if step == "last" else step
        if wanted not in steps:
            raise KeyError(f"no numbers of '{variant}' at step {step}; known: {_listed(steps)}, or last")
        if (variant, quantity, wanted) not in self._at_step:
            self._at_step[variant, quantity, wanted] = rows[rows["step"] == wanted]
        return self._at_step[variant, quantity, wanted]

    @cached_property
    def _at_step(self) -> dict[tuple[str, str, int | str], pd.DataFrame]:
        """Rows of a quantity at a step, as far as they were asked for."""
        return {}

    @cached_property
    def _replicas(self) -> dict[str, NDArray[np.int64]]:
        return {name: np.unique(rows["replica"].to_numpy(dtype=np.int64)) for name, rows in self._variants.items()}

    def _by_replica(self, variant: str, quantity: str, step: int | str | None) -> tuple[list[str], NDArray[np.float64]]:
        """Return the indices that a quantity ever has, X, and its numbers at a step (R, X): a row for each replica of the variant."""
        known = {name: quantities[quantity] for name, quantities in self._quantities.items() if quantity in quantities}
        if not known:
            everything = sorted({name for quantities in self._quantities.values() for name in quantities})
            raise KeyError(f"unknown quantity '{quantity}'; known: {', '.join(everything)}")
        if step is None and self._has_steps.get((variant, quantity), False):
            raise KeyError(f"'{quantity}' of '{variant}' has steps, and none is asked for; known: {_listed(self._steps[variant])}, or last")
        rows = self._of_quantity(variant, quantity, step)
        shown = [known[variant]] if variant in known else known.values()
        indices = {label for own in shown for label in self.table["index"].iloc[own].unique()}
        labels = sorted(indices, key=_rank)
        places = {label: place for place, label in enumerate(labels)}
        values = np.full((len(self._replicas[variant]), len(labels)), np.nan)
        row = np.searchsorted(self._replicas[variant], rows["replica"].to_numpy())
        values[row, [places[label] for label in rows["index"]]] = rows["value"].to_numpy()
        return labels, values


def _listed(steps: set[int]) -> str:
    return ", ".join(str(step) for step in sorted(steps))


def _rank(index: str) -> tuple[int, str]:
    """Return the key that sorts ranks as numbers and names as words."""
    return (int(index), "") if index.isdigit() else (0, index)


def _finding(found: Interval, *, above: float | None, below: float | None, method: str, n: int, words: Words) -> Finding:
    if above is not None and below is None:
        return _decided(found, threshold=above, direction="above", method=method, n=n, words=words)
    if below is not None and above is None:
        return _decided(found, threshold=below, direction="below", method=method, n=n, words=words)
    raise ValueError("a finding is held against one threshold: give either above or below")


def _decided(found: Interval, *, threshold: float, direction: Direction, method: str, n: int, words: Words) -> Finding:
    low, high = found.low, found.high
    return Finding(**words, estimate=found.estimate, low=low, high=high, threshold=threshold, direction=direction, method=method, n=n)


def _plain(value: float) -> float | str:
    return float(value) if np.isfinite(value) else ("inf" if value > 0 else "-inf")
