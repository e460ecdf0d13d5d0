"""The linearization in training: how far its features move, how much of the target they hold, and what regression on them gives."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import linearization
from scripts.common.decomposition import numerical_rank
from scripts.common.options import Count
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

ALIGNED = (1, 2, 5, 10, 20, 50)
"""Numbers of leading principal features whose share of the target is measured."""
REGRESSED = (5, 10, 20, 50)
"""Numbers of leading principal features that the target is regressed on, beside all of them."""
LABELS = (*map(str, REGRESSED), "all")
PARTS = ("train", "test", "grid")

KIND = Kind(
    "tangent",
    {
        "step": Array("S", "int64"),
        "jacobian_change": Array("S R", "float64", quantity=True),
        "exists_jacobian_change": Array("S R", "bool"),
        "subspace_change": Array("S R", "float64", quantity=True),
        "exists_subspace_change": Array("S R", "bool"),
        "effective_rank": Array("S R", "float64", quantity=True),
        "exists_effective_rank": Array("S R", "bool"),
        "alignment": Array("S R A", "float64", quantity=True),
        "index_alignment": Array("A", "int64"),
        "exists_alignment": Array("S R A", "bool"),
        "output_alignment": Array("S R A", "float64", quantity=True),
        "index_output_alignment": Array("A", "int64"),
        "exists_output_alignment": Array("S R A", "bool"),
        "tangent_train_loss": Array("S R X", "float64", quantity=True),
        "index_tangent_train_loss": Array("X", "str"),
        "exists_tangent_train_loss": Array("S R X", "bool"),
        "tangent_test_loss": Array("S R X", "float64", quantity=True),
        "index_tangent_test_loss": Array("X", "str"),
        "exists_tangent_test_loss": Array("S R X", "bool"),
        "tangent_prediction_grid": Array("R G", "float64"),
        "linearized_train_loss": Array("R", "float64", quantity=True),
        "exists_linearized_train_loss": Array("R", "bool"),
        "linearized_test_loss": Array("R", "float64", quantity=True),
        "exists_linearized_test_loss": Array("R", "bool"),
        "linearized_prediction_grid": Array("R G", "float64"),
        "feature_test_loss": Array("S R", "float64", quantity=True),
        "exists_feature_test_loss": Array("S R", "bool"),
        "feature_count": Array("S R", "int64", quantity=True),
        "exists_feature_count": Array("S R", "bool"),
        "jacobian_share": Array("S R L", "float64", quantity=True),
        "index_jacobian_share": Array("L", "str"),
        "exists_jacobian_share": Array("S R L", "bool"),
    },
)


class Factors(NamedTuple):
    """The singular value decomposition U Sigma V^T of a Jacobian (N C, P), without what is below 1e-10 of the largest: its rank is K.

    Attributes:
        left: U (N C, K).
        values: the diagonal of Sigma (K,), descending.
        right: V (P, K), or V (P, 0) where it was not asked for.
    """

    left: NDArray[np.float64]
    values: NDArray[np.float64]
    right: NDArray[np.float64]


def measure(
    data: Arrays,
    train: Arrays,
    network: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    loss_function: Mapping[str, Any],
    *,
    subspace: Count = 10,
) -> Arrays:
    """Return what becomes of the linearization on the training points, computed in float64, for each replica.

    Args:
        data: the data set that the network was trained on.
        train: its parameters.
        network: ``hidden`` and ``activation``.
        optimizer: ``kind`` and its options.
        loss_function: ``kind`` and its options.
        subspace: number of leading principal features whose span is followed.

    Returns:
        At every saved step: ``jacobian_change``, the norm of what the Jacobian has changed since the first step, divided by its norm there
        (Frobenius); ``subspace_change``, the root mean square sine of the principal angles between the spans of the leading principal
        features at the step and at the first one (0: the same, 1: orthogonal); ``effective_rank``, the exponential of the entropy of the
        singular values divided by their sum (Roy and Vetterli 2007, section 2); ``alignment``, the share of the sum of squares of the
        training targets in the span of the first 1, 2, 5, ... features; ``output_alignment``, the same with the principal features of the
        output layer's columns of the Jacobian alone, which are the outputs of the last hidden layer and a constant; ``jacobian_share``,
        the share of the sum of squares of the Jacobian in the columns of each tensor.

        At the first and the last step: the losses of the network plus the regression of what it leaves of the training targets on the
        first 5, 10, ... principal features, or on "all" whose singular value is above 1e-10 of the largest: the solution of smallest
        norm. ``tangent_train_loss`` and ``tangent_test_loss`` are mean squares, ``tangent_prediction_grid`` is the first output on the
        dense grid with all features at the first step. ``feature_test_loss`` is of the features alone, without the network's output: the
        test loss of the regression of the training targets themselves on the first k features, with the k that makes it smallest, which is
        ``feature_count``.

        Of the linearization at the first step, ``linearized_train_loss``, ``linearized_test_loss`` and ``linearized_prediction_grid`` are
        what gradient descent on all samples makes of it in as many steps as the training took, with its learning rate e: of the regression
        along the feature with singular value sigma it reaches the share 1 - (1 - 2 e sigma^2 / (N C))^steps. They exist for training
        by sgd without momentum on the mean squared error.

        What needs more features than the Jacobian has singular values above 1e-10 of the largest, or parameters that are not finite,
        does not exist.
    """
    tensors = linearization.slices(network, inputs=data["train_x"].shape[1], outputs=data["train_y"].shape[1])
    output = slice(tensors[train["parameter_name"][-2]].start, None)
    steps, replicas = train["parameters"].shape[:2]
    lengths = {"S": steps, "R": replicas, "A": len(ALIGNED), "X": len(LABELS), "L": len(tensors), "G": len(data["grid_x"])}
    found: Arrays = {
        key: np.full([lengths[axis] for axis in array.axes.split()], np.nan)
        for key, array in KIND.arrays.items()
        if array.dtype == "float64"
    }
    count = np.zeros((steps, replicas), dtype=np.int64)
    decay = _decay(optimizer, loss_function, targets=data["train_y"].size, steps=int(train["step"][-1]))
    available = intact(train)
    for replica in range(replicas):
        first: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # Jacobian, and basis of the subspace where it has one
        for step in np.flatnonzero(available[:, replica]):
            here, parameters = (step, replica), train["parameters"][step, replica]
            is_end = step in (0, steps - 1)
            jacobian = _jacobian(parameters, data["train_x"], network)
            factors = _factorize(jacobian, right=is_end)
            basis = factors.left[:, : subspace if subspace <= len(factors.values) else 0]
            first = first or (jacobian, basis)
            found["jacobian_change"][here] = np.linalg.norm(jacobian - first[0]) / np.linalg.norm(first[0])
            found["subspace_change"][here] = _change(first[1], basis)
            found["effective_rank"][here] = _effective_rank(factors.values)
            found["alignment"][here] = _alignment(factors.left, data["train_y"].ravel())
            found["output_alignment"][here] = _alignment(_factorize(jacobian[:, output], right=False).left, data["train_y"].ravel())
            squares = np.array([np.sum(jacobian[:, part] ** 2) for part in tensors.values()])
            found["jacobian_share"][here] = squares / np.sum(squares)
            if is_end:
                regressions, count[here] = _regressions(factors, parameters, data, network, decay=decay)
                for key, values in regressions.items():
                    of_first_step = "S" not in KIND.arrays[key].axes.split()
                    if step == 0 or not of_first_step:
                        found[key][replica if of_first_step else here] = values
    exists = {key: np.isfinite(values) for key, values in found.items() if KIND.arrays[key].quantity}
    return {
        "step": train["step"],
        **found,
        **{f"exists_{key}": mask for key, mask in exists.items()},
        "feature_count": count,
        "exists_feature_count": count > 0,
        "index_alignment": np.array(ALIGNED),
        "index_output_alignment": np.array(ALIGNED),
        "index_tangent_train_loss": np.array(LABELS),
        "index_tangent_test_loss": np.array(LABELS),
        "index_jacobian_share": np.array(list(tensors)),
    }


def _decay(
    optimizer: Mapping[str, Any], loss_function: Mapping[str, Any], *, targets: int, steps: int
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
    """Return what is left after so many steps of gradient descent, by singular value, where the training is such a descent."""
    if optimizer["kind"] != "sgd" or optimizer.get("momentum", 0.0) != 0 or loss_function["kind"] != "mse":
        return None
    return lambda values: np.asarray((1 - 2 * optimizer["learning_rate"] / targets * values**2) ** steps)


def _regressions(
    factors: Factors,
    parameters: NDArray[Any],
    data: Arrays,
    network: Mapping[str, Any],
    *,
    decay: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None,
) -> tuple[dict[str, Any], int]:
    """Return what regressions on the principal features of one Jacobian give, by key of `KIND`, and the best number of features alone.

    A regression is given by its coordinates (K, 1): what it adds to the network's output along each left vector.
    """
    start = {part: linearization.predict(parameters, data[f"{part}_x"], network=network).reshape(-1, 1) for part in PARTS}
    scaled = factors.right / factors.values
    features = {part: _jacobian(parameters, data[f"{part}_x"], network) @ scaled for part in PARTS[1:]}  # J(x) V / Sigma
    features["train"] = factors.left
    targets = {part: data[f"{part}_y"].reshape(-1, 1) for part in PARTS}

    def losses(coordinates: NDArray[np.float64]) -> list[Any]:
        return [np.mean((start[part] + features[part] @ coordinates - targets[part]) ** 2, axis=0) for part in ("train", "test")]

    def on_grid(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((start["grid"] + features["grid"] @ coordinates).reshape(len(data["grid_x"]), -1)[:, 0])

    every = factors.left.T @ (targets["train"] - start["train"])
    rank = len(every)
    sizes = np.array([*REGRESSED, rank])
    chosen = np.where(np.arange(rank)[:, None] < sizes, every, 0.0)  # (K, X)
    chosen[:, sizes > rank] = np.nan
    found: dict[str, Any] = {"tangent_prediction_grid": on_grid(every)}
    found["tangent_train_loss"], found["tangent_test_loss"] = losses(chosen)
    alone = np.cumsum(features["test"] * (factors.left.T @ targets["train"])[:, 0], axis=1)  # (M C, K): on the first 1, 2, ...
    test_losses = np.mean((alone - targets["test"]) ** 2, axis=0)
    found["feature_test_loss"] = test_losses.min()
    if decay:
        with np.errstate(over="ignore", invalid="ignore"):
            descended = every * (1 - decay(factors.values)[:, None])
            (found["linearized_train_loss"],), (found["linearized_test_loss"],) = losses(descended)
            found["linearized_prediction_grid"] = on_grid(descended)
    return found, int(test_losses.argmin()) + 1


def _jacobian(parameters: NDArray[Any], x: NDArray[np.float64], network: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the Jacobian at the points x (N, D) as one matrix (N C, P)."""
    return linearization.jacobian(parameters, x, network=network).reshape(-1, len(parameters))


def _factorize(jacobian: NDArray[np.float64], *, right: bool) -> Factors:
    """Return the decomposition of a Jacobian: that of the small triangle R in J^T = Q R, as accurate as that of J itself.

    The Gram matrix J J^T would be faster still, but holds no singular value below 1e-8 of the largest.
    """
    basis, triangle = np.linalg.qr(jacobian.T) if right else (None, np.asarray(np.linalg.qr(jacobian.T, mode="r")))
    left, values, coordinates = np.linalg.svd(triangle.T, full_matrices=False)
    rank = numerical_rank(values)
    chosen = np.empty((jacobian.shape[1], 0)) if basis is None else basis @ coordinates[:rank].T
    return Factors(left[:, :rank], values[:rank], chosen)


def _change(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the root mean square sine of the principal angles between two spans with orthonormal bases (N, k), nan where k is 0 in one."""
    size = after.shape[1]
    if size == 0 or before.shape[1] == 0:
        return np.nan
    outside = after - before @ (before.T @ after)  # not 1 - cosine^2, which loses small angles to rounding
    return float(np.linalg.norm(outside) / np.sqrt(size))


def _effective_rank(values: NDArray[np.float64]) -> float:
    shares = values / values.sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))


def _alignment(left: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of |target|^2 (N C,) in the span of the first columns of `left` (N C, K), for each of `ALIGNED`; nan beyond K."""
    shares = np.cumsum((left.T @ target) ** 2) / np.sum(target**2)
    return np.array([shares[size - 1] if size <= len(shares) else np.nan for size in ALIGNED])
