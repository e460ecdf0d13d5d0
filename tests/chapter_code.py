"""The Python that a chapter prints: run, so that a test can hold it against the project's own."""

import re
from typing import Any

from scripts.common.places import PROJECT, chapter_path


def run(study: str, name: str, **given: Any) -> Any:
    """Return what a block of code in a chapter defines under a name, with the names that it is `given`."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (PROJECT / chapter_path(study)).read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if re.search(rf"^(def|class) {name}\b", block, re.MULTILINE)]
    defined = dict(given)
    exec(compile(block, f"chapter of {study}", "exec"), defined)  # noqa: S102 - the project's own chapter
    return defined[name]
