"""Seeds of the replicas of a variant."""

import numpy as np


def replica_seeds(seed: int, replicas: int) -> list[int]:
    """Return the seed of each replica: `seed` itself for replica 0, seeds derived from it for the others.

    Replica r > 0 has the first 32-bit word of ``numpy.random.SeedSequence(entropy=seed, spawn_key=(r,))``. It depends on `seed` and r
    alone: variants with the same seed share all seeds, and more replicas change none of the first.
    """
    return [seed, *(int(np.random.SeedSequence(entropy=seed, spawn_key=(r,)).generate_state(1)[0]) for r in range(1, replicas))][:replicas]
