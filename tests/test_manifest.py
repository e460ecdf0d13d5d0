import pytest

from scripts import manifest
from scripts.common.recipe import Recipe


def recipe(step, settings):
    return Recipe(step, "study/job", settings, inputs={}, files={}, code={}, libraries={}, digest="0" * 64)


def level(seed):
    return {"initialization": {"kind": "he_normal", "seed": seed}, "batches": {"size": 5, "seed": 7}}


def test_seeds_of_a_training_are_told_by_their_key():
    found = manifest._seeds(recipe("train", level(3)))
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
    found = manifest._seeds(recipe("sweep", {"levels": {"0.1": level(seeds[0]), "1": level(seeds[1])}}))
    assert found == {f"sweep/study/job: {key}": seed for key, seed in keys.items()}
