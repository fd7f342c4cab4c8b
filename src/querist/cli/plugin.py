"""`querist plugin`: what plugins there are, a new one, and which folders of them may be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from querist.plugins.interface import Registrar

app = typer.Typer(no_args_is_help=True, help="List plugins, begin a new one, and trust folders of them.")

Folder = Annotated[Path, typer.Argument(help="A folder of plugins.")]


@app.command("list")
def list_plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """List the plugins, what each brings, and why one is left out.

    Plugins are packages that say so (`pip install querist-NAME`), and the files of the folder `plugins`, once it is
    trusted, and of those that the setting `plugins` names.
    """
    from querist.plugins.load import FOLDER, load_plugins
    from querist.settings import load_settings
    from querist.settings.trust import is_trusted

    plugins = load_plugins(load_settings().plugins)
    if as_json:
        rows = [
            {"name": p.name, "origin": p.origin, "brings": _brought(p.brings), "problem": p.problem} for p in plugins
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not plugins:
        typer.echo("There are no plugins. `querist plugin new NAME` begins one.")
    for plugin in plugins:
        typer.echo(f"{plugin.name}  ({plugin.origin})")
        for kind, names in _brought(plugin.brings).items():
            typer.echo(f"  {kind}: {', '.join(names)}")
        if plugin.problem:
            typer.echo(f"  left out: {plugin.problem}")
    if FOLDER.is_dir() and not is_trusted(FOLDER):
        typer.echo(f"{FOLDER} is not looked into. If its code may run: querist plugin trust {FOLDER}", err=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Such as `weather`, for the package querist-weather.")],
    folder: Annotated[Path, typer.Option("--in", metavar="FOLDER", help="Where to make its folder.")] = Path(),
) -> None:
    """Write the package of a plugin, which works as it is.

    It has a component, a command and a test.

    Example: querist plugin new weather
    """
    from querist.plugins.new import new_plugin

    made = new_plugin(name, folder)
    typer.echo(f"The plugin is in {made}. Next: pip install -e {made}, then querist plugin list")


@app.command()
def trust(folder: Folder, revoke: Annotated[bool, typer.Option("--revoke", help="Trust it no more.")] = False) -> None:
    """Let the code of a folder run as plugins, wherever settings name it. For you, on this machine.

    Example: querist plugin trust tools/querist
    """
    from querist.settings import trust as trusted

    if revoke:
        trusted.distrust(folder)
        typer.echo(f"What is in {folder.resolve()} is loaded no more.")
    else:
        trusted.trust(folder)
        typer.echo(f"What is in {folder.resolve()} is loaded as plugins from now on, where settings name it.")


def _brought(brings: Registrar) -> dict[str, list[str]]:
    return {kind: list(names) for kind, names in vars(brings).items() if names}
