"""Mutations of the project's sources: of every function and method, and of every constant at the top of a module."""

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A mutation: the file, the definition at its top, the qualified name of a function in it ("" for a constant), and the new text."""

    path: str
    name: str
    qualified: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.qualified or self.name}"


def of_functions(folder):
    """Yield, for every function and method of the project, its file with one that raises at once."""
    for path in _sources(folder):
        tree = ast.parse((folder / path).read_text())
        for node in tree.body:
            inner = [(f"{node.name}.", part) for part in node.body] if isinstance(node, ast.ClassDef) else [("", node)]
            for prefix, function in inner:
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    before = function.body
                    function.body = [ast.Raise(), *before]
                    yield Mutant(path, node.name, prefix + function.name, ast.unparse(ast.fix_missing_locations(tree)))
                    function.body = before


def of_values(folder):
    """Yield, for every function with a number in it, its file with another number there."""
    for path in _sources(folder):
        tree = ast.parse((folder / path).read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                for constant in _numbers(node.body):
                    before = constant.value
                    constant.value = _other(before)
                    yield Mutant(path, node.name, node.name, ast.unparse(tree))
                    constant.value = before
                    break


def of_constants(folder):
    """Yield, for every constant at the top of a module, its file with another value there."""
    for path in _sources(folder):
        tree = ast.parse((folder / path).read_text())
        for node in tree.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and node.value is not None:
                constants = [part for part in ast.walk(node.value) if isinstance(part, ast.Constant) and part.value is not None]
                if constants:
                    changed = constants[-1]
                    before = changed.value
                    changed.value = _other(before)
                    yield Mutant(path, target.id, "", ast.unparse(tree))
                    changed.value = before


def _sources(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder / "scripts").rglob("*.py"))


def _numbers(statements):
    return [
        node
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    ]


def _other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return value + "x" if isinstance(value, str) else "x"
