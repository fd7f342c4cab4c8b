"""`api_tester`: calls an API, and tells whether it replies as it should, and how fast."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentTimeoutError, NetworkError
from querist.settings.policy import Policy, Rate
from querist.tools.data.structured import validate
from querist.tools.tool import ToolInput, require
from querist.tools.web.fetching import Fetched, fetch, to_fetch
from querist.tools.web.requests import Method
from querist.tools.worker import in_worker


class ApiCall(ToolInput):
    url: str = Field(description="The address.")
    name: str = Field(default="", description="What to call it in the report.")
    method: Method = Field(default="GET", description="What to do there.")
    headers: dict[str, str] = Field(default={}, description="Headers to send.")
    json_body: Any = Field(default=None, description="Data to send as JSON.")
    credential: str = Field(default="", description="Name of a credential in the settings.")
    status: list[int] = Field(default=[], description="Statuses that are right; any from 200 to 299 when left out.")
    expected_headers: dict[str, str] = Field(default={}, description="What headers of the reply must hold.")
    contains: list[str] = Field(default=[], description="Texts that the body must hold.")
    json_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema that the body must fit.")
    max_seconds: float | None = Field(default=None, description="The slowest that is right.", gt=0)
    repeat: int = Field(default=1, description="How often to call it, for its times.", ge=1, le=50)


class ApiTesterInput(ToolInput):
    calls: list[ApiCall] = Field(description="What to call, in this order.", min_length=1, max_length=50)
    timeout: float = Field(default=30, description="Seconds for each call.", gt=0, le=120)


class CallReport(BaseModel):
    name: str
    passed: bool
    status: int | None = Field(description="Of the last reply; nothing where there was none.")
    faults: list[str] = Field(description="What was not as it should be.")
    calls: int
    mean_seconds: float | None
    median_seconds: float | None
    max_seconds: float | None


class ApiReport(BaseModel):
    passed: bool
    reports: list[CallReport]


class ApiTester(Component[ApiTesterInput, ApiReport]):
    name = "api_tester"
    description = """Call an API and check its replies: status, headers, content, JSON Schema and time."""
    permissions = ("network",)
    policy = Policy(timeout=600, rate=Rate(per_minute=30, burst=10))

    def needs(self, input: ApiTesterInput) -> Iterable[Need]:
        return (to_fetch(call.url) for call in input.calls)

    async def run(self, input: ApiTesterInput, context: RunContext) -> ApiReport:
        if any(call.json_schema is not None for call in input.calls):
            require("jsonschema", "check replies against a JSON Schema")
        reports = [await _test(call, input.timeout, context) for call in input.calls]
        return ApiReport(passed=all(report.passed for report in reports), reports=reports)


async def _test(call: ApiCall, timeout: float, context: RunContext) -> CallReport:
    faults: dict[str, None] = {}
    times: list[float] = []
    status = None
    for _ in range(call.repeat):
        try:
            reply = await fetch(
                context,
                call.url,
                method=call.method,
                headers=call.headers,
                data=call.json_body,
                use=call.credential,
                seconds=timeout,
            )
        except (NetworkError, ComponentTimeoutError) as error:
            faults[error.message] = None
            break
        status = reply.status
        times.append(reply.seconds)
        faults |= dict.fromkeys(await _faults(call, reply))
    return CallReport(
        name=call.name or f"{call.method} {call.url}",
        passed=not faults,
        status=status,
        faults=list(faults),
        calls=len(times),
        mean_seconds=statistics.fmean(times) if times else None,
        median_seconds=statistics.median(times) if times else None,
        max_seconds=max(times, default=None),
    )


async def _faults(call: ApiCall, reply: Fetched) -> list[str]:
    faults = []
    if reply.status not in call.status if call.status else not reply.ok:
        faults.append(f"the status is {reply.status}")
    for name, part in call.expected_headers.items():
        if part not in reply.headers.get(name, ""):
            faults.append(f"the header {name} is {reply.headers.get(name)!r}")
    text = reply.text if call.contains else ""
    faults += [f"the body does not hold {part!r}" for part in call.contains if part not in text]
    if call.max_seconds is not None and reply.seconds > call.max_seconds:
        faults.append(f"it took more than {call.max_seconds:g} s")
    if call.json_schema is not None:
        try:
            found = await in_worker(validate, reply.json(), call.json_schema)
            faults += [f"{each['path'] or 'the body'}: {each['message']}" for each in found["errors"]]
        except NetworkError:
            faults.append("the body is not JSON")
    return faults
