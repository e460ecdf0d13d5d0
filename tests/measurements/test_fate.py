import numpy as np

from scripts.common import storage
from scripts.measurements import fate, prediction
from tests.examples import SOURCE, sines, source_run


def test_each_fate(tmp_path):
    data = {"train_y": np.array([[-2.0], [2.0]])}  # variance 4, standard deviation 2
    train = {
        "step": np.array([0, 9]),
        "diverged_at": np.array([-1, 3, -1, -1, -1, -1, -1]),
        "train_loss": np.array([[np.nan] * 7, [1.0, np.nan, 40.1, 39.9, 1.0, 1.0, 50.0]]),
    }
    spread = np.array([1.0, np.nan, 1.0, 1.0, 1.9e-3, 2.1e-3, 0.0])
    found = fate.measure(data, train, {"prediction_std": np.stack([spread * np.nan, spread])})
    names = [found["index_fate"][holds].tolist() for holds in found["exists_fate"]]
    assert names == [["fine"], ["diverged"], ["blown up"], ["fine"], ["collapsed"], ["fine"], ["blown up"]]
    np.testing.assert_array_equal(found["fate"], found["exists_fate"])
    assert found["exists_diverged_at"].tolist() == [False, True] + [False] * 5
    assert found["diverged_at"][1] == 3
    assert found["step"].tolist() == [9]
    storage.save(tmp_path / "fate.npz", found, kind=fate.KIND, digest="d")


def test_fates_of_the_variants_of_the_source():
    def counted(variant):
        train = source_run(variant)
        spread = prediction.measure(sines(), train, SOURCE[variant][0])
        return dict(zip(fate.FATES, fate.measure(sines(), train, spread)["fate"].sum(axis=0).tolist(), strict=True))

    assert counted("shallow")["fine"] == 20
    assert counted("deep_small")["collapsed"] == 20
    assert counted("deep_large")["diverged"] == 20
    assert counted("deep_he")["fine"] >= 15
