"""Reads a YAML file (settings, golden questions) into plain values, and remembers where each was written.

Works on YAML's node tree and not on finished objects, because only there has every key and value a line and a column,
and because all mistakes are to be told at once while a loader stops at the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

KeyPath = tuple[str | int, ...]
"""Way to a value: keys and list positions from the top."""


@dataclass(frozen=True)
class Place:
    """Where something was written. `written` is its text when that differs from its value (`${VAR}`)."""

    origin: str = ""
    """For what is in no file: "environment variable QUERIST_…", "argument"."""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    written: str | None = None


@dataclass(frozen=True)
class Problem:
    place: Place
    message: str
    hint: str = ""


@dataclass
class Layer:
    """Settings from one origin: nested values, the places of keys and of values, and what was wrong already."""

    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_file(path: Path, environ: Mapping[str, str], *, keep_empty: bool = False) -> Layer:
    """The values in `path`, with `${VAR}` and `${VAR:-default}` filled in from `environ`.

    Does not raise: what is wrong stands in `problems`.

    Args:
        keep_empty: an empty value is one (None); by default it counts as not written.
    """
    # Reading YAML costs a tenth of a second, so it is only imported when there is a file.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return Layer(problems=[Problem(Place(file=str(path)), f"cannot be read: {error.strerror or error}")])
    except UnicodeDecodeError as error:
        return Layer(
            problems=[Problem(Place(file=str(path)), f"is not UTF-8 text: {error.reason} at byte {error.start}")]
        )
    yaml = YAML(typ="safe", pure=True)
    reader = _Reader(str(path), environ, yaml.constructor.construct_object, keep_empty)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        context = f" {error.context}" if error.context else ""
        hint = (
            "Indent with spaces, not with tabs."
            if "'\\t'" in str(error.problem)
            else "Text with a special character ({, [, :, #, %, @, …) must stand in quotes."
        )
        return Layer(
            problems=[Problem(Place("", str(path), line, column), f"is not YAML: {error.problem}{context}", hint)]
        )
    except YAMLError as error:
        return Layer(problems=[Problem(Place(file=str(path)), f"is not YAML: {error}")])
    if root is None:
        return Layer()
    if not isinstance(root, MappingNode):
        message = "must hold `key: value` lines at the top"
        return Layer(problems=[Problem(reader.place(root), message)])
    reader.open.append(root)
    reader.layer.values = reader.mapping(root, ())
    return reader.layer


_VARIABLE = re.compile(r"\$(?:(\$)(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")
_OMITTED = object()


class _Reader:
    def __init__(
        self, file: str, environ: Mapping[str, str], construct: Callable[[ScalarNode], Any], keep_empty: bool
    ) -> None:
        self.file = file
        self.keep_empty = keep_empty
        self.environ = environ
        self.construct = construct
        self.layer = Layer()
        self.open: list[Node] = []
        """The nodes around the one that is read now: one of them inside itself has no end."""

    def place(self, node: Node, written: str | None = None) -> Place:
        mark = node.start_mark
        return Place("", self.file, mark.line + 1, mark.column + 1, written)

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        seen: dict[str, Place] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.layer.problems.append(Problem(self.place(key_node), "a key must be plain text"))
                continue
            if str(key_node.tag).endswith(":merge"):
                parts = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                for part in parts:
                    if isinstance(part, MappingNode) and part not in self.open:
                        merged = {**self.mapping(part, path), **merged}
                    else:
                        self.layer.problems.append(Problem(self.place(part), "only another section can be merged in"))
                continue
            key = str(key_node.value)
            place = self.place(key_node)
            if key in seen:
                message = f"{dotted((*path, key))!r} is set twice; it is set in line {seen[key].line} already"
                self.layer.problems.append(Problem(place, message, "Remove one of the two."))
                continue
            seen[key] = place
            self.layer.keys[(*path, key)] = place
            value = self.value(value_node, (*path, key))
            if value is not _OMITTED:
                values[key] = value
        return {**merged, **values}

    def value(self, node: Node, path: KeyPath) -> Any:
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        self.layer.places[path] = self.place(node)
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if node in self.open:
            self.layer.problems.append(Problem(self.place(node), f"{dotted(path)!r} refers to itself"))
            return _OMITTED
        self.open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self.mapping(node, path)
            assert isinstance(node, SequenceNode)
            items = [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
            return [item for item in items if item is not _OMITTED]
        finally:
            self.open.pop()

    def scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        """The value of a scalar; `_OMITTED` for an empty one, which leaves the default, and for one that is wrong."""
        from ruamel.yaml.error import YAMLError

        try:
            value = self.construct(node)
        except (YAMLError, ValueError) as error:
            problem = getattr(error, "problem", None) or error
            self.layer.problems.append(Problem(self.place(node), f"cannot be used as {dotted(path)!r}: {problem}"))
            return _OMITTED
        if value is None:
            return None if self.keep_empty else _OMITTED
        if not isinstance(value, str) or "${" not in value:
            return value
        if "${" in _VARIABLE.sub("", value):
            # Without the value, which may hold a secret.
            message = f"{dotted(path)!r} has a ${{ that begins no name of a variable"
            hint = "Write ${NAME} or ${NAME:-default}; write $${ where the text itself has ${."
            self.layer.problems.append(Problem(self.place(node), message, hint))
            return _OMITTED
        missing: list[str] = []

        def fill(match: re.Match[str]) -> str:
            escaped, name, default = match.groups()
            if escaped:
                return "$"
            found: str | None = self.environ.get(name)
            if found is None and default is None:
                missing.append(name)
            return found or default or ""

        filled = _VARIABLE.sub(fill, value)
        for name in missing:
            message = f"{dotted(path)!r} needs the environment variable {name}, which is not set"
            self.layer.problems.append(
                Problem(self.place(node), message, f"Set {name}, or write a default: ${{{name}:-default}}")
            )
        if missing or (not filled and node.style is None):
            return _OMITTED
        self.layer.places[path] = self.place(node, written=value)
        return filled


def beside(file: Path, location: str) -> str:
    """What a file calls "sales.csv" lies beside that file, wherever the command is run. Addresses stay as they are."""
    if "://" in location or location.startswith("~") or Path(location).is_absolute():
        return location
    return str(file.parent / location)


def dotted(path: KeyPath) -> str:
    """`("models", "fast", 1)` as people write it: `models.fast[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
