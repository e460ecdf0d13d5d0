import json
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.common.recipe import Recipe, Source, code_digest, code_path, code_text, from_json

RECIPE = Recipe(
    step="measure",
    name="study/variant/loss",
    settings={"kind": "loss", "list": [1, 2.5, None], "nested": {"b": True, "a": "ü"}},
    inputs={"train": {"": Source("results/train/x.npz", "train", "d" * 64)}, "many": {}},
    files={"templates/a": "e" * 64},
    code={},
    libraries={"python": "3.11", "numpy": "2.4.6"},
    digest="0" * 64,
)


def test_a_recipe_reads_back_as_it_was_with_its_order():
    again = from_json(RECIPE.as_json("results"), RECIPE.path("results"))
    assert again == RECIPE
    assert list(again.settings["nested"]) == ["b", "a"]


def test_the_file_of_a_recipe_is_named_by_its_digest():
    assert RECIPE.path("results/quick") == f"results/quick/recipe/measure/study/variant/loss.{'0' * 16}.json"


def test_a_recipe_is_the_same_text_every_time():
    text = RECIPE.as_json("results")
    assert from_json(text, RECIPE.path("results")).as_json("results") == text
    assert json.loads(text)["inputs"]["train"][""]["kind"] == "train"


def test_a_recipe_is_the_same_text_in_every_folder_of_results():
    elsewhere = replace(RECIPE, inputs={"train": {"": Source("/scratch/recipe/measure/train/x.npz", "train", "d" * 64)}, "many": {}})
    text = elsewhere.as_json("/scratch/recipe/measure")
    assert text == RECIPE.as_json("results")
    assert "results" not in text
    assert from_json(text, elsewhere.path("/scratch/recipe/measure")) == elsewhere


def test_the_code_of_recipes_is_stored_by_its_content_and_read_with_them(tmp_path):
    recipe = replace(RECIPE, inputs={}, code={"scripts/measure.py:measure": "f" * 16})
    results = (tmp_path / "results").as_posix()
    text, path = recipe.as_json(results), Path(code_path(code_digest(recipe.code), results))
    assert code_digest(recipe.code) not in ("", code_digest({"scripts/measure.py:": "f" * 16}))
    with pytest.raises(ValueError, match=r"recipe/code/[0-9a-f]{16}\.json: missing"):
        from_json(text, recipe.path(results))
    path.parent.mkdir(parents=True)
    path.write_text(code_text(recipe.code))
    assert from_json(text, recipe.path(results)) == recipe
    path.write_text(code_text(recipe.code).replace("f", "e", 1))
    with pytest.raises(ValueError, match="altered since it was saved"):
        from_json(text, recipe.path(results))
