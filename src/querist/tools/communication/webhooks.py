"""`webhook_caller`: tells another program that something happened, signed so that it can trust it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from typing import Annotated, Any

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.tools.credentials import credential
from querist.tools.tool import Tool, ToolInput
from querist.tools.web.fetching import FETCH, fetch, parse


class WebhookCallerInput(ToolInput):
    url: Annotated[str, FETCH] = Field(description="Where to.")
    event: str = Field(description="What happened, such as `report.ready`.", pattern=r"^[\w.:-]{1,100}$")
    payload: dict[str, Any] = Field(default={}, description="Data about it.")
    credential: str = Field(default="", description="Name of a credential in the settings to sign with.")
    timeout: float = Field(default=15, description="Seconds.", gt=0, le=120)


class Delivered(BaseModel):
    id: str = Field(description="Of this delivery; the receiver knows repeats by it.")
    status: int
    reply: str = Field(description="The beginning of what was replied.")
    seconds: float


class WebhookCaller(Tool[WebhookCallerInput, Delivered]):
    name = "webhook_caller"
    description = """Call a webhook: post an event as JSON, signed with a credential if one is named.

    The signature is HMAC-SHA256 of `id.timestamp.body`, in hexadecimal, in the header `Webhook-Signature`."""
    permissions = ("network",)

    async def run(self, input: WebhookCallerInput, context: RunContext) -> Delivered:
        body = json.dumps({"event": input.event, "data": input.payload}).encode()
        id, now = str(uuid.uuid4()), str(int(time.time()))
        headers = {"Content-Type": "application/json", "Webhook-Id": id, "Webhook-Timestamp": now}
        if input.credential:
            key = credential(input.credential, parse(input.url).host, context).secret.get_secret_value()
            headers["Webhook-Signature"] = sign(key, id, now, body)
        reply = await fetch(
            context, input.url, method="POST", headers=headers, body=body, seconds=input.timeout, redirects=0
        )
        reply.check(parse(input.url).host)
        return Delivered(id=id, status=reply.status, reply=reply.text[:2000], seconds=reply.seconds)


def sign(key: str, id: str, timestamp: str, body: bytes) -> str:
    """What the receiver calculates as well, and compares."""
    return hmac.new(key.encode(), f"{id}.{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
