"""YAML files as people write them: safe, ``1e-3`` is a number, a key given twice is an error, and errors name file and line."""

import re
from pathlib import Path
from typing import Any

import yaml

from scripts.common.errors import UserError


class YamlError(UserError):
    """A YAML file that cannot be read; the message names the file, the line and the remedy."""


class _Loader(yaml.SafeLoader):
    """Safe loader that reads ``1e-3`` as a number (YAML 1.2) and refuses a key given twice."""


_Loader.yaml_implicit_resolvers = {key: list(resolvers) for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


def _unique_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    lines: dict[Any, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if key in lines:
            raise yaml.constructor.ConstructorError(
                None, None, f"key '{key}' is given twice (lines {lines[key]} and {line}); keep one", key_node.start_mark
            )
        lines[key] = line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


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
        raise YamlError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}: line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise YamlError(f"{place}: not valid YAML: {problem}; correct the indentation, quotes or brackets there") from None
    if not isinstance(content, dict):
        raise YamlError(f"{path}: {'is empty' if content is None else 'holds no mapping'}; expected `key: value` lines")
    return content
