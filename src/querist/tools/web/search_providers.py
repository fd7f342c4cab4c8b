"""What `web_search` asks: how each service is asked, and what its reply means.

Held against servers of the tests that speak these protocols as their documentation has them. Only the page of
DuckDuckGo is no documented interface: it may change, and an instance of SearXNG of your own will not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from querist.errors import NetworkError
from querist.settings.tools import SearchProvider
from querist.tools.web.fetching import Fetched, of_protocol
from querist.tools.worker import in_worker

Timeframe = Literal["day", "week", "month", "year"]


@dataclass(frozen=True)
class Hit:
    url: str
    title: str
    snippet: str
    published: str = ""


@dataclass(frozen=True)
class Question:
    query: str
    count: int
    timeframe: Timeframe | None = None


@dataclass(frozen=True)
class Asking:
    """The request that puts a question to a service."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def address(provider: SearchProvider) -> str:
    """Where the service is."""
    return provider.url.rstrip("/") or _DEFAULT[provider.kind]


def asking(provider: SearchProvider, question: Question) -> Asking:
    return _ASK[provider.kind](address(provider), question)


async def hits(provider: SearchProvider, reply: Fetched) -> list[Hit]:
    """What a service found.

    Raises:
        NetworkError: the reply is not what the service is known to send.
    """
    with of_protocol(provider.kind):
        return await _duckduckgo_hits(reply) if provider.kind == "duckduckgo" else _READ[provider.kind](reply.json())


def _ask_searxng(url: str, question: Question) -> Asking:
    frame = {"time_range": question.timeframe} if question.timeframe else {}
    return Asking(f"{url}/search?{urlencode({'q': question.query, 'format': 'json'} | frame)}")


def _searxng_hits(data: Any) -> list[Hit]:
    return [
        Hit(found["url"], found["title"], found.get("content") or "", found.get("publishedDate") or "")
        for found in data["results"]
    ]


def _ask_brave(url: str, question: Question) -> Asking:
    frame = {"freshness": f"p{question.timeframe[0]}"} if question.timeframe else {}
    query = urlencode({"q": question.query, "count": min(question.count, 20)} | frame)
    return Asking(f"{url}?{query}", headers={"Accept": "application/json"})


def _brave_hits(data: Any) -> list[Hit]:
    return [
        Hit(found["url"], found["title"], found.get("description") or "", found.get("page_age") or "")
        for found in data.get("web", {}).get("results", [])
    ]


def _ask_duckduckgo(url: str, question: Question) -> Asking:
    frame = {"df": question.timeframe[0]} if question.timeframe else {}
    body = urlencode({"q": question.query} | frame).encode()
    return Asking(url, "POST", {"Content-Type": "application/x-www-form-urlencoded"}, body)


async def _duckduckgo_hits(reply: Fetched) -> list[Hit]:
    from querist.tools.web.page import read_page

    # `none` takes what says that there is nothing, without which an empty page would pass for it.
    wanted = {
        "title": ".result:not(.result--ad) .result__a",
        "target": ".result:not(.result--ad) .result__a@href",
        "snippet": ".result:not(.result--ad) .result__snippet",
        "none": ".no-results, .result--no-result",
    }
    found = (await in_worker(read_page, reply.text, reply.url, wanted))["found"]
    if not found["title"] and not found["none"]:
        raise NetworkError("duckduckgo sent a page without results; it may take this for a robot.")
    snippets = found["snippet"] if len(found["snippet"]) == len(found["title"]) else [""] * len(found["title"])
    each = zip(found["title"], found["target"], snippets, strict=True)
    return [Hit(_behind(target), title, snippet) for title, target, snippet in each]


def _behind(link: str) -> str:
    """The address to which a link of DuckDuckGo leads."""
    parts = urlsplit(link)
    return parse_qs(parts.query).get("uddg", [link])[0] if parts.path == "/l/" else link


_DEFAULT = {
    "brave": "https://api.search.brave.com/res/v1/web/search",
    "duckduckgo": "https://html.duckduckgo.com/html/",
}
_ASK: dict[str, Callable[[str, Question], Asking]] = {
    "searxng": _ask_searxng,
    "brave": _ask_brave,
    "duckduckgo": _ask_duckduckgo,
}
_READ: dict[str, Callable[[Any], list[Hit]]] = {"searxng": _searxng_hits, "brave": _brave_hits}
