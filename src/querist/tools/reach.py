"""Which servers a run may connect to: its host must be granted, and every address behind the name must be public.

Whoever connects does so to an address that `reach` returned, and never by the name again: between two look-ups a name
can come to mean another machine (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

from querist.core.context import RunContext
from querist.core.events import PermissionUsed
from querist.core.permissions import Need, Principal
from querist.errors import ComponentInputError, NetworkError, PermissionDeniedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclass(frozen=True)
class Reachable:
    """A server that may be connected to, at any of `addresses`; `host` is what its certificate must be for."""

    host: str
    port: int
    addresses: tuple[str, ...]


def to_reach(host: str, port: int) -> Need:
    """The need to connect there; an IPv6 address is written without brackets."""
    return Need("network", f"{host.strip('[]').rstrip('.').lower()}:{port}")


async def reach(context: RunContext, host: str, port: int) -> Reachable:
    """Look up a host, and check that the run may connect to it.

    A private, loopback, link-local or otherwise special address needs a grant of its own that names that very address
    (`network:127.0.0.1:8080`): neither a pattern nor a name that leads there will do.

    Raises:
        PermissionDeniedError: the host is not granted, or leads to an address that is not public.
        NetworkError: there is no such host.
    """
    need = to_reach(host, port)
    check_granted(context, need)
    name = host.strip("[]")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NetworkError(f"There is no host {name!r}: {error}.", hint="Check its spelling.") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_public(ipaddress.ip_address(address.partition("%")[0])) and not _named(
            context.principal, address, port
        ):
            raise PermissionDeniedError(
                f"{need.target} leads to {address}, which is not a public address.",
                hint=f"If that is meant, grant that very address: 'network:{address}:{port}'.",
            )
    return Reachable(name, port, addresses)


def check_granted(context: RunContext, need: Need) -> None:
    """Raise PermissionDeniedError unless the run has what only its work, and not its input, showed that it needs."""
    grant = context.principal.grant_for(need)
    if grant is None:
        raise PermissionDeniedError(
            f"{context.principal.name!r} does not have the permission {str(need)!r}.",
            hint=f"Grant it, such as {str(need)!r}, or do without.",
        )
    context.emit(PermissionUsed(source="tools", principal=context.principal.name, need=str(need), grant=str(grant)))


def is_public(address: Address) -> bool:
    """Whether it belongs to the internet at large. Addresses that wrap an IPv4 address are what they wrap."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if wrapped is None and (address in _NAT64 or address in _V4_COMPATIBLE):
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_inside(host: str) -> bool:
    """Whether a host is written as an address that is not public, and so one of this machine or its own network."""
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def _named(principal: Principal, address: str, port: int) -> bool:
    """Whether the principal, and each above it, holds a grant that names this address itself."""
    exact = any(g.kind == "network" and g.scope.lower() in (address, f"{address}:{port}") for g in principal.grants)
    return exact and (principal.above is None or _named(principal.above, address, port))


def check_host(host: str) -> str:
    """A host that came from outside, if it is one: a name or an address, and nothing around it."""
    if not host or len(host) > 253 or any(c.isspace() or not c.isprintable() or c in "/\\@?#" for c in host):
        raise ComponentInputError(f"{host!r} is not a host.", hint="Such as api.example.org.")
    return host
