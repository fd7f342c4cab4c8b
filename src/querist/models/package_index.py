"""Where a wheel lies on the Python package index that this machine uses, by PEP 503 (HTML) or PEP 691 (JSON)."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    import httpx

DEFAULT_INDEX = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def index_url(environment: Mapping[str, str] = os.environ) -> str:
    """The index to use, as pip and uv are told: their environment variables, pip's configuration file, then PyPI."""
    for variable in _VARIABLES:
        if value := environment.get(variable, ""):
            name, is_named, rest = value.partition("=")  # uv allows `name=https://...`
            return rest if is_named and "/" not in name else value
    for path in _pip_files(environment):
        config = configparser.RawConfigParser()
        try:
            config.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will tell; here it only means that the file names no index
        if value := config.get("global", "index-url", fallback="").strip():
            return value
    return DEFAULT_INDEX


def wheel_url(client: httpx.Client, index: str, project: str, wheel: str) -> str | None:
    """The address of the file `wheel` of `project`; None when the index does not have it.

    Raises:
        httpx.HTTPError: the index cannot be reached or refuses.
    """
    page = f"{index.rstrip('/')}/{project}/"
    response = client.get(page, headers={"Accept": _ACCEPT})
    if response.status_code == 404:
        return None
    response.raise_for_status()
    if "json" in response.headers.get("content-type", ""):
        links = [(file["filename"], file["url"]) for file in response.json()["files"]]
    else:
        reader = _Links()
        reader.feed(response.text)
        links = [(urlsplit(href).path.rsplit("/", 1)[-1], href) for href in reader.hrefs]
    return next((urljoin(str(response.url), url) for name, url in links if name == wheel), None)


def without_password(url: str) -> str:
    """`url` as it may be shown: without the user and password that an index address can carry."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.hrefs.append(href)


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    """pip's configuration files, the strongest first, as its documentation lists them."""
    if named := environment.get("PIP_CONFIG_FILE"):
        return [Path(named)]
    home = Path.home()
    if sys.platform == "win32":
        user = [Path(environment.get("APPDATA", home)) / "pip" / "pip.ini", home / "pip" / "pip.ini"]
        return [Path(sys.prefix) / "pip.ini", *user, Path(environment.get("PROGRAMDATA", home)) / "pip" / "pip.ini"]
    config_home = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    user = [config_home / "pip" / "pip.conf", home / ".pip" / "pip.conf"]
    return [Path(sys.prefix) / "pip.conf", *user, Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")]
