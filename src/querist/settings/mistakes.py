"""Words for mistakes in a file (settings, golden questions): what is wrong with which value, where, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from querist.errors import ConfigError
from querist.settings.file import KeyPath, Layer, Place, Problem, dotted
from querist.settings.model import Settings
from querist.settings.section import redact


def problem_of(
    detail: Mapping[str, Any], layers: Sequence[Layer], root: type[BaseModel] = Settings, word: str = "setting"
) -> Problem:
    """One complaint of pydantic's, in words for the person who wrote the value, at the place where it was written.

    Args:
        root: the model that the values were to fit.
        word: what one of its keys is called.
    """
    path: KeyPath = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        message, hint = _unknown_key(path, root, word)
        return Problem(_find(path, layers, key=True), message, hint)
    place = _find(path, layers)
    if detail["type"] in ("model_type", "dict_type"):
        return Problem(place, f"{dotted(path)!r} must hold `key: value` pairs", _allowed(path, root))
    reason = _PLAIN.get(detail["type"]) or str(detail["msg"])
    reason = reason.replace("Input should be", "must be").removeprefix("Value error, ")
    return Problem(
        place, f"{dotted(path)!r} is {_shown(path, detail['input'], place, root)}, but {_lower_first(reason)}"
    )


_PLAIN = {
    "finite_number": "must be a finite number",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be text, or a list of texts",
    "too_short": "must name at least one",
}
"""In plain words, what pydantic says in those of Python."""


def _find(path: KeyPath, layers: Sequence[Layer], key: bool = False) -> Place:
    """Where `path` or the nearest of its parents was written, in the layer whose word was the last."""
    best, best_length = Place(), 0
    for layer in reversed(layers):
        known = layer.keys if key else layer.places
        length = next((n for n in range(len(path), 0, -1) if path[:n] in known), 0)
        if length > best_length:
            best, best_length = known[path[:length]], length
            if not isinstance(_value(layer.values, path[:length]), dict):
                break
    return best


def _value(values: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _unknown_key(path: KeyPath, root: type[BaseModel], word: str) -> tuple[str, str]:
    key, parent = str(path[-1]), path[:-1]
    allowed = _keys(parent, root)
    near = difflib.get_close_matches(key, allowed, 1, 0.6)
    if not near:
        near = [full for full in _leaves(root) if full.rpartition(".")[2] == key][:1]
    where = f" in {dotted(parent)!r}" if parent else ""
    did_you_mean = f"Did you mean {near[0]!r}? " if near else ""
    return f"unknown {word} {key!r}{where}", did_you_mean + _allowed(parent, root)


def _allowed(path: KeyPath, root: type[BaseModel]) -> str:
    keys = _keys(path, root)
    return f"Allowed: {', '.join(keys)}." if keys else ""


def _keys(path: KeyPath, root: type[BaseModel]) -> list[str]:
    """The keys that the section at `path` accepts; empty where there is no section, or one with free names."""
    model = _type_at(path, root)
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _type_at(path: KeyPath, root: type[BaseModel]) -> Any:
    kind: Any = root
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation if part in kind.model_fields else None
        else:
            arguments = [argument for argument in get_args(kind) if argument is not Ellipsis]
            kind = arguments[-1] if arguments else None
    return kind


def _leaves(root: type[BaseModel]) -> list[str]:
    sections = {name: field.annotation for name, field in root.model_fields.items()}
    return [
        f"{section}.{key}"
        for section, model in sections.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for key in model.model_fields
    ]


def _shown(path: KeyPath, value: Any, place: Place, root: type[BaseModel]) -> str:
    if place.written is not None:
        return repr(redact(place.written))
    if SecretStr in (_type_at(path, root), *get_args(_type_at(path, root))):
        return "not shown because it is secret"
    text = redact(repr(value))
    return text if len(text) <= 80 else text[:77] + "…"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def config_error(problems: Sequence[Problem], what: str = "the settings") -> ConfigError:
    """All problems as one error, in the order in which they stand."""
    problems = sorted(problems, key=lambda problem: (problem.place.origin, problem.place.line or 0))
    if len(problems) == 1:
        only = problems[0]
        message = f"{only.place.origin}: {only.message}" if only.place.origin else only.message
        place = only.place
        return ConfigError(message, hint=only.hint, file=place.file, line=place.line, column=place.column)
    lines = [f"There are {len(problems)} mistakes in {what}:"]
    for problem in problems:
        place = problem.place
        single = ConfigError(problem.message, file=place.file, line=place.line, column=place.column)
        text = f"{place.origin}: {single.message}" if place.origin else single.message
        lines.append(f"  {text}. {problem.hint}".rstrip())
    return ConfigError("\n".join(lines))
