"""A hook that redacts: no tool's output leaves the door with a card number in it, whichever tool it is.

Run `python examples/core/redacting_hook.py`.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from querist import Runner, component
from querist.core.builtin_hooks import replace_text, validator
from querist.core.hooks import Moving
from querist.errors import VetoError

hide_cards = replace_text(r"\b(\d{4})[ -]?\d{4}[ -]?\d{4}[ -]?(\d{4})\b", r"\1 **** **** \2")


async def redact(moving: Moving) -> Any:
    return hide_cards(moving.value)


@component(kind="tool")
async def customer_note(customer: int) -> str:
    """Read what was noted about a customer."""
    return f"Customer {customer} paid with 4929 1234 5678 9012."


@component(kind="tool")
async def run_sql(query: str) -> str:
    """Run a query."""
    return "done"


async def main() -> None:
    runner = Runner()
    # `stop`: a run whose output could not be redacted must fail.
    runner.hooks.add(redact, "after:tool", on_error="stop")
    reads_only = validator(lambda input: None if re.match("(?i)select", input.query) else "Only SELECT is allowed.")
    runner.hooks.add(reads_only, "before:tool", component="run_sql", on_error="stop")

    note = await runner.run(customer_note, {"customer": 7})
    print(note.result)
    try:
        await runner.run(run_sql, {"query": "DELETE FROM customers"})
    except VetoError as error:
        print("vetoed:", error.message)


if __name__ == "__main__":
    asyncio.run(main())
