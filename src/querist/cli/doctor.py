"""`querist doctor`: what is installed and reachable, and what to do about what is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.errors import QueristError

if TYPE_CHECKING:
    from querist.settings import Settings
    from querist.sources.base import Source

REACH_SECONDS = 3.0
"""How long a model's server is waited for."""
LITTLE_SPACE = 2_000_000_000
"""Bytes free below which the disk is called nearly full: the default model and its caches need about as much."""


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `todo` is what to do; empty when nothing is."""

    part: str
    level: Level
    message: str
    todo: str = ""


def doctor(
    data: Annotated[
        list[str] | None,
        typer.Option("--data", "-d", metavar="DATA", help="Data to try to open; by default what the settings name."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the model's file through and compare its SHA-256.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check the installation, the settings, the models and the data, and say what to do.

    \b
    Examples:
      querist doctor
      querist doctor --data shop.db --deep

    Exits with 1 when something that is needed is broken.
    """
    findings: list[Finding] = []
    for finding in examine(data or [], deep=deep):
        findings.append(finding)
        if not as_json:
            _show(finding)
    broken = any(finding.level is Level.FAIL for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": not broken, "findings": [asdict(f) for f in findings]}, indent=2))
    raise typer.Exit(1 if broken else 0)


def examine(data: list[str], *, deep: bool = False) -> Iterator[Finding]:
    """Everything that is found, in the order of the report."""
    yield from _installation()
    try:
        settings, found = _settings()
    except QueristError as error:
        yield Finding("settings", Level.FAIL, error.message, error.hint)
        return
    yield found
    yield from _folders()
    yield from _models(settings, deep=deep)
    yield from _keys(settings)
    yield from _plugins(settings)
    yield from _data(data or list(settings.data))


def _installation() -> Iterator[Finding]:
    from importlib.metadata import version

    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("install", Level.OK, f"querist {version('querist')}, Python {python}")
    for extra, packages in _extras().items():
        missing = [name for name in packages if not _version(name)]
        if not missing:
            brought = ", ".join(f"{name} {_version(name)}" for name in packages)
            yield Finding("install", Level.OK, f"{extra}: {brought}")
        else:
            what = "not installed" if len(missing) == len(packages) else f"without {', '.join(missing)}"
            yield Finding("install", Level.OK, f"{extra}: {what}", f'If you need it: pip install "querist[{extra}]"')


def _extras() -> dict[str, list[str]]:
    """The extras of the package, and the packages that each brings."""
    extras: dict[str, list[str]] = {}
    for extra, name, inner in _required("querist"):
        if extra and extra != "all":
            more = [package for wanted, package, _ in _required(name) if wanted == inner != ""]
            extras.setdefault(extra, []).extend([name, *more])
    return extras


def _required(package: str) -> Iterator[tuple[str, str, str]]:
    """What a package requires: for which extra of its own, which package, and which extra of that one."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(package) or []
    except PackageNotFoundError:
        return
    for line in lines:
        # Of those that some systems do without, nothing is said.
        if found := re.fullmatch(r"""([\w.-]+)(?:\[([\w-]+)])?[^;]*(?:; extra == ['"]([\w-]+)['"])?""", line):
            name, inner, extra = found.groups("")
            yield extra, name, inner


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _settings() -> tuple[Settings, Finding]:
    from querist.settings import find_file, load_settings

    settings, file = load_settings(), find_file()
    return settings, Finding("settings", Level.OK, str(file) if file else "no file; defaults and the environment hold")


def _plugins(settings: Settings) -> Iterator[Finding]:
    from querist.plugins.load import load_plugins

    for plugin in load_plugins(settings.plugins):
        yield Finding("plugins", Level.WARN if plugin.problem else Level.OK, str(plugin))


def _folders() -> Iterator[Finding]:
    from querist.state.paths import cache_dir, data_dir

    for part, folder in (("cache", cache_dir()), ("data", data_dir())):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not (there.is_dir() and os.access(there, os.W_OK)):
            todo = "Give yourself the right to write there, or set QUERIST_HOME to another folder."
            yield Finding("folders", Level.FAIL, f"{part}: {folder} cannot be written", todo)
            continue
        free = shutil.disk_usage(there).free
        message = f"{part}: {folder}, {_size(_bytes_in(folder))} used, {_size(free)} free"
        if free < LITTLE_SPACE:
            yield Finding("folders", Level.WARN, message, "Make room, or set QUERIST_HOME to a larger disk.")
        else:
            yield Finding("folders", Level.OK, message)


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # caches of others come and go
            continue
    return total


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _models(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    names = list(dict.fromkeys(settings.models.coding))
    worst: list[Level] = []
    for number, name in enumerate(names):
        for finding in _model(name, settings, deep=deep):
            # A model that is only the second choice is no breakage as long as the first one works.
            spare = number > 0 and Level.FAIL not in worst
            worst.append(finding.level)
            yield Finding(
                finding.part,
                Level.WARN if spare and finding.level is Level.FAIL else finding.level,
                finding.message,
                finding.todo,
            )
    yield from _local_servers()


def _model(name: str, settings: Settings, *, deep: bool) -> Iterator[Finding]:
    from querist.models.open import open_model

    if name.startswith("local:"):
        yield from _local_model(name, deep=deep)
        return
    try:
        open_model(name, settings)
    except QueristError as error:
        yield Finding("models", Level.FAIL, f"{name}: {error.message}", error.hint)
        return
    address = _address(name, settings)
    if not address:
        yield Finding("models", Level.OK, f"{name}: set up; it is not called here, since that costs money")
        return
    trouble = _reach(address)
    if trouble:
        yield Finding("models", Level.FAIL, f"{name}: {address} {trouble}", "Start the server, or mend its base_url.")
    else:
        yield Finding("models", Level.OK, f"{name}: {address} answers")


def _local_model(name: str, *, deep: bool) -> Iterator[Finding]:
    from querist.models import download
    from querist.models.manifest import find_model, is_path, model_path

    try:
        path = model_path(name)
    except QueristError as error:
        yield Finding("models", Level.FAIL, f"{name}: {error.message}", error.hint)
        return
    size = _size(path.stat().st_size)
    if deep and not is_path(name.removeprefix("local:")):
        info = find_model(name)
        if download.verify(info):
            yield Finding("models", Level.OK, f"{name}: {size}, the publisher's file by its SHA-256")
        else:
            todo = f"Fetch it anew: querist models pull --again {info.name}"
            yield Finding("models", Level.FAIL, f"{name}: {path} is not the right file", todo)
    else:
        yield Finding("models", Level.OK, f"{name}: {size} at {path}")
    yield _runtime()


def _runtime() -> Finding:
    """Whether the local model's runtime loads; it brings all but the system's OpenMP library."""
    if not _version("xllamacpp"):
        todo = 'Install it: pip install "querist[local]"'
        return Finding("models", Level.FAIL, "the runtime of local models (xllamacpp) is not installed", todo)
    import ctypes

    if sys.platform == "linux":
        try:
            ctypes.CDLL("libgomp.so.1")
        except OSError:
            todo = "Install it: apt-get install libgomp1, or dnf install libgomp"
            return Finding(
                "models", Level.FAIL, "the system library libgomp, which local models need, is missing", todo
            )
    return Finding("models", Level.OK, f"xllamacpp {_version('xllamacpp')} runs local models")


def _local_servers() -> Iterator[Finding]:
    from querist.models.local_server import running_servers

    for state in running_servers():
        left = max(0.0, state.idle_seconds - state.idle_for)
        message = f"local server: {Path(state.model).name} is loaded (process {state.pid}), for {left:.0f} s more"
        yield Finding("models", Level.OK, message, "Free its memory: querist models stop")


def _address(name: str, settings: Settings) -> str:
    """Where a model's own server is; empty for a provider's."""
    provider = name.partition(":")[0]
    options = settings.models.providers.get(provider)
    if options is not None and options.base_url:
        return options.base_url
    if provider == "ollama":
        from querist.models.open import ollama_host

        return ollama_host()
    return ""


def _reach(address: str) -> str:
    """What keeps us from the server; empty when it answers, whatever it says."""
    from querist.models.lean_httpx import load_httpx

    load_httpx()
    import httpx

    try:
        httpx.get(address, timeout=REACH_SECONDS)
    except httpx.TimeoutException:
        return f"does not answer within {REACH_SECONDS:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"cannot be reached: {error}"
    return ""


def _keys(settings: Settings) -> Iterator[Finding]:
    from querist.models.hosted import PROVIDERS

    have = []
    for provider in PROVIDERS.values():
        options = settings.models.providers.get(provider.name)
        if options is not None and options.api_key is not None:
            have.append(f"{provider.name} (settings)")
        elif os.environ.get(provider.key_variable):
            have.append(f"{provider.name} ({provider.key_variable})")
    yield Finding("keys", Level.OK, "for " + ", ".join(have) if have else "none set; local models need none")


def _data(specs: list[str]) -> Iterator[Finding]:
    from querist.settings import redact
    from querist.sources.open import open_sources

    if not specs:
        yield Finding("data", Level.OK, "none named in the settings; name some with --data to check them")
    for spec in specs:
        try:
            sources = open_sources([spec])
        except QueristError as error:
            yield Finding("data", Level.FAIL, f"{redact(spec)}: {error.message}", error.hint)
            continue
        for source in sources:
            try:
                yield from _source(source)
            except QueristError as error:
                yield Finding("data", Level.FAIL, f"{source.describe()}: {error.message}", error.hint)
            finally:
                source.close()


def _source(source: Source) -> Iterator[Finding]:
    tables = source.schema().tables
    message = f"{source.describe()}: opens ({source.dialect}, {len(tables)} table{'' if len(tables) == 1 else 's'})"
    yield Finding(
        "data", Level.OK if tables else Level.WARN, message, "" if tables else "It holds nothing to ask about."
    )
    for note in getattr(source, "notes", ()):
        yield Finding("data", Level.OK, f"{source.name}: {note}")
    warnings: Callable[[], list[str]] | None = getattr(source, "warnings", None)
    for warning in warnings() if warnings is not None else ():
        yield Finding("data", Level.WARN, f"{source.name}: {warning}")


def _show(finding: Finding) -> None:
    colour = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}[finding.level]
    level = typer.style(f"{finding.level:<4}", fg=None if os.environ.get("NO_COLOR") else colour)
    message = "".join(c if c.isprintable() else " " for c in finding.message)
    typer.echo(f"{level}  {finding.part:<8}  {message}")
    if finding.todo:
        typer.echo(f"{'':16}{finding.todo}")
