"""`web_search`: asks search services in the order of the settings, until there are enough results."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import QueristError, UsageError
from querist.settings.policy import Policy, Rate
from querist.settings.tools import SearchProvider
from querist.state.cache import ContentCache
from querist.state.paths import cache_dir
from querist.tools.credentials import tool_settings
from querist.tools.reach import check_granted
from querist.tools.tool import ToolInput, require
from querist.tools.web.fetching import fetch, to_fetch
from querist.tools.web.search_providers import Hit, Question, Timeframe, address, asking, hits

_FRESH_SECONDS = 3600.0


class WebSearchInput(ToolInput):
    query: str = Field(description="What to search for.", min_length=1, max_length=400)
    max_results: int = Field(default=10, description="Results at most.", gt=0, le=50)
    providers: list[Literal["searxng", "brave", "duckduckgo"]] = Field(
        default=[], description="Only these of the services in the settings; all when left out."
    )
    timeframe: Timeframe | None = Field(default=None, description="How old results may be.")


class SearchResult(BaseModel):
    url: str
    title: str
    snippet: str
    published: str = Field(description="As the service has it; empty where it does not know.")
    providers: list[str] = Field(description="Services that found it.")


class SearchResults(BaseModel):
    results: list[SearchResult]
    providers_used: list[str]
    failed: list[str] = Field(description="Services that did not answer, and why.")
    cached: bool = Field(description="Whether nobody had to be asked, as the same was asked within the hour.")


class WebSearch(Component[WebSearchInput, SearchResults]):
    name = "web_search"
    description = """Search the web, and give addresses, titles and snippets.

    It asks the services in `tools.search` of the settings, DuckDuckGo by default. Their hosts must be granted."""
    permissions = ("network",)
    policy = Policy(rate=Rate(per_minute=30, burst=10))

    async def run(self, input: WebSearchInput, context: RunContext) -> SearchResults:
        require("lxml", "read the pages of search services")
        asked = [p for p in tool_settings(context).search if not input.providers or p.kind in input.providers]
        if not asked:
            raise UsageError("None of the wanted services is set up.", hint="See `tools.search` in the settings.")
        question = Question(input.query, input.max_results, input.timeframe)
        found: dict[str, SearchResult] = {}
        used, failures, fresh = list[str](), list[QueristError](), False
        for provider in asked:
            try:
                given, kept = await _ask(provider, question, context)
            except QueristError as error:
                failures.append(error)
                continue
            used.append(provider.kind)
            fresh |= not kept
            for hit in given:
                known = found.setdefault(hit.url.rstrip("/"), SearchResult(**asdict(hit), providers=[]))
                if provider.kind not in known.providers:
                    known.providers.append(provider.kind)
            if len(found) >= input.max_results:
                break
        if not used:
            raise failures[0]
        # What several services found goes first; the rest stays in the order in which it was found.
        ranked = sorted(found.values(), key=lambda result: -len(result.providers))
        return SearchResults(
            results=ranked[: input.max_results],
            providers_used=used,
            failed=[error.message for error in failures],
            cached=not fresh,
        )


async def _ask(provider: SearchProvider, question: Question, context: RunContext) -> tuple[list[Hit], bool]:
    """What one service found, and whether that was known from the last hour."""
    where = address(provider)
    check_granted(context, to_fetch(where))  # before the cache, for what is in it was found for somebody who may
    cache = ContentCache(cache_dir() / "web.sqlite")
    key = json.dumps([provider.kind, where, question.query, question.count, question.timeframe])
    try:
        if kept := cache.get("search", key):
            when, given = json.loads(kept)
            if time.time() - when < _FRESH_SECONDS:
                return [Hit(**hit) for hit in given], True
        call = asking(provider, question)
        reply = await fetch(
            context, call.url, method=call.method, headers=call.headers, body=call.body, use=provider.credential
        )
        found = [hit for hit in await hits(provider, reply.check(provider.kind)) if _is_web(hit.url)]
        cache.put("search", key, json.dumps([time.time(), [asdict(hit) for hit in found]]).encode())
        return found, False
    finally:
        cache.close()


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))
