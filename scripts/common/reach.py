"""Which definitions of the project a job can reach: functions, classes and constants, by the names that stand in their syntax trees.

A definition reaches what its names mean: definitions of its own module, imported ones, attributes of imported modules. A module that is
handed on as a value, as in ``parts.call(losses, loss)``, stands for those of its definitions whose name is a word: a string of the job's
settings, or a string or an attribute of code that is reached. What runs when a module is imported belongs to all who import it. What
cannot be resolved counts as reached.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from scripts.common import definitions
from scripts.common.definitions import MAIN, TOP, Definition, Module
from scripts.common.places import PROJECT

Place = tuple[str, str]
"""The path of a module and the name of a definition in it."""

ALL = "*"
"""As the name of a root: all that a module defines, in its order."""


class Reached(NamedTuple):
    """What a job can reach: the digest of each definition by "path:name" (the top of a module has no name), and packages imported."""

    code: dict[str, str]
    packages: frozenset[str]


class _Edges(NamedTuple):
    """Where a definition leads to.

    Attributes:
        places: definitions.
        entered: modules that are imported.
        handed_on: modules that are used as values.
        whole: modules of which anything may be used.
        missing: what it names and what is not there, by "path:name".
        packages: packages of others that it imports.
    """

    places: frozenset[Place]
    entered: frozenset[str]
    handed_on: frozenset[str]
    whole: frozenset[str]
    missing: frozenset[str]
    packages: frozenset[str]


def reached(roots: tuple[Place, ...], settings: Mapping[str, Any]) -> Reached:
    """Return what a job can reach.

    Args:
        roots: path and name of each definition that it starts from; with the name `ALL`, all of a file.
        settings: its settings; strings in them may be names of parts.

    Raises:
        UserError: a file cannot be read, or is not valid Python.
    """
    words: frozenset[str] = frozenset()
    for known, used, answer in _answers(roots):
        if known and not words:
            words = frozenset(_words(settings))
        if known & words == used:
            return answer
    words = words or frozenset(_words(settings))
    search = _Search(roots, words)
    search.run()
    known = frozenset(name for path in search.handed_on for name in _all_names(path))
    _answers(roots).append((known, known & words, search.result()))
    return _answers(roots)[-1][2]


@cache
def _answers(_roots: tuple[Place, ...]) -> list[tuple[frozenset[str], frozenset[str], Reached]]:
    """Return the answers so far, each with the words that could have mattered, and those of them that were in the settings.

    A walk that meets the same of these words goes the same way.
    """
    return []


class _Search:
    """A walk from the roots to all that they reach."""

    def __init__(self, roots: tuple[Place, ...], words: frozenset[str]) -> None:
        self.roots = roots
        self.words = set(words)
        self.anything = False  # whether any name may be meant
        self.found: set[Place] = set()
        self.entered: set[str] = set()
        self.handed_on: set[str] = set()
        self.whole: set[str] = set()
        self.missing: set[str] = set()
        self.packages: set[str] = set()
        self.read: set[str] = set()
        self.waiting: list[Place] = []

    def run(self) -> None:
        """Find everything."""
        for path, name in self.roots:
            self.enter(path)
            if name == ALL:
                self.take_whole(path)
            elif name in _module(path).definitions:  # a script may do all it does at its top
                self.waiting.append((path, name))
        while True:
            while self.waiting:
                self.visit(self.waiting.pop())
            handed_on = len(self.handed_on)
            for path in sorted(self.handed_on):
                if self.anything:
                    self.take_whole(path)
                else:
                    self.take(_attributes(path, frozenset(self.words.intersection(_all_names(path)))))
            if not self.waiting and len(self.handed_on) == handed_on:
                return

    def visit(self, place: Place) -> None:
        """Go on from a definition."""
        if place in self.found:
            return
        self.found.add(place)
        definition = _module(place[0]).definitions[place[1]]
        self.words.update(definition.words)
        self.take(_edges(*place))
        if "any name" in definition.marks:
            self.anything = True
        if "any module" in definition.marks:
            for path in _sources("scripts"):
                self.enter(path)
                self.take_whole(path)
        if "reads sources" in definition.marks:
            self.read.add("*")
        self.take_folders(definition)

    def take(self, edges: _Edges) -> None:
        """Go where a definition leads to."""
        self.waiting += [place for place in edges.places if place not in self.found]
        self.handed_on |= edges.handed_on
        self.missing |= edges.missing
        self.packages |= edges.packages
        for path in edges.entered:
            self.enter(path)
        for path in edges.whole:
            self.take_whole(path)

    def enter(self, path: str) -> None:
        """Importing a module runs its top."""
        if path not in self.entered:
            self.entered.add(path)
            self.waiting.append((path, TOP))

    def take_whole(self, path: str) -> None:
        """Reach all that a module defines and imports."""
        if path not in self.whole:
            self.whole.add(path)
            self.enter(path)
            self.take(_attributes(path, _all_names(path)))
            self.waiting += [(path, name) for name in _module(path).definitions if name != MAIN]

    def take_folders(self, definition: Definition) -> None:
        """Reach what is imported by a name that is put together, if the job does not say which module that is."""
        for start in definition.dynamic:
            folder = start.replace(".", "/").rstrip("/")
            if not any(path.startswith(f"{folder}/") for path, _ in self.roots):
                for path in _sources(folder) or _sources("scripts"):
                    self.take_whole(path)

    def result(self) -> Reached:
        """Return the digests of all that was found."""
        code = {f"{path}:{name}": _module(path).definitions[name].digest for path, name in self.found}
        code |= {f"{path}:": _module(path).whole for path in {path for path, name in self.roots if name == ALL}}
        code |= dict.fromkeys(self.missing, "missing")
        if self.read:
            code |= {f"{path}:*": _module(path).whole for path in self.sources_read()}
        return Reached(dict(sorted(code.items())), frozenset(self.packages))

    def sources_read(self) -> Iterator[str]:
        """Yield the sources that reached code may read as data: those whose path, or folder, it names."""
        rooted = {path for path, _ in self.roots}
        for path, name in self.found:
            for text in _module(path).definitions[name].paths:
                sources = _sources(text)
                if not rooted.intersection(sources):
                    yield from sources


@cache
def _edges(path: str, name: str) -> _Edges:
    module = _module(path)
    definition = module.definitions[name]
    links = _Links()
    for used in definition.names:
        links.resolve(path, used, frozenset())
    for meaning in definition.imports:
        links.imports(meaning)
    for meaning in definition.stars:
        links.star(meaning)
    if name == TOP:
        links.imports_packages_of(path)
        for other, content in module.definitions.items():
            if content.runs or not all(_is_harmless(path, *condition) for condition in content.conditions):
                links.places.add((path, other))
    return links.edges()


class _Links:
    """Where names lead to, collected."""

    def __init__(self) -> None:
        self.places: set[Place] = set()
        self.entered: set[str] = set()
        self.handed_on: set[str] = set()
        self.whole: set[str] = set()
        self.missing: set[str] = set()
        self.packages: set[str] = set()
        self.deeper = False  # whether something is taken of a definition

    def edges(self) -> _Edges:
        """Return what was collected."""
        found = (self.places, self.entered, self.handed_on, self.whole, self.missing, self.packages)
        return _Edges(*map(frozenset, found))  # type: ignore[arg-type]

    def resolve(self, path: str, name: str, above: frozenset[Place]) -> None:
        """Go to what a dotted name means in a module."""
        if (path, name) in above:
            return
        module = _module(path)
        first, _, rest = name.partition(".")
        if first in module.definitions:
            self.places.add((path, first))
            self.deeper |= bool(rest)
        for meaning in module.imported.get(first, ()):
            self.follow(meaning, rest, above | {(path, name)})

    def follow(self, meaning: str, rest: str, above: frozenset[Place]) -> None:
        """Go to what a dotted name of a module, or of something in one, and what is taken of it mean."""
        if not _is_own(meaning):
            return
        module, inner = _split(f"{meaning}.{rest}" if rest else meaning)
        path = _path(module) if module else None
        if path is None:  # a folder, or nothing that is there
            for source in _sources(meaning.replace(".", "/")):
                self.whole.add(source)
            if not _sources(meaning.replace(".", "/")):
                self.missing.add(f"{meaning}:")
            return
        self.entered.add(path)
        if not inner:
            self.handed_on.add(path)
            return
        first = inner.partition(".")[0]
        if first in _module(path).definitions or first in _module(path).imported:
            self.resolve(path, inner, above)
        else:  # not known by this name: anything
            self.whole.add(path)
            self.missing.add(f"{path}:{first}")

    def imports(self, meaning: str) -> None:
        """Go to what an import statement runs; `meaning` is a module or "module:name"."""
        module, _, name = meaning.partition(":")
        if not _is_own(module):
            self.packages.add(module.partition(".")[0])
            return
        self.entered.update(_packages_above(module))
        path = _path(module)
        if path:
            self.entered.add(path)
        if name:
            inner = _path(f"{module}.{name}")
            known = path and (name in _module(path).definitions or name in _module(path).imported or _module(path).definitions[TOP].stars)
            if inner and not known:
                self.entered.add(inner)
            elif not known:
                self.missing.add(f"{path or module}:{name}")
        elif not path and not _sources(module.replace(".", "/")):
            self.missing.add(f"{module}:")

    def star(self, meaning: str) -> None:
        """Everything that a module has is taken over."""
        path = _path(meaning) if _is_own(meaning) else None
        if path:
            self.whole.add(path)

    def imports_packages_of(self, path: str) -> None:
        """A module that is imported by its path runs what stands at the top of the packages around it."""
        for package in _packages_above(path.removesuffix(".py").replace("/", ".")):
            if package != path:
                self.entered.add(package)


def _is_harmless(path: str, kind: str, name: str) -> bool:
    """Whether a name that is used when a module is imported means what runs no code of the project then.

    Args:
        path: the module.
        kind: what it has to be: a "record", to be called; a "class", to be derived from; a "type", to be combined; or "there".
        name: the dotted name.
    """
    found = _Links()
    found.resolve(path, name, frozenset())
    if found.missing or found.whole:
        return False
    if kind == "there":
        return not found.deeper
    if kind == "type" and not found.places and not found.handed_on:
        return True
    allowed = {"record": {"record"}, "class": {"record", "class"}, "type": {"record", "class", "type"}}[kind]
    return bool(found.places) and not found.deeper and all(_is_plain(*place, allowed) for place in found.places)


def _is_plain(path: str, name: str, kinds: set[str]) -> bool:
    """Whether a definition is of one of these kinds, and so is what it is derived from."""
    definition = _module(path).definitions[name]
    derived = [condition for condition in definition.conditions if condition[0] == "class"]
    return definition.kind in kinds and not definition.runs and all(_is_harmless(path, *condition) for condition in derived)


@cache
def _attributes(path: str, names: frozenset[str]) -> _Edges:
    """Return where the attributes of these names of a module lead to."""
    links = _Links()
    for name in names:
        if name not in (TOP, MAIN):
            links.resolve(path, name, frozenset())
    return links.edges()


@cache
def _all_names(path: str) -> frozenset[str]:
    return frozenset((*_module(path).definitions, *_module(path).imported))


def _split(name: str) -> tuple[str, str]:
    """Split a dotted name into the longest module that there is, or "", and what is taken of it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if _path(".".join(parts[:length])):
            return ".".join(parts[:length]), ".".join(parts[length:])
    return "", name


@cache
def _path(module: str) -> str | None:
    """Return the path of a module of the project, or None where there is none of this name."""
    name = module.replace(".", "/")
    for candidate in (f"{name}.py", f"{name}/__init__.py", f"scripts/{name}.py", f"scripts/{name}/__init__.py"):
        if (PROJECT / candidate).is_file():
            return candidate
    return None


@cache
def _packages_above(module: str) -> tuple[str, ...]:
    parts = module.split(".")[:-1]
    candidates = ["/".join([*parts[: length + 1], "__init__.py"]) for length in range(len(parts))]
    return tuple(candidate for candidate in candidates if (PROJECT / candidate).is_file())


def _is_own(meaning: str) -> bool:
    return _stands_in_the_project(meaning.partition(".")[0])


@cache
def _stands_in_the_project(name: str) -> bool:
    return bool(name) and (_path(name) is not None or (PROJECT / name).is_dir() or (PROJECT / "scripts" / name).is_dir())


@cache
def _sources(text: str) -> tuple[str, ...]:
    """Return the Python files at a path of the project: the file itself, or those of the folder."""
    place = PROJECT / text
    if not text or text.startswith(("/", ".")) or "\0" in text:
        return ()
    if text.endswith(".py"):
        return (text,) if place.is_file() else ()
    return tuple(sorted(path.relative_to(PROJECT).as_posix() for path in place.rglob("*.py"))) if place.is_dir() else ()


@cache
def _module(path: str) -> Module:
    return definitions.read(PROJECT / path)


def _words(value: Any) -> Iterator[str]:
    """Yield the words of all strings in a value from YAML."""
    if isinstance(value, str):
        yield value
        if not value.isidentifier():
            yield from re.findall(r"\w+", value)
    elif isinstance(value, Mapping):
        for key, content in value.items():
            yield from _words(key)
            yield from _words(content)
    elif isinstance(value, Iterable):
        for content in value:
            yield from _words(content)
