"""Small copies of the project to work in within the test's own process: the code looks there for everything it reads by name."""

import shutil
import sys
from contextlib import contextmanager

import pytest

from scripts.common import components, configuration, digest, memory, reach, recipe, syntax
from scripts.common.configuration import ConfigurationError, load_report
from scripts.common.places import PROJECT
from scripts.common.yaml_file import read_yaml
from tests.builds import with_mini_study

STUDY = "config/studies/mini.yaml"
PARTS = ("LICENSE", "Snakefile", "config", "environment.yml", "profiles", "scripts", "templates", "workflow")


def mini_copy(folder):
    """Copy what a build needs to `folder`, with the small study as its only one."""
    for name in PARTS:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    return with_mini_study(folder)


@contextmanager
def working_in(folder):
    """Let the project's code take `folder` for the project, run there, and import from there what the project does not have."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
        point_to(folder)
        yield folder
    point_to(PROJECT)
    for name in [name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).startswith(f"{folder}/")]:
        del sys.modules[name]


def point_to(folder):
    """Make `folder` what the code takes for the project, and forget what it has read of another."""
    for module in [module for name, module in sys.modules.items() if name.startswith("scripts.") and hasattr(module, "PROJECT")]:
        module.PROJECT = folder
    forget()


def forget(*, sources=False):
    """Forget what the code has read of the project's files; what sources say is kept by their content, or forgotten as well."""
    if sources:
        memory._entries.clear()
    else:
        memory._entries.update(memory._used)
    memory._used.clear()
    for module in (components, digest, memory, reach, recipe, syntax):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def editable_study(folder, monkeypatch):
    """Return the content of the small study of a copy; what a test makes of it is what the code reads."""
    content = read_yaml(folder / STUDY)
    monkeypatch.setattr(configuration, "read_yaml", lambda path: content if str(path).endswith(STUDY) else read_yaml(path))
    return content


def problems(settings):
    """Return what is said to be wrong with a configuration, which has to be wrong, line by line."""
    with pytest.raises(ConfigurationError) as error:
        load_report(settings)
    first, *others = str(error.value).splitlines()
    assert first == "the configuration has problems:"
    assert all(line.startswith("- ") for line in others)
    return [line[2:] for line in others]
