"""How long code that somebody else wrote may work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited(seconds: float, error: Exception) -> Iterator[None]:
    """Raise `error` when the processor has worked on the body for so long; only where signals arrive, which is in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise error

    former = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
