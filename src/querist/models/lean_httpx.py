"""`httpx`, imported and opened at the least cost: the time of a question outside the model is ours to save.

Importing httpx also imports its own command line (click, rich, pygments: 0.2 s) when those are installed, and a
client loads the system's certificates (0.09 s) even to talk to plain `http://`. Neither is needed here.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

_COMMAND_LINE = "httpx._main"


def load_httpx() -> None:
    """Make a later `import httpx` cheap: it is imported here, without its command line."""
    if "httpx" in sys.modules:
        return
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # its import fails as if its extra were missing
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules[_COMMAND_LINE]


def open_client(base_url: str, headers: dict[str, str], timeout: float) -> httpx.AsyncClient:
    """A client for one server; `timeout` is in seconds, for each read. Loopback is never asked for through a proxy.

    It follows no redirect, so a plain `http://` base cannot turn into unchecked TLS.
    """
    load_httpx()
    import httpx

    url = urlsplit(base_url)
    return httpx.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
        verify=url.scheme != "http",
        trust_env=url.hostname not in ("localhost", "127.0.0.1", "::1"),
        follow_redirects=False,
    )
