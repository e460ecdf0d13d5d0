"""Builds that ask for a GPU where none is."""

import os
import re

from tests.builds import jobs_run, snakemake


def test_a_build_that_asks_for_a_gpu_where_none_is_ends_before_any_job_runs(mini):
    done = snakemake(mini, "--config", "device=cuda", environment={"CUDA_VISIBLE_DEVICES": ""}, check=False)
    assert done.returncode != 0
    problem = "wrong value 'cuda', no CUDA GPU is visible here (CUDA_VISIBLE_DEVICES is ''); allowed: auto, cpu"
    assert done.stdout.count(f"config/report.yaml or --config: device: {problem}") == 1
    assert "Traceback" not in done.stdout
    assert jobs_run(done.stdout) == set()


def test_as_many_jobs_have_a_gpu_at_once_as_the_command_says(mini):
    for arguments, limit in (((), 1), (("--resources", "gpu=4"), 4)):
        done = snakemake(mini, "--config", "device=cuda", *arguments, environment={"CUDA_VISIBLE_DEVICES": ""}, check=False)
        assert re.search(r"Provided resources: .*gpu\b\D*(\d+)", done.stdout)[1] == str(limit)


def test_a_gpu_that_pytorch_cannot_use_fails_the_job_in_one_line(mini, tmp_path):
    listing = tmp_path / "bin/nvidia-smi"
    listing.parent.mkdir()
    listing.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-00000000-0000-0000-0000-000000000000)'\n")
    listing.chmod(0o755)
    environment = {"PATH": f"{listing.parent}:{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": "0"}
    done = snakemake(mini, "--config", "device=cuda", "--", "results/train/mini/wide.npz", environment=environment, check=False)
    assert done.returncode != 0
    assert "resources: tmpdir=" in done.stdout
    assert re.search(r"\bgpu=1\b", done.stdout)
    assert "train: device: wrong value 'cuda', PyTorch " in done.stdout
    assert "Traceback" not in done.stdout
