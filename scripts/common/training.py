"""The training of all replicas of a variant: a data set in, parameters and losses out."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import division, forward_pass, initializations, losses, networks, parts, storage
from scripts.common.autograd import Autograd
from scripts.common.compiled import Compiled
from scripts.common.devices import CPU
from scripts.common.engine import Engine, Task
from scripts.common.errors import UserError
from scripts.common.exactness import exact_on
from scripts.common.forward_pass import Mode
from scripts.common.gauss_newton import GaussNewton
from scripts.common.resume import Resume, StoppedError
from scripts.common.seeds import replica_seeds
from scripts.common.stacked import Stacked
from scripts.common.stopping import stops
from scripts.common.storage import Arrays

SECONDS_BETWEEN_REPORTS = 2.0

ENGINES: dict[str, Callable[[Task], Engine]] = {"stacked": Stacked, "compiled": Compiled, "autograd": Autograd, "gauss_newton": GaussNewton}


def train(
    data: Arrays,
    *,
    network: Mapping[str, Any],
    initialization: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    batches: Mapping[str, Any],
    loss: Mapping[str, Any],
    steps: int,
    evaluate_every: int,
    save_every: int | None = None,
    save_at: Sequence[int] = (),
    precision: str = "float32",
    replicas: int = 1,
    engine: str = "stacked",
    trained: str = "all",
    augmentation: Mapping[str, Any] | None = None,
    early_stopping: Mapping[str, Any] | None = None,
    device: str = "cpu",
    report: Callable[[str], None] | None = None,
    keep: Resume | None = None,
) -> Arrays:
    """Train `replicas` networks on the same data and return their parameters and losses.

    Replica r is the same network whatever the others are: it has its own generators, seeded by `replica_seeds`, one for the
    initialization and one for the batches.

    Args:
        data: arrays of `scripts.common.storage.DATA`.
        network: ``kind`` and the options of the network.
        initialization: ``kind`` (a function of `scripts.common.initializations`), ``seed``, and its options.
        optimizer: ``kind`` (a function of `scripts.common.optimizers`) and its options.
        batches: ``kind`` (a function of `scripts.common.batches`), ``seed``, and its options.
        loss: ``kind`` (a function of `scripts.common.losses`).
        steps: number of updates.
        evaluate_every: the full losses are recorded at step 0, at each multiple of this, and at the last step.
        save_every: the parameters are saved at step 0, at each multiple of this if it is given, and at the last step.
        save_at: further steps at which the parameters are saved and the full losses recorded; those beyond the last are ignored.
        precision: "float32" or "float64".
        replicas: number of networks, R.
        engine: one of `ENGINES`.
        trained: which parameters are updated, "all" or those of the "output_layer".
        augmentation: how batches are mixed, ``kind`` (a function of `scripts.common.augmentations`) and its options; not at all if None.
        early_stopping: ``score``, one of those on the validation samples, ``patience``, ``minimal_change`` and ``mode``, as
            `scripts.common.stopping.stops` takes them. A replica that stops goes back to its best parameters and stays there, as one that
            does not stop does at the end; what is recorded and saved from then on is theirs.
        device: "cpu", or "cuda" for the GPU; random numbers are drawn by the processor in any case, and so are the same ones.
        report: given a line on the progress, with the time left, every few seconds.
        keep: where what is reached is kept every so often, and where the training goes on from what is there.

    Returns:
        The arrays of `scripts.common.storage.TRAIN`, the parameters in `precision`; accuracies where the network has several outputs,
        scores on validation samples where the data has some, ``stopped_at`` (-1 for a replica that trained to the end) and ``best_step``
        with early stopping.
        ``diverged_at`` is the number of updates after which a parameter or the loss on all training samples first is not finite, -1 where
        there is none. A replica that has diverged goes on computing, and what it yields is stored.

    Raises:
        StoppedError: the training was told to stop, by what `keep` knows of; what it has reached is kept.
        UserError: PyTorch has no GPU to compute on, or one with too little memory for a single replica.
    """
    if device != CPU and not torch.cuda.is_available():
        raise UserError(
            f"device: wrong value '{device}', PyTorch {torch.__version__} finds no GPU that it can use; allowed here: cpu; "
            "set it to cpu, or install a build of PyTorch for CUDA and a driver that is new enough for it"
        )
    dtype = getattr(torch, precision)
    parts_of_data = [part for part in ("train", "test", "validation") if f"{part}_x" in data]
    points = {
        part: [torch.as_tensor(np.ascontiguousarray(data[f"{part}_{of}"].T), dtype=dtype, device=device) for of in "xy"]
        for part in parts_of_data
    }  # (D or C, N)
    train_x, train_y = points["train"]
    shapes = forward_pass.shapes(network, inputs=len(train_x), outputs=len(train_y))
    initialization_seeds, batch_seeds = (replica_seeds(part["seed"], replicas) for part in (initialization, batches))
    task = Task(
        network=network,
        parameters=_initial(network, initialization, initialization_seeds, train_x, outputs=len(train_y)).to(dtype),
        loss=parts.call(losses, loss),
        x=train_x,
        y=train_y,
        optimizer=optimizer,
        batches=batches,
        batch_seeds=batch_seeds,
        steps=steps,
        trained=trained,
        augmentation=augmentation,
    )
    evaluated, saved = _marks(steps, evaluate_every, save_at), _marks(steps, save_every, save_at)

    def train_some(some: range) -> Arrays:
        working = ENGINES[engine](task.some(some, device=device))
        course = _Course(working, points, evaluated, saved, early_stopping)
        return _train(course, report, keep.of(some) if keep and len(some) < replicas else keep)

    with exact_on(device):
        found = division.by_memory(train_some, replicas, kind=storage.TRAIN, report=report)
    seeds = {"initialization_seed": np.array(initialization_seeds), "batch_seed": np.array(batch_seeds)}
    return {"step": found["step"], "parameters": found["parameters"], "parameter_name": np.array(list(shapes))} | found | seeds


def _train(course: "_Course", report: Callable[[str], None] | None, keep: Resume | None) -> Arrays:
    """Train the replicas of a course from where it stands, and return its arrays."""
    working, steps = course.working, course.working.task.steps
    course.record(0)
    begin = 0
    for first, begin, kept in keep.load() if keep else ():
        course.take(first, begin, kept)
        working.restore(kept)
    course.judge(begin)
    if begin and report:
        report(f"goes on from step {begin} of {steps}, which was reached before")
    progress, keep_if_due = _progress(begin, steps, report), _keeping(begin, course, keep)
    done, diverged_at, last = course.stopped >= 0, working.diverged_at, begin

    def tell(step: int) -> None:
        progress(step)
        if step < last:  # at `last`, scores are recorded first
            keep_if_due(step, np.where(done, diverged_at, working.diverged_at))

    with _denormals_as_zero():
        for first, last in pairwise(step for step in sorted({begin, *course.evaluated, *course.saved}) if step >= begin):
            done, diverged_at = course.stopped >= 0, working.diverged_at.copy()
            if not done.all():
                working.advance(first, last, tell)
            if done.any():
                working.put(done, course.best)
                working.diverged_at[done] = diverged_at[done]
            course.record(last)
            keep_if_due(last, working.diverged_at)

    return {
        "step": np.array(list(course.saved)),
        "parameters": course.checkpoints,
        "diverged_at": working.diverged_at,
        **course.arrays(),
    }


class _Course:
    """What is recorded of a training, and when it stops.

    Attributes:
        working: the engine that trains.
        evaluated: the place of each step at which scores are recorded.
        saved: the place of each step at which parameters are.
        scores: the scores recorded so far, (scores, E, R).
        checkpoints: the parameters recorded so far, (S, R, P).
        best: with early stopping, the parameters of each replica where it was best so far, (R, P).
        stopped: the place of the step at which each replica stopped, -1 where it has not, (R,).
        best_at: the place of the step at which it was best so far, (R,).
    """

    def __init__(
        self,
        working: Engine,
        points: Mapping[str, Sequence[Tensor]],
        evaluated: dict[int, int],
        saved: dict[int, int],
        early_stopping: Mapping[str, Any] | None,
    ) -> None:
        self.working, self._points, self.evaluated, self.saved = working, points, evaluated, saved
        replicas, outputs = len(working.task.parameters), len(working.task.y)
        self._names = [f"{part}_{score}" for score in ("loss", "accuracy")[: min(outputs, 2)] for part in points]
        self.scores = np.empty((len(self._names), len(evaluated), replicas))
        start = working.task.parameters.cpu().numpy()
        self.checkpoints = np.empty((len(saved), *start.shape), dtype=start.dtype)
        self._rule = dict(early_stopping) if early_stopping else None
        self._watched = self._names.index(self._rule.pop("score")) if self._rule else -1
        self.best = working.parameters()
        self.stopped, self.best_at = np.full(replicas, -1), np.zeros(replicas, dtype=np.int64)

    def record(self, step: int) -> None:
        """Record scores and parameters at a step, if it is one for them; give replicas that stop in it, or end, their best ones back."""
        if step in self.evaluated:
            self._evaluate(step)
        if step in self.saved:
            self.checkpoints[self.saved[step]] = self.working.parameters()

    def found(self, first: int, last: int) -> Arrays:
        """Return what was recorded after one step and until another, and what tells from then on which parameters were best."""
        found = {
            "scores": self.scores[:, _between(self.evaluated, first, last)],
            "checkpoints": self.checkpoints[_between(self.saved, first, last)],
        }
        return found if self._rule is None else found | {"best": self.best}

    def take(self, first: int, last: int, found: Arrays) -> None:
        """Take over what `found` returned."""
        self.scores[:, _between(self.evaluated, first, last)] = found["scores"]
        self.checkpoints[_between(self.saved, first, last)] = found["checkpoints"]
        self.best = found.get("best", self.best)

    def _evaluate(self, step: int) -> None:
        self._score(step)
        if self._rule is None:
            return
        self.judge(step)
        better = self.best_at == self.evaluated[step]
        self.best[better] = self.working.parameters()[better]
        ends = step == self.working.task.steps
        if ends or (self.stopped >= 0).any():
            self.working.put((self.stopped >= 0) | ends, self.best)
        if ends:
            self._score(step)

    def judge(self, step: int) -> None:
        """Find out which replicas have stopped until a step, and where each was best."""
        if self._rule is not None:
            self.stopped, self.best_at = stops(self.scores[self._watched, _between(self.evaluated, -1, step)], **self._rule)

    def arrays(self) -> Arrays:
        """Return what is stored of the course."""
        steps = np.array(list(self.evaluated))
        found = {"evaluated_step": steps, **dict(zip(self._names, self.scores, strict=True))}
        if self._rule is not None:
            found |= {"stopped_at": np.where(self.stopped >= 0, steps[self.stopped], -1), "best_step": steps[self.best_at]}
        return found

    def _score(self, step: int) -> None:
        for place, (x, y) in enumerate(self._points.values()):
            prediction = self.working.predict(x)
            self.scores[place, self.evaluated[step]] = self.working.task.loss.value(prediction, y).cpu().numpy()
            if len(y) > 1:
                right = (prediction.argmax(1) == y.argmax(0)).double().mean(1)
                self.scores[len(self._points) + place, self.evaluated[step]] = right.cpu().numpy()


def _initial(network: Mapping[str, Any], initialization: Mapping[str, Any], seeds: Sequence[int], x: Tensor, *, outputs: int) -> Tensor:
    """Return the parameters (R, P) at initialization, in float32 as PyTorch draws its numbers there.

    The initialization fills the weights and biases of linear layers and convolutions. One that looks at data is given a function from the
    place of such a layer to its outputs (units, ..., N) for the training inputs x (D, N), with all tensors as they are then.
    """
    layers = forward_pass.layers_of(network, inputs=len(x), outputs=outputs)
    looks = "outputs_of" in signature(getattr(initializations, initialization["kind"])).parameters
    drawn = []
    for seed in seeds:
        tensors = {
            f"{layer.number}.{name}": torch.full(shape, networks.start(layer, name))
            for layer in layers
            for name, shape in layer.tensors.items()
        }
        pairs = [tuple(tensors[name] for name in layer.names()) for layer in layers if layer.kind in ("linear", "convolution")]

        def outputs_of(place: int, tensors: Mapping[str, Tensor] = tensors) -> Tensor:
            seen: list[Tensor] = []
            watching = Mode(watch=lambda _layer, _below, values: seen.append(values[0]))
            with torch.no_grad():
                forward_pass.forward([tensor[None] for tensor in tensors.values()], x.float().cpu(), network=network, mode=watching)
            return seen[place]

        given = {"outputs_of": outputs_of} if looks else {}
        parts.call(initializations, initialization, pairs, generator=torch.Generator().manual_seed(seed), **given)
        drawn.append(torch.cat([tensor.flatten() for tensor in tensors.values()]))
    return torch.stack(drawn)


def _marks(steps: int, every: int | None, further: Sequence[int]) -> dict[int, int]:
    """Return the position of each step that is recorded: 0, the multiples of `every`, the `further` ones that there are, and the last."""
    recorded = {0, steps, *range(0, steps, every or steps), *(step for step in further if step < steps)}
    return {step: position for position, step in enumerate(sorted(recorded))}


def _between(marks: Mapping[int, int], first: int, last: int) -> slice:
    """Return the positions of the recorded steps after `first` and until `last`."""
    return slice(*np.searchsorted(list(marks), [first, last], side="right"))


def _keeping(begin: int, course: _Course, keep: Resume | None) -> Callable[[int, NDArray[np.int64]], None]:
    """Return a function of the step, and of what `diverged_at` is to be there, that keeps what is reached when it is time to.

    The function raises StoppedError when the training was told to stop.
    """
    kept_at, working = begin, course.working

    def keep_if_due(step: int, diverged_at: NDArray[np.int64]) -> None:
        nonlocal kept_at
        if keep is None or step == working.task.steps or not keep.is_due():
            return
        keep.save(kept_at, step, working.state() | {"diverged_at": diverged_at} | course.found(kept_at, step))
        kept_at = step
        if keep.told():
            steps = working.task.steps
            raise StoppedError(f"told to stop at step {step} of {steps}, which is kept; run the same command again to go on from there")

    return keep_if_due


@contextmanager
def _denormals_as_zero() -> Iterator[None]:
    """Let numbers below the smallest normal one be zero: the momentum of a dead unit fades to such, and they are a hundred times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _progress(begin: int, steps: int, report: Callable[[str], None] | None) -> Callable[[int], None]:
    """Return a function of the step that tells `report` how far the training from `begin` is, every few seconds and at the end."""
    started = told = time.monotonic()

    def tell(step: int) -> None:
        nonlocal told
        now = time.monotonic()
        if report and (now - told >= SECONDS_BETWEEN_REPORTS or step == steps):
            told = now
            report(f"step {step} of {steps}, {(now - started) / (step - begin) * (steps - step):.0f} s left")

    return tell
