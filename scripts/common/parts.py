"""Parts named in a study's YAML, called: a mapping with ``kind`` and options becomes a call of the function of that name."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

NOT_OPTIONS = frozenset({"kind", "seed"})


def call(module: ModuleType, part: Mapping[str, Any], *arguments: Any, **keywords: Any) -> Any:
    """Call the function of `module` that ``part["kind"]`` names, with `arguments`, `keywords` and the options that `part` gives.

    ``seed`` is no option: whoever calls a part that draws random numbers makes its generator.
    """
    options = {key: value for key, value in part.items() if key not in NOT_OPTIONS}
    return getattr(module, part["kind"])(*arguments, **keywords, **options)
