"""Tables, columns, keys and comments of a database server, read with a few queries however many tables there are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from querist.sources.base import Column, ForeignKey, Kind, Schema, TableSchema

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.types import TypeEngine

    from querist.sources.sql_engine import Engine


def read_schema(connection: sa.Connection, engine: Engine, schemas: Sequence[str | None]) -> Schema:
    """All tables and views of these database schemas; None stands for the default one."""
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    default = inspector.default_schema_name or ""
    estimates = engine.row_estimates(connection, schemas)
    tables: list[TableSchema] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # of types that SQLAlchemy does not know; they show as such
        for schema in schemas:
            tables += _read(inspector, schema, default, estimates)
    tables.sort(key=lambda table: table.name)
    return Schema(engine.dialect, tuple(tables))


def _read(
    inspector: sa.Inspector, schema: str | None, default: str, estimates: Mapping[tuple[str, str], int]
) -> list[TableSchema]:
    from sqlalchemy.engine.reflection import ObjectKind

    columns = inspector.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
    primary = inspector.get_multi_pk_constraint(schema=schema)
    foreign = inspector.get_multi_foreign_keys(schema=schema)
    views = set(inspector.get_view_names(schema))
    comments: Mapping[Any, Any] = {}
    with contextlib.suppress(NotImplementedError):  # a server without materialized views
        views |= set(inspector.get_materialized_view_names(schema))
    with contextlib.suppress(NotImplementedError):  # a server without comments
        comments = inspector.get_multi_table_comment(schema=schema, kind=ObjectKind.ANY)
    tables = []
    for key, found in columns.items():
        name = key[1]
        tables.append(
            TableSchema(
                name=_full_name(schema, name),
                columns=tuple(_column(column, inspector.dialect) for column in found),
                namespace=schema or "",
                primary_key=tuple(primary[key]["constrained_columns"]) if primary.get(key) else (),
                foreign_keys=tuple(_foreign_key(k, default) for k in foreign.get(key) or () if k["referred_columns"]),
                row_count=estimates.get((schema or default, name)),
                comment=(comments.get(key) or {}).get("text") or "",
                is_view=name in views,
            )
        )
    return tables


def _full_name(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name


def _foreign_key(key: Any, default: str) -> ForeignKey:
    schema = key.get("referred_schema")
    target = _full_name(None if schema == default else schema, key["referred_table"])
    return ForeignKey(tuple(key["constrained_columns"]), target, tuple(key["referred_columns"]))


def _column(found: Any, dialect: sa.Dialect) -> Column:
    kind = found["type"]
    return Column(
        name=str(found["name"]),
        type=_type_name(kind, dialect),
        kind=_kind(kind),
        nullable=bool(found.get("nullable", True)),
        comment=found.get("comment") or "",
    )


def _type_name(kind: TypeEngine[Any], dialect: sa.Dialect) -> str:
    from sqlalchemy import exc, types

    if isinstance(kind, types.NullType):
        return "unknown"
    if isinstance(kind, types.Enum) and kind.enums:
        return f"ENUM({', '.join(repr(value) for value in kind.enums)})"
    try:
        return kind.compile(dialect).partition(" COLLATE ")[0].partition(" CHARACTER SET ")[0]
    except exc.CompileError:
        return type(kind).__name__


def _kind(kind: TypeEngine[Any]) -> Kind:
    from sqlalchemy import types

    kinds: tuple[tuple[type[Any], Kind], ...] = (
        (types.Boolean, "boolean"),
        (types.Integer, "integer"),
        (types.Numeric, "number"),
        (types.Float, "number"),
        (types.Interval, "other"),
        (types.DateTime, "datetime"),
        (types.Date, "date"),
        (types.Time, "time"),
        (types._Binary, "binary"),
        (types.JSON, "other"),
        (types.Uuid, "text"),
        (types.String, "text"),
    )
    for base, name in kinds:
        if isinstance(kind, base):
            return name
    names: dict[str, Kind] = {
        "MONEY": "number",
        "YEAR": "integer",
        "INET": "text",
        "CITEXT": "text",
        "TIMESTAMP": "datetime",
    }
    return names.get(type(kind).__name__.upper(), "other")
