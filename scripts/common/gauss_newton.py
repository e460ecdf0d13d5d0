"""The Gauss-Newton engine: damped natural gradient descent of each replica, with the exact Gauss-Newton matrix of all training samples.

For the mean squared error L = |r|^2 / Q over the Q = N C residuals r = prediction - target, with J their derivatives in the parameters,

    gradient  g = 2 J^T r / Q,        Gauss-Newton matrix  G = 2 J^T J / Q,        step  -(G + damping I)^-1 g.

G is the Fisher information matrix of the model whose outputs are normal with variance 1/2 around the predictions, so that the undamped
step is that of the natural gradient (Amari 1998; Martens 2020, section 8). It is solved for among parameters or among samples, whichever
are fewer: (J^T J + m I)^-1 J^T = J^T (J J^T + m I)^-1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import linearization, optimizers, parts
from scripts.common.engine import Engine, Form, Task
from scripts.common.storage import Arrays

FORM = Form(lambda held: held, lambda held, parameters: held.copy_(parameters))
"""Parameters as they are stored."""
LARGEST_DAMPING = 1e12
"""Damping is not raised above this, where a step is next to nothing."""


def step(jacobian: NDArray[np.float64], residual: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    """Return the damped natural gradient step (P,) for the Jacobian (Q, P) and the residuals (Q,), prediction minus target.

    Raises:
        numpy.linalg.LinAlgError: the damped matrix is singular to rounding.
    """
    rows, size = jacobian.shape
    multiple = damping * rows / 2
    if size <= rows:
        return np.asarray(-np.linalg.solve(jacobian.T @ jacobian + multiple * np.eye(size), jacobian.T @ residual))
    return np.asarray(-jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + multiple * np.eye(rows), residual))


class GaussNewton(Engine):
    """Tries one damped natural gradient step of each replica at each step; one that does not lower the loss is not taken.

    The damping follows Levenberg and Marquardt: where the loss falls by more than `good` of what the quadratic model promises, it is
    lowered, by less than `poor`, raised, and where it does not fall at all, raised and the step undone (Moré 1978).
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task, FORM, task.parameters.double().clone(), [])
        self._rule = parts.call(optimizers, task.optimizer)
        self._x, self._y = (np.ascontiguousarray(values.cpu().numpy().T, dtype=np.float64) for values in (task.x, task.y))
        self._damping = np.full(len(task.parameters), self._rule.damping)

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        for number in range(first + 1, last + 1):
            for replica, parameters in enumerate(self.held.numpy()):
                if self.diverged_at[replica] < 0:
                    self._advance_replica(replica, parameters, number)
            tell(number)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N), in float64."""
        points = x.cpu().numpy().T.astype(np.float64)
        found = [linearization.predict(parameters, points, network=self.task.network).T for parameters in self.held.numpy()]
        return torch.from_numpy(np.stack(found))

    def state(self) -> Arrays:
        """Return all that the updates to come depend on, but for the task itself."""
        return super().state() | {"damping": self._damping}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        super().restore(state)
        self._damping[:] = state["damping"]

    def _advance_replica(self, replica: int, parameters: NDArray[np.float64], number: int) -> None:
        """Try a step of one replica from `parameters` (P,), which it changes in place."""
        rule = self._rule
        residual = self._residual(parameters)
        loss = float(residual @ residual) / len(residual)
        if not np.isfinite(loss):
            self.diverged_at[replica] = number
            return
        jacobian = linearization.jacobian(parameters, self._x, network=self.task.network).reshape(len(residual), -1)
        tried = step(jacobian, residual, self._damping[replica])
        change = jacobian @ tried
        promised = -float(change @ (2 * residual + change)) / len(residual)
        after = self._residual(parameters + tried)
        with np.errstate(over="ignore", invalid="ignore"):
            gained = loss - float(after @ after) / len(residual)
        ratio = gained / promised if promised > 0 and np.isfinite(gained) else -np.inf
        if ratio > 0:
            parameters += tried
        factor = rule.lower if ratio > rule.good else rule.higher if ratio < rule.poor else 1.0
        self._damping[replica] = min(self._damping[replica] * factor, LARGEST_DAMPING)

    def _residual(self, parameters: NDArray[Any]) -> NDArray[np.float64]:
        return (linearization.predict(parameters, self._x, network=self.task.network) - self._y).ravel()
