import numpy as np

from scripts.common.seeds import replica_seeds


def test_replica_0_has_the_seed_itself_and_the_others_the_documented_ones():
    assert replica_seeds(600, 3) == [
        600,
        *(int(np.random.SeedSequence(entropy=600, spawn_key=(r,)).generate_state(1)[0]) for r in (1, 2)),
    ]


def test_seeds_do_not_depend_on_the_number_of_replicas():
    assert replica_seeds(5, 20)[:7] == replica_seeds(5, 7)
    assert replica_seeds(5, 0) == []


def test_seeds_differ_between_replicas_and_between_seeds():
    found = replica_seeds(5, 200) + replica_seeds(6, 200)
    assert len(set(found)) == 400
    assert all(0 <= seed < 2**32 for seed in found)
