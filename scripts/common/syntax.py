"""Python sources read as syntax trees: what a module imports, and what functions it offers."""

import ast
import inspect
import re
import sys
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from scripts.common import memory
from scripts.common.errors import UserError
from scripts.common.places import PROJECT


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function: its name, its annotation as written ("" if none), whether it has no default, and how it is given."""

    name: str
    annotation: str
    required: bool
    keyword_only: bool


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UserError: the file cannot be read, or is not valid Python.
    """
    return _parse(path)


@cache
def functions(path: Path) -> dict[str, tuple[Parameter, ...]]:
    """Return the public top-level functions of a file by name, each with its keyword-only and other parameters in order."""
    found = memory.recall(path, "functions", _functions)
    return {name: tuple(Parameter(*parameter) for parameter in parameters) for name, parameters in found.items()}


@cache
def docstring(path: Path, name: str) -> str:
    """Return the docstring of the function `name` in a file, or "" where there is none."""
    found = [ast.get_docstring(node) for node in parse(path).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return (found and found[0]) or ""


def described(docstring: str, heading: str) -> dict[str, str]:
    """Return what a docstring says under a heading ("Args", "Attributes"), in one line each, by name."""
    found: dict[str, list[str]] = {}
    _, _, section = inspect.cleandoc(docstring).partition(f"{heading}:\n")
    for line in section.splitlines():
        entry = re.match(r" {4}([\w-]+): (.*)", line)
        if entry:
            found[entry[1]] = [entry[2]]
        elif not line.startswith("        "):
            break
        else:
            found[list(found)[-1]].append(line.strip())
    return {name: " ".join(lines) for name, lines in found.items()}


@cache
def marked_keys(path: Path, mark: str) -> tuple[str, ...]:
    """Return the keys of a file's dictionaries under which stands a call with the keyword `mark` set to True, in order."""
    return tuple(memory.recall(path, f"keys marked {mark}", lambda path: _marked_keys(path, mark)))


def without_docstrings(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file without docstrings, and without texts that stand below what they describe.

    Raises:
        UserError: the file cannot be read, or is not valid Python.
    """
    tree = _parse(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return tree


@cache
def imports(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a file imports, anywhere in it: modules of this project (dotted names that may be modules), and other packages."""
    own, others = memory.recall(path, "imports", _imports)
    return frozenset(own), frozenset(others)


def _functions(path: Path) -> dict[str, list[tuple[str, str, bool, bool]]]:
    return {
        node.name: [astuple(parameter) for parameter in _parameters(node.args)]
        for node in parse(path).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def _marked_keys(path: Path, mark: str) -> list[str]:
    entries = [entry for node in ast.walk(parse(path)) if isinstance(node, ast.Dict) for entry in zip(node.keys, node.values, strict=True)]
    return [
        key.value
        for key, value in entries
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value, ast.Call)
        and any(_sets(keyword, mark) for keyword in value.keywords)
    ]


def _imports(path: Path) -> tuple[list[str], list[str]]:
    own: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top == "scripts":
                own.add(name)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return sorted(own), sorted(others)


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{_place(path)}: line {error.lineno}: not valid Python: {error.msg}; correct it there") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{_place(path)}: cannot be read as Python ({error}); restore it, in UTF-8") from None


def _place(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix() if path.is_relative_to(PROJECT) else str(path)


def _parameters(arguments: ast.arguments) -> list[Parameter]:
    positional = arguments.posonlyargs + arguments.args
    without_default = len(positional) - len(arguments.defaults)
    found = [Parameter(a.arg, _annotation(a), i < without_default, keyword_only=False) for i, a in enumerate(positional)]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found + [Parameter(a.arg, _annotation(a), default is None, keyword_only=True) for a, default in keywords]


def _annotation(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation) if argument.annotation else ""


def _sets(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
