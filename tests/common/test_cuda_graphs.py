"""The order of what is asked of CUDA, told by a stand-in for it; tests/common/test_training_on_gpu.py has what is recorded on a GPU."""

from contextlib import contextmanager

import pytest
import torch

from scripts.common import cuda_graphs


@pytest.fixture
def asked(monkeypatch):
    """What CUDA is asked for, in order."""
    lines = []

    class Stream:
        def __init__(self, name="side"):
            self.name = name

        def wait_stream(self, other):
            lines.append(f"{self.name} waits for {other.name}")

    @contextmanager
    def within(name):
        lines.append(f"{name} begins")
        try:
            yield
        finally:
            lines.append(f"{name} ends")

    class Graph:
        def replay(self):
            lines.append("replayed")

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: Stream("main"))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: within(stream.name))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda _graph: within("recording"))
    return lines


def failing(asked, error):
    """Return a function that cannot be recorded."""

    def function():
        asked.append("run")
        if asked[-2] == "recording begins":
            raise error

    return function


def test_a_function_is_run_on_a_stream_beside_and_then_recorded(asked):
    replay = cuda_graphs.record(lambda: asked.append("run"))
    assert asked == [
        "side waits for main",
        "side begins",
        *["run"] * cuda_graphs.RUNS_BEFORE,
        "side ends",
        "main waits for side",
        "recording begins",
        "run",
        "recording ends",
    ]
    replay()
    assert asked[-1] == "replayed"


def test_what_cannot_be_recorded_is_done_as_it_is_and_said(asked):
    function = failing(asked, RuntimeError("operation not permitted when stream is capturing\nand more"))
    with pytest.warns(RuntimeWarning, match=r"cannot be recorded: operation not permitted when stream is capturing$"):
        assert cuda_graphs.record(function) is function


def test_a_lack_of_memory_is_not_taken_for_something_that_cannot_be_recorded(asked):
    with pytest.raises(torch.OutOfMemoryError):
        cuda_graphs.record(failing(asked, torch.OutOfMemoryError("CUDA out of memory")))
