import os
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scripts.common import gram as module
from scripts.common import linearization
from scripts.common.errors import UserError
from scripts.common.gram import gram
from scripts.common.places import PROJECT

PLENTY = 1e9
NTK = {"parametrization": "ntk", "weight_variance": 2.0, "bias_variance": 0.1, "output_scale": 3.0}
CASES: dict[str, tuple[dict[str, Any], int, int]] = {
    "one hidden layer": ({"hidden": [7], "activation": "relu"}, 2, 1),
    "several outputs": ({"hidden": [7, 5], "activation": "tanh"}, 3, 2),
    "ntk parametrization": ({"hidden": [6, 5, 4], "activation": "relu", **NTK}, 2, 3),
}
"""Network, inputs, outputs."""


def example(case: str, points: int = 20) -> tuple[Any, Any, Any, dict[str, Any]]:
    network, inputs, outputs = CASES[case]
    generator = np.random.default_rng(0)
    size = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise([inputs, *network["hidden"], outputs]))
    return generator.standard_normal(size), generator.standard_normal((points, inputs)), generator.standard_normal((11, inputs)), network


def explicit(parameters: Any, x: Any, other: Any, network: dict[str, Any]) -> Any:
    rows, columns = (linearization.jacobian(parameters, points, network=network).reshape(-1, len(parameters)) for points in (x, other))
    return rows @ columns.T


@pytest.mark.parametrize("case", CASES)
def test_gram_is_the_explicit_product(case: str) -> None:
    parameters, x, other, network = example(case)
    np.testing.assert_allclose(
        gram(parameters, x, network=network, memory=PLENTY), explicit(parameters, x, x, network), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        gram(parameters, x, other, network=network, memory=PLENTY), explicit(parameters, x, other, network), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block", [1, 3, 7, 19])
@pytest.mark.parametrize("rows", [1, 4, 512])
def test_gram_in_blocks_is_the_same_and_symmetric(case: str, block: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters, x, other, network = example(case)
    monkeypatch.setattr(module, "_block", lambda *_: block)
    monkeypatch.setattr(module, "ROWS", rows)
    found = gram(parameters, x, network=network, memory=PLENTY)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, explicit(parameters, x, x, network), rtol=1e-12, atol=1e-12)
    crossed = gram(parameters, x, other, network=network, memory=PLENTY)
    np.testing.assert_allclose(crossed, explicit(parameters, x, other, network), rtol=1e-12, atol=1e-12)


def test_less_memory_gives_smaller_blocks_until_there_is_too_little() -> None:
    parameters, x, _, network = example("several outputs", points=200)
    widths = [3, 7, 5, 2]
    sizes = [module._block((400, 400), widths, len(parameters), memory) for memory in (PLENTY, 2e6, 1.5e6, 1.4e6)]
    assert sizes[0] == 200
    assert sizes == sorted(sizes, reverse=True)
    assert 1 <= sizes[-1] < 200
    assert gram(parameters, x, network=network, memory=1.4e6).shape == (400, 400)
    with pytest.raises(UserError, match=r"400 by 400 with 80 parameters needs .* GiB at least; it was given .* raise 'memory'"):
        gram(parameters, x, network=network, memory=1.2e6)


def test_parameters_that_are_not_finite_give_no_numbers() -> None:
    parameters, x, _, network = example("one hidden layer")
    parameters[3] = np.inf
    assert np.isnan(gram(parameters, x, network=network, memory=PLENTY)).all()


def test_single_precision_parameters_are_computed_with_in_double() -> None:
    parameters, x, _, network = example("ntk parametrization")
    single = parameters.astype(np.float32)
    found = gram(single, x, network=network, memory=PLENTY)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, gram(single.astype(np.float64), x, network=network, memory=PLENTY), rtol=1e-13)


LIMITED = """
import resource
import numpy as np
from scripts.common import linearization
from scripts.common.gram import gram

points, network = {points}, dict(hidden=[{width}, {width}], activation="relu")
generator = np.random.default_rng(0)
size = 10 * {width} + {width} + {width}**2 + {width} + {width} + 1
parameters, x = generator.standard_normal(size) / 30, generator.standard_normal((points, 10))
x.T @ x  # the library of matrix products takes its own memory once
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + {memory}, held + {memory}))
kernel = gram(parameters, x, network=network, memory={memory})
print(size, np.isfinite(kernel).all())
some = linearization.jacobian(parameters, x[::{stride}], network=network)[:, 0]
print(np.abs(some @ some.T - kernel[::{stride}, ::{stride}]).max() / kernel.max())
try:
    linearization.jacobian(parameters, x, network=network)
except MemoryError:
    print("too large")
"""


def run_limited(**numbers: int) -> list[str]:
    """Run a computation that may take so much memory, on top of what Python and numpy hold, and no more: a hard limit."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(**numbers)], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory in use is read from /proc")  # noqa: PTH110
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"points": 500, "width": 300, "memory": 24 * 2**20, "stride": 100}, id="500 points, 93,901 parameters"),
        pytest.param({"points": 2000, "width": 995, "memory": 200 * 2**20, "stride": 500}, id="2,000 points, 1,002,961 parameters"),
    ],
)
def test_gram_stays_within_its_memory_where_the_jacobian_does_not(numbers: dict[str, int]) -> None:
    """The limit is on the addresses of the process, so that not one array more can be made."""
    sizes, error, large, _ = run_limited(**numbers)
    assert sizes.split()[1] == "True"
    assert float(error) < 1e-6
    assert large == "too large"
