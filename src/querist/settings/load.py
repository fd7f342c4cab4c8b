"""Puts the settings together from their layers. What is said about a mistake in them is in `mistakes.py`."""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from querist.errors import ConfigError
from querist.settings.file import KeyPath, Layer, Place, Problem, beside, dotted, read_file
from querist.settings.model import Settings
from querist.settings.trust import is_trusted

FILE_NAME = "querist.yaml"
PREFIX = "QUERIST_"
NOT_SETTINGS = ("QUERIST_HOME", "QUERIST_CONFIG", "QUERIST_MODEL_MIRROR", "QUERIST_DEBUG", "QUERIST_TEST_")
"""Beginnings of variables with our prefix that are read elsewhere."""

RIGHTS: tuple[tuple[str, ...], ...] = (("permissions",), ("sandbox",), ("tools",), ("models", "providers"))
"""What says who may do what, and where data and keys are sent."""
_UNTRUSTED = "you have not said that this file may decide such things."
_TRUST = "If it may: querist config trust"

log = logging.getLogger(__name__)


def load_settings(
    file: Path | str | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force: defaults < file < environment < overrides.

    Args:
        file: the YAML file; None takes the one that `QUERIST_CONFIG` names, else `querist.yaml` of the working
            directory where there is one. Of that, what grants rights counts only when the file is trusted.
        overrides: nested values, such as `{"limits": {"rows": 5}}`; None inside means "not given".
        environ: instead of the process's environment.

    Raises:
        ConfigError: something in them is wrong; its message tells every mistake.
    """
    environ = os.environ if environ is None else environ
    layers = []
    path = find_file(file, environ)
    if path is not None:
        layer = _from_file(path, environ)
        named = file or environ.get("QUERIST_CONFIG")
        layers.append(layer if named or is_trusted(path) else _harmless(layer, path))
    layers.append(_from_environment(environ))
    if overrides:
        layers.append(_from_arguments(overrides))
    values: dict[str, Any] = {}
    for layer in layers:
        _merge(values, layer.values)
    problems = [problem for layer in layers for problem in layer.problems]
    details: Sequence[Mapping[str, Any]] = ()
    try:
        settings = Settings.model_validate(values)
        if not problems:
            return settings
    except ValidationError as error:
        details = error.errors(include_url=False)
    # What words a mistake needs is imported only when there is one: every command loads settings.
    from querist.settings.mistakes import config_error, problem_of

    raise config_error([*problems, *(problem_of(detail, layers) for detail in details)])


def find_file(file: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The file that `load_settings` reads; None when there is none.

    Raises:
        ConfigError: one is named that does not exist.
    """
    environ = os.environ if environ is None else environ
    named = file or environ.get("QUERIST_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            by = "" if file else " (named by --config or by the environment variable QUERIST_CONFIG)"
            raise ConfigError(
                f"There is no settings file {str(path)!r}{by}.",
                hint=f"Correct the path, or leave it out to use {FILE_NAME}.",
            )
        return path
    path = Path(FILE_NAME)
    return path if path.is_file() else None


def _from_file(path: Path, environ: Mapping[str, str]) -> Layer:
    layer = read_file(path, environ)
    for key in ("data", "agents", "plugins"):
        if isinstance(found := layer.values.get(key), (str, list)):
            entries = [found] if isinstance(found, str) else found
            layer.values[key] = [beside(path, e) if isinstance(e, str) and e else e for e in entries]
    if isinstance(grants := layer.values.get("permissions"), (str, list)):
        entries = [grants] if isinstance(grants, str) else grants
        layer.values["permissions"] = [_grant_beside(path, e) if isinstance(e, str) else e for e in entries]
    return layer


def _harmless(layer: Layer, path: Path) -> Layer:
    """What a file may set that merely lay in the working directory: no rights, and nothing from the environment."""
    ignored = []
    for keys in RIGHTS:
        *above, last = keys
        section = functools.reduce(lambda inner, key: inner.get(key) or {}, above, layer.values)
        if isinstance(section, dict) and section.pop(last, None) is not None:
            ignored.append(dotted(keys))
    if ignored:
        _warn(f"{path}: {', '.join(ignored)}: ignored, since {_UNTRUSTED} {_TRUST}")
    holds = {path: place for path, place in layer.places.items() if not any(path[: len(k)] == k for k in RIGHTS)}
    gone = set(layer.places.values()) - set(holds.values())
    layer.problems = [problem for problem in layer.problems if problem.place not in gone]
    for key_path, place in holds.items():
        if place.written is not None:
            message = f"{dotted(key_path)!r} is filled in from the environment, but {_UNTRUSTED[:-1]}"
            layer.problems.append(Problem(place, message, _TRUST))
    return layer


@functools.cache
def _warn(message: str) -> None:
    """Once is enough, however often settings are loaded."""
    log.warning(message)


def _grant_beside(file: Path, grant: str) -> str:
    """`file_read:sales` in a file is about the folder beside that file, as under `data`."""
    kind, _, scope = grant.partition(":")
    return f"{kind}:{beside(file, scope)}" if scope and kind in ("file_read", "file_write") else grant


def _from_environment(environ: Mapping[str, str]) -> Layer:
    """`QUERIST_LIMITS__ROWS=5` as `{"limits": {"rows": "5"}}`. Lists and objects are JSON; empty means unset."""
    layer = Layer()
    sections = list(Settings.model_fields)
    for variable, text in sorted(environ.items()):
        if not text or not variable.startswith(PREFIX) or variable.startswith(NOT_SETTINGS):
            continue
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        if path[:2] == ("models", "providers"):
            # A variable's name cannot hold the hyphen of `openai-compatible`.
            path = (*path[:2], *(name.replace("_", "-") for name in path[2:3]), *path[3:])
        place = Place(f"environment variable {variable}")
        if path[0] not in sections and len(path) == 1:
            # Other programs set such names too (a container platform sets QUERIST_SERVICE_HOST beside a service
            # "querist"), so only one that was clearly meant as a setting is a mistake.
            from difflib import get_close_matches

            near = get_close_matches(path[0].split("_")[0], sections, 1, 0.75)
            if near:
                rest = path[0].partition("_")[2].upper()
                meant = PREFIX + near[0].upper() + (f"__{rest}" if rest else "")
                hint = f"Did you mean {meant}? A section and its key are joined by two underscores."
                layer.problems.append(Problem(place, "is no setting", hint))
            continue
        for length in range(1, len(path) + 1):
            layer.keys[path[:length]] = layer.places[path[:length]] = place
        _put(layer.values, path, _json_or_text(text))
    return layer


def _json_or_text(text: str) -> Any:
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            # A glob may begin with a bracket; where text is not allowed, the model says so.
            return text
    return text


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        if not isinstance(inner, dict):
            inner = values[part] = {}
        values = inner
    if isinstance(value, dict) and isinstance(values.get(path[-1]), dict):
        _merge(values[path[-1]], value)
    else:
        values[path[-1]] = value


def _from_arguments(overrides: Mapping[str, Any]) -> Layer:
    layer = Layer()

    def given(values: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in values.items():
            if value is None:
                continue
            inner = (*path, key)
            layer.keys[inner] = layer.places[inner] = Place("argument")
            kept[key] = given(value, inner) if isinstance(value, Mapping) else value
        return kept

    layer.values = given(overrides, ())
    return layer


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        inner = base.get(key)
        if isinstance(value, Mapping):
            if not isinstance(inner, dict):
                inner = base[key] = {}
            _merge(inner, value)
        else:
            base[key] = value
