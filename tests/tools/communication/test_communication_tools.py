from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from querist.errors import (
    ComponentFailedError,
    ComponentInputError,
    ConfigError,
    GuardError,
    NetworkError,
    PermissionDeniedError,
)
from querist.tools.communication import mail
from tests.sources.postgres_server import shared_postgres
from tests.tools.granted import use
from tests.tools.site import Asked, reply, site

pytestmark = pytest.mark.anyio


class Mailbox:
    """What a mail server keeps: every message, but none for `nobody@…`."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []

    async def handle_RCPT(self, server: object, session: object, envelope: Envelope, address: str, _: object) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        self.got.append(envelope)
        return "250 OK"

    def text(self) -> str:
        content = self.got[-1].content
        assert isinstance(content, bytes)
        return content.decode()


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server with a certificate for 127.0.0.1 shows, which the tool trusts."""
    authority, server = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    monkeypatch.setattr(mail, "_tls", lambda: client)
    return server


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext, *, from_start: bool = False) -> AsyncIterator[tuple[Mailbox, int]]:
    """A real mail server that insists on TLS and on the password `p4ss`, and its port."""

    def check(server: object, session: object, envelope: object, mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=login.password == b"p4ss", handled=False)

    box = Mailbox()
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        how = {"auth_require_tls": False} if from_start else {"tls_context": tls, "require_starttls": True}
        return SMTP(box, authenticator=check, auth_required=not from_start, loop=loop, **how)

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if from_start else None)
    async with server:
        yield box, server.sockets[0].getsockname()[1]


def post(port: int, password: str = "p4ss", **other: Any) -> dict[str, Any]:
    return {
        "mail": {"host": "127.0.0.1", "port": port, "sender": "bot@example.org", "credential": "mail"} | other,
        "credentials": {"mail": {"username": "bot", "secret": password, "hosts": "127.0.0.1"}},
    }


async def test_a_message_goes_out_by_the_server_of_the_settings(tls: ssl.SSLContext, tmp_path: Path) -> None:
    async with mail_server(tls) as (box, port):
        odd = "a\r\nX-Slipped: in"
        for name in ("report.csv", odd):
            (tmp_path / name).write_text("a,b\n1,2\n")
        sent = await use(
            "email_sender",
            f"network:127.0.0.1:{port}",
            f"file_read:{tmp_path}",
            settings=post(port),
            to=["ann@example.org", "nobody@example.org"],
            bcc=["boss@example.org"],
            subject="Grüße",
            text="Hello",
            html="<p>Hello</p>",
            attachments=[str(tmp_path / "report.csv"), str(tmp_path / odd)],
        )
        assert (sent.accepted, list(sent.refused)) == (["ann@example.org", "boss@example.org"], ["nobody@example.org"])
        assert box.got[0].rcpt_tos == ["ann@example.org", "boss@example.org"]
        assert "From: bot@example.org" in box.text()
        assert 'filename="report.csv"' in box.text()
        assert "\nX-Slipped" not in box.text()
        assert "boss@" not in box.text()
        assert sent.message_id in box.text()


async def test_a_server_may_speak_tls_from_the_start(tls: ssl.SSLContext) -> None:
    async with mail_server(tls, from_start=True) as (box, port):
        settings = post(port, security="tls")
        await use("email_sender", "network:127.0.0.1", settings=settings, to=["ann@b.org"], subject="x", html="<p>y")
    assert "Content-Type: text/html" in box.text()


async def test_mail_that_is_not_allowed_does_not_leave(tls: ssl.SSLContext) -> None:
    async with mail_server(tls) as (box, port):
        message: dict[str, Any] = {"to": ["ann@example.org"], "subject": "x", "text": "y"}
        with pytest.raises(PermissionDeniedError, match="network:127"):
            await use("email_sender", settings=post(port), **message)
        with pytest.raises(PermissionDeniedError, match="not a public address"):
            await use("email_sender", "network:*", settings=post(port), **message)
        with pytest.raises(PermissionDeniedError, match="file_read"):
            await use("email_sender", "network:127.0.0.1", settings=post(port), **message, attachments=["/etc/passwd"])
        with pytest.raises(ConfigError, match="in the clear"):
            await use("email_sender", "network:127.0.0.1", settings=post(port, security="none"), **message)
        with pytest.raises(ConfigError, match="No mail server"):
            await use("email_sender", **message)
        assert not box.got


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": ["ann@example.org\nBcc: all@example.org"]},
        {"subject": "x\r\nBcc: all@example.org"},
        {"to": ["ann"]},
        {"to": ["<ann@example.org>"]},
        {"to": ["(" * 250 + "@example.org"]},
        {"to": []},
    ],
)
async def test_no_header_is_slipped_in(wrong: dict[str, Any]) -> None:
    with pytest.raises(ComponentInputError):
        await use("email_sender", **({"to": ["ann@example.org"], "subject": "x", "text": "y"} | wrong))


async def test_what_the_mail_server_refuses_is_told(tls: ssl.SSLContext) -> None:
    async with mail_server(tls) as (_, port):
        message: dict[str, Any] = {"subject": "x", "text": "y"}
        with pytest.raises(NetworkError) as failure:
            await use("email_sender", "network:127.0.0.1", settings=post(port, "wrong"), to=["a@b.org"], **message)
        assert "wrong" not in failure.value.message
        with pytest.raises(ComponentFailedError, match="no such user"):
            await use("email_sender", "network:127.0.0.1", settings=post(port), to=["nobody@b.org"], **message)


KEY = {
    "credentials": {"key": {"secret": "k3y", "hosts": "127.0.0.1"}, "other": {"secret": "o", "hosts": "example.org"}}
}


async def test_a_webhook_is_signed_so_that_its_receiver_can_tell() -> None:
    async with site(lambda asked: reply("thanks")) as here:
        done = await use(
            "webhook_caller",
            "network:127.0.0.1",
            settings=KEY,
            url=here.url,
            event="a.b",
            payload={"n": 1},
            credential="key",
        )
        with pytest.raises(PermissionDeniedError, match="may not be sent"):
            await use(
                "webhook_caller", "network:127.0.0.1", settings=KEY, url=here.url, event="a.b", credential="other"
            )
    (asked,) = here.asked
    signed = f"{done.id}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    assert asked.headers["webhook-signature"] == hmac.new(b"k3y", signed, hashlib.sha256).hexdigest()
    assert asked.json == {"event": "a.b", "data": {"n": 1}}
    assert b"k3y" not in asked.body + str(asked.headers).encode()
    assert done.reply == "thanks"


async def test_a_message_is_posted_to_slack_and_its_refusal_told() -> None:
    def answer(asked: Asked) -> bytes:
        if b"channel=%23none" in asked.body:
            return reply({"ok": False, "error": "channel_not_found"})
        return reply({"ok": True, "channel": "C1", "ts": "1.2"})

    async with site(answer) as here:
        ask = {"action": "post_message", "text": "Hi", "credential": "key", "api_url": here.url}
        done = await use("slack_integration", "network:127.0.0.1", settings=KEY, channel="#a", **ask)
        with pytest.raises(NetworkError, match="channel_not_found"):
            await use("slack_integration", "network:127.0.0.1", settings=KEY, channel="#none", **ask)
    assert (done.channel, done.timestamp) == ("C1", "1.2")
    asked = here.asked[0]
    assert (asked.path, parse_qs(asked.body.decode())) == ("/chat.postMessage", {"channel": ["#a"], "text": ["Hi"]})
    assert asked.headers["authorization"] == "Bearer k3y"


async def test_channels_and_messages_of_slack_are_read() -> None:
    channels = [{"id": "C1", "name": "general", "topic": {"value": "all"}, "num_members": 3}]
    async with site(lambda asked: reply({"ok": True, "channels": channels})) as here:
        ask = {"credential": "key", "api_url": here.url}
        found = await use("slack_integration", "network:127.0.0.1", settings=KEY, action="list_channels", **ask)
    assert [(c.id, c.name, c.topic, c.members) for c in found.channels] == [("C1", "general", "all", 3)]
    assert here.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert here.asked[0].body == b"limit=50&exclude_archived=true"


ISSUE = {
    "number": 7,
    "title": "Broken",
    "body": None,
    "state": "open",
    "user": {"login": "ann"},
    "labels": [{"name": "bug"}],
}


async def test_issues_of_github_are_read_and_written() -> None:
    def answer(asked: Asked) -> bytes:
        if asked.method == "POST":
            return reply(ISSUE | {"number": 8, "title": asked.json["title"]}, 201)
        link = f'<{here.url}/next>; rel="next"'
        return reply([ISSUE, ISSUE | {"pull_request": {}}], link=link, x_ratelimit_remaining="59")

    async with site(answer) as here:
        ask = {"repository": "me/it", "credential": "key", "api_url": here.url}
        found = await use(
            "github_integration", "network:127.0.0.1", settings=KEY, action="list_issues", labels=["bug"], **ask
        )
        made = await use(
            "github_integration", "network:127.0.0.1", settings=KEY, action="create_issue", title="New", **ask
        )
    assert [(i.number, i.author, i.labels, i.is_pull) for i in found.items] == [
        (7, "ann", ["bug"], False),
        (7, "ann", ["bug"], True),
    ]
    assert (found.more, found.requests_left, made.items[0].number) == (True, 59, 8)
    assert here.asked[0].path == "/repos/me/it/issues?per_page=30&state=open&labels=bug"
    assert here.asked[1].json == {"title": "New", "body": "", "labels": []}


@pytest.mark.parametrize(
    ("tool", "ask"),
    [
        ("github_integration", {"action": "get_repository", "repository": "me/it"}),
        ("slack_integration", {"action": "list_channels"}),
    ],
)
@pytest.mark.parametrize(
    "broken",
    [reply(status=429, retry_after="7"), reply(status=500), reply("garbage"), reply(["x"]), reply({"ok": True})[:-3]],
    ids=["429", "500", "garbage", "other JSON", "half a reply"],
)
async def test_services_that_fail_are_told_as_such(tool: str, ask: dict[str, Any], broken: bytes) -> None:
    async with site(lambda asked: broken) as here:
        with pytest.raises(NetworkError) as failure:
            await use(tool, "network:127.0.0.1", settings=KEY, api_url=here.url, credential="key", **ask)
    assert failure.value.retry_after == (7.0 if b" 429 " in broken else None)


@pytest.mark.parametrize("repository", ["../../user", "me/it/../..", "me/..", "me", "me/it?x=1"])
async def test_a_repository_is_a_name_and_no_path(repository: str) -> None:
    with pytest.raises(ComponentInputError):
        await use("github_integration", "network:*", action="get_repository", repository=repository)


async def test_a_database_can_be_read_by_its_name_and_by_nothing_else() -> None:
    postgres = shared_postgres()
    name = postgres.new_database(
        "CREATE TABLE tools (id int, name text)", "INSERT INTO tools VALUES (1, 'saw'), (2, 'axe')"
    )
    settings = {"databases": {"shop": postgres.url(name)}}
    found = await use(
        "database_connector",
        "source:shop",
        settings=settings,
        database="shop",
        sql="SELECT name FROM tools ORDER BY id",
        max_rows=1,
    )
    assert (found.columns, found.rows, found.truncated) == (["name"], [["saw"]], True)
    listed = await use("database_connector", "source:shop", settings=settings, database="shop", operation="schema")
    assert [(table.name, list(table.columns)) for table in listed.tables] == [("tools", ["id", "name"])]
    for sql in ("DELETE FROM tools", "SELECT pg_read_file('/etc/passwd')"):
        with pytest.raises(GuardError):
            await use("database_connector", "source:shop", settings=settings, database="shop", sql=sql)
    with pytest.raises(PermissionDeniedError, match="source:shop"):
        await use("database_connector", "source:other", settings=settings, database="shop", sql="SELECT 1")
    with pytest.raises(ConfigError) as failure:
        await use("database_connector", "source:*", settings=settings, database="postgresql://x", sql="SELECT 1")
    assert "There are: shop" in failure.value.hint
