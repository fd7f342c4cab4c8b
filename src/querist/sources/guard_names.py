"""Names in a guarded query: every table must be known; a column is refused where it is certain that nothing has it.

Scopes are followed strictly for tables (what an engine could read as a stored table counts as one) and generously for
columns (what an engine might resolve passes; it has the last word). Names that the engine would not find because of
case or a missing namespace, but that can only mean one thing, are written as the engine needs them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.errors import GuardError
from querist.sources import guard_functions as allowed
from querist.sources.base import Schema, TableSchema

if TYPE_CHECKING:
    from sqlglot import exp

_SYSTEM_PREFIXES = ("pg_", "sqlite_", "duckdb_", "pragma_", "information_schema", "svv_", "stl_", "sys_")
_SYSTEM_NAMESPACES = {
    *("information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys", "system", "sqlite_master"),
    *("temp", "pg_temp"),
}
_DEFAULT_NAMESPACES = {"sqlite": {"main"}, "duckdb": {"main"}, "postgres": {"public"}, "tsql": {"dbo"}}
_HIDDEN_COLUMNS = {
    "sqlite": {"rowid", "oid", "_rowid_"},
    "duckdb": {"rowid"},
    "postgres": {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"},
    "oracle": {"rownum", "rowid", "sysdate", "systimestamp", "level"},
}
_FILE_ENDINGS = tuple(".csv .tsv .txt .json .jsonl .ndjson .parquet .xlsx .db .sqlite .duckdb .gz".split())
_LOWER_FOLDING = {"postgres", "redshift", "materialize", "risingwave"}
"""Dialects in which an unquoted name means its lower-case form, and a quoted one itself."""
_FLAT_ROWS = {"sqlite", "mysql"}
"""Dialects that neither know rows as values nor fields of values: there `a.b` is always a table and its column."""


@dataclass(frozen=True)
class _Origin:
    """What a FROM clause offers: the name it goes by, and its columns as the engine knows them (None: not known)."""

    key: str | None
    columns: tuple[str, ...] | None
    table: TableSchema | None = None


class NameCheck:
    """All names of one tree: `mend` writes them as the engine needs them, `check` refuses the unknown ones."""

    def __init__(self, tree: exp.Expr, schema: Schema, dialect: str) -> None:
        self._tree, self._schema = tree, schema
        self._dialect = allowed.family(dialect)
        self._folds = dialect in _LOWER_FOLDING
        self._known: dict[int, TableSchema] = {}
        self._ctes: dict[int, exp.CTE] = {}
        self._origins: dict[int, list[_Origin]] = {}
        self._outputs: dict[int, tuple[str, ...] | None] = {}
        self._resolved: set[int] = set()
        self._tables: dict[str, None] = {}
        self._columns: dict[tuple[str, str], None] = {}
        self._notes: dict[str, None] = {}
        self._mended_text: str | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self._tables)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._columns)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def check(self) -> None:
        """Raise GuardError for the first table or column that is not known. Changes nothing."""
        self._visit()

    def mend(self, sql: str) -> None:
        """Change the tree, parsed from `sql`, where the engine would not find a name that can only mean one thing.

        Raises GuardError for unknown tables, but leaves unknown columns to `check`.
        """
        self._mended_text = sql
        self._visit()

    def _visit(self) -> None:
        from sqlglot import exp

        for table in list(self._tree.find_all(exp.Table)):
            self._check_table(table)
        for column in list(self._tree.find_all(exp.Column)):
            self._resolve(column)

    # Tables

    def _check_table(self, table: exp.Table) -> None:
        from sqlglot import exp

        if isinstance(table.parent, exp.Table) and table.arg_key == "indexed":
            return  # INDEXED BY name
        if isinstance(table.this, exp.Func):
            return
        if not isinstance(table.this, exp.Identifier):
            raise GuardError(
                f"{table.sql(self._dialect)[:60]!r} is not a table.",
                rule="unknown_table",
                hint=f"The tables are: {self._some_tables()}.",
            )
        if not table.args.get("db") and (cte := self._visible_cte(table)) is not None:
            self._ctes[id(table)] = cte
            return
        known = self._stored_table(table)
        if known is None and self._dialect in {"mysql", "oracle"} and table.name.lower() == "dual" and not table.db:
            if self._dialect == "mysql" and isinstance(table.parent, exp.From):
                table.parent.pop()  # it stands for nothing, and sqlglot would quote it
            return
        if known is None:
            self._refuse_table(table)
            return
        self._known[id(table)] = known
        self._tables.setdefault(known.name)
        if self._mended_text is not None:
            self._write_exactly(table, known)

    def _visible_cte(self, table: exp.Table) -> exp.CTE | None:
        """The CTE that the name means, by the strictest reading: an earlier one, or itself if that is recursive."""
        from sqlglot import exp

        name = self._fold(table.this)
        child: exp.Expr = table
        parent = table.parent
        while parent is not None:
            if isinstance(parent, exp.With):
                position = next(i for i, cte in enumerate(parent.expressions) if cte is child)
                recursive = parent.args.get("recursive") or self._dialect in {"sqlite", "tsql", "oracle"}
                candidates = parent.expressions[: position + 1 if recursive else position]
            else:
                found = parent.args.get("with_")
                candidates = found.expressions if found is not None and found is not child else []
            for cte in reversed(candidates):
                alias = cte.args.get("alias")
                if alias is not None and isinstance(alias.this, exp.Identifier) and self._fold(alias.this) == name:
                    return cte  # type: ignore[no-any-return]
            child, parent = parent, parent.parent
        return None

    def _stored_table(self, table: exp.Table) -> TableSchema | None:
        if table.args.get("catalog"):
            return None
        name, namespace = table.name.lower(), table.db.lower()
        if not namespace:
            bare = [t for t in self._schema.tables if _bare(t).lower() == name]
            return self._schema.table(name) or (bare[0] if len(bare) == 1 else None)
        qualified = f"{namespace}.{name}"
        for known in self._schema.tables:
            if known.name.lower() == qualified:
                return known
            if known.namespace.lower() == namespace and name in {known.name.lower(), _bare(known).lower()}:
                return known
        found = self._schema.table(name)
        defaults = _DEFAULT_NAMESPACES.get(self._dialect, set())
        return found if found is not None and not found.namespace and namespace in defaults else None

    def _write_exactly(self, table: exp.Table, known: TableSchema) -> None:
        """Give the table's name the case, the quotes and the namespace without which the engine would not find it."""
        from sqlglot import exp

        bare = _bare(known)
        identifier = table.this
        needs_name = identifier.name != bare and (self._dialect == "mysql" or "." in identifier.name)
        if self._folds and self._fold(identifier) != bare:
            needs_name = True
        needs_namespace = bool(known.namespace) and not table.db
        if not (needs_name or needs_namespace):
            return
        if not table.alias and (needs_name or identifier.name != bare):
            # The rest of the query goes on calling it as it did.
            table.set("alias", exp.TableAlias(this=identifier.copy()))
        if needs_name:
            table.set("this", exp.to_identifier(bare, quoted=True))
        if needs_namespace:
            table.set("db", exp.to_identifier(known.namespace, quoted=True))

    def _refuse_table(self, table: exp.Table) -> None:
        text = table.sql(self._dialect)[:80]
        name, namespace = table.name.lower(), table.db.lower()
        if namespace in _SYSTEM_NAMESPACES or name.startswith(_SYSTEM_PREFIXES):
            raise GuardError(
                f"{text} is a table of the system, not of the data.",
                rule="system_table",
                hint=f"Use only the tables of the schema: {self._some_tables()}.",
            )
        if any(mark in table.name for mark in ("/", "\\", "*")) or name.endswith(_FILE_ENDINGS):
            raise GuardError(
                f"{text} names a file; queries read tables only.",
                rule="file_access",
                hint=f"Use only the tables of the schema: {self._some_tables()}.",
            )
        near = difflib.get_close_matches(name, [t.name.lower() for t in self._schema.tables], n=3, cutoff=0.6)
        names = [t.name for t in self._schema.tables if t.name.lower() in near]
        raise GuardError(
            f"There is no table {text}.",
            rule="unknown_table",
            hint=f"Did you mean {' or '.join(names)}?" if names else f"The tables are: {self._some_tables()}.",
        )

    def _some_tables(self) -> str:
        names = [t.name for t in self._schema.tables]
        return ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "") or "none"

    # Columns

    def _resolve(self, column: exp.Column) -> None:
        from sqlglot import exp

        if id(column) in self._resolved:
            return
        self._resolved.add(id(column))
        if column.find_ancestor(exp.Pivot, exp.Comprehension):
            return
        seen: list[_Origin] = []
        certain = True
        for level in self._levels(column):
            if level is None:
                certain = False
                continue
            seen += level
            if self._found(column, level):
                return
        if self._is_alias(column) or self._is_field(column, seen) or self._becomes_text(column, seen):
            return
        if self._mended_text is not None:
            return
        if column.table:
            certain = certain and all(origin.key is not None for origin in seen)
            certain = certain and not any(o.columns is None and o.key == self._fold(column.args["table"]) for o in seen)
        else:
            certain = certain and all(origin.columns is not None for origin in seen)
        session_word = not column.table and column.name.lower() in allowed.SESSION_WORDS
        if session_word and not column.this.args.get("quoted"):
            raise GuardError(
                f"{column.name} tells about the session, not about the data.",
                rule="function",
                hint="Use only the columns of the schema.",
            )
        if certain:
            self._refuse_column(column, seen)

    def _levels(self, column: exp.Column) -> Iterator[list[_Origin] | None]:
        """What the column can refer to, from the inside out. None stands for something that cannot be told."""
        from sqlglot import exp

        lateral = self._dialect not in {"sqlite", "mysql", "postgres"}
        crossed = False
        child: exp.Expr = column
        parent = column.parent
        while parent is not None:
            key = child.arg_key
            if isinstance(parent, exp.Select):
                in_from = key in {"from_", "joins", "laterals"}
                if key != "with_" and not (in_from and crossed and not lateral):
                    yield self._select_origins(parent)
                crossed, lateral = True, self._dialect not in {"sqlite", "mysql", "postgres"}
            elif isinstance(parent, exp.SetOperation):
                if key not in {"this", "expression", "with_"}:
                    yield [_Origin("", self._query_outputs(parent))]
                    if self._dialect not in _LOWER_FOLDING:
                        yield None  # some engines also look at the other branches and at their tables
                crossed = True
            elif isinstance(parent, exp.Subquery):
                if key not in {"this", "with_"} and isinstance(parent.this, exp.Query):
                    yield [_Origin("", self._query_outputs(parent.this))]
            elif isinstance(parent, exp.Lateral):
                lateral = True
            child, parent = parent, parent.parent

    def _found(self, column: exp.Column, level: list[_Origin]) -> bool:
        from sqlglot import exp

        qualifier = self._fold(column.args["table"]) if column.args.get("table") else None
        star = isinstance(column.this, exp.Star)
        for origin in level:
            if qualifier is not None and origin.key != qualifier:
                continue
            if star:
                return True
            if origin.columns is None:
                continue
            exact = self._match(column.this, origin.columns)
            if exact is None:
                if qualifier is not None and column.name.lower() in _HIDDEN_COLUMNS.get(self._dialect, set()):
                    return True
                continue
            if self._folds and self._fold(column.this) != exact and self._mended_text is not None:
                column.set("this", exp.to_identifier(exact, quoted=True))
            if origin.table is not None:
                self._columns.setdefault((origin.table.name, exact))
            return True
        if qualifier is None and column.name.lower() in _HIDDEN_COLUMNS.get(self._dialect, set()):
            return any(origin.table is not None for origin in level)
        # A row as a value: the name of a table where a column stands.
        return (
            qualifier is None
            and self._dialect not in _FLAT_ROWS
            and any(o.key == self._fold(column.this) for o in level)
        )

    def _match(self, identifier: exp.Identifier, columns: tuple[str, ...]) -> str | None:
        folded = self._fold(identifier)
        if folded in columns:
            return folded
        alike = [name for name in columns if name.lower() == identifier.name.lower()]
        return alike[0] if len(set(alike)) == 1 or (alike and not self._folds) else None

    def _is_alias(self, column: exp.Column) -> bool:
        """The column is the name of another projection of a surrounding SELECT: many engines allow that in places."""
        from sqlglot import exp

        if column.table:
            return False
        child: exp.Expr = column
        parent = column.parent
        while parent is not None:
            if isinstance(parent, exp.Select):
                for projection in parent.expressions:
                    if projection is child or not isinstance(projection, exp.Alias):
                        continue
                    alias = projection.args.get("alias")
                    if isinstance(alias, exp.Identifier) and alias.name.lower() == column.name.lower():
                        if (
                            self._folds
                            and self._fold(alias) != self._fold(column.this)
                            and self._mended_text is not None
                        ):
                            column.set("this", alias.copy())
                        return True
            child, parent = parent, parent.parent
        return False

    def _is_field(self, column: exp.Column, seen: list[_Origin]) -> bool:
        """`a.b` where `a` is a column that holds a structure, or `a.b.c` where the outermost names are a table's."""
        if self._dialect in _FLAT_ROWS or not column.table:
            return False
        parts = [column.args[key] for key in ("catalog", "db", "table") if column.args.get(key)]
        for part in parts:
            for origin in seen:
                if origin.columns is None or self._match(part, origin.columns) is not None:
                    return True
        # `sales.orders.id`: the table is found by its last name, which `_found` has tried; a deeper path is not for us.
        return len(parts) > 1 and any(origin.key == self._fold(part) for part in parts[:-1] for origin in seen)

    # What FROM offers

    def _select_origins(self, select: exp.Select) -> list[_Origin]:
        if id(select) not in self._origins:
            self._origins[id(select)] = []  # while it is being worked out, a query that refers to itself offers nothing
            self._origins[id(select)] = [
                origin
                for key in ("from_", "joins", "laterals")
                for part in _as_list(select.args.get(key))
                for origin in self._part_origins(part)
            ]
        return self._origins[id(select)]

    def _part_origins(self, part: exp.Expr) -> Iterator[_Origin]:
        from sqlglot import exp

        if isinstance(part, (exp.From, exp.Join)):
            yield from self._part_origins(part.this)
            return
        alias = part.args.get("alias")
        name = alias.this if alias is not None and isinstance(alias.this, exp.Identifier) else None
        if part.args.get("pivots"):
            yield _Origin(None, None)
        elif isinstance(part, exp.Table) and isinstance(part.this, exp.Identifier):
            known, cte = self._known.get(id(part)), self._ctes.get(id(part))
            columns = tuple(c.name for c in known.columns) if known else self._cte_outputs(cte) if cte else None
            yield _Origin(
                self._fold(name or part.this), self._renamed(columns, alias), None if _renames(alias) else known
            )
        elif isinstance(part, exp.Subquery) and isinstance(part.this, exp.Query):
            yield _Origin(self._fold(name) if name else "", self._renamed(self._query_outputs(part.this), alias))
        elif isinstance(part, exp.Subquery):  # parentheses around joins
            yield from [_Origin(self._fold(name), None)] if name else self._part_origins(part.this)
        elif isinstance(part, exp.Values):
            columns = tuple(self._fold(i) for i in alias.columns) if alias is not None and alias.columns else None
            yield _Origin(self._fold(name) if name else "", columns)
        elif isinstance(part, exp.Lateral) and isinstance(part.this, exp.Subquery) and name:
            yield _Origin(self._fold(name), self._renamed(self._query_outputs(part.this.this), alias))
        else:
            yield _Origin(self._fold(name) if name else None, None)
        for join in _as_list(part.args.get("joins")):
            yield from self._part_origins(join)
        for lateral in _as_list(part.args.get("laterals")):
            yield from self._part_origins(lateral)

    def _renamed(self, columns: tuple[str, ...] | None, alias: exp.TableAlias | None) -> tuple[str, ...] | None:
        if alias is None or not _renames(alias):
            return columns
        names = tuple(self._fold(i) for i in alias.columns if hasattr(i, "name"))
        return None if columns is None else names + columns[len(names) :]

    def _cte_outputs(self, cte: exp.CTE) -> tuple[str, ...] | None:
        alias = cte.args.get("alias")
        if alias is not None and _renames(alias):
            return tuple(self._fold(i) for i in alias.columns)
        return self._query_outputs(cte.this)

    def _query_outputs(self, query: exp.Expr) -> tuple[str, ...] | None:
        """Names of the columns that the query gives, as the engine knows them; None when that cannot be told."""
        from sqlglot import exp

        while isinstance(query, (exp.Subquery, exp.SetOperation)):
            query = query.this
        if not isinstance(query, exp.Select):
            return None
        if id(query) not in self._outputs:
            self._outputs[id(query)] = None  # a query that refers to itself: cannot be told
            names: list[str] = []
            for projection in query.expressions:
                part = self._projection_names(projection, query)
                if part is None:
                    return None
                names += part
            self._outputs[id(query)] = tuple(names)
        return self._outputs[id(query)]

    def _projection_names(self, projection: exp.Expr, select: exp.Select) -> list[str] | None:
        from sqlglot import exp

        if isinstance(projection, exp.Alias) and isinstance(projection.args.get("alias"), exp.Identifier):
            return [self._fold(projection.args["alias"])]
        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(star, exp.Star):
            if any(star.args.get(key) for key in ("except_", "replace", "rename")):
                return None
            origins = self._select_origins(select)
            if isinstance(projection, exp.Column):
                origins = [o for o in origins if o.key == self._fold(projection.args["table"])]
            if not origins or any(origin.columns is None for origin in origins):
                return None
            return [name for origin in origins for name in origin.columns or ()]
        if isinstance(projection, exp.Column):
            self._resolve(projection)
            # Resolving may have written the name anew, or found that it is text.
            return [self._fold(projection.this)] if isinstance(projection.this, exp.Identifier) else None
        return None

    # When nothing has the column

    def _becomes_text(self, column: exp.Column, seen: list[_Origin]) -> bool:
        """SQLite reads a double-quoted word that names no column as text. Where that is meant, write it as text.

        It is meant where the word stands beside a column (compared with it, or in one call with it) and resembles the
        name of none: `country = "France"`. Elsewhere (`SELECT "Naem"`) it is a mistake that SQLite would hide.
        """
        from sqlglot import exp

        parent = column.parent
        if self._dialect != "sqlite" or column.table or parent is None:
            return False
        if f'"{column.name}"' not in (self._mended_text or "") or any(origin.columns is None for origin in seen):
            return False
        if isinstance(parent, (exp.Select, exp.Alias, exp.Group, exp.Ordered, exp.Window, exp.Tuple)):
            return False
        beside = [c for c in parent.find_all(exp.Column) if c is not column and self._is_stored(c, seen)]
        names = {name.lower() for origin in seen for name in origin.columns or ()}
        if not beside or difflib.get_close_matches(column.name.lower(), names, n=1, cutoff=0.75):
            return False
        column.replace(exp.Literal.string(column.name))
        self._notes.setdefault(f'"{column.name}" was read as text, because no column has that name.')
        return True

    def _is_stored(self, column: exp.Column, seen: list[_Origin]) -> bool:
        from sqlglot import exp

        name = column.this
        return isinstance(name, exp.Identifier) and any(
            origin.columns is not None and self._match(name, origin.columns) is not None for origin in seen
        )

    def _refuse_column(self, column: exp.Column, seen: list[_Origin]) -> None:
        name = column.name
        text = column.sql(self._dialect)
        keys = [origin.key for origin in seen if origin.key]
        if column.table and self._fold(column.args["table"]) not in keys:
            near = difflib.get_close_matches(column.table.lower(), [k.lower() for k in keys], n=1, cutoff=0.6)
            meant = f" Did you mean {near[0]}.{name}?" if near else ""
            raise GuardError(
                f"{text}: nothing in this part of the query is called {column.table}.",
                rule="unknown_column",
                hint=f"FROM offers {', '.join(dict.fromkeys(keys)) or 'no table'}.{meant}",
            )
        offered = [o for o in seen if not column.table or o.key == self._fold(column.args["table"])]
        names = list(dict.fromkeys(n for origin in offered for n in origin.columns or ()))
        lowered = {n.lower(): n for n in reversed(names)}
        near = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
        hints = [f"Did you mean {' or '.join(lowered[n] for n in near)}?"] if near else []
        owners = [t.name for t in self._schema.tables if t.column(name)]
        if owners:
            hints.append(f"{name} is a column of {', '.join(owners[:5])}.")
        elif not near and names:
            hints.append(f"The columns here are: {', '.join(names[:40])}.")
        if column.this.args.get("quoted") and not near and not owners:
            hints.append(f"If {name!r} is meant as text, put it in single quotes.")
        where = f" in {column.table}" if column.table else f" in {', '.join(dict.fromkeys(keys))}" if keys else ""
        raise GuardError(f"There is no column {text}{where}.", rule="unknown_column", hint=" ".join(hints))

    def _fold(self, identifier: exp.Expr) -> str:
        """The name as this dialect compares names."""
        name: str = identifier.name
        return name if self._folds and identifier.args.get("quoted") else name.lower()


def _bare(table: TableSchema) -> str:
    """The table's own name, without a namespace that `TableSchema.name` may carry to be unique."""
    return table.name.removeprefix(f"{table.namespace}.") if table.namespace else table.name


def _renames(alias: exp.Expr | None) -> bool:
    return alias is not None and bool(alias.args.get("columns"))


def _as_list(value: exp.Expr | list[exp.Expr] | None) -> list[exp.Expr]:
    return [] if value is None else value if isinstance(value, list) else [value]
