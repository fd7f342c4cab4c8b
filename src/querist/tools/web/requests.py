"""`http_client`: one request to a web server or API."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ByteSize, Field

from querist.core.context import RunContext
from querist.errors import ComponentInputError, NetworkError
from querist.settings.policy import Policy, Rate
from querist.tools.tool import Tool, ToolInput
from querist.tools.web.fetching import FETCH, MAX_BYTES, MAX_REDIRECTS, Fetched, fetch

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
_REPEATABLE = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
_PASSING = (429, 502, 503, 504)
_LONGEST_WAIT = 30.0


class HttpClientInput(ToolInput):
    url: Annotated[str, FETCH] = Field(description="The address, `http` or `https`.")
    method: Method = Field(default="GET", description="What to do there.")
    headers: dict[str, str] = Field(default={}, description="Headers to send; no secrets: see `credential`.")
    body: str | None = Field(default=None, description="Text to send.", max_length=MAX_BYTES)
    json_body: Any = Field(default=None, description="Data to send as JSON, in place of `body`.")
    credential: str = Field(default="", description="Name of a credential in the settings to authenticate with.")
    follow_redirects: bool = Field(default=True, description="Whether to go where the server sends one on.")
    retries: int = Field(
        default=0,
        description="How often to ask again after a passing fault; never for POST and PATCH, which may act twice.",
        ge=0,
        le=5,
    )
    max_size: ByteSize = Field(
        default=ByteSize(MAX_BYTES), description="Larger replies are refused.", gt=0, le=50_000_000
    )
    timeout: float = Field(default=30, description="Seconds for one try.", gt=0, le=300)


class HttpReply(BaseModel):
    url: str = Field(description="Where it came from, after redirects.")
    status: int
    headers: dict[str, str]
    body: str = Field(description="As text; as base64 where `binary` is true.")
    binary: bool
    json_body: Any = Field(default=None, description="The body as data, where the server says that it is JSON.")
    redirects: list[str]
    seconds: float
    tries: int


class HttpClient(Tool[HttpClientInput, HttpReply]):
    name = "http_client"
    description = """Send a request to a web server or API, and give its reply.

    A reply with an error status is a reply. Redirects are followed only to hosts that are granted as well."""
    permissions = ("network",)
    policy = Policy(rate=Rate(per_minute=60, burst=20))

    async def run(self, input: HttpClientInput, context: RunContext) -> HttpReply:
        if input.body is not None and input.json_body is not None:
            raise ComponentInputError("Both `body` and `json_body` are given.", hint="Give one of them.")
        tries = 1 + (input.retries if input.method in _REPEATABLE else 0)
        for number in range(1, tries + 1):
            wait = 0.5 * 2.0 ** (number - 1)
            try:
                reply = await fetch(
                    context,
                    input.url,
                    method=input.method,
                    headers=input.headers,
                    body=(input.body or "").encode(),
                    data=input.json_body,
                    use=input.credential,
                    max_bytes=input.max_size,
                    seconds=input.timeout,
                    redirects=MAX_REDIRECTS if input.follow_redirects else 0,
                )
                if reply.status not in _PASSING:
                    break
                told = reply.headers.get("retry-after", "")
                wait = float(told) if told.isdigit() else wait
            except NetworkError:
                if number == tries:
                    raise
            if number < tries:
                await asyncio.sleep(min(wait, _LONGEST_WAIT))
        return await asyncio.to_thread(_told, reply, number)


def _told(reply: Fetched, tries: int) -> HttpReply:
    textual = reply.type.startswith("text/") or reply.type.endswith(("json", "xml", "javascript", "urlencoded", "yaml"))
    binary = not textual and b"\0" in reply.body[:4096]
    return HttpReply(
        url=reply.url,
        status=reply.status,
        headers=dict(reply.headers),
        body=base64.b64encode(reply.body).decode() if binary else reply.text,
        binary=binary,
        json_body=_data(reply) if reply.type.endswith("json") else None,
        redirects=list(reply.redirects),
        seconds=reply.seconds,
        tries=tries,
    )


def _data(reply: Fetched) -> Any:
    """What is in a reply that its server calls JSON; nothing where it is none after all."""
    try:
        return reply.json()
    except NetworkError:
        return None
