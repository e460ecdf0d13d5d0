"""The loss around a path of training: on the plane of its first two principal components, and on straight lines from it to its end."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import forward_pass, losses, parts, runs, trajectory
from scripts.common.options import Count, Positive, Share
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

REPLICA = 0
"""The one replica whose plane is looked at."""
NETWORKS_AT_ONCE = 8

KIND = Kind(
    "loss_plane",
    {
        "step": Array("S", "int64"),
        "barrier": Array("S R", "float64", quantity=True),
        "exists_barrier": Array("S R", "bool"),
        "line_bend": Array("S R", "float64", quantity=True),
        "exists_line_bend": Array("S R", "bool"),
        "settled_bend": Array("R", "float64", quantity=True),
        "plane_step": Array("T", "int64"),
        "plane_path": Array("T F", "float64"),
        "plane_first": Array("G", "float64"),
        "plane_second": Array("H", "float64"),
        "plane_test_loss": Array("H G", "float64"),
        "plane_distance": Array("T", "float64"),
    },
)


def measure(
    data: Arrays,
    train: Arrays,
    network: Mapping[str, Any],
    loss_function: Mapping[str, Any],
    *,
    grid: Count = 31,
    margin: Positive = 0.25,
    moments: Count = 12,
    points: Count = 10,
    early: Share = 0.1,
) -> Arrays:
    """Return the test loss on the plane of replica 0, and the train loss on lines to the end of every replica's path.

    All losses are computed in float32, as training does.

    Args:
        data: the data set that the networks were trained on.
        train: their parameters.
        network: ``kind`` and the options of the network.
        loss_function: ``kind`` and its options.
        grid: points of the plane along each axis, G and H.
        margin: how far the plane goes beyond the path on every side, as a share of its extent there.
        moments: at most how many of the saved steps lines start from, evenly on a log scale.
        points: equal parts that a line is cut into.
        early: share of the updates that are not counted as settled yet.

    Returns:
        Of replica 0, ``plane_test_loss`` (H, G) at the points ``plane_first`` (G,), ``plane_second`` (H,) of the plane through the end of
        the path along its first two principal components, ``plane_path`` (T, 2), the path's projection on it at the steps ``plane_step``,
        and ``plane_distance`` (T,), how far off the plane it runs; nan where that replica diverged.

        Of all replicas at the steps ``step``: ``barrier``, by how much the train loss on the straight line from there to the end exceeds
        that at both ends (0: nowhere); ``line_bend``, by how much it exceeds the straight line between the losses at the ends (Frankle et
        al. 2020, section 2, call this the error barrier). ``settled_bend`` (R,) is the largest line_bend from the steps after the `early`
        ones, inf where the replica diverged.
    """
    shapes = forward_pass.shapes(network, inputs=data["train_x"].shape[1], outputs=data["train_y"].shape[1])

    def predict(parameters: Tensor, x: Tensor) -> Tensor:
        return forward_pass.predict(forward_pass.unflatten(parameters, shapes), x, network=network)

    def losses_of(parameters: NDArray[np.floating], part: str) -> NDArray[np.float64]:
        """Return the loss of networks with these parameters (n, P) on the training or test samples, (n,)."""
        x, y = (torch.as_tensor(np.ascontiguousarray(data[f"{part}_{of}"].T), dtype=torch.float32) for of in "xy")
        loss = parts.call(losses, loss_function)
        found = [
            loss.value(predict(torch.as_tensor(some.astype(np.float32)), x).double(), y.double()).numpy()
            for some in np.array_split(parameters, -(-len(parameters) // NETWORKS_AT_ONCE))
        ]
        return np.concatenate(found)

    saved = train["parameters"]
    whole: NDArray[np.bool_] = np.asarray(intact(train).all(axis=0))
    chosen = runs.moments(train["step"], max(moments, 2))
    barrier, bend = (np.full((len(chosen), saved.shape[1]), np.nan) for _ in range(2))
    settled = train["step"][chosen] >= early * train["step"][-1]
    share = np.linspace(0, 1, points + 1)[:, None]
    for replica in np.flatnonzero(whole):
        starts, end = saved[chosen, replica].astype(np.float64), saved[-1, replica].astype(np.float64)
        lines = (1 - share) * starts[:, None] + share * end  # (moments, points + 1, P)
        values = losses_of(lines.reshape(-1, lines.shape[2]), "train").reshape(lines.shape[:2])
        first, last = values[:, :1], values[:, -1:]
        barrier[:, replica] = (values - np.maximum(first, last)).max(axis=1)
        bend[:, replica] = (values - (1 - share.T) * first - share.T * last).max(axis=1)
    plane = _plane(saved[:, REPLICA], bool(whole[REPLICA]), grid, margin)
    if whole[REPLICA]:
        along, up = np.meshgrid(plane["plane_first"], plane["plane_second"])  # (H, G)
        places = np.stack([along.ravel(), up.ravel()], axis=1) @ plane["directions"] + saved[-1, REPLICA].astype(np.float64)
        loss = losses_of(places, "test").reshape(along.shape)
    else:
        loss = np.full((grid, grid), np.nan)
    return {
        "step": train["step"][chosen],
        "barrier": barrier,
        "exists_barrier": np.isfinite(barrier),
        "line_bend": bend,
        "exists_line_bend": np.isfinite(bend),
        "settled_bend": np.where(np.isfinite(bend[settled]).all(axis=0), bend[settled].max(axis=0), np.inf),
        "plane_step": train["step"],
        "plane_test_loss": loss,
        **{key: values for key, values in plane.items() if key in KIND.arrays},
    }


def _plane(points: NDArray[np.floating], whole: bool, grid: int, margin: float) -> Arrays:  # noqa: FBT001
    """Return unit vectors and grid of the plane of a path through `points` (T, P), and where it runs beside the plane."""
    found = trajectory.principal(trajectory.gram_of_steps(points), 2) if whole else None
    if found is None or np.isnan(found.coordinate).any():
        nothing = np.full(grid, np.nan)
        path = {"plane_path": np.full((len(points), 2), np.nan), "plane_distance": np.full(len(points), np.nan)}
        return {"directions": np.zeros((2, points.shape[1])), "plane_first": nothing, "plane_second": nothing, **path}
    directions = trajectory.directions(points, found.coordinate)
    to_end = points.astype(np.float64) - points[-1].astype(np.float64)
    path = to_end @ directions.T
    low, high = path.min(axis=0), path.max(axis=0)
    room = margin * (high - low)
    return {
        "directions": directions,
        "plane_first": np.linspace(low[0] - room[0], high[0] + room[0], grid),
        "plane_second": np.linspace(low[1] - room[1], high[1] + room[1], grid),
        "plane_path": path,
        "plane_distance": np.linalg.norm(to_end - path @ directions, axis=1),
    }
