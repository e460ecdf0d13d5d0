"""Training all replicas of a variant at once or, where a GPU has too little memory for that, as many at a time as fit."""

import gc
from collections.abc import Callable

import numpy as np
import torch

from scripts.common.errors import UserError
from scripts.common.storage import Arrays, Kind

SIGNS = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""How errors begin that NVIDIA's libraries raise where there is no memory for what they need themselves."""


def by_memory(train_some: Callable[[range], Arrays], replicas: int, *, kind: Kind, report: Callable[[str], None] | None = None) -> Arrays:
    """Return what training all replicas comes to, of which half as many are trained at a time whenever memory is not enough.

    A replica does not depend on the others, and so it is the same however many are trained beside it, up to rounding: a product of the
    matrices of fewer replicas may add in another order.

    Args:
        train_some: trains some of the replicas; its arrays are those of `kind`, or some of them.
        replicas: how many there are.
        kind: says which axes of an array are the replicas.
        report: given a line where memory is not enough.

    Raises:
        UserError: a single replica does not fit.
    """
    size, found = replicas, list[Arrays]()
    done = 0
    while done < replicas:
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            gc.collect()  # engines on a GPU refer to themselves, and hold its memory until then
        some = range(done, min(done + size, replicas))
        made = _unless_out_of_memory(train_some, some)
        if made is not None:
            found.append(made)
            done = some.stop
            continue
        gc.collect()
        torch.cuda.empty_cache()
        if len(some) == 1:
            raise UserError(
                "device: out of GPU memory with a single replica; allowed here: cpu, or a GPU with more memory or nobody else on it"
            )
        size = (len(some) + 1) // 2
        if report:
            report(f"out of GPU memory with {len(some)} replicas at once; goes on with {size} at a time")
    return {key: _joined([arrays[key] for arrays in found], kind.arrays[key].axes.split()) for key in found[0]}


def _unless_out_of_memory(train_some: Callable[[range], Arrays], some: range) -> Arrays | None:
    """Return what `train_some` does; None if memory was not enough, with all that it held on to let go."""
    try:
        return train_some(some)
    except RuntimeError as error:
        if not (isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in SIGNS)):
            raise
        return None


def _joined(arrays: list[np.ndarray], axes: list[str]) -> np.ndarray:
    return np.concatenate(arrays, axis=axes.index("R")) if "R" in axes else arrays[0]
