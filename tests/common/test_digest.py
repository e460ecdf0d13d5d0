import sys
from importlib import metadata

import pytest

from scripts.common import digest
from scripts.common.digest import make_recipe
from scripts.common.errors import UserError
from scripts.common.recipe import Source
from tests.copies import forget, working_in

FILES = {
    "scripts/step.py": "import numpy as np\nfrom scripts.common.first import x\n\nif __name__ == '__main__':\n    print(x)\n",
    "scripts/common/first.py": '"""A docstring."""\nfrom scripts.common.second import FACTOR\n\nx = FACTOR  # a comment\n',
    "scripts/common/second.py": "FACTOR = 2\nUNUSED = 3\n",
    "scripts/common/unused.py": "OTHER = 1\n",
    "templates/page.html": "<p>",
}
INPUTS = {"train": {"": Source("results/train/a.npz", "train", "1" * 64)}}
DEFAULTS = {
    "settings": {"a": 1, "b": {"c": 2.0, "d": 3.0}},
    "inputs": INPUTS,
    "scripts": ["scripts/step.py"],
    "files": ["templates/page.html"],
}


@pytest.fixture(autouse=True)
def project(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with working_in(tmp_path):
        yield tmp_path


def made(**changes):
    forget()
    return make_recipe("step", "job", **DEFAULTS | changes)


def test_a_recipe_holds_all_that_the_job_depends_on():
    recipe = made()
    assert set(recipe.code) == {
        "scripts/step.py:",
        "scripts/step.py:__main__",
        "scripts/common/first.py:",
        "scripts/common/first.py:x",
        "scripts/common/second.py:",
        "scripts/common/second.py:FACTOR",
    }
    assert recipe.libraries == {"python": "{}.{}".format(*sys.version_info), "numpy": metadata.version("numpy")}
    assert set(recipe.files) == {"templates/page.html"}
    assert recipe.settings == DEFAULTS["settings"]
    assert recipe.digest == made().digest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/common/first.py", '"""Another docstring."""\n\nfrom scripts.common.second import FACTOR\nx = (\n    FACTOR\n)\n'),
        ("scripts/common/unused.py", "OTHER = 2\n"),
        ("scripts/common/second.py", "FACTOR = 2\nUNUSED = 4\nMORE = 5\n"),
    ],
    ids=["comment, docstring and layout", "a module that is not imported", "a constant that is not used"],
)
def test_what_the_job_does_not_depend_on_does_not_count(project, name, text):
    before = made().digest
    (project / name).write_text(text)
    assert made().digest == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/common/second.py", "FACTOR = 3\n"),
        ("scripts/step.py", FILES["scripts/step.py"].replace("first import x", "second import FACTOR as x")),
        ("scripts/step.py", FILES["scripts/step.py"] + "import scripts.common.unused\n"),
        ("templates/page.html", "<p >"),
    ],
    ids=["a constant of a module that a module imports", "an import", "one more module", "a template"],
)
def test_what_the_job_depends_on_counts(project, name, text):
    before = made().digest
    (project / name).write_text(text)
    assert made().digest != before


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {"a": 1, "b": {"c": 3.0, "d": 2.0}}},
        {"settings": {"a": {"c": 2.0, "d": 3.0}, "b": 1}},
        {"settings": {"a": 1, "b": {"c": 2.0}}},
        {"settings": DEFAULTS["settings"] | {"order": ["y", "x"]}},
        {"inputs": {"train": {"": Source("results/train/a.npz", "train", "2" * 64)}}},
        {"inputs": {"other": INPUTS["train"]}},
        {"inputs": {}},
        {"files": []},
    ],
    ids=[
        "two values swapped",
        "two keys swapped",
        "one value less",
        "a list",
        "the digest of an input",
        "the name of an input",
        "no input",
        "no template",
    ],
)
def test_settings_and_inputs_count(changes):
    assert made(**changes).digest != made().digest


def test_the_order_of_lists_and_of_inputs_counts_and_that_of_keys_does_not():
    sources = {key: Source(f"results/{key}", "loss", key * 64) for key in "ab"}
    backwards = dict(reversed(sources.items()))
    assert made(inputs={"loss": sources}).digest != made(inputs={"loss": backwards}).digest
    assert made(settings={"variants": ["a", "b"]}).digest != made(settings={"variants": ["b", "a"]}).digest
    assert made(settings={"b": 2, "a": 1}).digest == made(settings={"a": 1, "b": 2}).digest


def test_where_files_stand_does_not_count():
    elsewhere = {"train": {"": Source("results/quick/train/a.npz", "train", "1" * 64)}}
    assert made(inputs=elsewhere).digest == made().digest


def test_step_and_name_count():
    assert make_recipe("step", "other", **DEFAULTS).digest != make_recipe("step", "job", **DEFAULTS).digest


@pytest.mark.parametrize(("package", "counts"), [("numpy", True), ("torch", False)])
def test_the_version_of_a_library_counts_where_it_is_imported(monkeypatch, package, counts):
    before, version = made().digest, metadata.version
    monkeypatch.setattr(digest.metadata, "version", lambda name: "0.0.1" if name == package else version(name))
    assert (made().digest != before) == counts


def test_a_library_that_is_not_installed_is_said_to_be_so(project):
    (project / "scripts/step.py").write_text("import nowhere_to_be_found\n")
    assert made().libraries["nowhere_to_be_found"] == "not installed"


def test_packages_are_known_under_the_names_of_their_distributions():
    assert all(metadata.version(distribution) for distribution in digest.DISTRIBUTIONS.values())


def test_a_missing_file_is_named_with_its_remedy(project):
    (project / "templates/page.html").unlink()
    with pytest.raises(UserError, match=r"templates/page.html: cannot be read \(No such file or directory\); restore it"):
        made()
