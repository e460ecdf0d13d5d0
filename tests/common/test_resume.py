from pathlib import Path

import numpy as np
import pytest

from scripts.common.resume import Resume
from scripts.common.training import train
from tests.examples import pieces, pieces_settings, tiny_data, tiny_settings

OUTPUT = Path("results/train/study/wide.npz")
FOLDER = Path("results/resume/study")


class KilledError(Exception):
    pass


class Killed(Resume):
    """Kept files of a training that ends after it has kept so many."""

    def __init__(self, after, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.left = after

    def save(self, step, arrays):
        super().save(step, arrays)
        self.left -= 1
        if not self.left:
            raise KilledError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def resume(say=print, *, digest="d" * 64, output=OUTPUT):
    return Resume(output, digest=digest, say=say)


def tiny(**changes):
    return tiny_data(), tiny_settings(save_every=4, save_at=[2], evaluate_every=3, **changes)


def kernel(**changes):
    return pieces(), pieces_settings(6, 5, steps=40, save_every=7, save_at=[1, 2], evaluate_every=5, **changes)


CASES = {
    "sgd": tiny(),
    "adam": tiny(optimizer={"kind": "adam", "learning_rate": 0.01}, batches={"kind": "independent", "size": 5, "seed": 0}),
    "float32": tiny(precision="float32"),
    "diverging": tiny(
        network={"kind": "perceptron", "hidden": [6, 6, 6], "activation": "relu"},
        initialization={"kind": "uniform", "scale": 2.0, "seed": 5},
        optimizer={"kind": "sgd", "learning_rate": 0.3, "momentum": 0.9},
        precision="float32",
        replicas=12,
    ),
    "natural gradient": tiny(engine="gauss_newton", optimizer={"kind": "natural_gradient"}, batches={"kind": "full", "seed": 0}),
    "parametrized": tiny(
        network={"kind": "perceptron", "hidden": [5, 4], "activation": "tanh", "parametrization": "ntk"}
        | {"weight_variance": 2.0, "bias_variance": 0.1, "output_scale": 0.5},
        batches={"kind": "full", "seed": 0},
    ),
    "kernel": kernel(),
    "kernel with momentum": kernel(optimizer={"kind": "sgd", "learning_rate": 0.02, "momentum": 0.9}, precision="float64"),
    "kernel of an odd batch": kernel(batches={"kind": "subsets", "share": 0.205, "seed": 0}),
    "kernel of the output layer": kernel(trained="output_layer", optimizer={"kind": "sgd", "learning_rate": 0.2, "momentum": 0.5}),
}


def as_bytes(arrays):
    return {key: values.tobytes() for key, values in arrays.items()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_bytes(case):
    data, settings = CASES[case]
    expected = train(data, **settings)
    if case == "diverging":
        assert len(set(expected["diverged_at"])) > 2
    reached = []
    for kept in (1, 2, 1):
        told = []
        with pytest.raises(KilledError):
            train(data, **settings, keep=Killed(kept, OUTPUT, digest="d" * 64, say=told.append), report=told.append)
        reached.append(told[0] if told else "begins")
    saved = expected["step"].tolist()
    words = f"goes on from step {{}} of {settings['steps']}, which was reached before"
    assert reached == ["begins", words.format(saved[1]), words.format(saved[3])]
    told = []
    found = train(data, **settings, keep=resume(), report=told.append)
    assert told[0] == words.format(saved[4])
    assert as_bytes(found) == as_bytes(expected)


def test_what_is_kept_is_a_file_for_each_saved_step_between_the_first_and_the_last():
    data, settings = CASES["kernel"]
    kept = resume()
    train(data, **settings, keep=kept)
    (folder,) = FOLDER.iterdir()
    assert folder.name == "wide." + "d" * 16
    assert {path.name for path in folder.iterdir()} == {f"{step}.npz" for step in (1, 2, 7, 14, 21, 28, 35)}
    kept.remove()
    assert list(Path("results").iterdir()) == []
    kept.remove()


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def change(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "step", "before"),
    [(cut, 1, None), (cut, 35, 28), (change, 14, 7), (Path.unlink, 14, 7), (lambda path: path.write_bytes(b""), 14, 7)],
    ids=["first cut", "last cut", "changed", "gone", "empty"],
)
def test_a_damaged_file_is_told_and_neither_it_nor_any_after_it_is_used(damage, step, before):
    data, settings = CASES["kernel"]
    expected = train(data, **settings)
    train(data, **settings, keep=resume())
    path = FOLDER / f"wide.{'d' * 16}/{step}.npz"
    damage(path)
    told = []
    found = train(data, **settings, keep=resume(told.append), report=told.append)
    assert as_bytes(found) == as_bytes(expected)
    if damage is not Path.unlink:
        assert told.pop(0).startswith(f"not used: {path}: ")
    assert told[0].startswith(f"goes on from step {before} of 40" if before else "step 40 of 40")


def test_files_of_another_recipe_are_removed_and_those_of_other_variants_left():
    data, settings = CASES["kernel"]
    others = [Path("results/train/study/wide_output.npz"), Path("results/train/other/wide.npz")]
    for output in (OUTPUT, *others):
        train(data, **settings, keep=resume(output=output))
    told = []
    train(data, **settings, keep=resume(digest="e" * 64), report=told.append)
    assert told[0] == "step 40 of 40, 0 s left"
    assert {path.name for path in FOLDER.iterdir()} == {"wide." + "e" * 16, "wide_output." + "d" * 16}
    assert Path("results/resume/other").is_dir()
    assert np.all([resume(output=output)._path(35).is_file() for output in others])
