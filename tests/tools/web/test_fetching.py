from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme

from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.core.permissions import Grant, Principal
from querist.errors import ComponentInputError, ComponentTimeoutError, NetworkError, PermissionDeniedError
from querist.settings import Settings
from querist.tools.reach import is_public
from querist.tools.web import fetching
from querist.tools.web.fetching import fetch
from tests.tools.site import Asked, packed, reply, site

pytestmark = pytest.mark.anyio


def may(*scopes: str, settings: dict[str, Any] | None = None) -> RunContext:
    """The context of somebody who may connect there."""
    context = RunContext(principal=Principal("tester", tuple(Grant("network", scope) for scope in scopes)))
    return context.with_extras(Settings.model_validate(settings)) if settings else context


def resolving(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Let names lead to addresses, one after the other with each look-up. Returns the names that were looked up."""
    asked: list[str] = []

    async def getaddrinfo(self: object, host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        address = names[host.replace(".", "_")].pop(0)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_others_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 2130706433 0x7f000001 127.1 0 0.0.0.0 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] localhost "
    "LOCALHOST 169.254.169.254".split(),
)
async def test_no_way_of_writing_a_private_address_gets_past_a_pattern(host: str) -> None:
    with pytest.raises(PermissionDeniedError, match="not a public address"):
        await fetch(may("*", "localhost", "*:9"), f"http://{host}:9/")


async def test_a_grant_of_the_very_address_allows_it_and_no_other_port() -> None:
    async with site(lambda asked: reply("hello")) as here:
        assert (await fetch(may(f"127.0.0.1:{here.port}"), here.url)).text == "hello"
        with pytest.raises(PermissionDeniedError):
            await fetch(may("127.0.0.1:1"), here.url)


async def test_a_name_needs_its_own_grant_and_one_for_the_private_address_behind_it() -> None:
    async with site(lambda asked: reply("hello")) as here:
        url = f"http://localhost:{here.port}/"
        with pytest.raises(PermissionDeniedError) as failure:
            await fetch(may("localhost"), url)
        assert "network:" in failure.value.hint
        both = may("localhost", "127.0.0.1", "::1")
        assert (await fetch(both, url)).text == "hello"


async def test_who_acts_for_another_has_only_the_private_addresses_of_both() -> None:
    async with site(lambda asked: reply("hello")) as here:
        narrow = may("*").narrowed(["network:*", "network:127.0.0.1"])
        with pytest.raises(PermissionDeniedError):
            await fetch(narrow, here.url)


async def test_a_name_is_looked_up_once_so_that_it_cannot_turn_into_another_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with site(lambda asked: reply("hello")) as here:
        looked_up = resolving(monkeypatch, rebind_test=["127.0.0.1", "10.0.0.1"])
        fetched = await fetch(may("rebind.test", "127.0.0.1"), f"http://rebind.test:{here.port}/x")
    assert fetched.text == "hello"
    assert looked_up == ["rebind.test"]
    assert here.asked[0].headers["host"] == f"rebind.test:{here.port}"


async def test_a_name_that_turns_private_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, rebind_test=["10.0.0.1"])
    with pytest.raises(PermissionDeniedError, match=r"10\.0\.0\.1"):
        await fetch(may("rebind.test"), "http://rebind.test/")


async def test_certificates_are_checked_for_the_name_and_not_for_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    authority, server, client = (
        trustme.CA(),
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        ssl.create_default_context(),
    )
    authority.issue_cert("api.test").configure_cert(server)
    authority.configure_trust(client)
    monkeypatch.setattr(fetching, "_tls", lambda: client)
    resolving(monkeypatch, api_test=["127.0.0.1"], other_test=["127.0.0.1"])
    context = may("*.test", "127.0.0.1")
    async with site(lambda asked: reply("hello"), server) as here:
        fetched = await fetch(context, f"https://api.test:{here.port}/")
        assert (fetched.text, fetched.certificate["subjectAltName"]) == ("hello", (("DNS", "api.test"),))
        with pytest.raises(NetworkError, match="CERTIFICATE_VERIFY_FAILED"):
            await fetch(context, f"https://other.test:{here.port}/")


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://2130706433/", "http://[::1]/", "//10.0.0.1/"]
)
async def test_redirects_to_private_addresses_are_refused(target: str) -> None:
    async with site(lambda asked: reply(status=302, location=target)) as here:
        with pytest.raises(PermissionDeniedError, match="not a public address"):
            await fetch(may("*", f"127.0.0.1:{here.port}"), here.url)


async def test_redirects_to_hosts_without_a_grant_are_refused() -> None:
    async with site(lambda asked: reply(status=302, location="http://elsewhere.example/")) as here:
        with pytest.raises(PermissionDeniedError, match=r"elsewhere\.example:80"):
            await fetch(may(f"127.0.0.1:{here.port}"), here.url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://example.org/", "http://user:pw@example.org/"])
async def test_redirects_to_what_is_no_plain_web_address_are_refused(target: str) -> None:
    async with site(lambda asked: reply(status=302, location=target)) as here:
        with pytest.raises(ComponentInputError):
            await fetch(may("*", f"127.0.0.1:{here.port}"), here.url)


async def test_redirects_are_followed_a_few_times_and_told() -> None:
    def answer(asked: Asked) -> bytes:
        return reply("there") if asked.path == "/end" else reply(status=302, location="/end")

    async with site(answer) as here:
        fetched = await fetch(may("127.0.0.1"), f"{here.url}/start")
        assert (fetched.text, fetched.url, fetched.redirects) == ("there", f"{here.url}/end", (f"{here.url}/start",))
    async with site(lambda asked: reply(status=302, location=f"{asked.path}x")) as here:
        with pytest.raises(NetworkError, match="redirects more than 5 times"):
            await fetch(may("127.0.0.1"), f"{here.url}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example@127.0.0.1/",
        "http://user:pw@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://127.0.0.1\t.example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http:///nowhere",
        "example.org",
        "http://exa mple.org/",
        "http://example.org:99999/",
        "http://0177.0.0.1/",
    ],
)
async def test_addresses_that_look_like_others_are_refused(url: str) -> None:
    with pytest.raises(ComponentInputError):
        await fetch(may("*", "127.0.0.1"), url)


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Transfer-Encoding", "X-A\r\nHost", "a b", "ü"])
async def test_headers_that_change_where_or_how_are_refused(name: str) -> None:
    with pytest.raises(ComponentInputError):
        await fetch(may("*"), "http://example.org/", headers={name: "evil"})


async def test_a_large_body_is_refused() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 65536

    async with site(lambda asked: endless()) as here:
        with pytest.raises(NetworkError, match="more than 100,000 bytes"):
            await fetch(may("127.0.0.1"), here.url, max_bytes=100_000)


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused() -> None:
    async with site(lambda asked: packed(b"\0" * 20_000_000)) as here:
        with pytest.raises(NetworkError, match="more than 1,000,000 bytes"):
            await fetch(may("127.0.0.1"), here.url, max_bytes=1_000_000)


async def test_packed_bodies_are_unpacked_but_only_whole_ones() -> None:
    async with site(lambda asked: packed(b"hello")) as here:
        assert (await fetch(may("127.0.0.1"), here.url)).text == "hello"
    for broken in (
        packed(b"hello" * 1000)[:-12],
        reply(b"not gzip", content_encoding="gzip"),
        reply(b"", content_encoding="br"),
    ):
        async with site(lambda asked, broken=broken: broken) as here:
            with pytest.raises(NetworkError):
                await fetch(may("127.0.0.1"), here.url)


async def test_a_server_that_sends_a_byte_now_and_then_does_not_hold_it_up() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
            yield bytes([byte])
            await asyncio.sleep(0.05)

    async with site(lambda asked: slow()) as here:
        with pytest.raises(ComponentTimeoutError, match=r"0\.3 s"):
            await fetch(may("127.0.0.1"), here.url, seconds=0.3)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
    ],
    ids=["nothing", "garbage", "half a body", "endless headers"],
)
async def test_broken_replies_are_told_as_such(answer: bytes) -> None:
    async with site(lambda asked: answer) as here:
        with pytest.raises(NetworkError):
            await fetch(may("127.0.0.1"), here.url)


async def test_nobody_there_is_told_as_such() -> None:
    async with site(lambda asked: b"") as here:
        pass
    with pytest.raises(NetworkError, match="No connection"):
        await fetch(may("127.0.0.1"), here.url)


CREDENTIALS = {"tools": {"credentials": {"key": {"secret": "s3cret", "hosts": "127.0.0.1"}}}}


async def test_a_credential_goes_to_its_host_and_to_no_other() -> None:
    def answer(asked: Asked) -> bytes:
        return reply(status=302, location=f"http://localhost:{here.port}/b") if asked.path == "/a" else reply("end")

    async with site(answer) as here:
        context = may("127.0.0.1", "::1", "localhost", settings=CREDENTIALS)
        await fetch(context, f"{here.url}/a", use="key")
        with pytest.raises(PermissionDeniedError) as failure:
            await fetch(context, f"http://localhost:{here.port}/b", use="key")
    assert "s3cret" not in failure.value.message + failure.value.hint
    assert [asked.headers.get("authorization") for asked in here.asked] == ["Bearer s3cret", None]


async def test_a_credential_is_not_sent_in_the_clear_beyond_the_own_network() -> None:
    settings = {"tools": {"credentials": {"key": {"secret": "s3cret", "hosts": "localhost"}}}}
    async with site(lambda asked: reply("x")) as here:
        with pytest.raises(PermissionDeniedError, match="without encryption"):
            context = may("127.0.0.1", "::1", "localhost", settings=settings)
            await fetch(context, f"http://localhost:{here.port}/", use="key")
    assert not here.asked


async def test_every_grant_that_a_hop_uses_is_told() -> None:
    events: list[Event] = []
    bus = EventBus()
    bus.subscribe(events.append)
    async with site(lambda asked: reply("x")) as here:
        principal = Principal("tester", (Grant("network", "127.0.0.1"),))
        await fetch(RunContext(principal=principal, events=bus), here.url)
    assert [(e.need, e.grant) for e in events] == [(f"network:127.0.0.1:{here.port}", "network:127.0.0.1")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "zlib", "utf-99"])
async def test_a_server_cannot_name_an_encoding_that_takes_for_ever_or_is_none(charset: str) -> None:
    body = b"a" * 200_000 + b"-" + b"9" * 200_000
    async with site(lambda asked: reply(body, content_type=f"text/html; charset={charset}")) as here:
        assert (await fetch(may("127.0.0.1"), here.url)).text == body.decode()


async def test_a_page_is_read_in_the_encoding_that_it_names() -> None:
    page = "<meta charset='shift_jis'>日本".encode("shift_jis")
    async with site(lambda asked: reply(page, content_type="text/html")) as here:
        assert (await fetch(may("127.0.0.1"), here.url)).text.endswith("日本")


async def test_a_server_that_names_latin_1_means_what_browsers_take_it_for() -> None:
    async with site(lambda asked: reply(b"\x93tea\x94", content_type="text/html; charset=ISO-8859-1")) as here:
        assert (await fetch(may("127.0.0.1"), here.url)).text == "“tea”"
