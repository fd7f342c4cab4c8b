"""Turns what was asked in a session into golden questions, with the queries that answered them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from querist.answer.answer import Status
from querist.errors import UsageError
from querist.state.whole_file import whole_file


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Status
    sql: str | None = None
    source: str = ""
    understood: str = ""
    steps: tuple[Any, ...] = ()


class _Line(BaseModel):
    """One line of a session. Without an answer it was stopped, or an error came instead."""

    model_config = ConfigDict(frozen=True)

    question: str
    answer: _Answer | None = None


@dataclass(frozen=True)
class Recorded:
    """What was written: entries that are new, and answers that were left out, with the reason of each."""

    added: int
    left_out: tuple[tuple[str, str], ...]


def record(session: Path, golden: Path, data: Sequence[str]) -> Recorded:
    """Write the answered questions of a session to a golden file, or add them to the one that is there.

    A follow-up is written as the program understood it, since a golden question stands alone. An answer that nothing
    confirms gets the tag `unverified`: its query is worth reading before it is relied on.

    Args:
        data: what was asked; written relative to the file. Not needed when the file names them already.

    Raises:
        UsageError: no session, nothing in it to record, or no data named.
    """
    lines = _read(session)
    document = _document(golden)
    known = {str(entry.get("question")) for entry in document["questions"] if isinstance(entry, dict)}
    named = document.get("data") or data
    sources = {line.answer.source for line in lines if line.answer and line.answer.sql}
    several = len(sources) > 1 or (len(named) > 1 and not isinstance(named, str))
    added, left_out = 0, []
    for line in lines:
        entry, reason = _entry(line, several)
        if entry is not None and entry["question"] in known:
            entry, reason = None, "it is there already"
        if entry is None:
            left_out.append((line.question, reason))
            continue
        known.add(entry["question"])
        document["questions"].append(entry)
        added += 1
    if added:
        if not document.get("data"):
            if not data:
                raise UsageError("A session does not say which data it asked.", hint="Name them with --data.")
            document["data"] = [_relative(location, golden) for location in data]
            document.move_to_end("data", last=False)
        _write(golden, document)
    return Recorded(added, tuple(left_out))


def _read(session: Path) -> list[_Line]:
    try:
        *whole, torn = session.read_bytes().split(b"\n")  # text may hold other line ends
    except OSError as error:
        raise UsageError(f"The session {session} cannot be read: {error.strerror}.") from error
    lines = []
    for number, line in enumerate([*whole, torn], start=1):
        if not line.strip():
            continue
        try:
            lines.append(_Line.model_validate_json(line))
        except ValidationError as error:
            if number > len(whole):
                break  # the session was cut off while it wrote this line
            raise UsageError(
                f"{session}:{number} is not a line of a session.", hint="Sessions are written by `querist chat`."
            ) from error
    return lines


def _entry(line: _Line, several: bool) -> tuple[dict[str, Any] | None, str]:
    answer = line.answer
    if answer is None:
        return None, "it was stopped or failed"
    entry: dict[str, Any] = {"question": answer.understood or line.question}
    if answer.status is Status.REFUSED:
        return {**entry, "expect": "refuse"}, ""
    if answer.status is Status.NEEDS_CLARIFICATION:
        return {**entry, "expect": "clarify"}, ""
    if answer.status is Status.FAILED:
        return None, "it has no answer"
    if answer.steps or not answer.sql or ", " in answer.source:
        return None, "no single query answers it"
    entry["sql"] = answer.sql
    if several:
        entry["source"] = answer.source
    if answer.status is Status.UNVERIFIED:
        entry["tags"] = ["unverified"]
    return entry, ""


def _document(golden: Path) -> Any:
    """The file's content with its comments; an empty one when there is no such file."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.error import YAMLError

    if not golden.exists():
        document = CommentedMap(questions=CommentedSeq())
        document.yaml_set_start_comment(
            "Recorded answers: read each query, and correct it where it is wrong, before you rely on it."
        )
        return document
    try:
        document = YAML(typ="rt").load(golden.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise UsageError(f"{golden} is there but cannot be added to: {error}.") from error
    if not isinstance(document, CommentedMap) or not isinstance(document.get("questions"), CommentedSeq):
        raise UsageError(f"{golden} is there but is no golden file.", hint="Name another file with --output.")
    return document


def _write(golden: Path, document: Any) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import LiteralScalarString

    for entry in document["questions"]:
        if isinstance(entry, dict) and isinstance(entry.get("sql"), str) and "\n" in entry["sql"]:
            entry["sql"] = LiteralScalarString(entry["sql"])
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 110
    try:
        with whole_file(golden) as file:
            yaml.dump(document, file)
    except OSError as error:
        raise UsageError(f"{golden} cannot be written: {error.strerror}.") from error


def _relative(location: str, golden: Path) -> str:
    """The way to a file from the golden file. Addresses and paths from the root stay as they are."""
    if "://" in location or location.startswith("~") or Path(location).is_absolute():
        return location
    return os.path.relpath(location, golden.parent)


def last_session(folder: Path) -> Path:
    """The newest session in a folder.

    Raises:
        UsageError: there is none.
    """
    sessions = sorted(folder.glob("*.jsonl"))
    if not sessions:
        raise UsageError("There is no session yet.", hint="Ask something with `querist chat` first.")
    return sessions[-1]
