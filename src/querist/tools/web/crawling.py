"""`sitemap_crawler`: the pages of a site, from its sitemaps and on request from its links, as its robots.txt allows."""

from __future__ import annotations

import asyncio
import zlib
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.errors import NetworkError, QueristError
from querist.settings.policy import Policy, Rate
from querist.tools.markup import parse_xml
from querist.tools.tool import Tool, ToolInput, require
from querist.tools.web.fetching import AGENT, FETCH, MAX_BYTES, fetch, parse
from querist.tools.web.page import read_page
from querist.tools.worker import in_worker

_MAX_SITEMAPS = 100
_MAX_ENTRIES = 50_000
"""Of one sitemap, as its protocol has it."""
_MAX_FORBIDDEN = 1000
_LONGEST_DELAY = 10.0
"""Seconds; a site that asks for more between two requests is left alone."""


class SitemapCrawlerInput(ToolInput):
    url: Annotated[str, FETCH] = Field(description="Any page of the site, or a sitemap (`….xml`).")
    depth: int = Field(
        default=0, description="How many links away from the given page to go; 0 reads the sitemaps only.", ge=0, le=5
    )
    max_pages: int = Field(default=100, description="Pages listed at most.", gt=0, le=10_000)
    delay: float = Field(
        default=0.5, description="Seconds between two requests, if the site does not ask for more.", ge=0, le=10
    )


class SitePage(BaseModel):
    url: str
    last_modified: str = Field(default="", description="As the sitemap has it.")
    title: str = Field(default="", description="Of pages that were read.")
    depth: int | None = Field(default=None, description="Links away from the start; nothing if only in a sitemap.")


class Site(BaseModel):
    pages: list[SitePage]
    sitemaps: list[str] = Field(description="Those that were read.")
    forbidden: list[str] = Field(description=f"Pages that robots.txt keeps crawlers from; {_MAX_FORBIDDEN} at most.")
    failed: list[str] = Field(description="What could not be read, and why.")
    truncated: bool = Field(description="Whether there are more pages.")


class SitemapCrawler(Tool[SitemapCrawlerInput, Site]):
    name = "sitemap_crawler"
    description = """List the pages of a web site: those in its sitemaps, and on request those that its pages link to.

    It keeps to robots.txt, asks one page at a time, and stays on the host."""
    permissions = ("network",)
    policy = Policy(timeout=600, rate=Rate(per_minute=5, burst=5))

    async def run(self, input: SitemapCrawlerInput, context: RunContext) -> Site:
        require("lxml", "read sitemaps")
        crawl = _Crawl(input, context)
        await crawl.read_robots()
        await crawl.read_sitemaps()
        await crawl.follow_links()
        return crawl.site()


class _Crawl:
    """One crawl: what is known so far of one host."""

    def __init__(self, input: SitemapCrawlerInput, context: RunContext) -> None:
        self.input, self.context = input, context
        start = parse(input.url)
        self.host = start.netloc
        self.root = f"{start.scheme}://{start.netloc.decode()}/"
        self.robots = RobotFileParser()
        self.delay = input.delay
        self.pages: dict[str, SitePage] = {}
        self.sitemaps: list[str] = []
        self.forbidden: dict[str, None] = {}
        self.failed: list[str] = []
        self.full = False

    async def read_robots(self) -> None:
        reply = await fetch(self.context, urljoin(self.root, "robots.txt"), max_bytes=500_000)
        if reply.status in (401, 403) or reply.status >= 500:
            raise NetworkError(
                f"{self.root}robots.txt cannot be read (status {reply.status}), so the site is left alone.",
                hint="That is what crawlers are asked to do (RFC 9309).",
            )
        self.robots.parse(reply.text.splitlines() if reply.ok else [])
        asked = self.robots.crawl_delay(AGENT)
        self.delay = max(self.delay, float(asked or 0))
        if self.delay > _LONGEST_DELAY:
            raise NetworkError(f"{self.root} asks crawlers for {self.delay:g} s between two pages; that is too slow.")

    async def read_sitemaps(self) -> None:
        first = self.input.url if self.input.url.endswith((".xml", ".xml.gz")) else ""
        listed = [first] if first else self.robots.site_maps() or [urljoin(self.root, "sitemap.xml")]
        waiting = list(listed)
        while waiting and len(self.sitemaps) < _MAX_SITEMAPS and not self.full:
            url = waiting.pop(0)
            if url in self.sitemaps:
                continue
            try:
                reply = (await self._get(url)).check(url)
                packed = reply.body.startswith(b"\x1f\x8b")
                entries = await asyncio.to_thread(_entries, _unpacked(reply.body) if packed else reply.body)
            except QueristError as error:
                if listed != [urljoin(self.root, "sitemap.xml")]:  # nobody said that there is one
                    self.failed.append(error.message)
                continue
            self.sitemaps.append(url)
            for number, (kind, found, modified) in enumerate(entries):
                if number % 100 == 0:
                    await asyncio.sleep(0)  # there may be many, and rules for each: others get their turn
                if kind == "sitemap":
                    waiting.append(found)
                else:
                    self._add(SitePage(url=found, last_modified=modified))

    async def follow_links(self) -> None:
        if not self.input.depth:
            return
        waiting = [(self.input.url, 0)]
        seen = {self.input.url}
        while waiting and not self.full:
            url, depth = waiting.pop(0)
            if not self._add(SitePage(url=url, depth=depth)):
                continue
            try:
                reply = (await self._get(url)).check(url)
                if reply.type not in ("text/html", "application/xhtml+xml"):
                    continue
                parts = await in_worker(read_page, reply.text, reply.url, {})
            except QueristError as error:
                self.failed.append(error.message)
                continue
            self.pages[url] = self.pages[url].model_copy(update={"title": parts["title"], "depth": depth})
            if depth < self.input.depth:
                links = [link["url"] for link in parts["links"] if link["url"] not in seen and self._here(link["url"])]
                seen.update(links)
                waiting += [(link, depth + 1) for link in links]

    def site(self) -> Site:
        return Site(
            pages=list(self.pages.values()),
            sitemaps=self.sitemaps,
            forbidden=list(self.forbidden),
            failed=self.failed,
            truncated=self.full,
        )

    async def _get(self, url: str) -> Any:
        if not self._here(url):
            raise NetworkError(f"{url} is on another host.")
        await asyncio.sleep(self.delay)
        return await fetch(self.context, url)

    def _here(self, url: str) -> bool:
        try:
            return parse(url).netloc == self.host
        except QueristError:
            return False

    def _add(self, page: SitePage) -> bool:
        """Whether the page is, or was already, listed."""
        if not self._here(page.url):
            return False
        if not self.robots.can_fetch(AGENT, page.url):
            if len(self.forbidden) < _MAX_FORBIDDEN:
                self.forbidden[page.url] = None
            return False
        if page.url not in self.pages:
            if len(self.pages) == self.input.max_pages:
                self.full = True
                return False
            self.pages[page.url] = page
        return True


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(body, MAX_BYTES * 10)
    except zlib.error as error:
        raise NetworkError("The sitemap is not packed as gzip.") from error


def _entries(body: bytes) -> list[tuple[str, str, str]]:
    """`sitemap` or `url`, its address and its date, for each entry of a sitemap."""
    try:
        root = parse_xml(body)
    except ValueError as error:
        raise NetworkError(f"The sitemap cannot be read: {error}") from error
    return [
        (kind, (entry.findtext("{*}loc") or "").strip(), (entry.findtext("{*}lastmod") or "").strip())
        for kind in ("sitemap", "url")
        for entry in islice(root.iterfind(f"{{*}}{kind}"), _MAX_ENTRIES)
    ]
