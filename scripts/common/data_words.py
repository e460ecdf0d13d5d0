"""A data set in words, for the setup of a chapter: from its configuration alone."""

from collections.abc import Callable, Mapping
from typing import Any

from scripts.common.data_files import CHECKS, TEST_SHARE


def about(settings: Mapping[str, Any], plain: Callable[[str], str]) -> str:
    """Return in Markdown what a data set is; `plain` escapes what the configuration says.

    Args:
        settings: ``kind`` and the options of the data set.
        plain: returns text so escaped that Markdown prints it as it is.
    """
    if settings["kind"] not in CHECKS:
        options = (f"{key.replace('_', ' ')} {_shown(value)}" for key, value in settings.items() if key != "kind")
        return f"of kind `{settings['kind']}`; {plain(', '.join(options))}"
    target = "labels" if settings.get("labels") else "targets"
    told = [f"from `{settings['file']}`"]
    told += [f"{key} {plain(_shown(settings[key]))}" for key in ("inputs", target)]
    told += [*_division(settings), *_units(settings, target)]
    return "; ".join(told)


def _division(settings: Mapping[str, Any]) -> list[str]:
    seed, validation = settings.get("seed", 0), settings.get("validation_share") or 0
    parts = [f"{validation:g} of them validation points"] if validation else []
    if settings.get("test_file") or settings.get("test_inputs"):
        told = ["test points are given by themselves" + (f", in `{settings['test_file']}`" if settings.get("test_file") else "")]
        return told + [f"{part}, drawn with seed {seed}" for part in parts]
    share = settings.get("test_share")
    parts.insert(0, f"a share of {TEST_SHARE if share is None else share:g} of the points are test points")
    return [f"{' and '.join(parts)}, drawn with seed {seed}"]


def _units(settings: Mapping[str, Any], target: str) -> list[str]:
    if not settings.get("standardize"):
        return []
    what = "inputs" if target == "labels" else "inputs and targets"
    return [f"{what} are standardized, to mean 0 and standard deviation 1 over the training points"]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
