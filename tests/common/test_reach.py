"""What a job can reach: each expected set is written by hand, and nothing that could be used is left out."""

import pytest

from scripts.common import components, reach
from scripts.common.definitions import MAIN
from tests.copies import forget, working_in

BASE = {
    "scripts/step.py": """
        from scripts.common import parts, losses
        from scripts.common.helpers import helper as assistant

        def work(settings):
            return parts.call(losses, settings["loss"]) + assistant()

        def unused():
            return losses.other()

        if __name__ == "__main__":
            work(snakemake)
    """,
    "scripts/common/parts.py": """
        def call(module, part, *arguments):
            return getattr(module, part["kind"])(*arguments)
    """,
    "scripts/common/losses.py": """
        def mse():
            return _shared()

        def other():
            return 2

        def _shared():
            return 1
    """,
    "scripts/common/helpers.py": """
        SIZE = 3

        def helper():
            return SIZE

        def idle():
            return 4
    """,
}


@pytest.fixture
def reached(tmp_path):
    def find(files=(), *, kind="mse", more=()):
        for name, text in (BASE | dict(files)).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            first, *lines = text.strip("\n").splitlines() or [""]
            indented = len(first) - len(first.lstrip())
            path.write_text("\n".join(line[indented:] for line in [first, *lines]) + "\n")
        forget()
        roots = (("scripts/step.py", MAIN), *((path, reach.ALL) for path in more))
        return reach.reached(roots, {"loss": {"kind": kind}})

    with working_in(tmp_path):
        yield find


def names(reached, path):
    return {key.partition(":")[2] for key in reached.code if key.startswith(f"scripts/{path}.py:")}


def helpers(text):
    return {"scripts/common/helpers.py": text}


def test_a_job_reaches_what_its_names_mean_and_the_parts_that_its_settings_name(reached):
    found = reached()
    assert names(found, "step") == {"", MAIN, "work"}
    assert names(found, "common/losses") == {"", "mse", "_shared"}
    assert names(found, "common/helpers") == {"", "SIZE", "helper"}
    assert names(reached(kind="other"), "common/losses") == {"", "other"}
    assert all(len(digest) == 16 for digest in found.code.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from scripts.common.losses import other as helper", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(): return losses.other()", {"common/losses": {"other"}}),
        ("import scripts.common.losses\ndef helper(): return scripts.common.losses.other()", {"common/losses": {"other"}}),
        ("import scripts.common.losses as l\ndef helper():\n    def f(): return l.other()\n    return f()", {"common/losses": {"other"}}),
        ("def helper():\n    from scripts.common.losses import other\n    return other()", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(x=losses.other): return x()", {"common/losses": {"other"}}),
        ("from scripts.common import losses\nX = {'a': losses.other}\ndef helper(): return X['a']()", {"common/losses": {"other"}}),
        ("from scripts.common.losses import *\ndef helper(): return other()", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(): return losses.nowhere", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(): return vars(losses)", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(a): return getattr(losses, 'o' + a)", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper(): return ask(losses, 'other')", {"common/losses": {"other"}}),
        ("from scripts.common import losses\ndef helper():\n    m = losses\n    return m.other()", {"common/losses": {"other"}}),
        ("from scripts.common.losses import other\nclass A:\n    def f(self): other()\ndef helper(): A()", {"common/losses": {"other"}}),
        ("from scripts.common import losses\nlosses.mse = losses.other\ndef helper(): pass", {"common/losses": {"other"}}),
        ("from scripts.common import losses\nclass A(losses.other): pass\ndef helper(): pass", {"common/losses": {"other"}}),
        ("from scripts.common.losses import other\n@other\ndef idle(): pass\ndef helper(): pass", {"common/helpers": {"idle"}}),
        ("from scripts.common.losses import other\n@other\ndef idle(): pass\ndef helper(): pass", {"common/losses": {"other"}}),
        ("from scripts.common import losses\nX = losses.other()\ndef helper(): pass", {"common/losses": {"other"}}),
        ("def helper(): pass\nfor x in (1, 2): idle()\ndef idle(): pass", {"common/helpers": {"idle"}}),
        ("def helper(): return eval('1')", {"common/losses": {"other"}, "more": {"f"}}),
        ("from importlib import import_module\ndef helper(a): return import_module(a)", {"more": {"f"}}),
        ("import importlib\ndef helper(a): importlib.import_module(f'scripts.kinds.{a}')", {"kinds/one": {"f"}, "kinds/two": {"f"}}),
        ("def __getattr__(name): return idle()\ndef idle(): pass\nhelper = 1", {"common/helpers": {"__getattr__", "idle"}}),
        ("COUNT = 0\ndef helper():\n    global COUNT\n    COUNT = 1", {"common/helpers": {"COUNT"}}),
        ("def helper(x: 'idle'): pass\ndef idle(): pass", {"common/helpers": {"helper"}}),
    ],
)  # fmt: skip
def test_what_could_be_used_counts_as_reached(reached, text, expected):
    others = {f"scripts/{name}.py": "def f(): pass" for name in ("more", "kinds/one", "kinds/two")}
    found = reached(helpers(text) | others)
    for path, definitions in expected.items():
        assert definitions <= names(found, path), path


def test_a_dynamic_import_that_the_job_names_is_followed_there_and_nowhere_else(reached):
    text = "from importlib import import_module\ndef helper(a): return import_module(f'scripts.kinds.{a}')"
    others = {f"scripts/kinds/{name}.py": "def f(): return g()\ndef g(): pass" for name in ("one", "two")}
    found = reached(helpers(text) | others, more=["scripts/kinds/two.py"])
    assert names(found, "kinds/two") == {"", "f", "g"}
    assert not names(found, "kinds/one")


def test_of_a_module_that_is_named_as_a_whole_the_order_counts(reached):
    files = {"scripts/kinds/one.py": "def f(): pass\ndef g(): pass"}
    other = {"scripts/kinds/one.py": "def g(): pass\ndef f(): pass"}
    assert reached(files, more=["scripts/kinds/one.py"]).code != reached(other, more=["scripts/kinds/one.py"]).code


def test_importing_a_module_runs_the_packages_around_it_and_what_it_imports(reached):
    files = helpers("import numpy\nimport scripts.common.deeper.one\ndef helper(): import torch.nn\ndef idle(): import pandas")
    files |= {"scripts/common/deeper/__init__.py": "import yaml\nprint(1)", "scripts/common/deeper/one.py": "def f(): pass"}
    found = reached(files)
    assert names(found, "common/deeper/__init__") == names(found, "common/deeper/one") == {""}
    assert found.packages == {"numpy", "torch", "yaml"}


def test_what_is_imported_and_is_not_there_counts(reached):
    before = reached(helpers("from scripts.common.losses import other\ndef helper(): pass"))
    after = reached(
        helpers("from scripts.common.losses import other\ndef helper(): pass")
        | {"scripts/common/losses.py": "def mse(): pass\ndef _shared(): pass"}
    )
    assert after.code["scripts/common/losses.py:other"] == "missing"
    assert after.code != before.code


def test_a_job_that_reads_sources_depends_on_those_that_it_names(reached):
    text = "import ast\nPLACE = 'scripts/common/losses.py'\ndef helper(): return ast.parse(open(PLACE).read())"
    before = reached(helpers(text))
    assert names(before, "common/losses") == {"", "mse", "_shared", "*"}
    after = reached(helpers(text) | {"scripts/common/losses.py": BASE["scripts/common/losses.py"].replace("return 2", "return 3")})
    assert {key for key in after.code if after.code[key] != before.code[key]} == {"scripts/common/losses.py:*"}


def test_a_part_may_be_named_by_code_that_is_reached_and_by_a_word_of_a_setting(reached):
    assert "other" in names(reached(helpers("def helper(): return {'kind': 'other'}")), "common/losses")
    assert "other" in names(reached(kind="mse/other"), "common/losses")
    assert "other" not in names(reached(helpers("def helper(): return 1\ndef idle(): return 'other'")), "common/losses")


@pytest.mark.parametrize("kind", components.names(components.DATASET))
def test_a_data_set_reaches_no_network_and_nothing_that_trains_one(kind):
    roots = (("scripts/data.py", MAIN), (f"scripts/datasets/{kind}.py", reach.ALL))
    found = {place.partition(":")[0] for place in reach.reached(roots, {"kind": kind}).code}
    assert f"scripts/datasets/{kind}.py" in found
    assert not found & {f"scripts/common/{name}.py" for name in ("architectures", "initializations", "optimizers", "activations", "losses")}
