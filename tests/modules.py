"""Which modules of the project import which, directly or through others."""

from scripts.common import syntax


def reachable(roots, project):
    """Return `roots` and every file of the project that they import, directly or through others, sorted."""
    found = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        candidates = (project.joinpath(*name.split(".")).with_suffix(".py") for name in syntax.imports(path)[0])
        waiting += [candidate for candidate in candidates if candidate.is_file()]
    return sorted(found)
