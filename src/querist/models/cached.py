"""A model whose replies are kept by the content of the request: the same request again costs nothing and says the same.

For evaluation, where a rerun should be free and exact. Not for answering people: a model that is asked again may have
been replaced by a better one under the same name.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import asdict

from querist.models.base import Model, OnToken, Reply, Request, Usage
from querist.state.cache import ContentCache

log = logging.getLogger(__name__)

_NAMESPACE = "model-replies-1"
"""The number changes with what is stored."""


class CachedModel:
    """Asks `model` once for each request and replays its reply from then on.

    The key is all that may change the reply: the model's name, messages, schema, grammar, bounds, temperature, seed and
    stop words. A replayed reply carries the *original* usage, tokens and seconds. `take_replayed` says how much time
    replaying saved, so that whoever measures can add it.

    Args:
        model: closed with this one.
        cache: where replies are kept; not closed with this one.
        variant: replies of another variant are not used; for asking the same again on purpose.
    """

    def __init__(self, model: Model, cache: ContentCache, *, variant: str = "") -> None:
        self.name = model.name
        self.variant = variant
        self._model, self._cache = model, cache
        self._calls: list[_Call] = []

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        key = _key(self.name, request, self.variant)
        call = _Call(time.monotonic())
        self._calls.append(call)
        reply = _read(self._cache.get(_NAMESPACE, key))
        if reply is None:
            reply = await self._model.complete(request, on_token)
            self._cache.put(_NAMESPACE, key, json.dumps(asdict(reply)).encode())
            call.ended = time.monotonic()
            return reply
        # Gives way once, as a real call would, so that calls made together are seen to overlap.
        await asyncio.sleep(0)
        if on_token is not None:
            on_token(reply.text)
        call.ended = time.monotonic()
        call.original = reply.usage.seconds
        return reply

    def take_replayed(self) -> tuple[int, float]:
        """Replies replayed since this was last called, and the seconds that this saved.

        Of calls that overlapped, the one that saved most counts: originally they ran side by side, too.
        """
        calls, self._calls = self._calls, []
        saved, cluster, until = 0.0, 0.0, 0.0
        for call in sorted(calls, key=lambda c: c.started):
            if call.started >= until:
                saved, cluster = saved + cluster, 0.0
            until = max(until, call.ended)
            if call.original is not None:
                cluster = max(cluster, call.original - (call.ended - call.started))
        return sum(call.original is not None for call in calls), saved + cluster

    async def close(self) -> None:
        await self._model.close()


class _Call:
    """When a call began and ended, and how long it took when it was made first; None when it was made now."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.ended = started
        self.original: float | None = None


def _key(name: str, request: Request, variant: str) -> str:
    told = asdict(request)
    # The name of the prompt family only tells a server where to keep what it has read.
    del told["prefix"]
    text = json.dumps([name, variant, told], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(stored: bytes | None) -> Reply | None:
    if stored is None:
        return None
    try:
        fields = json.loads(stored)
        return Reply(**{**fields, "usage": Usage(**fields["usage"])})
    except (ValueError, TypeError, KeyError) as error:
        log.warning("a kept reply cannot be read and is asked for again: %s", error)
        return None
