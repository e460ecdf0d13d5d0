"""The edge between a command line and a script that runs outside of Snakemake: an error of the user's is told without a traceback."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.common.checkout import Overlay
from scripts.common.errors import UserError
from scripts.common.files import save_text

USER_ERROR = 2
"""The exit code of a command that could not do what it was asked to."""
INTERRUPTED = 130


def run(main: Callable[[], int]) -> None:
    """Run `main` and end with the exit code that it returns.

    Raises:
        SystemExit: always.
    """
    former = signal.signal(signal.SIGTERM, _stop)
    try:
        code = main()
    except UserError as error:
        say(f"Error: {error}")
        code = USER_ERROR
    except OSError as error:
        say(f"Error: {error.filename or 'the system'}: {error.strerror}; free disk space or correct the permissions, then run it again")
        code = USER_ERROR
    except KeyboardInterrupt:
        say("Stopped.")
        code = INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, former)
    sys.exit(code)


def say(text: str) -> None:
    """Tell how far a command is, beside its result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command talks to a terminal


def save_page(path: Path, page: str) -> None:
    """Write a page and tell where it is, or why it could not be written."""
    try:
        save_text(path, page)
        say(f"The page: {path.resolve()}")
    except UserError as error:
        say(f"No page: {error}; name another place with --page")


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a build, named as Snakemake's are."""
    parser.add_argument(
        "--configfile", "--configfiles", nargs="+", default=[], metavar="FILE", help="as for snakemake, when it built the results"
    )
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="as for snakemake, when it built the results")
    parser.add_argument("--cores", default="all", metavar="N", help="cores of the build; all of them")


def overlay(asked: Any) -> Overlay:
    """Return the options of a build that were given."""
    return Overlay(tuple(asked.configfile), tuple(asked.config))


def cores(text: str) -> str:
    """Return a number of cores as Snakemake takes it.

    Raises:
        UserError: it is no such number.
    """
    if text != "all" and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise UserError(f"--cores: '{text}' is no number of cores; give 1, 2, ... or all")
    return text


def _stop(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
