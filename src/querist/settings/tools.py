"""What can be set for tools: credentials by name, and servers that a model must not choose. Used by `tools/`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from querist.settings.section import Section, Whole

Name = Annotated[str, Field(min_length=1)]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Credential(Section):
    """A secret that tools use by its name, so that no model reads or writes it."""

    secret: SecretStr = Field(description="Key, token or password; `${NAME}` takes it from the environment")
    username: str = Field(default="", description="For servers that ask for a name and a password")
    hosts: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)] = Field(
        description="Hosts it may be sent to, by their exact names; no other ever gets it"
    )
    header: str = Field(
        default="", description="HTTP header that holds the bare secret; `Authorization: Bearer` when empty"
    )


class SearchProvider(Section):
    """A service that `web_search` asks."""

    kind: Literal["searxng", "brave", "duckduckgo"]
    url: str = Field(default="", description="Its address; for `searxng` that of your own instance")
    credential: str = Field(default="", description="Name of the credential, where it needs one")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "searxng" and not self.url:
            raise ValueError("searxng needs the url of an instance, such as http://localhost:8080")
        if self.kind == "brave" and not self.credential:
            raise ValueError("brave needs a credential")
        return self


class MailServer(Section):
    """Where `email_sender` hands in messages (SMTP). SendGrid, SES and others have such a server as well."""

    host: Name
    port: Whole = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="`none` sends all in the clear and never a password"
    )
    sender: Name = Field(description="Address that messages are from")
    credential: str = Field(default="", description="Name of the credential, where the server asks for one")


class ToolSettings(Section):
    credentials: dict[Name, Credential] = Field(default_factory=dict, description="Secrets, by names of your choice")
    search: tuple[SearchProvider, ...] = Field(
        default=(SearchProvider(kind="duckduckgo"),), description="What `web_search` asks, in this order"
    )
    mail: MailServer | None = None
    databases: dict[Name, SecretStr] = Field(
        default_factory=dict, description="What `database_connector` may query: names and their URLs or files"
    )
    environment: tuple[Name, ...] = Field(
        default=("HOME", "HOSTNAME", "LANG", "LC_ALL", "PATH", "PWD", "SHELL", "TERM", "TZ", "USER"),
        description="Variables that `environment_reader` may show",
    )
