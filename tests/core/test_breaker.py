from __future__ import annotations

import pytest

from querist.core.breaker import Breaker
from querist.errors import BreakerOpenError
from tests.core.doing import Clock


def breaker(clock: Clock) -> Breaker:
    return Breaker("fetch", threshold=3, window=10, reset=5, clock=clock)


def test_it_opens_after_failures_that_are_close_together() -> None:
    clock = Clock()
    one = breaker(clock)
    assert [one.failed() for _ in range(2)] == [False, False]
    clock.now += 11
    assert [one.failed() for _ in range(2)] == [False, False], "the first two are too long ago"
    assert one.failed()
    assert one.state == "open"
    with pytest.raises(BreakerOpenError, match=r"'fetch' failed 3 times within 10 s .* for another 5\.0 s") as caught:
        one.enter()
    assert caught.value.retry_after == 5


def test_one_tries_after_a_while_and_its_success_closes_it() -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    clock.now += 5
    assert one.state == "half-open"
    assert one.enter(), "the first may try"
    with pytest.raises(BreakerOpenError, match="while one run tries"):
        one.enter()
    assert one.succeeded()
    one.release()
    assert one.state == "closed"
    assert not one.enter(), "all may run again"
    assert not one.failed(), "earlier failures are forgotten"


def test_a_try_that_fails_opens_it_again_and_one_that_was_given_up_lets_another_try() -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    clock.now += 5
    assert one.enter()
    one.release()
    assert one.enter()
    assert one.failed()
    one.release()
    assert one.state == "open"
    with pytest.raises(BreakerOpenError):
        one.enter()


def test_a_success_of_a_run_that_began_before_it_opened_does_not_close_it() -> None:
    one = breaker(Clock())
    for _ in range(3):
        one.failed()
    assert not one.succeeded()
    assert one.state == "open"
