"""`service_checker`: whether servers answer and processes run."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, Field, model_validator

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentTimeoutError, MissingExtraError, NetworkError
from querist.tools.reach import check_host, reach, to_reach
from querist.tools.tool import ToolInput
from querist.tools.web.fetching import fetch, to_fetch


class Check(ToolInput):
    """One of: a host with a port, a URL, a process."""

    service: str = Field(default="", description="What to call it in the report.")
    host: str = Field(default="", description="A host, with `port`.")
    port: int | None = Field(default=None, description="A port that takes connections.", gt=0, le=65535)
    url: str = Field(default="", description="An address that replies with a success.")
    process: str = Field(default="", description="Name of a program that runs.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.host) + bool(self.url) + bool(self.process) != 1 or bool(self.host) != (self.port is not None):
            raise ValueError("give one of: host with port, url, process")
        return self

    @property
    def label(self) -> str:
        return self.service or self.url or self.process or f"{self.host}:{self.port}"


class ServiceCheckerInput(ToolInput):
    checks: list[Check] = Field(description="What to check.", min_length=1, max_length=50)
    timeout: float = Field(default=5, description="Seconds for each.", gt=0, le=60)


class Checked(BaseModel):
    service: str
    up: bool
    detail: str
    seconds: float


class Services(BaseModel):
    all_up: bool
    checks: list[Checked]


class ServiceChecker(Component[ServiceCheckerInput, Services]):
    name = "service_checker"
    description = """Check whether servers take connections, web addresses reply and programs run."""
    permissions = ("network", "process")

    def needs(self, input: ServiceCheckerInput) -> Iterable[Need]:
        for check in input.checks:
            if check.process:
                yield Need("process", check.process)
            elif check.url:
                yield to_fetch(check.url)
            else:
                yield to_reach(check_host(check.host), check.port or 0)

    async def run(self, input: ServiceCheckerInput, context: RunContext) -> Services:
        checked = await asyncio.gather(*(_check(check, input.timeout, context) for check in input.checks))
        return Services(all_up=all(each.up for each in checked), checks=checked)


async def _check(check: Check, timeout: float, context: RunContext) -> Checked:
    started = time.monotonic()
    try:
        if check.process:
            up, detail = await asyncio.to_thread(_runs, check.process)
        elif check.url:
            reply = await fetch(context, check.url, seconds=timeout)
            up, detail = reply.ok, f"status {reply.status}"
        else:
            async with asyncio.timeout(timeout):
                up, detail = await _connects(check.host, check.port or 0, context)
    except (NetworkError, ComponentTimeoutError) as error:
        up, detail = False, error.message
    except TimeoutError:
        up, detail = False, f"no connection in {timeout:g} s"
    return Checked(service=check.label, up=up, detail=detail, seconds=time.monotonic() - started)


async def _connects(host: str, port: int, context: RunContext) -> tuple[bool, str]:
    server = await reach(context, host, port)
    failure = ""
    for address in server.addresses:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            failure = os.strerror(error.errno) if error.errno else str(error)
            continue
        writer.close()
        return True, f"{address} takes connections"
    return False, failure


def _runs(name: str) -> tuple[bool, str]:
    try:
        import psutil
    except ImportError as error:
        raise MissingExtraError("psutil", "tools", "look at processes") from error
    found = [process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == name]
    return bool(found), f"{len(found)} running"
