from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import ComponentInputError, NetworkError, PermissionDeniedError, UsageError
from querist.settings import Settings
from querist.tools.catalogue import load_tool
from querist.tools.web.fetching import AGENT
from tests.tools import granted
from tests.tools.site import Asked, reply, site

pytestmark = pytest.mark.anyio


async def use(tool: str, /, **input: Any) -> Any:
    """Run a tool as somebody who may reach this machine and example.org."""
    return await granted.use(tool, "network:127.0.0.1", "network:example.org", **input)


def pages(**bodies: str | bytes) -> Callable[[Asked], bytes]:
    """Answers each path (`_` for `.`) with its body, and others with 404."""
    known = {f"/{path.replace('_', '.')}".removesuffix("/index"): body for path, body in bodies.items()}
    return lambda asked: reply(known[asked.path.rstrip("/")]) if asked.path.rstrip("/") in known else reply(status=404)


@pytest.mark.parametrize("tool", ["http_client", "webpage_monitor", "sitemap_crawler", "web_scraper"])
async def test_without_a_grant_nothing_is_asked(tool: str) -> None:
    async with site(lambda asked: reply("x")) as here:
        with pytest.raises(PermissionDeniedError, match=r"network:127\.0\.0\.1"):
            await Runner().run(load_tool(tool), {"url": here.url}, RunContext())
    assert not here.asked


async def test_a_request_goes_out_as_it_was_asked_for() -> None:
    async with site(lambda asked: reply({"got": asked.json}, 201)) as here:
        given = await use(
            "http_client", url=f"{here.url}/x?a=1", method="PUT", json_body={"n": 1}, headers={"X-A": "b"}
        )
    assert (given.status, given.json_body, given.binary, given.tries) == (201, {"got": {"n": 1}}, False, 1)
    asked = here.asked[0]
    assert (asked.method, asked.path, asked.headers["x-a"], asked.headers["user-agent"]) == (
        "PUT",
        "/x?a=1",
        "b",
        AGENT,
    )


async def test_a_passing_fault_is_tried_again_where_that_does_no_harm() -> None:
    def answer(asked: Asked) -> bytes:
        return reply("ok") if len(here.asked) % 2 == 0 else reply(status=503, retry_after="0")

    async with site(answer) as here:
        assert (await use("http_client", url=here.url, retries=2)).tries == 2
        assert (await use("http_client", url=here.url, retries=2, method="POST", body="x")).status == 503


async def test_bytes_come_as_base64() -> None:
    async with site(lambda asked: reply(b"\x89PNG\0\0", content_type="image/png")) as here:
        given = await use("http_client", url=here.url)
    assert (given.binary, given.body) == (True, "iVBORwAA")


async def test_an_unknown_credential_is_a_mistake_and_names_in_text_are_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret")
    async with site(lambda asked: reply("x")) as here:
        await use("http_client", url=here.url, headers={"Authorization": "Bearer ${API_TOKEN}"})
    assert here.asked[0].headers["authorization"] == "Bearer ${API_TOKEN}"


PAGE = """<!doctype html><html lang="en"><head><title>The  shop</title><meta name="description" content="Things">
<style>p {}</style></head><body><h1>Our <b>things</b></h1><script>alert(1)</script>
<p class="price" data-id="7">5 €</p><p class="price" data-id="8">6 €</p><a href="/next#top">more</a></body></html>"""


async def test_a_page_is_read_as_a_reader_sees_it() -> None:
    async with site(pages(index=PAGE)) as here:
        (page,) = (
            await use(
                "web_scraper", url=here.url, selectors={"price": ".price", "id": ".price@data-id"}, include_links=True
            )
        ).pages
    assert (page.title, page.description, page.language) == ("The shop", "Things", "en")
    assert page.text == "Our things\n5 €\n6 €\nmore"
    assert page.found == {"price": ["5 €", "6 €"], "id": ["7", "8"]}
    assert [(link.url, link.text) for link in page.links] == [(f"{here.url}/next", "more")]


async def test_a_link_that_leads_nowhere_is_none() -> None:
    links = '<a href="https://[your-host]/x">yours</a><a href="mailto:a@b.example">mail</a><a href="/next">more</a>'
    async with site(pages(index=f'<base href="http://[">{links}')) as here:
        (page,) = (await use("web_scraper", url=here.url, include_links=True)).pages
    assert [(link.url, link.text) for link in page.links] == [(f"{here.url}/next", "more")]


async def test_of_several_pages_one_may_fail() -> None:
    async with site(pages(a="<p>A</p>")) as here:
        given = await use("web_scraper", urls=[f"{here.url}/a", f"{here.url}/b"])
    assert [(page.text, "404" in page.error) for page in given.pages] == [("A", False), ("", True)]


async def test_a_selector_that_is_none_is_told() -> None:
    async with site(pages(index=PAGE)) as here:
        with pytest.raises(ComponentInputError, match="not a CSS selector"):
            await use("web_scraper", url=here.url, selectors={"x": "p["})


async def test_what_changed_on_a_page_is_told_line_by_line() -> None:
    versions = iter(["<p>a</p><p>now 1</p>", "<p>a</p><p>now 2</p>", "<p>a</p><p>b</p><p>now 3</p>"])
    async with site(lambda asked: reply(next(versions))) as here:
        looks = [await use("webpage_monitor", url=here.url, ignore=["now"]) for _ in range(3)]
    assert [(look.first_look, look.changed, look.added) for look in looks] == [
        (True, False, []),
        (False, False, []),
        (False, True, ["b"]),
    ]


async def test_an_address_is_taken_apart_without_asking_anybody() -> None:
    given = await use("url_analyzer", url="http://bücher.example:8081/a?x=1&x=2#top")
    assert (given.host, given.port, given.punycode) == ("bücher.example", 8081, "xn--bcher-kva.example")
    assert (given.query, given.fragment) == ({"x": ["1", "2"]}, "top")
    assert given.security_score == 30
    assert len(given.findings) == 3


async def test_on_request_the_server_of_an_address_is_asked() -> None:
    async with site(lambda asked: reply(x_content_type_options="nosniff", server="little")) as here:
        given = await use("url_analyzer", url=here.url, contact=True)
    assert (given.server.status, given.server.software, given.server.addresses) == (200, "little", ["127.0.0.1"])
    assert not [finding for finding in given.findings if "X-Content-Type-Options" in finding]
    assert here.asked[0].method == "HEAD"


def sitemap(*urls: str, kind: str = "url") -> str:
    outer = "urlset" if kind == "url" else "sitemapindex"
    entries = "".join(f"<{kind}><loc>{url}</loc><lastmod>2024-05-01</lastmod></{kind}>" for url in urls)
    return f'<{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{outer}>'


async def test_a_crawl_reads_sitemaps_and_keeps_to_robots_txt() -> None:
    def answer(asked: Asked) -> bytes:
        known: dict[str, str | bytes] = {
            "/robots.txt": f"User-agent: *\nDisallow: /private\nSitemap: {here.url}/index.xml",
            "/index.xml": sitemap(f"{here.url}/a.xml.gz", kind="sitemap"),
            "/a.xml.gz": gzip.compress(
                sitemap(f"{here.url}/a", f"{here.url}/private/b", "http://elsewhere.example/").encode()
            ),
            "/start": '<title>Start</title><a href="/linked">x</a><a href="/private/c">y</a><a href="//e.test/">z</a>',
            "/linked": "<title>Linked</title>",
        }
        return reply(known[asked.path]) if asked.path in known else reply(status=404)

    async with site(answer) as here:
        given = await use("sitemap_crawler", url=f"{here.url}/start", depth=1, delay=0)
    assert [(page.url.removeprefix(here.url), page.title, page.depth, page.last_modified) for page in given.pages] == [
        ("/a", "", None, "2024-05-01"),
        ("/start", "Start", 0, ""),
        ("/linked", "Linked", 1, ""),
    ]
    assert [url.removeprefix(here.url) for url in given.forbidden] == ["/private/b", "/private/c"]
    assert not [asked for asked in here.asked if "private" in asked.path]


async def test_a_site_whose_rules_cannot_be_read_is_left_alone() -> None:
    async with site(lambda asked: reply(status=500)) as here:
        with pytest.raises(NetworkError, match="left alone"):
            await use("sitemap_crawler", url=here.url)
    assert [asked.path for asked in here.asked] == ["/robots.txt"]


async def test_rules_that_begin_with_a_mark_are_kept_to() -> None:
    async with site(pages(robots_txt="\ufeffUser-agent: *\nDisallow: /", index="<p>x</p>")) as here:
        given = await use("sitemap_crawler", url=here.url, depth=1, delay=0)
    assert (given.pages, given.forbidden) == ([], [here.url])


async def test_a_sitemap_that_would_read_files_or_grow_does_not() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + sitemap("http://127.0.0.1/&a;")
    async with site(pages(robots_txt="", sitemap_xml=bomb)) as here:
        given = await use("sitemap_crawler", url=here.url, delay=0)
    assert given.pages == []


async def test_an_api_is_tested_by_status_content_and_schema() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    async with site(lambda asked: reply({"n": 1} if asked.path == "/ok" else {"n": "x"})) as here:
        right = {"url": f"{here.url}/ok", "json_schema": schema, "contains": ['"n"'], "repeat": 3}
        wrong = {"url": f"{here.url}/no", "json_schema": schema, "status": [204], "expected_headers": {"X-A": "b"}}
        given = await use("api_tester", calls=[right, wrong, {"url": "http://127.0.0.1:1/"}])
    assert [(report.passed, report.calls) for report in given.reports] == [(True, 3), (False, 1), (False, 0)]
    assert given.reports[1].faults == [
        "the status is 200",
        "the header X-A is None",
        "/n: 'x' is not of type 'integer'",
    ]


async def test_a_schema_is_not_fetched_from_where_it_points_to() -> None:
    async with site(lambda asked: reply({"type": "object"})) as here:
        with pytest.raises(ComponentInputError, match="not there"):
            await use("api_tester", calls=[{"url": here.url, "json_schema": {"$ref": f"{here.url}/schema"}}])
    assert len(here.asked) == 1


def results(*names: str) -> dict[str, Any]:
    return {
        "results": [{"url": f"https://{name}.example/", "title": name, "content": f"about {name}"} for name in names]
    }


async def test_searxng_is_asked_in_its_protocol_and_only_once_an_hour() -> None:
    async with site(lambda asked: reply(results("a", "b"))) as here:
        settings = {"search": [{"kind": "searxng", "url": here.url}]}
        first = await use("web_search", settings=settings, query="red & blue", timeframe="week")
        again = await use("web_search", settings=settings, query="red & blue", timeframe="week")
    assert [(r.url, r.title, r.snippet) for r in first.results] == [
        ("https://a.example/", "a", "about a"),
        ("https://b.example/", "b", "about b"),
    ]
    assert parse_qs(urlsplit(here.asked[0].path).query) == {
        "q": ["red & blue"],
        "format": ["json"],
        "time_range": ["week"],
    }
    assert (first.cached, again.cached, len(here.asked)) == (False, True, 1)
    assert again.results == first.results


async def test_what_is_kept_is_only_for_those_who_may_ask() -> None:
    async with site(lambda asked: reply(results("a"))) as here:
        settings = {"search": [{"kind": "searxng", "url": here.url}]}
        await use("web_search", settings=settings, query="x")
        nobody = RunContext().with_extras(Settings.model_validate({"tools": settings}))
        with pytest.raises(PermissionDeniedError):
            await Runner().run(load_tool("web_search"), {"query": "x"}, nobody)


@pytest.mark.parametrize(
    "broken",
    [
        reply(status=429, retry_after="7"),
        reply(status=500),
        reply("garbage"),
        reply({"x": 1}),
        reply(results("a"))[:-9],
    ],
    ids=["429", "500", "garbage", "other JSON", "half a reply"],
)
async def test_after_a_service_that_fails_the_next_is_asked(broken: bytes) -> None:
    async with site(lambda asked: broken) as first, site(lambda asked: reply(results("b"))) as second:
        settings = {"search": [{"kind": "searxng", "url": first.url}, {"kind": "searxng", "url": second.url}]}
        given = await use("web_search", settings=settings, query="x")
        assert ([r.title for r in given.results], len(given.failed)) == (["b"], 1)
        with pytest.raises(NetworkError) as failure:
            await use("web_search", settings={"search": settings["search"][:1]}, query="x")
        assert failure.value.retry_after == (7.0 if b" 429 " in broken else None)


async def test_services_are_asked_until_there_is_enough_and_repeats_count_once() -> None:
    def brave(asked: Asked) -> bytes:
        found = [{"url": f"https://{n}.example", "title": n, "description": n} for n in ("b", "c")]
        return reply({"web": {"results": found}})

    async with site(lambda asked: reply(results("a", "b"))) as one, site(brave) as two:
        settings = {
            "search": [{"kind": "searxng", "url": one.url}, {"kind": "brave", "url": two.url, "credential": "brave"}],
            "credentials": {"brave": {"secret": "k3y", "hosts": "127.0.0.1", "header": "X-Subscription-Token"}},
        }
        many = await use("web_search", settings=settings, query="x", max_results=3)
        few = await use("web_search", settings=settings, query="y", max_results=2)
    assert [(r.title, r.providers) for r in many.results] == [
        ("b", ["searxng", "brave"]),
        ("a", ["searxng"]),
        ("c", ["brave"]),
    ]
    assert few.providers_used == ["searxng"]
    assert two.asked[0].headers["x-subscription-token"] == "k3y"


async def test_the_page_of_duckduckgo_is_read() -> None:
    target = quote("https://a.example/?x=1", safe="")
    found = f"""<div class="result">
    <a class="result__a" href="//duckduckgo.com/l/?uddg={target}&rut=1">A <b>title</b></a>
    <a class="result__snippet">Some <b>words</b></a></div>
    <div class="result result--ad"><a class="result__a" href="https://ad.example">Buy</a></div>"""
    bodies = iter([found, "<p>Are you a robot?</p>"])
    async with site(lambda asked: reply(next(bodies))) as here:
        settings = {"search": [{"kind": "duckduckgo", "url": here.url}]}
        given = await use("web_search", settings=settings, query="x")
        with pytest.raises(NetworkError, match="robot"):
            await use("web_search", settings=settings, query="y")
    assert [(r.url, r.title, r.snippet) for r in given.results] == [("https://a.example/?x=1", "A title", "Some words")]
    assert parse_qs(here.asked[0].body.decode()) == {"q": ["x"]}


async def test_a_service_that_is_not_set_up_cannot_be_asked() -> None:
    with pytest.raises(UsageError, match="set up"):
        await use("web_search", query="x", providers=["brave"])
    assert json.dumps(Settings().public())  # settings with services can be shown


@pytest.mark.parametrize("body", ['{"a": "\\ud800"}', "[" * 500 + "]" * 500, "+2AA-"])
async def test_a_reply_that_could_not_be_told_again_does_no_harm(body: str) -> None:
    kind = "application/json; charset=utf-7" if body[0] == "+" else "application/json"
    async with site(lambda asked: reply(body, content_type=kind)) as here:
        given = await use("http_client", url=here.url)
    assert given.json_body is None
    assert json.loads(given.model_dump_json())["body"] == body
