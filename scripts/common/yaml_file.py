"""YAML files as people write them: safe, ``1e-3`` is a number, a key given twice is an error, and errors name file and line.

A file is bounded before it is built: its size, its depth, and what it comes to where each ``*name`` is written out, so that a few lines
cannot stand for more than a computer holds.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from scripts.common.errors import UserError
from scripts.common.escaping import checked_text

LARGEST = 2_000_000
"""Bytes of a file."""
MOST_ENTRIES = 200_000
"""Keys, values and lists of a file, those behind a ``*name`` counted wherever it stands."""
DEEPEST = 40
"""Lists and mappings inside of each other."""
TOO_DEEP = f"more than {DEEPEST} lists and mappings stand inside of each other; give it fewer levels"
SAFELY_NESTED = 4000
"""So many of them PyYAML's parser, which calls itself for each, has room for on the smallest stack."""
LONGEST_NUMBER = 400
"""Letters of a number: the decimals of the smallest there is, and more than any needs."""


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


TEXT = "tag:yaml.org,2002:str"
"""Tag of text."""
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


def _checked_scalar(loader: Any, node: yaml.ScalarNode) -> Any:
    """Return the text of a scalar, which can be shown; a number of no more letters than a number needs."""
    try:
        text = checked_text(node.value) if isinstance(node, yaml.ScalarNode) else node.value
    except ValueError as error:
        raise _refusal(node, f"a value is not {error}; remove it") from None
    if node.tag != TEXT and len(text) > LONGEST_NUMBER:
        raise _refusal(node, f"a number has {len(text):,} letters, at most {LONGEST_NUMBER} are read; put it in quotes if it is text")
    return SafeLoader.construct_scalar(loader, node)


def _checked_object(loader: Any, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as PyYAML calls it
    """Return what a node stands for; PyYAML's constructors raise whatever they come upon where a tag and a value do not fit."""
    try:
        return SafeLoader.construct_object(loader, node, deep)
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        problem = f"'{str(node.value)[:40]}' is no {node.tag.rpartition(':')[2]} ({error}); put it in quotes if it is meant as text"
        raise _refusal(node, problem) from None


def _refusal(node: Any, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_Loader.construct_scalar = _checked_scalar
_Loader.construct_object = _checked_object
_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in _Loader.yaml_constructors.items()
    if tag not in {f"tag:yaml.org,2002:{kind}" for kind in ("binary", "omap", "pairs", "set")}
}


def _check_nesting(text: str) -> None:
    """Check that nothing is nested too deep where that may be, event by event: libyaml calls itself for each list in another."""
    if text.count("[") + text.count("{") + 2 * max(map(len, text.splitlines()), default=0) < SAFELY_NESTED:
        return  # a list begins with a bracket, or further to the right than the one that it is in, or right below a key
    depth = 0
    for event in yaml.parse(text, Loader=SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _refusal(event, TOO_DEEP)


def _check_entries(root: yaml.Node) -> None:
    """Check depth and number of all entries of a file where each ``*name`` is written out, and that nothing holds itself."""
    counts: dict[int, int] = {}

    def count(node: Any, depth: int) -> int:
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if id(node) not in counts:
            counts[id(node)] = 0
            if depth > DEEPEST:
                raise _refusal(node, TOO_DEEP)
            inner = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
            counts[id(node)] = 1 + sum(count(part, depth + 1) for part in inner)
            if counts[id(node)] > MOST_ENTRIES:
                raise _refusal(node, f"it comes to more than {MOST_ENTRIES:,} entries where each *name is written out; use fewer of them")
        elif not counts[id(node)]:
            raise _refusal(node, "a list or mapping holds itself; write it out")
        return counts[id(node)]

    count(root, 1)


def _built(text: str) -> Any:
    _check_nesting(text)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_entries(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises:
        YamlError: the file is missing, empty, no mapping, or no valid YAML.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST:
            raise YamlError(f"{path}: has {size:,} bytes, at most {LARGEST:,} are read; is it the right file?")
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise YamlError(f"{path}: no such file; create it or correct the name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise YamlError(f"{path}: cannot be read as UTF-8 text ({error}); save it as UTF-8") from None
    try:
        content = _built(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}: line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = " ".join((getattr(error, "problem", None) or str(error)).split())
        if mark and re.match(rf"(?:.*\n){{{mark.line}}}.{{{mark.column}}}\t", text):
            problem += ", a tab where blanks indent"
        remedy = "" if isinstance(error, yaml.constructor.ConstructorError) else "; correct the indentation, quotes or brackets there"
        raise YamlError(f"{place}: not valid YAML: {problem}{remedy}") from None
    except (ValueError, RecursionError) as error:
        raise YamlError(f"{path}: not valid YAML: {error}; put the value in quotes if it is meant as text") from None
    if not isinstance(content, dict):
        raise YamlError(f"{path}: {'is empty' if content is None else 'holds no mapping'}; expected `key: value` lines")
    return content
