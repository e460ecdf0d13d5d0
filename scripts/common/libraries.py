"""Arrays of either library: what is written with the names that numpy and PyTorch share runs on both, and imports neither."""

import sys
from typing import Any


def library(array: Any) -> Any:
    """Return the library of an array, the module ``numpy`` or ``torch``."""
    return sys.modules[type(array).__module__.partition(".")[0]]
