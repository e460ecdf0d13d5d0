"""YAML files as people write them: safe, ``1e-3`` is a number, a key given twice is an error, and errors name file and line."""

import re
from pathlib import Path
from typing import Any

import yaml

from scripts.common.errors import UserError


class YamlError(UserError):
    """A YAML file that cannot be read; the message names the file, the line and the remedy."""


SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where there is one: ten times as fast."""


class _Loader(SafeLoader):  # type: ignore[misc]
    """Safe loader that reads ``1e-3`` as a number (YAML 1.2) and refuses a key given twice."""


_Loader.yaml_implicit_resolvers = {key: list(resolvers) for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


MERGE = "tag:yaml.org,2002:merge"
"""Tag of the key ``<<``, which lays a mapping under another."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    lines: dict[Any, int] = {}
    for key_node in (key for key, _ in node.value if key.tag != MERGE):
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping; put it in quotes", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if key in lines:
            problem = f"key '{key}' is given twice (lines {lines[key]} and {line}); keep one"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        lines[key] = line
    loader.flatten_mapping(node)
    return dict(loader.construct_mapping(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises:
        YamlError: the file is missing, empty, no mapping, or no valid YAML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise YamlError(f"{path}: no such file; create it or correct the name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise YamlError(f"{path}: cannot be read as UTF-8 text ({error}); save it as UTF-8") from None
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}: line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = " ".join((getattr(error, "problem", None) or str(error)).split())
        remedy = "" if isinstance(error, yaml.constructor.ConstructorError) else "; correct the indentation, quotes or brackets there"
        raise YamlError(f"{place}: not valid YAML: {problem}{remedy}") from None
    except (ValueError, RecursionError) as error:
        raise YamlError(f"{path}: not valid YAML: {error}; put the value in quotes if it is meant as text") from None
    if not isinstance(content, dict):
        raise YamlError(f"{path}: {'is empty' if content is None else 'holds no mapping'}; expected `key: value` lines")
    return content
