"""`querist sandbox`: where generated code runs. Try it, attack it, lend it to other machines."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from querist.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from querist.sandbox.base import Job, Outcome, Sandbox
    from querist.sandbox.red_team.suite import Verdict
    from querist.settings import SandboxSettings
    from querist.sources.table import Table

BACKENDS = ("bubblewrap", "landlock", "container", "monty", "remote", "unsafe")

app = typer.Typer(no_args_is_help=True, help="Where code that a model wrote runs: try it, attack it, lend it.")

Backend = Annotated[
    str | None,
    typer.Option("--backend", "-b", metavar="NAME", help=f"One of {', '.join(BACKENDS)}, plugin:NAME."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def test(
    names: Annotated[list[str] | None, typer.Argument(help="Attacks to run; all when none is named.")] = None,
    backend: Backend = None,
    peer: Annotated[
        str | None,
        typer.Option(
            "--peer", metavar="PROGRAM", help="Attack another program's executor instead: pandasai, smolagents."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attack the sandbox, and show which attacks succeed. Exits with 1 when any does.

    The attacks are bounded and aim at canaries: files, servers and processes that are there for nothing else. Whether
    one succeeded is seen from outside. `--backend unsafe` shows what they do where nothing holds them.

    \b
    Examples:
      querist sandbox test
      querist sandbox test read-key tcp --backend landlock
      querist sandbox test --peer smolagents
    """
    import difflib

    from querist.sandbox.red_team.suite import FAMILIES

    known = {attack.name for attacks in FAMILIES.values() for attack in attacks}
    if unknown := set(names or []) - known:
        name = sorted(unknown)[0]
        near = difflib.get_close_matches(name, sorted(known)) or sorted(known)[:3]
        raise UsageError(f"There is no attack {name!r}.", hint=f"There are {len(known)}, such as {', '.join(near)}.")
    verdicts = asyncio.run(_attack(_target(backend, peer), names or [], quiet=as_json))
    succeeded = sum(verdict.succeeded for verdict in verdicts)
    if as_json:
        told = [dataclasses.asdict(verdict) | {"succeeded": verdict.succeeded} for verdict in verdicts]
        untried = sum(not verdict.tried for verdict in verdicts)
        counts = {"attacks": len(verdicts), "succeeded": succeeded, "not_tried": untried}
        typer.echo(json.dumps({**counts, "verdicts": told}, indent=2))
    else:
        _show_verdicts(verdicts)
    raise typer.Exit(1 if succeeded else 0)


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="Python code; `-` reads it from standard input.")],
    table: Annotated[
        list[str] | None,
        typer.Option("--table", "-t", metavar="NAME=PATH", help="A table for the code; may be given several times."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE", help="A value for the code: JSON, else text. Several are possible."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder for the files that the code wrote.")
    ] = None,
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    """Run Python code in the sandbox. It leaves its result in the variable `result`, and files in its folder.

    \b
    Examples:
      querist sandbox run mean.py --table sales=sales.csv
      querist sandbox run top.py --table sales=sales.csv --param most=10 --out results
      echo "result = 6 * 7" | querist sandbox run -

    Exits with 0 when the code ended well, else 1.
    """
    from querist.sandbox.base import Job
    from querist.sandbox.open import limits_of, open_sandbox

    settings = _settings(backend)
    try:
        code = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"The code in {str(file)!r} cannot be read: {why}.") from error
    tables = {name: _table(name, path) for name, path in _pairs(table, "--table sales=sales.csv")}
    parameters = {name: _parameter(value) for name, value in _pairs(param, "--param most=10")}
    job = Job(code, tables, parameters, limits_of(settings))
    outcome = asyncio.run(_run(open_sandbox(settings), job, quiet=as_json))
    _show_outcome(outcome, as_json)
    if out is not None:  # last, so that the outcome is not lost with the files
        _save(outcome, out)
    raise typer.Exit(0 if outcome.status == "ok" else 1)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Show which sandboxes work here, and why the others do not. Each is tried.

    Exits with 1 when none that is strong works.
    """
    from importlib.util import find_spec

    from querist.sandbox.container import find_engine
    from querist.sandbox.launch import probe

    found = {
        "bubblewrap": ("strong", probe("bubblewrap")),
        "container": ("strong", find_engine(_settings(None).image)[1]),
        "landlock": ("reduced", probe("landlock")),
        "monty": ("restricted", "" if find_spec("pydantic_monty") else 'not installed: pip install "querist[monty]"'),
        "remote": ("remote", _why_no_server(_settings(None))),
    }
    strong = any(strength == "strong" and not why for strength, why in found.values())
    if as_json:
        told = [{"backend": n, "strength": s, "works": not why, "why_not": why} for n, (s, why) in found.items()]
        typer.echo(json.dumps({"ok": strong, "backends": told}, indent=2))
    else:
        for name, (strength, why) in found.items():
            typer.echo(f"{'works' if not why else '-':6} {name:11} {strength:11} {why}".rstrip())
        if not strong:
            typer.echo(
                "Generated code does not run here until one that is strong works. For bubblewrap: "
                'pip install "querist[sandbox]", and on Debian apt-get install bubblewrap libseccomp2'
            )
    raise typer.Exit(0 if strong else 1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port; 0 takes a free one.")] = 8817,
    backend: Backend = None,
) -> None:
    """Lend this machine's sandbox to others. They set sandbox.backend to `remote`, sandbox.url and sandbox.token.

    The token is sandbox.token of the settings (QUERIST_SANDBOX__TOKEN), else a new one that is shown. It speaks plain
    HTTP: beyond this machine put something before it that does TLS.

    Example: querist sandbox serve --port 8817
    """
    import secrets

    from querist.sandbox.local import LocalSandbox
    from querist.sandbox.open import limits_of, open_sandbox
    from querist.sandbox.server import SandboxServer

    settings = _settings(backend)
    token = settings.token.get_secret_value() if settings.token else secrets.token_urlsafe(24)
    sandbox = open_sandbox(settings)
    try:
        server = SandboxServer((host, port), sandbox, token, limits_of(settings))
    except OSError as error:
        raise UsageError(f"Cannot listen at {host}:{port}: {error}", hint="Choose another with --port.") from error
    if isinstance(sandbox, LocalSandbox):
        asyncio.run(sandbox.warm())
    shown = "" if settings.token else f", token {token}"
    typer.echo(f"sandbox {sandbox.name} at http://{host}:{server.server_address[1]}{shown}", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        asyncio.run(sandbox.close())


def _settings(backend: str | None) -> SandboxSettings:
    from querist.settings import load_settings
    from querist.settings.model import PLUGIN

    loaded = load_settings()
    settings = loaded.sandbox if backend is None else loaded.sandbox.model_copy(update={"backend": backend})
    if settings.backend.startswith(PLUGIN):
        from querist.plugins.load import load_plugins

        load_plugins(loaded.plugins)
    elif backend is not None and backend not in BACKENDS:
        raise UsageError(f"There is no sandbox {backend!r}.", hint=f"Known: {', '.join(BACKENDS)}, {PLUGIN}NAME")
    return settings


def _why_no_server(settings: SandboxSettings) -> str:
    from querist.sandbox.remote import RemoteSandbox

    if not settings.url:
        return "sandbox.url is not set"
    try:
        RemoteSandbox.from_settings(settings)
    except ConfigError as error:
        return error.message
    return ""


def _target(backend: str | None, peer: str | None) -> Sandbox:
    from querist.sandbox.open import open_sandbox
    from querist.sandbox.red_team.peers import PEERS, PeerSandbox

    if peer is None:
        return open_sandbox(_settings(backend))
    if peer not in PEERS:
        raise UsageError(f"There is no peer {peer!r}.", hint=f"Known: {', '.join(PEERS)}")
    return PeerSandbox(peer)


async def _attack(sandbox: Sandbox, names: Sequence[str], *, quiet: bool) -> list[Verdict]:
    from rich.console import Console

    from querist.sandbox.red_team.suite import attack_all

    verdicts = []
    try:
        with Console(stderr=True, quiet=quiet).status(f"Attacking {sandbox.name}") as status:
            async for verdict in attack_all(sandbox, names):
                verdicts.append(verdict)
                status.update(f"Attacking {sandbox.name}: {len(verdicts)} done, the last one {verdict.name}")
    finally:
        await sandbox.close()
    return verdicts


def _show_verdicts(verdicts: Sequence[Verdict]) -> None:
    from rich.table import Table

    from querist.cli.show import open_console, plain

    listing = Table("attack", "it …", "", "what happened", box=None, pad_edge=False, header_style="dim")
    for verdict in verdicts:
        if verdict.contained:
            mark = plain("contained", style="green")
        else:
            mark = plain("succeeded", style="red") if verdict.succeeded else plain("not tried", style="yellow")
        listing.add_row(plain(verdict.name), plain(verdict.tries), mark, plain(verdict.evidence or verdict.how))
    console = open_console()
    console.print(listing)
    untried = sum(not verdict.tried for verdict in verdicts)
    contained = f"{sum(verdict.contained for verdict in verdicts)} of {len(verdicts)} attacks contained"
    console.print(plain(contained + (f", {untried} not tried" if untried else ""), style="bold"))


async def _run(sandbox: Sandbox, job: Job, *, quiet: bool) -> Outcome:
    try:
        return await sandbox.run(job, None if quiet else lambda text: _echo(text, nl=False))
    finally:
        await sandbox.close()


def _pairs(specs: Sequence[str] | None, example: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for spec in specs or ():
        name, sign, value = spec.partition("=")
        if not sign or not name or not value:
            raise UsageError(f"{spec!r} has no name, or nothing behind it.", hint=f"Write it like {example}")
        if name in dict(pairs):
            raise UsageError(f"{name!r} is given twice.", hint="Give each a name of its own.")
        pairs.append((name, value))
    return pairs


def _parameter(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _table(name: str, path: str) -> Table:
    from sqlglot import exp

    from querist.answer.scopes import reading
    from querist.sources.base import Limits
    from querist.sources.guard import guard
    from querist.sources.open import open_sources

    sources = open_sources([path])
    try:
        found = [(source, table) for source in sources for table in source.schema().tables]
        if not found:
            raise UsageError(f"There is no table in {path!r}.")
        (source, first), *others = found
        if others:
            left = ", ".join(other.name for _, other in others)
            _echo(f"{name} is the table {first.name} of {path}; left out: {left}.", err=True)
        query = guard(exp.select("*").from_(reading(first)).sql(dialect=source.dialect), source.schema())
        table = source.execute(query.sql, Limits(rows=5_000_000, bytes=1_000_000_000))
    finally:
        for source in sources:
            source.close()
    if table.truncated:
        raise UsageError(f"{path!r} is too large to be handed to code as a whole: {table.truncated}")
    return table


def _save(outcome: Outcome, folder: Path) -> None:
    """The files, and the tables as CSV, made harmless as files are."""
    from querist.sandbox.artifacts import as_file
    from querist.sandbox.jailed.frames import free_name
    from querist.state.whole_file import whole_file

    files = list(outcome.files)
    for name, table in outcome.tables.items():
        text = io.StringIO(newline="")
        table.write_csv(text)
        plain = "".join(c if c.isalnum() else "_" for c in name)[:100]
        try:
            files.append(as_file(free_name(plain, [f.name for f in files], ".csv"), text.getvalue().encode()))
        except ValueError as error:
            _echo(f"Not saved: the table {name!r}: {error}.", err=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            with whole_file(folder / file.name) as target:
                target.write(file.data)
    except OSError as error:
        raise UsageError(f"The files cannot be saved to {folder}: {error.strerror}.") from error


def _show_outcome(outcome: Outcome, as_json: bool) -> None:
    told: dict[str, Any] = dataclasses.asdict(dataclasses.replace(outcome, tables={}, files=()))
    told["tables"] = {name: table.to_json() for name, table in outcome.tables.items()}
    told["files"] = [{"name": f.name, "media_type": f.media_type, "bytes": len(f.data)} for f in outcome.files]
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    if outcome.value is not None:
        _echo(json.dumps(outcome.value, indent=2, ensure_ascii=False))
    for name, table in outcome.tables.items():
        _echo(f"table {name}: {len(table)} rows, columns {', '.join(table.names)}")
    for file in outcome.files:
        typer.echo(f"file {file.name}: {file.media_type}, {len(file.data)} bytes")
    for line in outcome.refused:
        _echo(line, err=True)
    if outcome.limit:
        typer.echo(f"stopped: it reached its limit of {outcome.limit.replace('_', ' ')}", err=True)
    elif outcome.error:
        _echo(outcome.error.traceback or f"{outcome.error.type}: {outcome.error.message}", err=True)
    typer.echo(f"{outcome.seconds:.2f} s in the sandbox {outcome.backend} ({outcome.strength})", err=True)


def _echo(text: str, *, nl: bool = True, err: bool = False) -> None:
    """Text from the code, without anything that a terminal would obey."""
    from querist.cli.show import plain

    typer.echo(plain(text, keep_lines=True).plain, nl=nl, err=err)
