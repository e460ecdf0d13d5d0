"""Small made-up measurements of a study, with values that are easy to tell by heart, for the tests of figures and tables."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from scripts.common.storage import Arrays
from scripts.common.style import Style

FATES = ["fine", "diverged", "blown up", "collapsed"]
POINTS, GRID, VALUES, FEATURES, LAYERS, LAST = 40, 21, 12, 4, 3, 20
STYLES = {"good": Style("Good start", "#0072B2"), "other": Style("Other start", "#E69F00"), "wild": Style("Wild start", "#D55E00")}


def study(variants: Iterable[str] = ("good", "wild"), *, replicas: int = 3, diverged: Iterable[str] = ("wild",)) -> dict[str, Any]:
    """Return all that a figure may read, by the names of its parameters; variants in `diverged` do so after replica + 1 updates."""
    variants, diverged = list(variants), set(diverged)
    made: dict[str, Any] = {
        name: {variant: make(replicas, diverged=variant in diverged) for variant in variants}
        for name, make in {
            "fate": fate,
            "prediction": prediction,
            "loss": loss,
            "gradient_norm": gradient_norm,
            "spectrum": spectrum,
            "segments": segments,
            "likeness": likeness,
            "test_range": either_side,
            "elbows": elbows,
            "gradient_features": gradient_features,
            "tangent": tangent,
            "exact_output": exact_output,
            "steps_to_loss": steps_to_loss,
            "path": path,
            "loss_plane": loss_plane,
            "kernel": kernel,
            "kernel_regression": kernel_regression,
            "stopping": stopping,
            "calibration": calibration,
            "decision_boundary": decision_boundary,
        }.items()
    }
    made["data"] = {variant: data() for variant in variants}
    made["datasets"] = {"whole": data(), "part": data(high=0.4), "images": images(), "plane": plane()}
    made["styles"] = {variant: STYLES[variant] for variant in variants}
    made["losses"] = dict.fromkeys(variants, "mse")
    made["variants"], made["bootstrap"] = variants, {"seed": 0, "resamples": 200}
    made["simulations"] = simulations(variants, replicas=replicas, diverged=diverged)
    made["numbers"] = numbers(made)
    starts = {variant: {"start": 10.0**place, "end": 2} for place, variant in enumerate(variants)}
    made["grids"] = {"starts": {"axes": {"start": [at["start"] for at in starts.values()], "end": [2]}, "variants": starts}}
    return made


def simulations(names: Iterable[str], *, replicas: int, diverged: Iterable[str]) -> dict[str, dict[str, Arrays]]:
    """Return simulations of each kind by name, those in `diverged` without a path after the start."""
    made = {
        "normal_fit": normal_fit,
        "natural_paths": natural_paths,
        "stability": stability,
        "layer_profiles": layer_profiles,
        "histograms": histograms,
        "gradient_flow": gradient_flow,
    }
    return {kind: {name: make(replicas, diverged=name in diverged) for name in names} for kind, make in made.items()}


def layer_profiles(replicas: int, *, diverged: bool, factor: float = 1.0) -> Arrays:
    """Level x of replica r has `factor` (r + 1) 10^(x l) in layer l = 1, 2, ..., x = -1, 0, 1; theory has that of replica 1.

    A fourth level is 0. Of a simulation that diverged the third is not finite.
    """
    layer = np.arange(1, 6)
    powers = np.concatenate([10.0 ** (np.array([-1, 0, 1])[:, None] * layer), np.zeros((1, 5))])
    values = factor * (np.arange(replicas)[:, None, None] + 1) * powers
    if diverged:
        values[:, 2] = np.nan
    return {
        "level": np.array(["small", "edge", "large", "none"]),
        "layer": layer,
        "size": values,
        "size_theory": 2 * factor * powers,
        "slope": -values,
    }


def gradient_flow(replicas: int, *, diverged: bool) -> Arrays:
    """Norms of three scales as those of `layer_profiles`, from 1 to 5 for outputs and back for gradients; dead where diverged."""
    made = layer_profiles(replicas, diverged=False)
    values = made["size"][:, :3]
    if diverged:
        values[:, 0] = 0
    gradient = values[..., ::-1]
    with np.errstate(invalid="ignore"):
        ratio = gradient[..., 0] / gradient[..., -1]
    return {
        "level": np.array(["0.1", "1", "2"]),
        "layer": made["layer"],
        "output_norm": values,
        "simplified_gradient_norm": gradient,
        "gradient_ratio": ratio,
    }


def histograms(replicas: int, *, diverged: bool, levels: int = 2) -> Arrays:  # noqa: ARG001 - nothing is trained
    """Level x counts 2, 4, 8, 16 in bars of width x + 1; mean (x + 1) (r + 1) and deviation ten times that in replica r."""
    mean = (np.arange(replicas)[:, None] + 1.0) * np.arange(1, levels + 1)
    return {
        "level": np.array([f"level {place}" for place in range(levels)]),
        "edges": np.arange(1.0, levels + 1)[:, None] * np.arange(5),
        "counts": np.tile(2 ** np.arange(1, 5), (levels, 1)),
        "activation_mean": mean,
        "activation_deviation": 10 * mean,
    }


def truth(x: Any) -> Any:
    """Two sine waves, the third and a fourth absent."""
    return 0.5 * np.sin(np.pi * x) - 0.25 * np.sin(2 * np.pi * x)


def data(high: float = 1.0) -> Arrays:
    """Training points from -1 to `high`, without noise, and a grid over [-1, 1]."""
    places = {"train": np.linspace(-1, high, POINTS), "test": np.linspace(-1, 1, 10), "grid": np.linspace(-1, 1, GRID)}
    return {f"{name}_x": x[:, None] for name, x in places.items()} | {f"{name}_y": truth(x)[:, None] for name, x in places.items()}


def images() -> Arrays:
    """Twelve images of 4 by 4 pixels in three classes: those of class c are c + 1 in their upper half and 0 in the lower."""
    labels = np.arange(12) % 3
    values = np.repeat(labels[:, None] + 1.0, 16, axis=1)
    values[:, 8:] = 0
    return {"train_x": values, "train_y": np.eye(3)[labels]}


def plane() -> Arrays:
    """Training points of two classes left and right of x = 0, and a grid of 9 by 9 points from -2 to 2."""
    points = np.array([[-1.0, 0.5], [-0.5, -1.0], [0.5, 1.0], [1.0, -0.5]])
    along = np.linspace(-2, 2, 9)
    grid = np.stack([np.tile(along, 9), np.repeat(along, 9)], axis=1)
    return {"train_x": points, "train_y": np.eye(2)[[0, 0, 1, 1]], "grid_x": grid, "grid_y": np.eye(2)[(grid[:, 0] > 0).astype(int)]}


def fate(replicas: int, *, diverged: bool) -> Arrays:
    """All fine, or all diverged after replica + 1 updates."""
    met = np.zeros((replicas, len(FATES)), dtype=bool)
    met[:, FATES.index("diverged" if diverged else "fine")] = True
    return {
        "fate": met.astype(np.int64),
        "index_fate": np.array(FATES),
        "exists_fate": met,
        "diverged_at": np.arange(1, replicas + 1),
        "exists_diverged_at": np.full(replicas, diverged),
    }


def prediction(replicas: int, *, diverged: bool) -> Arrays:
    """Replica r predicts the truth plus r / 10; a diverged one nothing."""
    grid = truth(np.linspace(-1, 1, GRID)) + np.arange(replicas)[:, None] / 10
    return {"step": np.array([0, LAST]), "prediction_grid": np.stack([0 * grid, np.full_like(grid, np.nan) if diverged else grid])}


def loss(replicas: int, *, diverged: bool) -> Arrays:
    """Train loss falls from 1 to (r + 1) / 100, test loss to (r + 1) / 50."""
    fall = np.linspace(1, 0, 4)[:, None]
    end = (np.arange(replicas) + 1) / 100
    train = np.full((4, replicas), np.nan) if diverged else fall + (1 - fall) * end
    train[0] = 1e6 if diverged else 1.0
    return {"step": np.linspace(0, LAST, 4).round().astype(np.int64), "train_loss": train, "test_loss": 2 * train}


def gradient_norm(replicas: int, *, diverged: bool) -> Arrays:
    """In layer l of replica r: 10 ** l * (r + 1), l = 0, 1, ...; gone after training where diverged."""
    norms = 10.0 ** np.arange(LAYERS) * (np.arange(replicas)[:, None] + 1)
    names = np.array(["0.weight", "2.weight", "10.weight"])
    exists = np.array([[True] * replicas, [not diverged] * replicas])
    return {
        "step": np.array([0, LAST]),
        "gradient_norm": np.stack([norms, norms / 2]),
        "index_gradient_norm": names,
        "exists_gradient_norm": exists,
    }


def spectrum(replicas: int, *, diverged: bool) -> Arrays:
    """Singular values (r + 1) * 10 ** -k, the last two zero; feature k is (k + 1) x, moved by k, on the grid twice that after training."""
    sigma = (np.arange(replicas)[:, None] + 1.0) * 10.0 ** -np.arange(VALUES)
    sigma[:, -2:] = 0
    x = np.linspace(1, -1, POINTS)
    feature = np.broadcast_to(np.stack([(k + 1) * x + k for k in range(FEATURES)], axis=-1), (2, replicas, POINTS, FEATURES)).copy()
    available = np.array([[True] * replicas, [not diverged] * replicas])
    feature[~available] = np.nan
    values = np.stack([sigma, 2 * sigma])
    values[~available] = np.nan
    grid = np.linspace(-1, 1, GRID)
    on_grid = np.stack([(k + 1) * grid + k for k in range(FEATURES)], axis=-1) * np.array([1, 2])[:, None, None, None]
    on_grid = np.broadcast_to(on_grid, (2, replicas, GRID, FEATURES)).copy()
    on_grid[~available] = np.nan
    found = {"singular_value": values, "feature": feature, "feature_grid": on_grid, "points_x": x[:, None], "grid_x": grid[:, None]}
    return {"step": np.array([0, LAST]), "available": available, **found}


def with_moments(made: dict[str, Any], steps: Iterable[int] = (0, 7, 13, LAST)) -> dict[str, Any]:
    """Return a study with further moments, at which the losses are recorded: between the first and the last all numbers go in a line."""
    share = np.asarray(list(steps)) / LAST

    def along(values: Any) -> Any:
        mixed = np.multiply.outer(1 - share, values[0]) + np.multiply.outer(share, values[-1])
        mixed[[0, -1]] = values[[0, -1]]
        return mixed

    def measured(arrays: Arrays) -> Arrays:
        fixed = {key: values for key, values in arrays.items() if key in ("points_x", "grid_x")}
        return {key: along(values) for key, values in arrays.items() if key not in fixed} | fixed | {"step": np.asarray(list(steps))}

    moving = ("prediction", "elbows", "spectrum")
    return made | {name: {variant: measured(arrays) for variant, arrays in made[name].items()} for name in moving}


def segments(replicas: int, *, diverged: bool) -> Arrays:
    """Feature k of replica r has 10 k + r pieces after training; at initialization only the first two features exist."""
    pieces = np.broadcast_to(10 * np.arange(1, FEATURES + 1) + np.arange(replicas)[:, None], (2, replicas, FEATURES)).astype(np.int64)
    exists = np.ones(pieces.shape, dtype=bool)
    exists[0, :, 2:] = False
    exists[1] = not diverged
    return {"step": np.array([0, LAST]), "segments": pieces, "exists_segments": exists}


def likeness(replicas: int, *, diverged: bool) -> Arrays:
    """Distances 0.1 (r + 1); likeness of the top k features 1 - 0.1 (r + 1) / k."""
    distance = np.broadcast_to(0.1 * (np.arange(replicas) + 1), (2, replicas)).copy()
    alike = 1 - distance[:, :, None] / np.arange(1, 5)
    exists = np.array([[True] * replicas, [not diverged] * replicas])
    return {
        "step": np.array([0, LAST]),
        "spectrum_distance": distance,
        "exists_spectrum_distance": exists,
        "feature_likeness": alike,
        "exists_feature_likeness": exists,
    }


def either_side(replicas: int, *, diverged: bool) -> Arrays:
    """Test loss 0.01 (r + 1) inside and 1 + r outside the training range."""
    inside = np.stack([np.ones(replicas), np.full(replicas, np.nan) if diverged else 0.01 * (np.arange(replicas) + 1)])
    return {"step": np.array([0, LAST]), "test_loss_inside": inside, "test_loss_outside": 100 * inside}


def elbows(replicas: int, *, diverged: bool) -> Arrays:
    """Three first-layer units, with elbows at -0.5, 0.5 and outside at 2, and two of the second layer with kinks at 0 and, once, 0.25."""
    places = np.broadcast_to([-0.5, 0.5, 2.0], (2, replicas, 3)).copy()
    kinks = np.broadcast_to([0.0, 0.25, np.nan], (2, replicas, 3)).copy()
    inside, kinks_inside = np.full((2, replicas), 2), np.full((2, replicas), 2)
    if diverged:
        places[1], kinks[1], inside[1], kinks_inside[1] = np.nan, np.nan, 0, 0
    return {
        "step": np.array([0, LAST]),
        "elbow": places,
        "elbows_inside": inside,
        "kink": kinks,
        "kinks_inside": kinks_inside,
    }


def gradient_features(replicas: int, *, diverged: bool) -> Arrays:  # noqa: ARG001 - of replica 0 alone
    """A network of two hidden units: feature p is (p + 1) x at initialization, and three times that after training."""
    x = np.linspace(-1, 1, GRID)
    feature = x[:, None] * np.arange(1, 8)
    return {
        "step": np.array([0, LAST]),
        "feature": np.stack([feature, np.full_like(feature, np.nan) if diverged else 3 * feature]),
        "grid_x": x[:, None],
        "parameter_name": np.array(["0.weight", "0.bias", "2.weight", "2.bias"]),
        "parameter_size": np.array([2, 2, 2, 1]),
    }


def tangent(replicas: int, *, diverged: bool) -> Arrays:
    """Shares k / (k + r + 1) at initialization and k / (k + (r + 1) / 2) after training; the regression predicts the truth minus 0.1 r."""
    ranks, labels = np.array([1, 2, 5, 10, 20, 50]), np.array(["5", "10", "20", "50", "all"])
    half = (np.arange(replicas)[:, None] + 1) / 2
    share = np.stack([ranks / (ranks + 2 * half), ranks / (ranks + half)])
    loss = np.broadcast_to(0.1 * half[:, :1], (2, replicas, len(labels))).copy()
    change = np.array([[0.0] * replicas, [1.5] * replicas])
    exists = np.array([[True] * replicas, [not diverged] * replicas])
    found: Arrays = {"step": np.array([0, LAST]), "index_alignment": ranks}
    quantities = {"alignment": share, "tangent_train_loss": loss, "tangent_test_loss": 2 * loss, "jacobian_change": change}
    for quantity, values in quantities.items():
        values[~exists] = np.nan
        found |= {quantity: values, f"exists_{quantity}": exists}
    found |= {f"index_tangent_{part}_loss": labels for part in ("train", "test")}
    found |= {"linearized_test_loss": 0.3 * half[:, 0], "exists_linearized_test_loss": np.ones(replicas, dtype=bool)}
    found["tangent_prediction_grid"] = truth(np.linspace(-1, 1, GRID)) - 0.1 * np.arange(replicas)[:, None]
    return found


def exact_output(replicas: int, *, diverged: bool) -> Arrays:
    """Exact losses 0.01 (r + 1); a gap of (r + 1) / 10 that falls to a tenth, and to a twentieth where it is predicted."""
    ends = np.arange(replicas) + 1.0
    gap = np.stack([ends / 10, np.full(replicas, np.nan) if diverged else ends / 100])
    return {
        "step": np.array([0, LAST]),
        "exact_train_loss": ends / 100,
        "exact_test_loss": ends / 100,
        "output_gap": gap,
        "output_gap_predicted": np.stack([ends / 10, ends / 200]),
        "hidden_singular_value": np.broadcast_to([3.0, 1.0, 0.1], (replicas, 3)).copy(),
        "slow_directions": np.ones(replicas),
        "prediction_grid_exact": truth(np.linspace(-1, 1, GRID)) + 0.05 * np.arange(replicas)[:, None],
    }


def steps_to_loss(replicas: int, *, diverged: bool) -> Arrays:
    """A loss of 0.5 reached after 10 (r + 1) steps of half a second, or never."""
    steps = np.full((replicas, 1), np.inf) if diverged else 10.0 * (np.arange(replicas)[:, None] + 1)
    return {"steps_to_loss": steps, "seconds_to_loss": steps / 2, "seconds_per_step": np.array(0.5)}


def normal_fit(replicas: int, *, diverged: bool) -> Arrays:
    """From (-1, 3) to the best fit (2, 0.5) in a straight line; the loss falls to a tenth at each of 4 (r + 1) steps."""
    step = np.arange(5)
    share = (step / 4)[:, None, None]
    path = np.broadcast_to((1 - share) * [-1.0, 3.0] + share * [2.0, 0.5], (5, replicas, 2)).copy()
    loss = np.broadcast_to(10.0 ** -step[:, None], (5, replicas)).copy()
    steps = 4.0 * (np.arange(replicas) + 1)
    if diverged:
        path[1:], loss[1:], steps = np.nan, np.nan, np.full(replicas, np.inf)
    found: Arrays = {"step": step, "path": path, "excess_loss": loss, "steps_to_tolerance": steps}
    found |= {"sample_mean": np.full(replicas, 2.0), "sample_deviation": np.full(replicas, 0.5)}
    return found | {
        "steps_by_rate": np.stack([10 * steps, steps], axis=1),
        "index_steps_by_rate": np.array(["0.01", "0.1"]),
        "best_learning_rate": np.full(replicas, 0.1),
    }


def natural_paths(replicas: int, *, diverged: bool) -> Arrays:
    """At the step sizes 0.1 and 0.01 the natural paths differ by (r + 1) times the step size, those of gradient descent by 0.5."""
    sizes, time = np.array([0.1, 0.01]), np.linspace(0, 1, 11)
    line = np.stack([-1 + 3 * time, 3 - 2.5 * time], axis=-1)
    flow = np.broadcast_to(line[:, None], (11, replicas, 2)).copy()
    paths = np.broadcast_to(flow, (2, 2, 11, replicas, 2)).copy()
    apart = paths.copy()
    apart[:, 1, :, :, 1] *= 0.5
    if diverged:
        apart[:, :, 1:] = np.nan
    near = sizes * (np.arange(replicas)[:, None] + 1)
    return {
        "time": time,
        "sample_mean": np.full(replicas, 2.0),
        "sample_deviation": np.full(replicas, 0.4),
        "flow": flow,
        "natural_path": paths,
        "descent_path": apart,
        "path_difference": near,
        "index_path_difference": np.array(["0.1", "0.01"]),
        "path_difference_slope": np.ones(replicas),
        "descent_path_difference": np.full((replicas, 2), np.inf if diverged else 0.5),
        "descent_path_difference_slope": np.full(replicas, np.nan if diverged else 0.0),
        "flow_difference": np.full(replicas, 1e-12),
        "flow_error": np.full(replicas, 1e-12),
    }


def stability(replicas: int, *, diverged: bool) -> Arrays:
    """At the shares f = 0.25, 0.9 and 1.01 (10 where diverged) the path from (1, 1) is (0.9^s, (1 - 2 f)^s), the loss its second square."""
    fraction, step = np.array([0.25, 0.9, 10.0 if diverged else 1.01]), np.arange(31)
    steep = np.broadcast_to((1 - 2 * fraction) ** step[:, None, None], (31, replicas, 3))
    flat = np.broadcast_to(0.9 ** step[:, None, None], (31, replicas, 3))
    return {
        "step": step,
        "fraction": fraction,
        "loss_ratio": steep**2,
        "extreme_coordinates": np.stack([flat, steep], axis=-1),
        "growth_factor": np.broadcast_to(np.abs(1 - 2 * fraction), (replicas, 3)).copy(),
        "turns": np.broadcast_to([0, 30, 30], (replicas, 3)).copy(),
    }


def path(replicas: int, *, diverged: bool) -> Arrays:
    """Coordinate k of the path is (r + 1) cos(pi k t) / k, the walk's half, the shuffled steps' twice that; 5 epochs, ever slower."""
    step, epochs = np.arange(LAST + 1), np.arange(1, 6)
    rank, size = np.arange(1, 5), np.arange(replicas)[:, None] + 1.0
    waves = np.cos(np.pi * rank * step[:, None] / LAST)[:, None] * size / rank
    shares = np.broadcast_to(0.8 * 0.2 ** np.arange(10.0), (replicas, 10)).copy()
    speed = size / epochs
    found: Arrays = {
        "path_coordinate": waves,
        "walk_coordinate": waves / 2,
        "shuffled_coordinate": 2 * waves,
        "path_variance": shares,
        "walk_variance": shares / 2,
        "shuffled_variance": shares / 4,
        "distance_to_end": np.linspace(1, 0, LAST + 1)[:, None] * size.T,
        "walk_distance_to_end": np.linspace(1, 0, LAST + 1)[:, None] ** 2 * size.T,
        "shuffled_distance_to_end": np.linspace(1, 0, LAST + 1)[:, None] * size.T,
        "epoch_path_length": 4 * speed,
        "epoch_speed": speed,
        "shuffled_epoch_speed": np.ones((replicas, 5)),
        "epoch_cosine": np.where(epochs == 1, np.nan, 1 / epochs) * np.ones((replicas, 1)),
        "walk_epoch_cosine": np.where(epochs == 1, np.nan, 0.0) * np.ones((replicas, 1)),
        "shuffled_epoch_cosine": np.where(epochs == 1, np.nan, 0.5) * np.ones((replicas, 1)),
        "speed_ratio": 4 * size[:, 0],
    }
    if diverged:
        found = {key: np.full_like(values, np.nan) for key, values in found.items()}
    exists = {key: np.isfinite(found[key]) for key in ("path_variance", "distance_to_end", "epoch_speed", "epoch_cosine", "speed_ratio")}
    return {"step": step, "index_epoch_speed": epochs, **found, **{f"exists_{key}": mask for key, mask in exists.items()}}


def loss_plane(replicas: int, *, diverged: bool) -> Arrays:
    """A bowl exp(x^2 + y^2) / 10 around the end, from the corner (1, 1); barriers (r + 1) / 100 at first, none at the end."""
    x, y = np.linspace(-1, 2, 7), np.linspace(-1, 2, 5)
    way = np.linspace(1, 0, LAST + 1)
    barrier = np.multiply.outer([1.0, 0.5, 0.0], (np.arange(replicas) + 1) / 100)
    found: Arrays = {
        "barrier": barrier,
        "line_bend": 2 * barrier,
        "plane_path": np.stack([way, way], axis=1),
        "plane_first": x,
        "plane_second": y,
        "plane_test_loss": np.exp(x**2 + y[:, None] ** 2) / 10,
        "plane_distance": 0.25 * way,
    }
    if diverged:
        found = {key: np.full_like(values, np.nan) for key, values in found.items()}
    exists = {f"exists_{key}": np.isfinite(found[key]) for key in ("barrier", "line_bend")}
    return {"step": np.array([0, 10, LAST]), "plane_step": np.arange(LAST + 1), **found, **exists}


def kernel(replicas: int, *, diverged: bool) -> Arrays:
    """Eigenvalue k of replica r is (r + 1) 10 ** (1 - k), after training twice that; of infinite width 3 times 10 ** (1 - k)."""
    ends = np.arange(replicas) + 1.0
    powers = 10.0 ** -np.arange(VALUES)
    values = np.stack([ends[:, None] * powers, 2 * ends[:, None] * powers])
    exists = np.array([[True] * replicas, [not diverged] * replicas])
    values[~exists] = np.nan
    change = np.where(exists, [[0.0], [1.0]] * ends / 10, np.nan)
    return {
        "step": np.array([0, LAST]),
        "ntk_eigenvalue": values,
        "exists_ntk_eigenvalue": exists,
        "infinite_eigenvalue": np.tile(3 * powers, (replicas, 1)),
        "kernel_change": change,
        "exists_kernel_change": exists,
    }


def kernel_regression(replicas: int, *, diverged: bool) -> Arrays:
    """The infinite kernel predicts the truth plus 0.2 after training, the own one the truth minus 0.1 r; both zero before."""
    grid = np.broadcast_to(truth(np.linspace(-1, 1, GRID)), (replicas, GRID))
    ends = np.arange(replicas) + 1.0
    exists = np.array([[True] * replicas, [not diverged] * replicas])
    found: Arrays = {"step": np.array([0, LAST])}
    for name, end in (("infinite", grid + 0.2), ("linearized", grid - 0.1 * np.arange(replicas)[:, None])):
        values = np.stack([0 * grid, end])
        values[~exists] = np.nan
        found[f"{name}_prediction_grid"] = values
    for quantity, size in (("kernel_prediction_gap", 0.1), ("linearized_prediction_gap", 0.01)):
        found |= {quantity: np.where(exists, [[0.0], [size]] * ends, np.nan), f"exists_{quantity}": exists}
    return found


def calibration(replicas: int, *, diverged: bool) -> Arrays:
    """Four bins, the first empty, with 5, 40 and 55 samples at confidences of 0.4, 0.6 and 0.9, and accuracies lower by (r + 1) / 10."""
    samples = np.broadcast_to([0, 5, 40, 55], (replicas, 4)).copy()
    confidence = np.broadcast_to([np.nan, 0.4, 0.6, 0.9], (replicas, 4)).copy()
    if diverged:
        samples[:], confidence[:] = 0, np.nan
    gap = (np.arange(replicas)[:, None] + 1) / 10
    found = {"bin_samples": samples, "bin_confidence": confidence, "bin_accuracy": confidence - gap}
    return found | {"step": np.array([0, LAST]), "calibration_error": np.full((2, replicas), np.nan if diverged else 0.1)}


def decision_boundary(replicas: int, *, diverged: bool) -> Arrays:
    """On the grid of `plane` the second class becomes probable to the right of x = r / 10, (r + 1) / 4 per unit; r + 4 long."""
    ends = np.arange(replicas) + 1.0
    x = plane()["grid_x"][:, 0]
    probability = 1 / (1 + np.exp(-ends[:, None] * (x - (ends[:, None] - 1) / 10)))
    exists = np.full(replicas, not diverged)
    if diverged:
        probability[:] = np.nan
    found = {"boundary_length": np.where(exists, ends + 3, np.nan), "boundary_slope": np.where(exists, ends / 4, np.nan)}
    return {"probability_grid": probability, **found, **{f"exists_{key}": exists for key in found}}


def stopping(replicas: int, *, diverged: bool) -> Arrays:
    """Losses fall to 1 / 4 at step 10 and rise again to 1 / 2; patience 1 stops 10 (r + 1) / R steps later, patience 5 never."""
    step = np.arange(0, LAST + 1, 2)
    fall = np.where(step <= LAST // 2, 1 - 0.075 * step, 0.25 + 0.025 * (step - LAST // 2))
    course = np.broadcast_to(fall[:, None], (len(step), replicas)).copy()
    stopped = np.stack([10 + 10 * (np.arange(replicas) + 1) / replicas, np.full(replicas, np.inf)], axis=1)
    late = 0.25 + 0.025 * (np.minimum(stopped, LAST) - LAST // 2)
    restored = np.full((replicas, 2), 0.25)
    if diverged:
        course[1:], late, restored = np.inf, np.full((replicas, 2), np.inf), np.ones((replicas, 2))
    found = {f"course_{part}_loss": share * course for part, share in (("train", 0.5), ("validation", 0.9), ("test", 1.0))}
    return {
        "step": step,
        **found,
        "course_test_accuracy": 1 - np.minimum(course, 2.0) / 2,
        "stopped_at": stopped,
        "best_step": np.full((replicas, 2), 0.0 if diverged else 10.0),
        "stopped_test_loss": late,
        "restored_test_loss": restored,
        "stopped_test_accuracy": 1 - np.minimum(late, 2.0) / 2,
        "restored_test_accuracy": 1 - restored / 2,
        "last_test_loss": course[-1],
        "index_stopped_at": np.array(["1", "5"]),
    }


def ensemble_rows(variant: str, replicas: int, *, diverged: bool) -> list[tuple[str, int, int | None, str, str, float]]:
    """Members with a loss of (r + 1) / 10 whose average of size k has (r + 1) / (10 k), and everything else in proportion."""
    rows: list[tuple[str, int, int | None, str, str, float]] = []
    for replica in range(replicas):
        loss = np.inf if diverged else (replica + 1) / 10
        for size in (1, 2, 4):
            for way, power in (
                ("member", 0.0),
                ("average", 1.0),
                ("logits", 0.8),
                ("vote", 0.7),
                *([("stacked", 0.9)] if size > 1 else []),
            ):
                own = loss / size**power
                scores = {"accuracy": 0.0 if diverged else 1 - own / 10, "loss": own, "calibration_error": own / 2}
                told = {score: value for score, value in scores.items() if way != "vote" or score != "loss"}
                rows += [(variant, replica, None, f"{way}_{score}", str(size), value) for score, value in told.items()]
            if 2 * size <= replicas:
                rows.append((variant, replica, None, "prediction_variance", str(size), loss / size))
    return rows


def factorial_rows(variant: str, place: int, replicas: int, *, diverged: bool) -> list[tuple[str, int, int | None, str, str, float]]:
    """Of variant number v with the levels none, b of one and none, c of another factor: v + [b] + 2 [b c] + r / 10."""
    return [
        (
            variant,
            replica,
            None,
            "final_loss",
            f"{one}/{two}",
            np.inf if diverged else place + (one == "b") * (1 + 2 * (two == "c")) + replica / 10,
        )
        for replica in range(replicas)
        for one in ("none", "b")
        for two in ("none", "c")
    ]


def numbers(made: dict[str, Any]) -> pd.DataFrame:
    """Return the numbers of a study made by `study`, as they are read from numbers.csv."""
    rows: list[tuple[str, int, int | None, str, str, float]] = []
    for variant_number, (variant, measured) in enumerate(made["loss"].items()):
        replicas, gone = measured["test_loss"].shape[1], not np.isfinite(measured["test_loss"][-1]).any()
        rows += ensemble_rows(variant, replicas, diverged=gone) + factorial_rows(variant, variant_number, replicas, diverged=gone)
        for quantity in ("train_loss", "test_loss"):
            values = np.ndenumerate(measured[quantity])
            rows += [(variant, replica, int(measured["step"][place]), quantity, "", value) for (place, replica), value in values]
        norms = made["gradient_norm"][variant]
        for (place, replica, layer), value in np.ndenumerate(norms["gradient_norm"]):
            if norms["exists_gradient_norm"][place, replica]:
                index = str(norms["index_gradient_norm"][layer])
                rows.append((variant, replica, int(norms["step"][place]), "gradient_norm", index, value))
        for (replica,), value in np.ndenumerate(made["exact_output"][variant]["exact_test_loss"]):
            rows.append((variant, replica, None, "exact_test_loss", "", value))
        solved = made["tangent"][variant]
        for (place, replica, rank), value in np.ndenumerate(solved["tangent_test_loss"]):
            if solved["exists_tangent_test_loss"][place, replica]:
                label = str(solved["index_tangent_test_loss"][rank])
                rows.append((variant, replica, int(solved["step"][place]), "tangent_test_loss", label, value))
        for (replica,), value in np.ndenumerate(solved["linearized_test_loss"]):
            rows.append((variant, replica, None, "linearized_test_loss", "", value))
        fit = made["simulations"]["normal_fit"][variant]
        for (replica,), value in np.ndenumerate(fit["steps_to_tolerance"]):
            rows.append((variant, replica, None, "steps_to_tolerance", "", value))
        for (replica, rate), value in np.ndenumerate(fit["steps_by_rate"]):
            rows.append((variant, replica, None, "steps_by_rate", str(fit["index_steps_by_rate"][rate]), value))
        met = made["fate"][variant]
        for replica, kind in zip(*np.nonzero(met["exists_fate"]), strict=True):
            rows.append((variant, int(replica), None, "fate", str(met["index_fate"][kind]), 1.0))
        for replica in np.flatnonzero(met["exists_diverged_at"]):
            rows.append((variant, int(replica), None, "diverged_at", "", float(met["diverged_at"][replica])))
    table = pd.DataFrame(rows, columns=["variant", "replica", "step", "quantity", "index", "value"])
    table.insert(0, "study", "made_up")
    return table.astype({"step": "Int64"})


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    """Return x and y of the one line of a panel with this label."""
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return np.asarray(found.get_xdata(), dtype=float).tolist(), np.asarray(found.get_ydata(), dtype=float).tolist()


def dots(axes: Axes, label: str) -> Any:
    """Return the places (n, 2) of the dots of a panel with this label."""
    (found,) = [one for one in axes.collections if isinstance(one, PathCollection) and one.get_label() == label]
    return np.asarray(found.get_offsets())


def panel(figure: Any, name: str) -> Axes:
    """Return the panel of a figure with this name."""
    (found,) = [axes for axes in figure.axes if axes.get_label() == name]
    return found
