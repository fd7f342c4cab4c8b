"""Runs code on another machine, on a `querist sandbox serve` there. Not the server: see `server.py`."""

from __future__ import annotations

import base64
import dataclasses
import json
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from querist.errors import ConfigError, SandboxError
from querist.sandbox.base import Job, Limit, OnOutput, Outcome, Strength
from querist.sandbox.received import Received, failure_of
from querist.sandbox.sending import job_frames

if TYPE_CHECKING:
    from querist.settings import SandboxSettings

GRACE_SECONDS = 30.0
"""What a server may take beyond the run's own time, for its start and for the way."""


class RemoteSandbox:
    """Runs code on a server.

    Args:
        url: the server's address; https, unless it is this machine.
        token: what the server asks for.

    Raises:
        ConfigError: whoever listens on the way to that address would have the token, the code and the data.
    """

    name = "remote"
    strength: Strength = "remote"

    def __init__(self, url: str, token: str) -> None:
        _check_url(url)
        self.url, self._token = url.rstrip("/"), token

    @classmethod
    def from_settings(cls, settings: SandboxSettings) -> RemoteSandbox:
        if not settings.url or settings.token is None:
            raise ConfigError(
                "The sandbox backend 'remote' needs sandbox.url and sandbox.token.",
                hint="Start `querist sandbox serve` on the other machine; it shows both.",
            )
        return cls(settings.url, settings.token.get_secret_value())

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        import httpx

        about = {"limits": dataclasses.asdict(job.limits), "session": job.session}
        headers = {"Authorization": f"Bearer {self._token}", "X-Querist-Run": json.dumps(about)}
        most = job.limits.files * 2 + job.limits.output * 8 + (1 << 20)
        line, size, started = bytearray(), 0, time.monotonic()
        last: dict[str, Any] | None = None
        try:
            async with (
                httpx.AsyncClient(timeout=job.limits.seconds + GRACE_SECONDS, trust_env=False) as client,
                client.stream("POST", f"{self.url}/run", content=job_frames(job), headers=headers) as response,
            ):
                if response.status_code != 200:
                    said = (await response.aread())[:500].decode(errors="replace")
                    raise SandboxError(f"The sandbox server refused the run ({response.status_code}): {said}")
                async for data in response.aiter_bytes():
                    size += len(data)
                    if size > most or time.monotonic() - started > job.limits.seconds + GRACE_SECONDS:
                        raise SandboxError("The sandbox server sent more, or took longer, than was allowed.")
                    for part in data.splitlines(keepends=True):
                        line += part
                        if not line.endswith(b"\n"):
                            continue
                        last = json.loads(line)
                        line.clear()
                        if not isinstance(last, dict):
                            raise ValueError("a line that is no object")
                        if "output" in last and on_output:
                            on_output(str(last["output"]))
        except httpx.HTTPError as error:
            hint = "Is `querist sandbox serve` running there?"
            raise SandboxError(f"The sandbox server {self.url} cannot be reached: {error}", hint=hint) from error
        except (ValueError, RecursionError) as error:
            raise SandboxError(f"The sandbox server sent something else than an outcome: {error}") from error
        if not last or "outcome" not in last:
            raise SandboxError(f"The sandbox server ended without an outcome: {(last or {}).get('failed', '')}")
        return _outcome(last["outcome"], self.name, most)

    async def close(self) -> None:
        """Nothing is kept; the server ends sessions itself."""


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # brackets without an address, or no number where the port is
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError(f"sandbox.url is {url!r}, which is no address.", hint="Such as https://sandbox.example.org")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigError(
            f"sandbox.url is {url!r}: over plain HTTP the token, the code and the data can be read on the way.",
            hint="Let something before the server do TLS (docs/sandbox.md), or reach it through a tunnel at 127.0.0.1.",
        )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _outcome(told: dict[str, Any], name: str, most: int) -> Outcome:
    """The server's outcome. Its results are read like those of code: as frames that nobody vouches for."""
    received = Received(most)
    try:
        received.feed(base64.b64decode(told["frames"]))
        if not received.sound or received.failure is not None:
            raise ValueError("results that are none, or more than was allowed")
        if told["status"] not in ("ok", "error", "limit") or told["limit"] not in (None, *get_args(Limit)):
            raise ValueError(f"status {told['status']!r}, limit {told['limit']!r}")
        return Outcome(
            status=told["status"],
            backend=f"{name} ({str(told['backend'])[:40]}, {str(told['strength'])[:20]})",
            strength="unsafe" if told["strength"] == "unsafe" else "remote",
            value=received.value,
            tables=received.tables,
            files=tuple(received.files),
            refused=(*map(str, told["refused"]), *received.refused),
            stdout=str(told["stdout"]),
            stderr=str(told["stderr"]),
            error=failure_of(told["error"]),
            limit=told["limit"],
            seconds=float(told["seconds"]),
            cpu_seconds=float(told["cpu_seconds"]),
            peak_memory=int(told["peak_memory"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SandboxError(f"The sandbox server sent no sound outcome: {error!r}") from error
