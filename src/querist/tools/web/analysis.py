"""`url_analyzer`: what an address says about itself, and on request what its server says."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.settings.policy import Policy, Rate
from querist.tools.reach import reach
from querist.tools.tool import ToolInput
from querist.tools.web.fetching import Fetched, fetch, parse, to_fetch

if TYPE_CHECKING:
    import httpx

Findings = dict[str, int]
"""What speaks against an address, with the points that it costs."""


class UrlAnalyzerInput(ToolInput):
    url: str = Field(description="The address.")
    contact: bool = Field(
        default=False, description="Whether to ask its server: addresses, redirects, headers, certificate."
    )
    timeout: float = Field(default=15, description="Seconds for the server.", gt=0, le=60)


class Server(BaseModel):
    """What the server told."""

    addresses: list[str]
    status: int
    final_url: str
    redirects: list[str]
    content_type: str
    software: str = Field(description="As the server names itself.")
    certificate_issuer: str
    certificate_until: datetime | None


class UrlAnalysis(BaseModel):
    url: str = Field(description="As it is written properly.")
    scheme: str
    host: str
    port: int
    path: str
    query: dict[str, list[str]]
    fragment: str
    is_address: bool = Field(description="Whether the host is an IP address.")
    punycode: str = Field(description="The host as DNS knows it, where that differs.")
    security_score: int = Field(description="100 less the points of all findings. A hint, and no proof of anything.")
    findings: list[str]
    server: Server | None = None


class UrlAnalyzer(Component[UrlAnalyzerInput, UrlAnalysis]):
    name = "url_analyzer"
    description = """Take an address apart, and judge how safe it looks; on request with what its server says."""
    permissions = ("network",)
    policy = Policy(rate=Rate(per_minute=100, burst=20))

    def needs(self, input: UrlAnalyzerInput) -> Iterable[Need]:
        return (to_fetch(input.url),) if input.contact else ()

    async def run(self, input: UrlAnalyzerInput, context: RunContext) -> UrlAnalysis:
        url = parse(input.url)
        findings = _seen(url)
        server = None
        if input.contact:
            reply = await fetch(context, input.url, method="HEAD", seconds=input.timeout)
            known = await reach(context, url.host, url.port or (443 if url.scheme == "https" else 80))
            server = _told(reply, list(known.addresses))
            findings |= _told_wrong(url, reply, server)
        raw = url.raw_host.decode()
        return UrlAnalysis(
            url=str(url),
            scheme=url.scheme,
            host=url.host,
            port=url.port or (443 if url.scheme == "https" else 80),
            path=url.path,
            query=parse_qs(url.query.decode(errors="replace"), keep_blank_values=True, max_num_fields=1000),
            fragment=url.fragment,
            is_address=_is_address(url.host),
            punycode=raw if raw != url.host else "",
            security_score=max(0, 100 - sum(findings.values())),
            findings=list(findings),
            server=server,
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _seen(url: httpx.URL) -> Findings:
    """What the address itself tells."""
    return _those(
        (40, "It is not encrypted.", url.scheme != "https"),
        (20, "The host is an address and not a name.", _is_address(url.host)),
        (20, "The host has letters that may be taken for others.", "xn--" in url.raw_host.decode()),
        (10, "The port is unusual.", url.port not in (None, 80, 443, 8080, 8443)),
        (10, "The host has many parts.", url.host.count(".") > 4 and not _is_address(url.host)),
    )


def _those(*signs: tuple[int, str, bool]) -> Findings:
    return {finding: points for points, finding, holds in signs if holds}


def _told(reply: Fetched, addresses: list[str]) -> Server:
    issuer: dict[str, str] = dict(part for group in reply.certificate.get("issuer", ()) for part in group)
    until = reply.certificate.get("notAfter")
    return Server(
        addresses=addresses,
        status=reply.status,
        final_url=reply.url,
        redirects=list(reply.redirects),
        content_type=reply.type,
        software=reply.headers.get("server", ""),
        certificate_issuer=issuer.get("organizationName") or issuer.get("commonName", ""),
        certificate_until=datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None,
    )


def _told_wrong(url: httpx.URL, reply: Fetched, server: Server) -> Findings:
    until, headers = server.certificate_until, reply.headers
    secured = reply.url.startswith("https:")
    return _those(
        (10, "It redirects to another host.", parse(reply.url).host != url.host),
        (
            10,
            "The server does not ask browsers to stay with HTTPS (HSTS).",
            secured and "strict-transport-security" not in headers,
        ),
        (5, "The server sets no policy for content (CSP).", "content-security-policy" not in headers),
        (
            5,
            "The server does not forbid guessing types (X-Content-Type-Options).",
            "x-content-type-options" not in headers,
        ),
        (
            10,
            "The certificate ends within two weeks.",
            until is not None and (until - datetime.now(UTC)).days < 14,
        ),
    )
