import json

from scripts.common.recipe import Recipe, Source, from_json

RECIPE = Recipe(
    step="measure",
    name="study/variant/loss",
    settings={"kind": "loss", "list": [1, 2.5, None], "nested": {"b": True, "a": "ü"}},
    inputs={"train": {"": Source("results/train/x.npz", "train", "d" * 64)}, "many": {}},
    files={"templates/a": "e" * 64},
    code={"scripts/measure.py": "f" * 64},
    libraries={"python": "3.11", "numpy": "2.4.6"},
    digest="0" * 64,
)


def test_a_recipe_reads_back_as_it_was_with_its_order():
    again = from_json(RECIPE.as_json())
    assert again == RECIPE
    assert list(again.settings["nested"]) == ["b", "a"]


def test_the_file_of_a_recipe_is_named_by_its_digest():
    assert RECIPE.path("results/quick") == f"results/quick/recipe/measure/study/variant/loss.{'0' * 16}.json"


def test_a_recipe_is_the_same_text_every_time():
    assert from_json(RECIPE.as_json()).as_json() == RECIPE.as_json()
    assert json.loads(RECIPE.as_json())["inputs"]["train"][""]["kind"] == "train"
