"""Try a call to a model again when its fault is passing, no sooner than the server asks."""

from __future__ import annotations

import logging
import random
import time
from asyncio import sleep
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from querist.errors import ModelError

T = TypeVar("T")

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
"""Seconds. A server that asks for more is reported, not waited for."""

_FIRST_WAIT = 0.5
_LONGEST_BACKOFF = 8.0

PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""HTTP answers that another try may turn into a good one."""


class PassingFault(Exception):
    """A fault that may pass. `error` is what to raise when it does not; `wait` the seconds the server asked for."""

    def __init__(self, error: ModelError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


async def with_retries(call: Callable[[], Awaitable[T]], retries: int, name: str) -> T:
    """What `call` returns, after at most `retries` more tries for each `PassingFault`.

    Raises:
        ModelError: the fault of the last try, or one whose wait is too long.
    """
    for attempt in range(retries + 1):
        try:
            return await call()
        except PassingFault as fault:
            wait = fault.wait
            if attempt == retries or (wait is not None and wait > LONGEST_WAIT):
                raise fault.error from fault.error.__cause__
            if wait is None:
                wait = min(_LONGEST_BACKOFF, _FIRST_WAIT * 2**attempt) * random.uniform(0.75, 1.25)
            log.warning("%s: %s Trying again in %.1f s.", name, fault.error.message, wait)
            await sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def parse_retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds to wait by a `Retry-After` header (RFC 9110: seconds or an HTTP date); None when it says none."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
    return max(0.0, moment - (time.time() if now is None else now))
