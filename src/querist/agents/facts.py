"""The tools by which an agent remembers, recalls and forgets."""

from __future__ import annotations

import asyncio
from typing import Any

from querist.core.component import Component, component
from querist.state.agent_memory import AgentMemory

_LONGEST = 2000


def fact_tools(memory: AgentMemory, agent: str) -> tuple[Component[Any, Any], ...]:
    """`remember`, `recall` and `forget` over what `agent` knows."""

    @component(kind="tool")
    async def remember(key: str, fact: str) -> str:
        """Keep a fact for later conversations, under a short key."""
        await asyncio.to_thread(memory.remember, agent, key[:200], fact[:_LONGEST])
        return f"Remembered as {key}."

    @component(kind="tool")
    async def recall(about: str) -> dict[str, str]:
        """Look up what you remember about something."""
        return await asyncio.to_thread(memory.recall, agent, about)

    @component(kind="tool")
    async def forget(key: str) -> str:
        """Forget the fact that is kept under a key."""
        known = await asyncio.to_thread(memory.forget, agent, key)
        return f"Forgot {key}." if known else f"There is nothing under {key}."

    return (remember, recall, forget)
