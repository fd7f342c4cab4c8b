"""Finds plugins and loads each once. One that is broken is left out, with the reason; it never stops the program."""

from __future__ import annotations

import importlib.util
import logging
import shlex
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from querist.core.registry import Registry
from querist.errors import QueristError, UsageError
from querist.models.open import add_providers
from querist.plugins.interface import API, Registrar
from querist.settings.trust import is_trusted
from querist.sources.indexes import add_indexes
from querist.sources.open import add_schemes

log = logging.getLogger(__name__)

ENTRY_POINTS = "querist.plugins"
"""Group of entry points in which an installed package names its plugin: a module."""
FOLDER = Path("plugins")
"""Used when it is trusted, without any setting. Many folders have one that is about something else."""

_loading = threading.Lock()


@dataclass(frozen=True)
class Loaded:
    """A plugin that was found. `origin` is its package and version, or its file; `problem` says why it is left out."""

    name: str
    origin: str
    brings: Registrar = field(default_factory=Registrar)
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.origin})" + (f" is left out: {self.problem}" if self.problem else "")


def load_plugins(folders: Iterable[str | Path] = ()) -> list[Loaded]:
    """All installed plugins, and those of the folders; what they bring can be opened from then on.

    Args:
        folders: as settings name them. In each, a file `NAME.py` or a package `NAME/` is a plugin, unless its name
            begins with `_` or `.`. A folder that is not trusted is not looked into.
    """
    with _loading:
        loaded = list(_installed())
        local = [FOLDER] if is_trusted(FOLDER) else []
        for path in dict.fromkeys(Path(folder).expanduser().resolve() for folder in [*folders, *local]):
            if not path.is_dir():
                loaded.append(Loaded(path.name, str(path), problem="there is no such folder"))
            elif not is_trusted(path):
                allow = f"querist plugin trust {shlex.quote(str(path))}"
                problem = f"you have not said that its code may run; if it may: {allow}"
                loaded.append(Loaded(path.name, str(path), problem=problem))
            else:
                loaded += _in_folder(path)
        return loaded


@cache
def _installed() -> tuple[Loaded, ...]:
    from importlib.metadata import entry_points

    found = []
    for entry in entry_points(group=ENTRY_POINTS):
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        found.append(_load(entry.name, origin, entry.load))
    return tuple(found)


@cache
def _in_folder(folder: Path) -> tuple[Loaded, ...]:
    packages = {path.parent: path for path in folder.glob("*/__init__.py")}
    files = {path.with_suffix(""): path for path in folder.glob("*.py")}
    return tuple(
        _load(place.name, str(file), partial(_imported, place.name, file))
        for place, file in sorted((packages | files).items())
        if not place.name.startswith(("_", "."))
    )


def _imported(stem: str, file: Path) -> ModuleType:
    name = f"querist_plugin_{stem}"
    if name in sys.modules:
        raise UsageError(f"there is already a plugin {stem!r}")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None, "a file that ends in .py has a loader"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load(name: str, origin: str, find: Callable[[], Any]) -> Loaded:
    brings = Registrar()
    try:
        plugin = find()
        version = getattr(plugin, "querist_api", None)
        if version != API:
            written = "does not say for which version" if version is None else f"is written for version {version}"
            raise UsageError(f"it {written} of the plugin interface; this Querist has querist_api = {API}")
        plugin.register(brings)
    except QueristError as error:
        return Loaded(name, origin, problem=f"{error.message} {error.hint}".strip())
    except (Exception, SystemExit) as error:
        return Loaded(name, origin, problem=f"{type(error).__name__}: {error}")
    add_schemes(brings.sources)
    add_providers(brings.models)
    add_indexes(brings.indexes)
    if brings.sandboxes:  # few have one, and all would wait for the import
        from querist.sandbox.open import add_sandboxes

        add_sandboxes(brings.sandboxes)
    return Loaded(name, origin, brings)


def add_components(plugins: Iterable[Loaded], registry: Registry) -> None:
    """Make the components of plugins known. What is left out is logged: a whole plugin, or one whose name is taken."""
    for plugin in plugins:
        if plugin.problem:
            log.warning("The plugin %s", plugin)
        for component in plugin.brings.components.values():
            try:
                registry.add(component)
            except UsageError as error:
                log.warning("A component of the plugin %s is left out: %s", plugin.name, error.message)
