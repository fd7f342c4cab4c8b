"""The one way by which tools speak HTTP: to granted hosts at checked addresses, with bounds on size, hops and time.

Each hop of a redirect is checked as the first was. There is no proxy, because a proxy would look the name up again;
no cookie is kept, no script is run.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentInputError, ComponentTimeoutError, NetworkError, PermissionDeniedError
from querist.models.lean_httpx import load_httpx
from querist.settings import redact
from querist.tools.credentials import credential, http_header
from querist.tools.encodings import text_from_web
from querist.tools.reach import Reachable, is_inside, reach, to_reach
from querist.tools.tool import Touches

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_BYTES = 5_000_000
"""Bytes of a body, unpacked, unless a caller says otherwise."""
MAX_REDIRECTS = 5
SECONDS = 30.0
AGENT = "Querist/0.1 (+https://pypi.org/project/querist)"
_CONNECT_SECONDS = 10.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"})
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]{1,100}", re.ASCII)
_GZIP = 31
"""How zlib is told of gzip."""


@dataclass(frozen=True)
class Fetched:
    """What a server replied.

    Attributes:
        url: where the reply came from, after `redirects`, which are the addresses before it.
        seconds: until the whole body was there.
        certificate: the server's, as `ssl` describes it; empty over plain HTTP.
    """

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float = 0.0
    redirects: tuple[str, ...] = ()
    certificate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def type(self) -> str:
        """The media type, without parameters."""
        kind: str = self.headers.get("content-type", "")
        return kind.partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text: in the encoding that the server names, else in the one that it names or seems to have."""
        _, _, named = self.headers.get("content-type", "").partition("charset=")
        return text_from_web(self.body, named.partition(";")[0].strip("\"' "))

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            NetworkError: it is none.
        """
        try:
            data = json.loads(self.body)
            to_json(data)  # what is nested too deeply, or holds half a character, could not be told to anybody
            return data
        except (ValueError, RecursionError) as error:
            raise NetworkError(
                f"{redact(self.url)} replied with what is no proper JSON.", hint="Is it the address of the API?"
            ) from error

    def check(self, who: str) -> Fetched:
        """This reply, if it is a success.

        Raises:
            NetworkError: `who` refused; it says how, and after which time to ask again.
        """
        if self.ok:
            return self
        wait = self.headers.get("retry-after", "")
        hint = {401: "Check the credential.", 403: "Check the credential and its rights.", 429: "Ask later."}
        said = " ".join(self.text[:300].split())
        raise NetworkError(
            f"{who} replied {self.status}{f': {said}' if said else ''}.",
            hint=hint.get(self.status, ""),
            retry_after=float(wait) if wait.isdigit() else None,
        )


def parse(url: str) -> httpx.URL:
    """An address from outside.

    Raises:
        ComponentInputError: it is no address of the web, or made to look like another one.
    """
    load_httpx()
    import httpx

    if any(c.isspace() or not c.isprintable() or c == "\\" for c in url.strip()):
        raise ComponentInputError(f"{url!r} is not an address: it has spaces, backslashes or control characters.")
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ComponentInputError(f"{url!r} is not an address: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or not 0 < _port(parsed) < 65536:
        raise ComponentInputError(f"{url!r} is not an address of the web.", hint="Such as https://example.org/page.")
    if parsed.userinfo:
        raise ComponentInputError(
            f"{redact(url)!r} holds a name or password.", hint="Use a credential from the settings instead."
        )
    return parsed


@contextmanager
def of_protocol(who: str) -> Iterator[None]:
    """Tell what a reply lacks as a mistake of `who`, by whom it was sent."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NetworkError(f"{who} sent a reply that is not of its protocol: {error!r}.") from error


def to_fetch(url: str) -> Need:
    """The need to fetch from an address."""
    parsed = parse(url)
    return to_reach(parsed.host, _port(parsed))


FETCH = Touches(to_fetch)
"""Marks fields of inputs that hold an address to fetch from."""


async def fetch(
    context: RunContext,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    data: Any = None,
    use: str = "",
    max_bytes: int = MAX_BYTES,
    seconds: float = SECONDS,
    redirects: int = MAX_REDIRECTS,
) -> Fetched:
    """What a server replies, whatever its status.

    Args:
        data: what to send as JSON, in place of `body`.
        use: name of a credential to show; it is not shown to another host that the server redirects to.
        max_bytes: of the body, unpacked; a larger one is refused.
        seconds: for all of it, redirects and body included.
        redirects: that are followed; 0 returns them as they are.

    Raises:
        ComponentInputError, PermissionDeniedError: the address is none, or may not be reached; any hop counts. Or the
            credential may not be sent there, or not without encryption.
        ComponentTimeoutError: it took longer.
        NetworkError: no connection, a broken reply, too large, too many redirects.
    """
    load_httpx()
    import httpx

    target, past, started = parse(url), list[str](), time.monotonic()
    sent = _checked_headers(headers or {})
    sent.setdefault("user-agent", AGENT)
    if data is not None:
        body = json.dumps(data).encode()
        sent.setdefault("content-type", "application/json")
    try:
        async with asyncio.timeout(seconds):
            while True:
                shown = dict(sent)
                if use:
                    name, value = http_header(credential(use, target.host, context))
                    if target.scheme == "http" and not is_inside(target.host):
                        raise PermissionDeniedError(
                            f"The credential {use!r} is not sent without encryption.", hint="Use https."
                        )
                    shown[name.lower()] = value
                server = await reach(context, target.host, _port(target))
                reply = await _exchange(server, target, method, shown, body, max_bytes)
                location = reply.headers.get("location", "")
                if reply.status not in _REDIRECTS or not location or not redirects:
                    took = time.monotonic() - started
                    return replace(reply, seconds=took, redirects=tuple(past))
                past.append(str(target))
                if len(past) > redirects:
                    raise NetworkError(f"{redact(url)} redirects more than {redirects} times.")
                before, target = target, parse(str(target.join(location)))
                if before.scheme == "https" and target.scheme == "http":
                    raise NetworkError(f"{redact(str(before))} redirects to an address without encryption.")
                if (target.host, _port(target)) != (before.host, _port(before)):
                    use = ""
                    sent = {
                        name: value for name, value in sent.items() if name in ("user-agent", "accept", "content-type")
                    }
                if reply.status == 303 or (reply.status in (301, 302) and method == "POST"):
                    method, body = "GET", b""
                    sent.pop("content-type", None)
    except TimeoutError as error:
        raise ComponentTimeoutError(
            f"{redact(url)} did not finish in {seconds:g} s.", hint="Allow more time."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkError(
            f"{redact(url)} cannot be fetched: {str(error) or type(error).__name__}.", hint="Check address and network."
        ) from error


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    checked = {name.strip().lower(): value for name, value in headers.items()}
    for name, value in checked.items():
        if name in _OWN_HEADERS:
            raise ComponentInputError(f"The header {name!r} cannot be set.", hint="Leave it out.")
        if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise ComponentInputError(
                f"The header {name!r} is not one that can be sent.", hint="Names and values are one line of ASCII."
            )
    return checked


@functools.cache
def _tls() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _exchange(
    server: Reachable, url: httpx.URL, method: str, headers: Mapping[str, str], body: bytes, max_bytes: int
) -> Fetched:
    """One request to the first of a server's checked addresses that takes the connection."""
    import httpx

    headers = {**headers, "host": url.netloc.decode(), "accept-encoding": "gzip"}
    timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
    tls = _tls() if url.scheme == "https" else False
    # Its connection is not kept: it was opened for one host, and another may have the same address.
    async with httpx.AsyncClient(trust_env=False, verify=tls, timeout=timeout) as client:
        reply, failure = None, NetworkError(f"{server.host} has no address.")
        for address in server.addresses:
            where, name = url.copy_with(host=address), {"sni_hostname": server.host}
            request = client.build_request(method, where, headers=headers, content=body, extensions=name)
            try:
                reply = await client.send(request, stream=True)
                break
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = NetworkError(f"No connection to {server.host}: {error or type(error).__name__}.")
        if reply is None:
            raise failure
        try:
            secured = reply.extensions["network_stream"].get_extra_info("ssl_object")
            certificate = (secured.getpeercert() if secured is not None else None) or {}
            content = b"" if method == "HEAD" else await _body(reply, url, max_bytes)
            return Fetched(str(url), reply.status_code, reply.headers, content, certificate=certificate)
        finally:
            await reply.aclose()


async def _body(reply: httpx.Response, url: httpx.URL, max_bytes: int) -> bytes:
    coding = reply.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if coding not in ("identity", "gzip", "x-gzip"):
        raise NetworkError(f"{redact(str(url))} replied in the encoding {coding!r}, which was not asked for.")
    unpack = None if coding == "identity" else zlib.decompressobj(_GZIP)
    content = bytearray()
    async for chunk in reply.aiter_raw():
        try:
            content += chunk if unpack is None else unpack.decompress(chunk, max_bytes + 1 - len(content))
        except zlib.error as error:
            raise NetworkError(f"{redact(str(url))} sent a body that is not {coding}.") from error
        if len(content) > max_bytes:
            raise NetworkError(
                f"{redact(str(url))} sent more than {max_bytes:,} bytes.", hint="Allow more, or ask for less."
            )
    if unpack is not None and content and not unpack.eof:
        raise NetworkError(f"{redact(str(url))} broke off in the middle of its reply.")
    return bytes(content)
