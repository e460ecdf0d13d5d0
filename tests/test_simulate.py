import sys
from types import ModuleType

import numpy as np

from scripts.common.seeds import replica_seeds
from scripts.common.storage import Array, Kind
from scripts.simulate import simulate


def test_a_simulation_is_given_the_seeds_of_its_replicas_its_data_and_its_options(monkeypatch):
    module = ModuleType("scripts.simulations.made_up")
    module.KIND = Kind("made_up", {"drawn": Array("R", "float64", quantity=True)})
    module.simulate = lambda data, seeds, *, factor: {"drawn": factor * np.array(seeds, dtype=float) + data["train_x"].sum()}
    monkeypatch.setitem(sys.modules, "scripts.simulations.made_up", module)
    found, kind = simulate({"data": {"train_x": np.ones((2, 1))}}, kind="made_up", seed=7, replicas=3, factor=2.0)
    np.testing.assert_array_equal(found["drawn"], 2.0 * np.array(replica_seeds(7, 3)) + 2)
    assert kind.name == "made_up"
