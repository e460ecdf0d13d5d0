from typing import Any

import numpy as np
import pytest

from scripts.common import gram, infinite_width, parametrization, storage
from scripts.simulations import kernel_convergence
from scripts.simulations.kernel_convergence import KIND, simulate
from tests import synthetic

OPTIONS: dict[str, Any] = {"depth": 2, "widths": [8, 32, 128], "weight_variance": 2.0, "bias_variance": 0.1}


def simulated(seeds: Any = (0, 1, 2), **options: Any) -> storage.Arrays:
    return simulate(synthetic.data(), seeds, **OPTIONS | options)


def test_distances_are_those_of_the_drawn_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    draw = kernel_convergence._draw

    def watched(*arguments: Any) -> Any:
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(kernel_convergence, "_draw", watched)
    found = simulated(seeds=[5], widths=[16, 24])
    x = synthetic.data()["train_x"]
    options = {"weight_variance": 2.0, "bias_variance": 0.1}
    exact = infinite_width.kernels(x, depth=2, **options)
    limit = infinite_width.tangent_kernel(x, terms=infinite_width.standard_limit_terms(2), **options)
    for place, (width, layers) in enumerate(zip([16, 24], drawn, strict=True)):
        flat = np.concatenate([part.ravel() for layer in layers for part in layer]).astype(np.float64)
        network = {"hidden": [width, width], "activation": "relu", "parametrization": "ntk", "output_scale": 1.0, **options}
        ntk = gram.gram(flat, x, network=network, memory=1e9)
        effective = flat * parametrization.scales(network, inputs=1, outputs=1)
        standard = gram.gram(effective, x, network={"hidden": [width, width], "activation": "relu"}, memory=1e9) / width
        for quantity, kernel, expected in (("ntk_distance", ntk, exact.ntk), ("standard_distance", standard, limit)):
            distance = np.linalg.norm(kernel - expected) / np.linalg.norm(expected)
            assert found[quantity][0, place] == pytest.approx(distance, rel=1e-5)
        hidden = x
        for weight, bias in layers[:-1]:
            hidden = np.maximum(np.sqrt(2.0 / weight.shape[1]) * hidden @ weight.T.astype(np.float64) + np.sqrt(0.1) * bias, 0)
        covariance = 2.0 / width * hidden @ hidden.T + 0.1
        distance = np.linalg.norm(covariance - exact.nngp) / np.linalg.norm(exact.nngp)
        assert found["nngp_distance"][0, place] == pytest.approx(distance, rel=1e-5)


def test_distances_fall_as_one_over_the_root_of_the_width() -> None:
    found = simulated(seeds=range(20), depth=1, widths=[16, 64, 256, 1024])
    for quantity in ("ntk_distance", "standard_distance", "nngp_distance"):
        assert np.median(found[f"{quantity}_slope"]) == pytest.approx(-0.5, abs=0.12)
        slope = np.polyfit(np.log(found[f"index_{quantity}"]), np.log(found[quantity][3]), 1)[0]
        assert found[f"{quantity}_slope"][3] == pytest.approx(slope)


def test_a_replica_is_the_same_whatever_the_others_are_and_each_time() -> None:
    several, alone = simulated(seeds=[0, 1, 2]), simulated(seeds=[2])
    for key in ("ntk_distance", "standard_distance_slope", "nngp_distance"):
        np.testing.assert_array_equal(several[key][2], alone[key][0])
        assert not np.array_equal(several[key][1], several[key][2])


def test_the_arrays_are_a_file_of_their_kind(tmp_path: Any) -> None:
    found = simulated()
    storage.save(tmp_path / "one.npz", found, kind=KIND, digest="d")
    assert storage.quantities(tmp_path / "one.npz").keys() == {
        f"{kernel}_distance{what}" for kernel in ("ntk", "standard", "nngp") for what in ("", "_slope")
    }
