"""`web_scraper`: what is written on pages, and `webpage_monitor`: what has changed there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.errors import NetworkError, QueristError
from querist.settings.policy import Policy, Rate
from querist.state.cache import ContentCache
from querist.state.paths import data_dir
from querist.tools.tool import Tool, ToolInput, require
from querist.tools.utilities.differences import changed_lines
from querist.tools.web.fetching import FETCH, fetch
from querist.tools.web.page import read_page
from querist.tools.worker import in_worker

_PAGES = ("text/html", "application/xhtml+xml", "text/plain", "application/xml", "text/xml", "")


class WebScraperInput(ToolInput):
    url: Annotated[str, FETCH] = Field(default="", description="The page; or give `urls`.")
    urls: Annotated[list[str], FETCH] = Field(
        default=[], description="Several pages, read one after the other.", max_length=20
    )
    selectors: dict[str, str] = Field(
        default={},
        description="What to take from each page, by names of your choice: CSS selectors (`h2.title`), with `@` for an "
        "attribute (`a.next@href`).",
        max_length=50,
    )
    include_links: bool = Field(default=False, description="Whether to list the links.")
    max_characters: int = Field(default=20_000, description="Of the text of each page.", gt=0, le=200_000)
    timeout: float = Field(default=30, description="Seconds for each page.", gt=0, le=120)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if bool(self.url) == bool(self.urls):
            raise ValueError("give either url or urls")
        return self


class Link(BaseModel):
    url: str
    text: str


class Page(BaseModel):
    url: str = Field(description="After redirects.")
    error: str = Field(default="", description="Why it could not be read; only where several pages were asked for.")
    title: str = ""
    description: str = ""
    language: str = ""
    text: str = Field(default="", description="What a reader sees, a line for each block.")
    found: dict[str, list[str]] = Field(default={}, description="What each selector found.")
    links: list[Link] = []


class Pages(BaseModel):
    pages: list[Page]


class WebScraper(Tool[WebScraperInput, Pages]):
    name = "web_scraper"
    description = """Read web pages: their text, links, and what CSS selectors find.

    Scripts are not run, so what a page makes only in a browser is not there."""
    permissions = ("network",)
    policy = Policy(rate=Rate(per_minute=20, burst=10))

    async def run(self, input: WebScraperInput, context: RunContext) -> Pages:
        if input.url:
            return Pages(pages=[await self._read(input.url, input, context)])
        pages = []
        for url in input.urls:
            try:
                pages.append(await self._read(url, input, context))
            except QueristError as error:
                pages.append(Page(url=url, error=error.message))
        return Pages(pages=pages)

    async def _read(self, url: str, input: WebScraperInput, context: RunContext) -> Page:
        where, parts = await _fetch_page(context, url, input.selectors, input.timeout)
        page = Page.model_validate(parts | {"url": where})
        page.text = page.text[: input.max_characters]
        return page if input.include_links else page.model_copy(update={"links": []})


class WebpageMonitorInput(ToolInput):
    url: Annotated[str, FETCH] = Field(description="The page.")
    selector: str = Field(default="", description="CSS selector of the part to watch; all of its text when left out.")
    ignore: list[str] = Field(
        default=[], description="Lines that hold one of these texts do not count, such as a clock.", max_length=50
    )
    timeout: float = Field(default=30, description="Seconds.", gt=0, le=120)


class Change(BaseModel):
    url: str
    first_look: bool = Field(description="Whether there was nothing to compare with.")
    changed: bool
    similarity: float = Field(description="1 for the same text, 0 for another.")
    added: list[str] = Field(description="Lines that are new.")
    removed: list[str] = Field(description="Lines that are gone.")
    last_look: float | None = Field(description="When it was looked at before, in seconds since 1970.")


class WebpageMonitor(Tool[WebpageMonitorInput, Change]):
    name = "webpage_monitor"
    description = """Tell what has changed on a web page since it was last looked at.

    It looks once; to watch a page, run it by a schedule. Each page and selector is remembered by itself."""
    permissions = ("network",)
    policy = Policy(rate=Rate(per_minute=10, burst=10))

    async def run(self, input: WebpageMonitorInput, context: RunContext) -> Change:
        selectors = {"part": input.selector} if input.selector else {}
        url, parts = await _fetch_page(context, input.url, selectors, input.timeout)
        text = "\n".join(parts["found"]["part"]) if selectors else parts["text"]
        lines = [line for line in text.splitlines() if not any(part in line for part in input.ignore)]
        key = hashlib.sha256(json.dumps([input.url, input.selector, input.ignore]).encode()).hexdigest()
        when, before = await asyncio.to_thread(_replace, key, lines)
        differences: dict[str, Any] = {"similarity": 1.0, "added": [], "removed": []}
        if before not in (None, lines):
            differences = await in_worker(changed_lines, before, lines)
        changed = bool(differences["added"] or differences["removed"])
        return Change(url=url, first_look=before is None, changed=changed, last_look=when, **differences)


def _replace(key: str, lines: list[str]) -> tuple[float | None, list[str] | None]:
    """When the page was looked at before and what was there, both None for the first time; keeps what is there now."""
    seen = ContentCache(data_dir() / "webpages.sqlite")
    kept = seen.get("page", key)
    seen.put("page", key, json.dumps([time.time(), lines]).encode())
    seen.close()
    return tuple(json.loads(kept)) if kept else (None, None)


async def _fetch_page(
    context: RunContext, url: str, selectors: dict[str, str], seconds: float
) -> tuple[str, dict[str, Any]]:
    """Where a page is after redirects, and its parts."""
    require("lxml", "read web pages")
    reply = (await fetch(context, url, headers={"Accept": "text/html"}, seconds=seconds)).check(url)
    if reply.type not in _PAGES:
        raise NetworkError(f"{url} is no page but {reply.type}.", hint="Fetch it with http_client.")
    return reply.url, await in_worker(read_page, reply.text, reply.url, selectors)
