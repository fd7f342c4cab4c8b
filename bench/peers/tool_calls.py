"""Reads tool calls that a model wrote as text.

llama.cpp hands on what Qwen2.5-Coder writes for a tool call as plain text, where other servers of the same model parse
it. Without this, everyone whose method is tool calling would get no answer at all, for a reason that is not theirs.
"""

from __future__ import annotations

import json
from typing import Any


def with_tool_calls(reply: dict[str, Any], request: dict[str, Any]) -> dict[str, Any] | None:
    """The reply with its text turned into tool calls; None when it needs no change.

    Only for a request that offers tools and a reply without tool calls whose text holds JSON objects
    `{"name": <a tool on offer>, "arguments": {...}}`, fenced, tagged or bare.
    """
    names = {tool.get("function", {}).get("name") for tool in request.get("tools") or []}
    choices = reply.get("choices") or []
    if not names or not choices:
        return None
    message = choices[0].get("message") or {}
    if message.get("tool_calls") or not isinstance(message.get("content"), str):
        return None
    calls = [
        {
            "id": f"call_{reply.get('id', 'text')}_{number}",
            "type": "function",
            "function": {"name": found["name"], "arguments": json.dumps(found["arguments"])},
        }
        for number, found in enumerate(_objects(message["content"]))
        if found.get("name") in names and isinstance(found.get("arguments"), dict)
    ]
    if not calls:
        return None
    choice = {**choices[0], "finish_reason": "tool_calls", "message": {**message, "content": None, "tool_calls": calls}}
    return {**reply, "choices": [choice, *choices[1:]]}


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, outermost first to last."""
    decoder, found, at = json.JSONDecoder(), [], text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            end = at + 1
        else:
            if isinstance(value, dict):
                found.append(value)
        at = text.find("{", end)
    return found
