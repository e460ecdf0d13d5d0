import signal
import threading

import pytest

from scripts.common.limits import limited


class LateError(Exception):
    pass


def for_ever():
    while True:
        pass


def test_work_that_goes_on_for_ever_is_stopped_with_the_given_error():
    former = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(LateError), limited(0.05, LateError()):
        for_ever()
    assert signal.getsignal(signal.SIGVTALRM) is former
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_work_that_ends_in_time_is_left_alone():
    with limited(100, LateError()):
        done = sum(range(1000))
    assert done == 499_500
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_beside_the_main_thread_nothing_is_limited():
    ended = []

    def work():
        with limited(1e-6, LateError()):
            ended.append(sum(range(100_000)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [4_999_950_000]
