"""Verified queries as a YAML file that a team can keep beside its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from querist.errors import UsageError
from querist.state.verified_store import VerifiedQuery
from querist.state.whole_file import whole_file

_OWN = {"id", "place"}
"""What another machine has otherwise."""


def write_queries(path: Path, queries: Sequence[VerifiedQuery]) -> None:
    """Write queries in the order of their questions, so that versions of the file can be compared.

    Raises:
        UsageError: it cannot be written.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import LiteralScalarString

    entries = [query.model_dump(mode="json", exclude=_OWN) for query in sorted(queries, key=lambda q: q.question)]
    for entry in entries:
        if "\n" in entry["sql"]:
            entry["sql"] = LiteralScalarString(entry["sql"])
    yaml = YAML()
    yaml.width = 110
    try:
        with whole_file(path) as file:
            yaml.dump({"verified": entries}, file)
    except OSError as error:
        raise UsageError(f"The verified queries cannot be written to {path}: {error.strerror}.") from error


def read_queries(path: Path) -> list[VerifiedQuery]:
    """The queries of a file; their `id` and `place` are empty.

    Raises:
        UsageError: no such file, or something in it is not a verified query.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    entries = content.get("verified") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{path} holds no list `verified`.", hint="`querist verify --export FILE` writes such files.")
    queries = []
    for number, entry in enumerate(entries, start=1):
        try:
            queries.append(VerifiedQuery.model_validate({"id": "", "place": "", **entry}))
        except (ValidationError, TypeError) as error:
            detail = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
            where = f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" if detail else "it is no mapping"
            raise UsageError(f"{path}: query {number} cannot be used; {where}.") from error
    return queries
