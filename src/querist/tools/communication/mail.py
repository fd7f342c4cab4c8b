"""`email_sender`: hands a message to the mail server of the settings (SMTP)."""

from __future__ import annotations

import asyncio
import mimetypes
import smtplib
import socket
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.errors import ComponentFailedError, ConfigError, NetworkError
from querist.settings.tools import Credential, MailServer
from querist.tools.confined import READ, read_bytes
from querist.tools.credentials import credential, tool_settings
from querist.tools.reach import Reachable, reach
from querist.tools.tool import Tool, ToolInput

_MAX_ATTACHED = 25_000_000
_SECONDS = 30.0


def _one_line(text: str) -> str:
    if any(not c.isprintable() for c in text):
        raise ValueError("must be one line")
    return text


def _address(text: str) -> str:
    try:
        if "@" not in Address(addr_spec=_one_line(text)).addr_spec:
            raise ValueError
    except (ValueError, IndexError, MessageError) as error:
        raise ValueError("must be an address such as anna@example.org") from error
    return text


MailAddress = Annotated[str, Field(max_length=254), AfterValidator(_address)]


class EmailSenderInput(ToolInput):
    to: list[MailAddress] = Field(default=[], description="Addresses it is for.", max_length=100)
    cc: list[MailAddress] = Field(default=[], description="Addresses that get a copy.", max_length=100)
    bcc: list[MailAddress] = Field(default=[], description="Addresses that get a copy nobody sees.", max_length=100)
    subject: Annotated[str, AfterValidator(_one_line)] = Field(description="The subject.", min_length=1, max_length=500)
    text: str = Field(default="", description="The message as plain text.", max_length=1_000_000)
    html: str = Field(
        default="", description="The message as HTML, beside or in place of the text.", max_length=1_000_000
    )
    reply_to: MailAddress | None = Field(default=None, description="Where answers go, if not to the sender.")
    attachments: Annotated[list[str], READ] = Field(
        default=[], description="Paths of files to send with it.", max_length=20
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            raise ValueError("name somebody it is for")
        if not (self.text or self.html):
            raise ValueError("give text or html")
        return self


class Sent(BaseModel):
    message_id: str
    accepted: list[str]
    refused: dict[str, str] = Field(description="Addresses that the server did not take, and why.")


class EmailSender(Tool[EmailSenderInput, Sent]):
    name = "email_sender"
    description = """Send an e-mail by the mail server that the settings name.

    The server, its password and the sender are in `tools.mail`; a model chooses none of them."""
    permissions = ("network", "file_read")

    async def run(self, input: EmailSenderInput, context: RunContext) -> Sent:
        server = tool_settings(context).mail
        if server is None:
            raise ConfigError(
                "No mail server is set.", hint="Set tools.mail in querist.yaml: host, sender, credential."
            )
        login = credential(server.credential, server.host, context) if server.credential else None
        if login is not None and server.security == "none":
            raise ConfigError("A password is not sent over a connection in the clear.", hint="Set tools.mail.security.")
        where = await reach(context, server.host, server.port)
        message = await asyncio.to_thread(_compose, input, server.sender, context)
        recipients = [*input.to, *input.cc, *input.bcc]
        try:
            refused = await asyncio.to_thread(_send, server, where, login, message, recipients)
        except (smtplib.SMTPException, OSError) as error:
            raise _told(server, error) from error
        return Sent(
            message_id=message["Message-ID"],
            accepted=[address for address in recipients if address not in refused],
            refused={address: _text(why) for address, (_, why) in refused.items()},
        )


def _compose(input: EmailSenderInput, sender: str, context: RunContext) -> EmailMessage:
    message = EmailMessage()
    headers = {
        "From": sender,
        "To": ", ".join(input.to),
        "Cc": ", ".join(input.cc),
        "Reply-To": input.reply_to,
        "Subject": input.subject,
        "Date": formatdate(localtime=True),
        "Message-ID": make_msgid(domain=sender.rpartition("@")[2].strip("> ") or "localhost"),
    }
    for name, value in headers.items():
        if value:
            message[name] = value
    if input.text:
        message.set_content(input.text)
    if input.html and input.text:
        message.add_alternative(input.html, subtype="html")
    elif input.html:
        message.set_content(input.html, subtype="html")
    room = _MAX_ATTACHED
    for path in input.attachments:
        data = read_bytes(path, context, room)
        room -= len(data)
        kind = (mimetypes.guess_type(path)[0] or "application/octet-stream").split("/")
        message.add_attachment(data, maintype=kind[0], subtype=kind[1], filename=_file_name(path))
    return message


def _file_name(path: str) -> str:
    """A file's name as it may stand in a header."""
    return "".join(c if c.isprintable() else "_" for c in Path(path).name)


def _send(
    server: MailServer, where: Reachable, login: Credential | None, message: EmailMessage, recipients: list[str]
) -> dict[str, tuple[int, bytes]]:
    tls = _tls()
    with _Connection(where, tls if server.security == "tls" else None) as smtp:
        if server.security == "starttls":
            smtp.starttls(context=tls)
        if login is not None:
            smtp.login(login.username, login.secret.get_secret_value())
        return smtp.send_message(message, to_addrs=recipients)


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(smtplib.SMTP):
    """Connects to an address that was checked, and not by the name again."""

    def __init__(self, where: Reachable, tls: ssl.SSLContext | None) -> None:
        self._where, self._tls = where, tls
        super().__init__(where.host, where.port, timeout=_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        for address in self._where.addresses:
            try:
                plain = socket.create_connection((address, port), timeout)
                break
            except OSError:
                if address == self._where.addresses[-1]:
                    raise
        return plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host)


def _told(server: MailServer, error: Exception) -> NetworkError | ComponentFailedError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        whom = "; ".join(f"{address}: {_text(why)}" for address, (_, why) in error.recipients.items())
        return ComponentFailedError(f"{server.host} takes the message for nobody: {whom}.")
    said = _text(error.smtp_error) if isinstance(error, smtplib.SMTPResponseException) else str(error)
    hint = "Check tools.mail in the settings."
    return NetworkError(f"The message could not be handed to {server.host}: {said or type(error).__name__}.", hint=hint)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
