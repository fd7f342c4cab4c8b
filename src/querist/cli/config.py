"""`querist config`: show the settings in force, check a file, trust it, print their JSON Schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from querist.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Show and check the settings.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def show(as_json: Json = False) -> None:
    """Print the settings in force, with secrets hidden."""
    from querist.settings import find_file, load_settings

    shown = load_settings().public()
    if as_json:
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    from ruamel.yaml import YAML

    file = find_file()
    typer.echo(f"# {f'with {file}' if file else 'no settings file'}; secrets are hidden")
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(shown, sys.stdout)


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="The one in force when not given.")] = None, as_json: Json = False
) -> None:
    """Tell every mistake in the settings, with its place.

    Example: querist config validate querist.yaml

    Exits with 2 when there is one.
    """
    from querist.settings import find_file, load_settings

    try:
        found = find_file(file)
        load_settings(found)
        load_settings(file)  # as it counts here: what it may decide only when it is trusted
    except ConfigError as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"valid": False, "error": error.to_dict()}, indent=2, ensure_ascii=False))
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps({"valid": True, "file": str(found) if found else None}))
    else:
        typer.echo(f"{found}: no mistakes" if found else "No settings file; the environment has no mistakes.")


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="A settings file.")] = Path("querist.yaml"),
    revoke: Annotated[bool, typer.Option("--revoke", help="Trust it no more.")] = False,
) -> None:
    """Let the settings file of the working directory grant rights. For you, on this machine.

    Without that its `permissions`, `sandbox`, `tools` and `models.providers` are ignored, since whoever made the folder
    wrote them. A file that is named, by --config or QUERIST_CONFIG, needs no trust.

    Example: querist config trust querist.yaml
    """
    from querist.settings import trust as trusted

    if revoke:
        trusted.distrust(file)
        typer.echo(f"{file.resolve()} grants no rights any more.")
    else:
        trusted.trust(file)
        typer.echo(f"{file.resolve()} may grant rights from now on.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings file.

    Editors complete and check the file with it.
    """
    from querist.settings import Settings

    typer.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))
