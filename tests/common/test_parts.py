import types

import pytest

from scripts.common import parts


def test_call_passes_arguments_and_options_but_neither_kind_nor_seed():
    module = types.ModuleType("module")
    module.double = lambda x, *, add, times=2: x * times + add
    assert parts.call(module, {"kind": "double", "seed": 3, "add": 1}, 5) == 11
    assert parts.call(module, {"kind": "double", "times": 10}, 5, add=0) == 50
    with pytest.raises(TypeError):
        parts.call(module, {"kind": "double", "add": 1, "other": 2}, 5)
