"""Trains all replicas of a variant in one job: data set in, parameters and losses out."""

import time
from pathlib import Path

from scripts.common import job, storage
from scripts.common.devices import claimed
from scripts.common.resume import Resume, notice
from scripts.common.training import train

if __name__ == "__main__":
    with job.run(snakemake) as running, notice() as told:
        started = time.perf_counter()
        keep = Resume(Path(snakemake.output[0]), digest=running.digest, say=running.say, told=told)
        where = f"{running.recipe.name}: device"
        with claimed([running.settings["device"]], snakemake.resources.gpu_number, place=where, say=running.say):
            arrays = train(running.load("data"), report=running.say, keep=keep, **running.settings)
        running.save(snakemake.output[0], arrays, storage.TRAIN)
        keep.remove()
        running.record_time(time.perf_counter() - started)
