"""A page of the documentation done as its reader does it: its commands run, its files saved, its edits made, in a copy of the project."""

import os
import re
import subprocess
import sys
from typing import NamedTuple

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """What a reader does with a block: "run", "see", "save", "find", "replace", "append" or "insert"; the file, section and text of it."""

    what: str
    file: str
    section: str
    text: str


def steps(page):
    """Return what a reader of a page does, in order; a block that says nothing of what to do with it is an error."""
    found, end, file = [], 0, ""
    for block in BLOCK.finditer(page):
        before = " ".join(page[end : block.start()].split())
        end, language, text = block.end(), block[1], block[2]
        if language in ("console", "text"):
            found.append(Step("run" if language == "console" else "see", "", "", text))
        elif before == "by":
            found.append(Step("replace", file, "", text))
        elif saved := re.search(r"Save this as `([^`]+)`:$", before):
            found.append(Step("save", saved[1], "", text))
        elif asked := re.search(r"[Ii]n `([^`]+)`, replace$", before):
            file = asked[1]
            found.append(Step("find", file, "", text))
        elif asked := re.search(r"At the end of `([^`]+)`, below two empty lines, add$", before):
            found.append(Step("append", asked[1], "", text))
        elif asked := re.search(r"At the end of the section `([^`]+)` of `([^`]+)`, add$", before):
            found.append(Step("insert", asked[2], asked[1], text))
        else:
            raise AssertionError(f"nothing says what to do with this block:\n{text}")
    return found


BUILD = "snakemake --cores"


def follow(project, page, *, instead=(), every_build=True):
    """Do all steps of a page in `project`, and return the output of every command, in order.

    Args:
        project: the copy of the project.
        page: the text of the page.
        instead: pairs of what is replaced in commands, which leaves what they do the same.
        every_build: whether builds before the last one are done, which makes what they would have made as well.
    """
    outputs, old = [], ""
    todo = steps(page)
    builds = sum(step.text.count(BUILD) for step in todo if step.what == "run")
    for step, after in zip(todo, [*todo[1:], None], strict=True):
        path = project / step.file
        if step.what == "run":
            for command in step.text.splitlines():
                for given, other in instead:
                    command = command.replace(given, other)
                builds -= command.startswith(BUILD)
                if builds and command.startswith(BUILD) and not every_build:
                    continue
                output, code = run(project, command)
                assert code == 0 or (after and after.what == "see"), f"{command} failed:\n{output[-4000:]}"
                outputs.append(output)
        elif step.what == "see":
            said = "".join(outputs[-2:])
            missing = [line for line in step.text.splitlines() if line.strip() not in said]
            assert not missing, f"{missing} is not in:\n{said[-4000:]}"
        elif step.what == "save":
            path.parent.mkdir(parents=True, exist_ok=True)
            assert not path.exists(), step.file
            path.write_text(step.text, encoding="utf-8")
        elif step.what == "find":
            old = step.text
        else:
            path.write_text(edited(path.read_text(encoding="utf-8"), step, old), encoding="utf-8")
    return outputs


def edited(text, step, old):
    """Return the text of a file after a step that edits it."""
    if step.what == "append":
        return text.rstrip("\n") + "\n\n\n" + step.text
    if step.what == "insert":
        section = re.search(rf"^{step.section}:\n(?:(?: .*)?\n)*(?=\S)", text, re.MULTILINE)
        assert section, f"{step.file} has no section '{step.section}'"
        end = section.start() + len(section[0].rstrip("\n")) + 1
        return text[:end] + step.text + text[end:]
    old, new = (old, step.text) if old in text else (old.rstrip("\n"), step.text.rstrip("\n"))
    assert text.count(old) == 1, f"{step.file} has {text.count(old)} times:\n{old}"
    return text.replace(old, new)


def run(project, command):
    """Run a command as one types it, and return its output, standard output and error in one, and its exit status."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "SNAKEMAKE", "MAKE"))}
    path = f"{project / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=clean | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    return done.stdout, done.returncode


def with_environment(project):
    """Give a copy of the project the environment that the tests run in, as its own."""
    (project / ".venv").symlink_to(sys.prefix)
    return project
