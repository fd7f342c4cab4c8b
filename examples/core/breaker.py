"""A breaker that opens and closes: a service that is down is left alone for a while, then tried once.

Run `python examples/core/breaker.py`.
"""

from __future__ import annotations

import asyncio

from querist import Runner, component
from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.errors import ComponentFailedError, RunRejectedError
from querist.settings.policy import BreakerSettings, Policy

service_is_up = False


@component(kind="tool", policy=Policy(breaker=BreakerSettings(threshold=2, window=60, reset=0.2)))
async def exchange_rate(currency: str) -> float:
    """Ask a service for the exchange rate of a currency."""
    if not service_is_up:
        raise ConnectionError("connection refused")
    return 1.08


def tell(event: Event) -> None:
    print(f"  {event.name}")


async def ask(runner: Runner, context: RunContext) -> None:
    try:
        rate = await runner.run(exchange_rate, {"currency": "EUR"}, context)
        print("rate:", rate.result)
    except ComponentFailedError:
        print("the service failed")
    except RunRejectedError:
        print("not even asked")


async def main() -> None:
    global service_is_up
    events = EventBus()
    events.subscribe(tell, "breaker.*")
    runner, context = Runner(), RunContext(events=events)
    for _ in range(3):
        await ask(runner, context)
    service_is_up = True
    await ask(runner, context)
    await asyncio.sleep(0.3)
    await ask(runner, context)


if __name__ == "__main__":
    asyncio.run(main())
