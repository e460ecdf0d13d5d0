import pytest

from scripts import manifest
from scripts.common.recipe import Recipe, Source


def recipe(step, settings):
    return Recipe(step, "study/job", settings, inputs={}, files={}, code={}, libraries={}, digest="0" * 64)


def level(seed):
    return {"initialization": {"kind": "he_normal", "seed": seed}, "batches": {"size": 5, "seed": 7}}


def test_seeds_of_a_training_are_told_by_their_key():
    found = manifest._seeds([recipe("train", level(3))])
    assert found == {"train/study/job: initialization.seed": 3, "train/study/job: batches.seed": 7}


@pytest.mark.parametrize(
    ("seeds", "keys"),
    [
        ((3, 3), {"initialization.seed": 3, "batches.seed": 7}),
        (
            (3, 4),
            {
                f"levels.{at}.{key}.seed": seed
                for at, of in (("0.1", 3), ("1", 4))
                for key, seed in (("initialization", of), ("batches", 7))
            },
        ),
    ],
)
def test_seeds_that_all_levels_of_a_sweep_share_are_told_once(seeds, keys):
    found = manifest._seeds([recipe("sweep", {"levels": {"0.1": level(seeds[0]), "1": level(seeds[1])}})])
    assert found == {f"sweep/study/job: {key}": seed for key, seed in keys.items()}


def test_the_device_of_each_training_above_is_told_once(monkeypatch):
    def level(device):
        return {"device": device}

    trained = Source("results/train/study/wide.npz", "train", "1")
    recipes = {
        "1": Recipe("train", "study/wide", {"device": "cuda"}, {}, {}, {}, {}, "1"),
        "2": Recipe("sweep", "study/same", {"levels": {"0.1": level("cpu"), "1": level("cpu")}}, {}, {}, {}, {}, "2"),
        "3": Recipe("sweep", "study/both", {"levels": {"0.1": level("cpu"), "1": level("cuda")}}, {}, {}, {}, {}, "3"),
        "4": Recipe("measure", "study/wide/loss", {}, {"train": {"": trained}}, {}, {}, {}, "4"),
    }
    monkeypatch.setattr(manifest, "_recipe_of", lambda source: recipes[source.digest])
    sources = {key: Source(f"results/{recipe.step}/{recipe.name}.npz", recipe.step, key) for key, recipe in recipes.items()}
    assert manifest.devices({"figures": {"fit": sources["4"], "rates": sources["2"]}, "numbers": sources}) == {
        "sweep/study/both: 0.1": "cpu",
        "sweep/study/both: 1": "cuda",
        "sweep/study/same": "cpu",
        "train/study/wide": "cuda",
    }
