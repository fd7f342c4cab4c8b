"""Writes a new plugin: a package with a component, a command and a test, which works as it is."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from string import Template

from querist.errors import UsageError
from querist.plugins.interface import API


def new_plugin(name: str, parent: Path) -> Path:
    """Write the plugin `name` into a new folder `querist-NAME` of `parent`, and return that folder.

    Raises:
        UsageError: the name cannot be used, the folder is there already, or cannot be made.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UsageError(f"{name!r} cannot be the name of a plugin.", hint="Use small letters, digits and hyphens.")
    identifier = name.replace("-", "_")
    module = f"querist_{identifier}"
    folder = parent / f"querist-{name}"
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "plugin.py": f"{module}.py",
        "test_plugin.py": f"tests/test_{identifier}.py",
    }
    values = {"name": name, "identifier": identifier, "module": module, "api": str(API)}
    templates = resources.files("querist.plugins") / "skeleton"
    try:
        folder.mkdir(parents=True)
        (folder / "tests").mkdir()
        for template, file in files.items():
            text = (templates / f"{template}.txt").read_text(encoding="utf-8")
            (folder / file).write_text(Template(text).substitute(values), encoding="utf-8")
    except FileExistsError as error:
        raise UsageError(f"There is already a folder {folder}.", hint="Choose another name.") from error
    except OSError as error:
        raise UsageError(f"The plugin cannot be written to {folder}: {error.strerror}.") from error
    return folder
