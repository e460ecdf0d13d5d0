import importlib.util

import pandas as pd
import pytest

from scripts import claim
from scripts.common.errors import UserError

TABLE = pd.DataFrame({"study": "own", "variant": "a", "replica": [0, 1, 2], "step": None, "quantity": "loss", "index": "", "value": 0.5})
HEAD = "def loss_is_small(runs):\n    values = runs.values('a', 'loss')\n"


@pytest.fixture
def decided(tmp_path, monkeypatch):
    """Decide the claims of a file."""

    def decide(text):
        path = tmp_path / "scripts/claims/own.py"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        specification = importlib.util.spec_from_file_location("own_claims", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        monkeypatch.setattr(claim, "PROJECT", tmp_path)
        monkeypatch.setattr(claim, "import_module", lambda _name: module)
        return claim.decide(TABLE, study="own", bootstrap={"seed": 0, "resamples": 100})

    return decide


def test_each_function_is_a_claim(decided):
    words = "statement='s', quantity='q', reason='r'"
    (found,) = decided(f"{HEAD}    return runs.median(values, below=1.0, {words})\n\n\ndef _helper():\n    pass\n")
    assert (found["id"], found["verdict"], found["estimate"], found["n"]) == ("loss_is_small", "supported", 0.5, 3)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    return 1 / 0\n", "line 3: loss_is_small: ZeroDivisionError: division by zero; correct it there"),
        ("    return runs.values('a', 'lost')\n", "line 3: loss_is_small: unknown quantity 'lost'; known: loss; correct it there"),
        ("    return runs.values('b', 'loss')\n", "line 3: loss_is_small: no numbers of variant 'b'; known: a; correct it there"),
        (
            "    return runs.values('a', 'loss', step='last')\n",
            "line 3: loss_is_small: 'loss' of 'a' has no steps; write step=None in a claim, step=none in a chapter, not step last; "
            "correct it there",
        ),
        (
            "    return values > 1\n",
            "loss_is_small: wrong value array([False, False, False]); allowed: a finding, as `runs.median` returns one",
        ),
    ],
)
def test_what_is_wrong_in_a_claim_is_told_with_its_line(decided, body, expected):
    with pytest.raises(UserError) as caught:
        decided(HEAD + body)
    assert str(caught.value) == f"scripts/claims/own.py: {expected}"
