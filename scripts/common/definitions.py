"""What a Python file defines at its top: functions, classes and constants, each with a digest and with what it mentions.

Comments, docstrings and layout do not count. What else a file does when it is imported is the definition `TOP`: its imports in their
order, statements that are no definitions, and, of signatures, bases and constants, all that is evaluated then and could go wrong.
"""

import ast
import builtins
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common import memory, syntax

TOP = ""
"""The name of what a module does when it is imported."""
MAIN = "__main__"
"""The name of the main block of a script."""

DECORATORS = {
    "abc.abstractmethod",
    "contextlib.contextmanager",
    "dataclasses.dataclass",
    "functools.cache",
    "functools.cached_property",
    "functools.lru_cache",
    "torch.autograd.function.once_differentiable",
    "builtins.classmethod",
    "builtins.property",
    "builtins.staticmethod",
}
"""Decorators that keep no function anywhere else."""
BASES = {"abc.ABC", "typing.NamedTuple", "typing.Protocol", "typing.TypedDict", "torch.autograd.Function", "builtins.object"} | {
    f"builtins.{name}" for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
"""Classes of which a class may be made without any code of the project running."""
RECORDS = {"typing.NamedTuple", "dataclasses.dataclass"}
SPECIAL = {"__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__", "__class_getitem__"}
"""Methods with which making an object or a class of a class runs code of the project."""
BUILT_IN = frozenset(vars(builtins))


class Definition(NamedTuple):
    """What a module defines under a name.

    Attributes:
        digest: 16 hexadecimal digits, of its syntax tree and of what imported names in it mean.
        names: the names in it, with the attributes that are taken of them: ``a.b.c``.
        words: strings and attributes in it that could be the name of something.
        paths: strings in it that could be the path of a source.
        imports: what it imports when it runs: a module, or "module:name".
        stars: the modules that it imports everything of.
        dynamic: how names of modules begin that it imports by name.
        marks: "any name", it looks up names that are put together; "any module", it may import anything; "reads sources".
        runs: whether code may run when it is made, as the module is imported.
        conditions: what has to be so lest code runs then: a kind and a name each.
        kind: "record", "class", "type", or "" for all else.
    """

    digest: str
    names: list[str]
    words: list[str]
    paths: list[str]
    imports: list[str]
    stars: list[str]
    dynamic: list[str]
    marks: list[str]
    runs: bool
    conditions: list[tuple[str, str]]
    kind: str


class Module(NamedTuple):
    """A module: its definitions by name, what its imported names mean (a dotted name each), and a digest of all in its order."""

    definitions: dict[str, Definition]
    imported: dict[str, list[str]]
    whole: str


def read(path: Path) -> Module:
    """Return what a file defines.

    Raises:
        UserError: the file cannot be read, or is not valid Python.
    """
    found, imported, whole = memory.recall(path, "definitions", _read)
    return Module({name: Definition(*content) for name, content in found.items()}, imported, whole)


def _read(path: Path) -> tuple[dict[str, tuple[Any, ...]], dict[str, list[str]], str]:
    tree = syntax.without_docstrings(path)
    imported: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        for bound, meaning in _bindings(node, path):
            imported.setdefault(bound, set()).add(meaning.replace(":", "."))
    meanings = {bound: sorted(found) for bound, found in imported.items()}
    statements = _Statements(meanings)
    for statement in tree.body:
        statements.add(statement)
    whole = _digest(ast.dump(tree))
    made = {name: _definition(name, parts, meanings, path) for name, parts in statements.parts.items() if name != TOP}
    for name in statements.also:
        made.setdefault(name, Definition("", [], [], [], [], [], [], [], runs=True, conditions=[], kind=""))
    for name, (runs, conditions, kind) in statements.kinds.items():
        made[name] = made[name]._replace(runs=runs, conditions=conditions, kind=kind)
    top = _definition(TOP, statements.parts.get(TOP, []), meanings, path)
    order = [whole] if statements.rebound else statements.order(made)
    content = [order, sorted(statements.shapes), top.digest]
    made[TOP] = top._replace(digest=_digest(repr(content)))
    return {name: tuple(definition) for name, definition in made.items()}, meanings, whole


class _Statements:
    """The statements of a module, sorted into what they define.

    Attributes:
        parts: the statements that make each definition.
        also: names that statements of the top bind.
        kinds: whether making it runs code, under which conditions it does not, and its kind, by name.
        shapes: what else is evaluated on import, without the values of constants.
        rebound: whether a name is bound more than once.
    """

    def __init__(self, imported: dict[str, list[str]]) -> None:
        self.imported = imported
        self.parts: dict[str, list[ast.stmt]] = {}
        self.also: set[str] = set()
        self.kinds: dict[str, tuple[bool, list[tuple[str, str]], str]] = {}
        self.shapes: set[str] = set()
        self.rebound = False
        self._bound: set[str] = set()
        self._defined: set[str] = set()
        self._sequence: list[tuple[str, str, frozenset[str]]] = []

    def add(self, statement: ast.stmt) -> None:
        """Take in the next statement."""
        if _is_main(statement):
            self.parts.setdefault(MAIN, []).append(statement)
            return
        looked = _Look(self.imported, self._bound, {name: self.kinds.get(name, (True, [], ""))[2] for name in self._defined})
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            names, kind = [statement.name], ""
            looked.function(statement)
            looked.runs |= statement.name.startswith("__")
        elif isinstance(statement, ast.ClassDef):
            names, kind = [statement.name], looked.class_(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and (names := _targets(statement)):
            kind = looked.assignment(statement)
        elif isinstance(statement, ast.Pass):
            return
        else:
            names = sorted(_bound_in(statement))
            self.parts.setdefault(TOP, []).append(statement)
            self.also.update(names)
            self._sequence.append(("statement", ast.dump(statement), frozenset(self._bound)))
            self._bind(names + sorted(_imported_in(statement)))
            self._defined.update(names)
            return
        self._bind(names)
        self._defined.update(names)
        for name in names:
            self.parts.setdefault(name, []).append(statement)
            self.kinds[name] = (looked.runs, looked.conditions, kind)
        if looked.runs:
            self._sequence.append(("definition", " ".join(names), frozenset(self._bound)))
        else:
            self.shapes |= looked.shapes

    def order(self, made: dict[str, Definition]) -> list[tuple[str, str, list[str]]]:
        """Return what runs on import, in order, each with the definitions that it uses and that are there by then."""
        found = []
        for kind, content, bound in self._sequence:
            begin = [] if kind == "statement" else content.split()
            used: set[str] = set(self.also) if kind == "statement" else set()
            waiting = begin or [name.partition(".")[0] for part in self.parts.get(TOP, []) for name in _names(part)]
            while waiting:
                name = waiting.pop()
                if name in made and name not in used:
                    used.add(name)
                    waiting += [one.partition(".")[0] for one in made[name].names]
            found.append((kind, content, sorted(used & bound)))
        return found

    def _bind(self, names: Iterable[str]) -> None:
        for name in names:
            self.rebound |= name in self._bound
            self._bound.add(name)


class _Look:
    """A look at what is evaluated when a definition is made.

    Attributes:
        runs: whether it may run code of the project, or fail.
        conditions: what has to be so lest it does.
        shapes: what is evaluated, without the values of constants.
    """

    def __init__(self, imported: dict[str, list[str]], bound: set[str], defined: dict[str, str]) -> None:
        self.imported = imported
        self.bound = set(bound)
        self.defined = dict(defined)
        self.runs = False
        self.conditions: list[tuple[str, str]] = []
        self.shapes: set[str] = set()

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Look at decorators, defaults and annotations."""
        for decorator in node.decorator_list:
            self.decorator(decorator)
        given = node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
        for expression in (*given.defaults, *given.kw_defaults, *(argument.annotation for argument in arguments), node.returns):
            self.expression(expression)

    def decorator(self, node: ast.expr) -> None:
        """Look at a decorator, which may be one of a few."""
        called = node.func if isinstance(node, ast.Call) else node
        text = ast.unparse(called)
        if not self.is_library(text, DECORATORS) and not re.fullmatch(r"\w+\.(setter|getter|deleter)", text):
            self.runs = True
        self.shapes.add(f"@{ast.unparse(node)}")

    def class_(self, node: ast.ClassDef) -> str:
        """Look at a class: decorators, bases, fields and the signatures of its methods; return its kind."""
        for decorator in node.decorator_list:
            self.decorator(decorator)
        for base in node.bases:
            text = ast.unparse(base)
            if not self.is_library(text, BASES):
                self.runs |= not re.fullmatch(r"[\w.]+", text)
                self.conditions.append(("class", text))
        self.runs |= bool(node.keywords)
        methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}
        fields: list[str] = []
        for part in node.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                self.function(part)
                self.bound.add(part.name)
                self.defined[part.name] = ""
            elif isinstance(part, ast.AnnAssign | ast.Assign) and (names := _targets(part)):
                value = _shape(part.value) if part.value else ""
                fields.append(f"{names} {ast.unparse(part.annotation) if isinstance(part, ast.AnnAssign) else ''} {value}")
                self.assignment(part)
                self.bound.update(names)
                self.defined |= dict.fromkeys(names, "")
            elif not isinstance(part, ast.Pass):
                self.runs = True
        special = sorted(name for name in methods if name.startswith("_"))
        outside = [ast.unparse(one) for one in (*node.decorator_list, *node.bases)]
        self.shapes.add(f"class {node.name} {outside} {fields} {special}")
        record = any(self.is_library(text.partition("(")[0], RECORDS) for text in outside)
        hooked = bool(methods & SPECIAL - {"__init__"}) or (record and "__init__" in methods)
        return "" if hooked else "record" if record else "class"

    def assignment(self, node: ast.Assign | ast.AnnAssign) -> str:
        """Look at a constant; return its kind."""
        if isinstance(node, ast.AnnAssign):
            self.expression(node.annotation)
        self.expression(node.value)
        return "type" if isinstance(node.value, ast.Subscript | ast.BinOp) and not self.runs else ""

    def expression(self, node: ast.expr | None) -> None:
        """Look at an expression."""
        if node is None:
            return
        if not self.is_plain(node):
            self.runs = True
        elif not isinstance(node, ast.Constant | ast.Name):
            self.shapes.add(_shape(node))

    def is_plain(self, node: ast.expr) -> bool:  # noqa: PLR0911 - an answer for each form
        """Whether an expression runs no code of the project, and cannot fail, under conditions that are noted."""
        if isinstance(node, ast.Constant | ast.Lambda):
            return isinstance(node, ast.Constant) or not (node.args.defaults or any(node.args.kw_defaults))
        if isinstance(node, ast.Name):
            return self.is_there(node.id)
        if isinstance(node, ast.Attribute):
            name = _dotted(node)
            root = name.partition(".")[0]
            return bool(name) and root in self.bound and root not in self.defined and self.note("there", name)
        if isinstance(node, ast.Tuple | ast.List):
            return all(map(self.is_plain, node.elts))
        if isinstance(node, ast.Set):
            return all(map(_is_key, node.elts))
        if isinstance(node, ast.Dict):
            return all(key is not None and _is_key(key) for key in node.keys) and all(map(self.is_plain, node.values))
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.USub | ast.UAdd) and _is_number(node.operand)
        if isinstance(node, ast.BinOp):
            return self.is_plain_operation(node)
        if isinstance(node, ast.Subscript):
            return self.is_type(node.value) and self.is_plain(node.slice)
        if isinstance(node, ast.Call):
            return self.is_plain_call(node)
        return False

    def is_plain_operation(self, node: ast.BinOp) -> bool:
        """Whether an operation is one of numbers that cannot fail, or one of types."""
        if isinstance(node.op, ast.BitOr):
            return all(map(self.is_type, (node.left, node.right)))
        if not _is_number(node.left) or not isinstance(node.right, ast.Constant) or not _is_number(node.right):
            return False
        fine = {ast.Div: bool(node.right.value), ast.Pow: isinstance(node.right.value, int) and 0 <= node.right.value < 100}
        return isinstance(node.op, ast.Add | ast.Sub | ast.Mult) or fine.get(type(node.op), False)

    def is_plain_call(self, node: ast.Call) -> bool:
        """Whether a call makes a record, or a set that does not change."""
        name = _dotted(node.func)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name == "frozenset" and name not in self.bound:
            return len(given) < 2 and all(isinstance(one, ast.Set | ast.Tuple | ast.List) and all(map(_is_key, one.elts)) for one in given)
        if not name or any(keyword.arg is None for keyword in node.keywords) or not self.is_there(name.partition(".")[0]):
            return False
        return all(map(self.is_plain, given)) and self.note("record", name)

    def is_type(self, node: ast.expr) -> bool:
        """Whether an expression is a type, under conditions that are noted."""
        if isinstance(node, ast.Constant):
            return node.value is None
        if isinstance(node, ast.Name | ast.Attribute):
            name = _dotted(node)
            return bool(name) and self.is_there(name.partition(".")[0]) and self.note("type", name)
        return isinstance(node, ast.Subscript | ast.BinOp) and self.is_plain(node)

    def is_there(self, name: str) -> bool:
        """Whether a name is bound by now."""
        return name in self.bound or name in BUILT_IN

    def is_library(self, text: str, known: set[str]) -> bool:
        """Whether a dotted name means one of these names of libraries."""
        root, dot, rest = text.partition(".")
        if root in self.defined:
            return False
        return all(f"{meaning}{dot}{rest}" in known for meaning in self.imported.get(root, [f"builtins.{root}"]))

    def note(self, kind: str, name: str) -> bool:
        """Note a condition; names of builtins need none."""
        known = name.partition(".")[0] in self.bound
        if known and (kind, name) not in self.conditions:
            self.conditions.append((kind, name))
        return kind != "record" or self.defined.get(name, "record" if known else "") == "record"


def _definition(name: str, parts: list[ast.stmt], imported: dict[str, list[str]], path: Path) -> Definition:
    names = sorted({used for part in parts for used in _names(part)} - {name})
    meant = [(root, imported[root]) for root in sorted({used.partition(".")[0] for used in names}) if root in imported]
    looked = [_mentioned(part, imported) for part in parts]
    executed = [node for part in parts for node in ast.walk(part) if isinstance(node, ast.Import | ast.ImportFrom)]
    meanings = [meaning for node in executed for meaning in _executed(node, path)]
    return Definition(
        digest=_digest(repr([[ast.dump(part) for part in parts], meant])),
        names=names,
        words=sorted({word for words, _, _, _ in looked for word in words}),
        paths=sorted({text for _, texts, _, _ in looked for text in texts}),
        imports=sorted(meaning for meaning in set(meanings) if not meaning.endswith(":*")),
        stars=sorted({meaning.removesuffix(":*") for meaning in meanings if meaning.endswith(":*")}),
        dynamic=sorted({start for _, _, starts, _ in looked for start in starts}),
        marks=sorted({mark for _, _, _, marks in looked for mark in marks}),
        runs=False,
        conditions=[],
        kind="",
    )


def _mentioned(tree: ast.AST, imported: dict[str, list[str]]) -> tuple[set[str], set[str], set[str], set[str]]:
    """Return the words and the paths of sources in a tree, how names of modules begin that it imports by name, and its marks."""
    words: set[str] = set()
    paths: set[str] = set()
    dynamic: set[str] = set()
    marks: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.isidentifier():
                words.add(node.value)
            elif "/" in node.value and re.fullmatch(r"[\w./-]+", node.value):
                paths.add(node.value.rstrip("/"))
        elif isinstance(node, ast.Attribute):
            if _root(node) not in imported or not _is_foreign(imported[_root(node)]):
                words.add(node.attr)
            if node.attr in ("__dict__", "__globals__", "__getattribute__"):
                marks.add("any module")
            if ast.unparse(node) == "sys.modules":
                marks.add("sys.modules")
        elif isinstance(node, ast.Dict):
            marks |= {
                "any name" for key, value in zip(node.keys, node.values, strict=True) if _is_word(key, "kind") and not _is_given(value)
            }
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sys.modules" and _is_top_package(node.slice):
            marks.add("top of sys.modules")
        elif isinstance(node, ast.Call):
            _look_at_call(node, imported, dynamic, marks)
    if "sys.modules" in marks and "top of sys.modules" not in marks:
        marks.add("any module")
    return words, paths, dynamic, marks & {"any name", "any module", "reads sources"}


def _look_at_call(node: ast.Call, imported: dict[str, list[str]], dynamic: set[str], marks: set[str]) -> None:
    called = ast.unparse(node.func)
    root, dot, rest = called.partition(".")
    meant = {f"{meaning}{dot}{rest}" for meaning in imported.get(root, [root])}
    last = called.rpartition(".")[2]
    if last in ("getattr", "hasattr", "setattr", "delattr", "attrgetter", "methodcaller"):
        of_library = bool(node.args) and _is_foreign(imported.get(_root(node.args[0]), []))
        fixed = len(node.args) > 1 and (isinstance(node.args[1], ast.Constant) or _is_kind(node.args[1]))
        if not of_library and not fixed:
            marks.add("any name")
    elif last in ("vars", "dir", "globals", "locals", "getmembers"):
        marks.add("any name" if node.args else "any module")
    elif called in ("eval", "exec", "compile", "__import__") or meant & {"runpy.run_path", "runpy.run_module"}:
        marks.add("any module")
    elif last == "import_module":
        start = _beginning(node.args[0]) if len(node.args) == 1 else ""
        if start:
            dynamic.add(start)
        else:
            marks.add("any module")
    elif meant & {"ast.parse", "inspect.getsource", "tokenize.open"}:
        marks.add("reads sources")


def _beginning(node: ast.expr) -> str:
    """Return how a string begins: that of a constant, or the first part of one that is put together."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _bindings(node: ast.AST, path: Path) -> Iterator[tuple[str, str]]:
    """Yield each name that an import statement binds and what it means: a module, or "module:name"."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0], alias.name.partition(".")[0])
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, f"{_source(node, path)}:{alias.name}"


def _executed(node: ast.Import | ast.ImportFrom, path: Path) -> Iterator[str]:
    """Yield what an import statement imports: a module, or "module:name"."""
    for alias in node.names:
        yield alias.name if isinstance(node, ast.Import) else f"{_source(node, path)}:{alias.name}"


def _source(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    folders = path.parts[: -node.level]
    start = folders.index("scripts") if "scripts" in folders else len(folders)
    return ".".join([*folders[start:], *([node.module] if node.module else [])])


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'" and not statement.orelse


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    """Return the names that an assignment binds, if it binds nothing else."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    flat = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [target.id for target in flat if isinstance(target, ast.Name)] if all(isinstance(target, ast.Name) for target in flat) else []


def _bound_in(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return names | {node.name for node in ast.walk(statement) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def _imported_in(statement: ast.stmt) -> set[str]:
    """Return the names that import statements in a statement bind."""
    aliases = [alias for node in ast.walk(statement) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    return {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield each name that is read or declared global, with the attributes that are taken of it: ``a.b.c``."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            below: ast.expr = node
            while isinstance(below, ast.Attribute):
                below = below.value
                inner.add(id(below))
            if isinstance(below, ast.Name):
                yield _dotted(node)
        elif isinstance(node, ast.Name) and id(node) not in inner:
            if not isinstance(node.ctx, ast.Store):
                yield node.id
        elif isinstance(node, ast.Global):
            yield from node.names


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` as written, or "" for what is no such name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _shape(node: ast.expr) -> str:
    """Return an expression without the values of constants, and of collections what kinds of elements there are."""
    if isinstance(node, ast.Constant):
        return "."
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return f"{type(node).__name__}{sorted({_shape(element) for element in node.elts})}"
    if isinstance(node, ast.Dict):
        return f"Dict{sorted({_shape(value) for value in node.values})}"
    if isinstance(node, ast.Call):
        given = [_shape(argument) for argument in node.args] + [f"{keyword.arg}={_shape(keyword.value)}" for keyword in node.keywords]
        return f"{ast.unparse(node.func)}({', '.join(given)})"
    if isinstance(node, ast.Subscript):
        return f"{_shape(node.value)}[{_shape(node.slice)}]"
    return ast.unparse(node)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_key(node: ast.expr) -> bool:
    """Whether an expression is sure to have a hash."""
    if isinstance(node, ast.Tuple):
        return all(map(_is_key, node.elts))
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and _is_number(node.operand) and isinstance(node.op, ast.USub))


def _is_word(node: ast.expr | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word


def _is_kind(node: ast.expr) -> bool:
    """Whether an expression is the kind of a part: ``part["kind"]``."""
    return isinstance(node, ast.Subscript) and _is_word(node.slice, "kind")


def _is_given(node: ast.expr) -> bool:
    """Whether a value is a constant, or was put together elsewhere."""
    return isinstance(node, ast.Constant | ast.Name | ast.Attribute | ast.Subscript)


def _is_top_package(node: ast.expr) -> bool:
    """Whether an expression is the name of a package without a dot: ``name.partition(".")[0]``."""
    return ast.unparse(node).endswith((".partition('.')[0]", ".split('.')[0]"))


def _is_foreign(meanings: list[str]) -> bool:
    """Whether a name means something of a library, as far as the names tell."""
    return bool(meanings) and not any(meaning.partition(".")[0] == "scripts" for meaning in meanings)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
