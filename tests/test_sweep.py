import numpy as np
import pytest

from scripts.common import forward_pass, storage
from scripts.common.resume import Resume, StoppedError
from scripts.common.training import train
from scripts.sweep import sweep
from tests.examples import tiny_data, tiny_settings

DATA = {"small": tiny_data(samples=20, seed=1), "large": tiny_data(samples=30)}


def level(data="large", **changes):
    return tiny_settings(**changes) | {"data": data}


LEVELS = {
    "0.1": level(optimizer={"kind": "sgd", "learning_rate": 0.1}),
    "small": level("small"),
    "1e30": level(optimizer={"kind": "sgd", "learning_rate": 1e30}),
}


@pytest.fixture(scope="module")
def found():
    return sweep(DATA, levels=LEVELS)


def test_each_level_has_the_scores_at_the_end_of_its_own_training(found):
    for place, settings in enumerate(LEVELS.values()):
        data = DATA[settings["data"]]
        alone = train(data, **{key: value for key, value in settings.items() if key != "data"})
        for score in ("train_loss", "test_loss", "train_accuracy", "test_accuracy"):
            np.testing.assert_array_equal(found[score][:, place], alone[score][-1])
    assert found["index_test_loss"].tolist() == list(LEVELS)
    assert np.isfinite(found["train_loss"][:, :2]).all()
    assert not np.isfinite(found["train_loss"][:, 2]).any(), "what diverges is kept as it is"


def test_the_calibration_error_is_that_of_the_predictions_on_the_test_samples(found):
    settings = {key: value for key, value in LEVELS["small"].items() if key != "data"}
    alone, data = train(DATA["small"], **settings), DATA["small"]
    prediction = forward_pass.predict_all(alone["parameters"][-1], data["test_x"], network=settings["network"], outputs=3)
    odds = np.exp(prediction) / np.exp(prediction).sum(axis=2, keepdims=True)  # (R, N, C)
    labels = data["test_y"].argmax(axis=1)
    for replica, of_replica in enumerate(odds):
        sure, right = of_replica.max(axis=1), of_replica.argmax(axis=1) == labels
        gaps = 0.0
        for low in np.arange(15) / 15:
            inside = (sure > low) & (sure <= low + 1 / 15)
            gaps += abs(sure[inside].sum() - right[inside].sum())
        assert found["calibration_error"][replica, 1] == pytest.approx(gaps / len(labels))


def test_a_network_with_one_output_has_losses_alone():
    data = tiny_data(outputs=1)
    found = sweep({"large": data}, levels={"0.1": level()})
    assert set(found) == {f"{prefix}{score}" for prefix in ("", "index_") for score in ("train_loss", "test_loss")}


def test_it_is_a_file_of_its_kind(found, tmp_path):
    storage.save(tmp_path / "found.npz", found, kind=storage.SWEEP, digest="0" * 64)


def test_a_sweep_goes_on_from_the_levels_that_are_done(tmp_path, found):
    output, lines = tmp_path / "sweep/study/rates.npz", []
    keep = Resume(output, digest="1" * 64, say=lines.append, kind=storage.LEVEL)
    sweep(DATA, levels=dict(list(LEVELS.items())[:2]), keep=keep)
    again = sweep(DATA, levels=LEVELS, keep=keep, report=lines.append)
    assert lines == ["level 1e30, 3 of 3", "step 25 of 25, 0 s left"]
    assert all(np.array_equal(again[key], found[key], equal_nan=key[:5] != "index") for key in found)
    keep.remove()
    assert not list(tmp_path.rglob("*.npz"))


def test_a_sweep_that_is_told_to_stop_goes_on_within_the_level_that_it_is_at(tmp_path, found):
    output, lines, looks = tmp_path / "sweep/study/rates.npz", [], iter([False] * 40 + [True] * 2)
    told = Resume(output, digest="1" * 64, say=lines.append, kind=storage.LEVEL, told=lambda: next(looks))
    with pytest.raises(StoppedError, match="told to stop at step 17 of 25, which is kept"):
        sweep(DATA, levels=LEVELS, keep=told)
    kept = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz"))
    assert kept == [f"resume/study/rates.{'1' * 16}/{name}.npz" for name in ("0-1", "1/0-17")]
    keep = Resume(output, digest="1" * 64, say=lines.append, kind=storage.LEVEL)
    again = sweep(DATA, levels=LEVELS, keep=keep, report=lines.append)
    assert lines[:2] == ["level small, 2 of 3", "goes on from step 17 of 25, which was reached before"]
    assert all(np.array_equal(again[key], found[key], equal_nan=key[:5] != "index") for key in found)
    keep.remove()
    assert not list(tmp_path.rglob("*.npz"))
