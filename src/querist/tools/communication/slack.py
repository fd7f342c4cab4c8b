"""`slack_integration`: messages and channels, by Slack's Web API."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlencode

from pydantic import BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.errors import NetworkError
from querist.tools.tool import Tool, ToolInput
from querist.tools.web.fetching import FETCH, fetch, of_protocol

_METHODS = {
    "post_message": "chat.postMessage",
    "update_message": "chat.update",
    "list_channels": "conversations.list",
    "read_channel": "conversations.history",
}


class SlackIntegrationInput(ToolInput):
    needed: ClassVar = {
        "post_message": ["channel"],
        "update_message": ["channel", "timestamp"],
        "read_channel": ["channel"],
    }

    action: Literal["post_message", "update_message", "list_channels", "read_channel"] = Field(
        description="What to do."
    )
    credential: str = Field(default="slack", description="Name of the credential in the settings that holds the token.")
    channel: str = Field(default="", description="Name or id of the channel; all but `list_channels` need one.")
    text: str = Field(default="", description="The message.", max_length=40_000)
    blocks: list[dict[str, Any]] = Field(default=[], description="The message as Slack's blocks.", max_length=50)
    thread: str = Field(default="", description="`timestamp` of the message to reply to.")
    timestamp: str = Field(default="", description="Of the message to update.")
    limit: int = Field(default=50, description="Messages or channels at most.", gt=0, le=200)
    api_url: Annotated[str, FETCH] = Field(
        default="https://slack.com/api", description="Another address of the API, as GovSlack has."
    )

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.action in ("post_message", "update_message") and not (self.text or self.blocks):
            raise ValueError(f"{self.action} needs text or blocks")
        return self


class SlackMessage(BaseModel):
    timestamp: str
    user: str
    text: str


class SlackChannel(BaseModel):
    id: str
    name: str
    topic: str
    members: int | None


class SlackResult(BaseModel):
    channel: str = ""
    timestamp: str = Field(default="", description="Of the message that was posted or updated.")
    channels: list[SlackChannel] = []
    messages: list[SlackMessage] = []


class SlackIntegration(Tool[SlackIntegrationInput, SlackResult]):
    name = "slack_integration"
    description = """Post, update and read messages in Slack, and list its channels."""
    permissions = ("network",)

    async def run(self, input: SlackIntegrationInput, context: RunContext) -> SlackResult:
        fields: dict[str, Any] = {
            "channel": input.channel,
            "text": input.text,
            "blocks": json.dumps(input.blocks) if input.blocks else "",
            "thread_ts": input.thread,
            "ts": input.timestamp,
        }
        if input.action in ("list_channels", "read_channel"):
            fields = {
                "channel": input.channel,
                "limit": input.limit,
                "exclude_archived": "true" if input.action == "list_channels" else "",
            }
        reply = await fetch(
            context,
            f"{input.api_url.rstrip('/')}/{_METHODS[input.action]}",
            method="POST",
            # As a form, and not as JSON: of that, Slack's methods that read take no notice.
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({name: value for name, value in fields.items() if value}).encode(),
            use=input.credential,
            redirects=0,
        )
        data = reply.check("Slack").json()
        if not isinstance(data, dict) or not data.get("ok"):  # its errors come with the status of a success
            why = data.get("error", "no reason") if isinstance(data, dict) else "no reason"
            raise NetworkError(f"Slack refuses: {why}.", hint="Check the token, its scopes, and the channel.")
        with of_protocol("Slack"):
            return _result(data, input.channel)


def _result(data: dict[str, Any], channel: str) -> SlackResult:
    return SlackResult(
        channel=data.get("channel") or channel,
        timestamp=data.get("ts", ""),
        channels=[
            SlackChannel(
                id=found["id"],
                name=found.get("name", ""),
                topic=found.get("topic", {}).get("value", ""),
                members=found.get("num_members"),
            )
            for found in data.get("channels", [])
        ],
        messages=[
            SlackMessage(timestamp=found.get("ts", ""), user=found.get("user", ""), text=found.get("text", ""))
            for found in data.get("messages", [])
        ],
    )
