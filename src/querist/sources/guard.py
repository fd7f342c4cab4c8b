"""The first of two locks: a query runs only if it is one read-only statement over known tables and functions.

The second lock is the engine, opened read-only by every source; neither is enough alone (see docs/security.md).
What is executed is never the text that came in but text written anew from the checked tree, without comments: so the
engine cannot read the text differently from the guard. Not here: names of tables and columns (`guard_names.py`) and the
allow-lists (`guard_functions.py`).
"""

from __future__ import annotations

import difflib
import functools
import logging
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.errors import GuardError
from querist.sources import guard_functions as allowed
from querist.sources.base import Schema

if TYPE_CHECKING:
    from sqlglot import Dialect, Generator, Parser, exp
    from sqlglot.tokenizer_core import Token

MAX_CHARACTERS = 100_000
MAX_NODES = 20_000
MAX_DEPTH = 200
MAX_REPEAT = 100_000
"""Largest size that a query may write as a literal for `repeat`, `lpad`, `zeroblob`, …: more is a memory bomb."""
MAX_SERIES = 100_000_000
"""Largest number that a query may write as a literal bound of `generate_series` and its like."""

_STARTS = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE", "("})
_ROOTS = frozenset({"Select", "Union", "Except", "Intersect", "Subquery", "Values"})
_SPECIAL = frozenset(
    {"Anonymous", "AnonymousAggFunc", "ParameterizedAgg", "CombinedAggFunc", "CombinedParameterizedAgg"}
)
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
    "IntDiv": operator.floordiv,
    "Pow": operator.pow,
    "BitwiseLeftShift": lambda number, places: number * 2.0**places,
}
"""Operators of numbers that are computed to tell how large a value would be."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WIDE_FORMAT = re.compile(r"%[-+ 0#,!]*(\*|\d{5,})|%[^%a-zA-Z]*\.(\*|\d{5,})")


@dataclass(frozen=True)
class GuardedQuery:
    """A query that may run.

    Attributes:
        sql: the text to execute; written from the checked tree, so it is not the text that came in.
        tables: names (`TableSchema.name`) of the tables it reads, in order of first use.
        columns: (table name, column name) of the stored columns it reads, in order of first use.
        expression: the checked tree, for later stages; what they change in it must be guarded again.
        notes: for people: what was made explicit, such as a quoted word that the engine would have read as text.
    """

    sql: str
    tables: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    expression: exp.Expr
    notes: tuple[str, ...] = ()


def guard(sql: str, schema: Schema, *, dialect: str | None = None) -> GuardedQuery:
    """Check one query.

    Args:
        sql: what a model or a person wrote.
        schema: the tables it may read.
        dialect: sqlglot's name; the schema's by default.

    Raises:
        GuardError: it may not run; `rule` names the broken rule: empty, too_complex, characters, comment, syntax,
            one_statement, read_only, parameter, hint, construct, function, table_function, file_access, size,
            unknown_table, system_table, unknown_column. The hint is written for the model that repairs the query.
    """
    dialect = dialect or schema.dialect
    try:
        return _guard(sql, schema, dialect)
    except RecursionError:
        # Sqlglot's parser and generator recurse; its depth of about forty nested calls is far beyond any real question.
        raise GuardError(
            "The query is nested too deeply.", rule="too_complex", hint="Use WITH to name intermediate results."
        ) from None


def _guard(sql: str, schema: Schema, dialect: str) -> GuardedQuery:
    from querist.sources.guard_names import NameCheck

    # Read without sqlglot's knowledge of functions, so that calls are written again exactly as they came: through its
    # typed functions some would come out under a name that the engine does not have, or with another argument.
    plain = _parse(sql, dialect, plain=True)
    _check_tree(plain, dialect, functions=False)
    writing = NameCheck(plain, schema, dialect)
    writing.mend(sql)
    text = _write(plain, dialect)
    # What will run is judged by itself, as if it had come in so.
    tree = _parse(text, dialect)
    _check_tree(tree, dialect)
    names = NameCheck(tree, schema, dialect)
    names.check()
    return GuardedQuery(text, names.tables, names.columns, tree, writing.notes)


def _parse(sql: str, dialect: str, *, plain: bool = False) -> exp.Expr:
    import sqlglot
    from sqlglot.errors import ParseError, SqlglotError

    log = logging.getLogger("sqlglot")
    if not log.handlers:  # sqlglot warns about what we refuse anyway; without a handler that goes to standard error
        log.addHandler(logging.NullHandler())
    _check_text(sql)
    engine = sqlglot.Dialect.get_or_raise(dialect)
    try:
        tokens = engine.tokenize(sql)
    except SqlglotError as error:
        raise GuardError(f"This is not readable as SQL: {_one_line(error)}", rule="syntax") from error
    _check_tokens(tokens, sql)
    parser = _plain_parser(type(engine))(dialect=engine) if plain else engine.parser()
    try:
        trees = [t for t in parser.parse(tokens, sql) if t is not None and type(t).__name__ != "Semicolon"]
    except ParseError as error:
        detail = error.errors[0] if error.errors else {}
        place = f" at line {detail.get('line')}, near {detail.get('highlight')!r}" if detail else ""
        raise GuardError(
            f"The {dialect} syntax is wrong{place}: {detail.get('description') or _one_line(error)}",
            rule="syntax",
            hint=f"Write one complete {dialect} SELECT statement.",
        ) from error
    except (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        # Mangled input trips sqlglot in places where it expects well-formed SQL; for the caller that is a syntax error.
        raise GuardError(f"This is not readable as {dialect} SQL: {_one_line(error)}", rule="syntax") from error
    if len(trees) != 1:
        raise GuardError(
            f"There are {len(trees)} statements; exactly one may run.",
            rule="one_statement",
            hint="Write one SELECT; join or use WITH for intermediate results.",
        )
    return trees[0]


@functools.cache
def _plain_parser(dialect: type[Dialect]) -> type[Parser]:
    """The dialect's parser, but with every call `name(…)` as it stands. Special forms such as CAST are still known."""
    return type("PlainParser", (dialect.parser_class,), {"FUNCTIONS": {}})


@functools.cache
def _plain_generator(dialect: type[Dialect]) -> type[Generator]:
    """The dialect's generator, which writes again as they came what it would write in another way."""
    from sqlglot import Generator, exp

    base: type[Generator] = dialect.generator_class
    ways: dict[str, dict[type[exp.Expr], Callable[..., str]]] = {
        # `a REGEXP b` would become a function that MariaDB does not have.
        "MySQL": {exp.RegexpLike: lambda self, node: self.binary(node, "REGEXP")},
        # `f(x) WITHIN GROUP (ORDER BY a)` would become `f(x ORDER BY a)`, which DuckDB does not know by that name.
        "DuckDB": {exp.WithinGroup: Generator.withingroup_sql},
    }
    if dialect.__name__ not in ways:
        return base
    return type("PlainGenerator", (base,), {"TRANSFORMS": {**base.TRANSFORMS, **ways[dialect.__name__]}})


def _write(tree: exp.Expr, dialect: str) -> str:
    import sqlglot
    from sqlglot.errors import ErrorLevel, SqlglotError

    engine = sqlglot.Dialect.get_or_raise(dialect)
    try:
        return _plain_generator(type(engine))(
            dialect=engine, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
        ).generate(tree)
    except SqlglotError as error:
        raise GuardError(
            f"A part of the query cannot be written in {dialect}: {_one_line(error)}",
            rule="construct",
            hint="Write it with plainer SQL.",
        ) from error
    except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise GuardError(f"The query is malformed: {_one_line(error)}", rule="syntax") from error


def _check_text(sql: str) -> None:
    if not sql.strip():
        raise GuardError("There is no query.", rule="empty", hint="Write one SELECT statement.")
    if len(sql) > MAX_CHARACTERS:
        raise GuardError(
            f"The query has {len(sql):,} characters; at most {MAX_CHARACTERS:,} are allowed.",
            rule="too_complex",
            hint="Write a shorter query.",
        )
    if found := _CONTROL.search(sql):
        raise GuardError(f"The query contains the control character U+{ord(found[0]):04X}.", rule="characters")
    if any("\ud800" <= char <= "\udfff" for char in sql):
        raise GuardError("The query contains half a character (a lone surrogate).", rule="characters")


def _check_tokens(tokens: list[Token], sql: str) -> None:
    """What can be told before parsing, and must be: comments are gone from the tree, and so is a misread start."""
    from sqlglot.tokenizer_core import TokenType

    if not tokens:
        raise GuardError("There is no query, only comments.", rule="empty", hint="Write one SELECT statement.")
    for token in tokens:
        for comment in token.comments:
            if comment.startswith(("!", "M!")):
                raise GuardError(
                    f"/*{comment[:40]}*/ is a comment that MySQL executes.", rule="comment", hint="Remove the comment."
                )
        if not sql.isascii() and not token.text.isascii() and not _is_quoted(token.token_type.name):
            _check_characters(token.text)
    statements = [token for token in tokens if token.token_type is TokenType.SEMICOLON]
    if statements and any(
        token.token_type is not TokenType.SEMICOLON for token in tokens[tokens.index(statements[0]) :]
    ):
        raise GuardError(
            "There is more than one statement; exactly one may run.",
            rule="one_statement",
            hint="Write one SELECT; join or use WITH for intermediate results.",
        )
    first = tokens[0].text.upper()
    if first not in _STARTS:
        raise GuardError(
            f"The text starts with {tokens[0].text[:40]!r}; only queries may run, and they start with SELECT or WITH.",
            rule="read_only",
            hint="Write one SELECT statement that reads the data; nothing can be changed, set, loaded or explained.",
        )


def _is_quoted(token_type: str) -> bool:
    return token_type == "IDENTIFIER" or "STRING" in token_type


def _check_characters(text: str) -> None:
    """Outside of quotes: letters of any script, but no look-alikes of spaces, quotes and ASCII; nothing invisible."""
    for char in text:
        if char.isascii():
            continue
        if unicodedata.category(char) in {"Cf", "Cc", "Zs", "Zl", "Zp", "Pi", "Pf"} or "\uff00" <= char <= "\uffef":
            name = unicodedata.name(char, "unnamed")
            raise GuardError(
                f"The query contains U+{ord(char):04X} ({name.lower()}) outside of quotes.",
                rule="characters",
                hint="Use plain spaces, straight quotes and plain letters.",
            )


def _check_tree(tree: exp.Expr, dialect: str, *, functions: bool = True) -> None:
    if type(tree).__name__ not in _ROOTS:
        raise GuardError(
            f"{tree.key.upper()} is not a query that only reads.",
            rule="read_only",
            hint="Write one SELECT statement that reads the data.",
        )
    anonymous = allowed.anonymous(dialect)
    depths = {id(tree): 0}
    for count, node in enumerate(tree.walk(), start=1):
        depth = depths[id(node)] = depths.get(id(node.parent), 0) + 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise GuardError(
                f"The query is too large (more than {MAX_NODES:,} parts, or nested deeper than {MAX_DEPTH}).",
                rule="too_complex",
                hint="Write a shorter query.",
            )
        name = type(node).__name__
        if not functions and name in _SPECIAL:
            continue
        if name in allowed.TYPED:
            _check_size(node, name.lower())
        elif name in _SPECIAL:
            _check_anonymous(node, dialect, anonymous)
        elif name not in allowed.NODES:
            _refuse_node(node, name, dialect)
        elif name in {"Table", "Lateral"} and functions:
            _check_table_function(node, dialect)
        elif name == "Dot":
            _check_dot(node, dialect)
        elif name == "DataType" and node.args.get("kind") is not None:
            _check_named_type(node, dialect)


def _refuse_node(node: exp.Expr, name: str, dialect: str) -> None:
    from sqlglot import exp

    text = node.sql(dialect=dialect, comments=False)[:60] if name != "Command" else str(node.this)
    if name in allowed.WRITING_NODES:
        raise GuardError(
            f"The query contains {name.upper()} ({text!r}); it may only read.",
            rule="read_only",
            hint="Write a SELECT that reads, without INTO, FOR UPDATE, INSERT, UPDATE or DELETE.",
        )
    if name in allowed.PARAMETER_NODES:
        raise GuardError(
            f"{text!r} is a variable or a parameter; a query has no values for those.",
            rule="parameter",
            hint="Write the value itself.",
        )
    if name in allowed.HINT_NODES:
        raise GuardError(f"{text!r} is an optimizer hint; those may change settings.", rule="hint", hint="Remove it.")
    if isinstance(node, exp.Func):
        if name in {"ReadCSV", "ReadParquet"}:
            raise GuardError(f"{text!r} reads a file.", rule="file_access", hint="Use only the tables of the schema.")
        _refuse_function(node.sql_name().lower(), dialect)
    raise GuardError(
        f"{text!r} ({name}) may not be used in a query.", rule="construct", hint="Write it with plainer SQL."
    )


def _check_anonymous(node: exp.Expr, dialect: str, anonymous: frozenset[str]) -> None:
    from sqlglot import exp

    name = str(node.name or node.this).lower()
    if name not in anonymous:
        typed = exp.FUNCTION_BY_NAME.get(name.upper())
        if typed is None or typed.__name__ not in allowed.TYPED:
            in_table = isinstance(node.parent, (exp.Table, exp.Lateral))
            if not in_table or name not in allowed.table_functions(dialect):
                _refuse_function(name, dialect, in_table=in_table)
    _check_size(node, name)


def _refuse_function(name: str, dialect: str, *, in_table: bool = False) -> None:
    from sqlglot import exp

    if allowed.FILE_FUNCTION.match(name):
        raise GuardError(f"{name}() reads files.", rule="file_access", hint="Use only the tables of the schema.")
    if in_table:
        raise GuardError(
            f"{name}() may not be used as a table.", rule="table_function", hint="Use only the tables of the schema."
        )
    typed = {n.lower() for n, kind in exp.FUNCTION_BY_NAME.items() if kind.__name__ in allowed.TYPED}
    known = allowed.anonymous(dialect) | typed
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    raise GuardError(
        f"{name}() is not among the functions that a query may use.",
        rule="function",
        hint=f"Did you mean {', '.join(near)}?" if near else f"Use the usual {dialect} functions, or none.",
    )


def _check_table_function(node: exp.Expr, dialect: str) -> None:
    from sqlglot import exp

    function = node.this
    if isinstance(function, exp.Dot) or (isinstance(function, exp.Func) and node.args.get("db")):
        raise GuardError(
            f"{node.sql(dialect=dialect)[:60]!r} may not be used as a table.",
            rule="table_function",
            hint="Use only the tables of the schema.",
        )
    if not isinstance(function, exp.Func):
        return
    name = type(function).__name__
    if name in allowed.TYPED_TABLES:
        return
    sql_name = (str(function.name) if name in _SPECIAL else function.sql_name()).lower()
    if sql_name not in allowed.table_functions(dialect):
        _refuse_function("read_csv" if name in {"ReadCSV", "ReadParquet"} else sql_name, dialect, in_table=True)


def _check_dot(node: exp.Expr, dialect: str) -> None:
    """`schema.function()` is another function than `function()`. Only DuckDB writes method calls that way."""
    from sqlglot import exp

    if isinstance(node.expression, exp.Func) and dialect != "duckdb":
        raise GuardError(
            f"{node.sql(dialect=dialect)[:60]!r} calls a function of a named schema.",
            rule="function",
            hint="Write the function's name alone.",
        )


def _check_named_type(node: exp.Expr, dialect: str) -> None:
    """A type of the database's own is fine; PostgreSQL's `regclass` and its like look into the system's tables."""
    name = node.sql(dialect=dialect).rpartition(".")[2].strip('"').lower()
    if name.startswith("reg"):
        raise GuardError(f"The type {name} reads the system's tables.", rule="construct", hint="Use the usual types.")


def _check_size(node: exp.Expr, name: str) -> None:
    from sqlglot import exp

    if name in {"generateseries", "explodinggenerateseries", "range", "generate_series"}:
        for number in _literals(node):
            if abs(number) > MAX_SERIES:
                raise GuardError(
                    f"A series up to {number:,.0f} is too long.", rule="size", hint=f"Stay below {MAX_SERIES:,}."
                )
    elif name in {"printf", "format", "numbertostr"}:
        for literal in node.find_all(exp.Literal):
            if literal.is_string and _WIDE_FORMAT.search(literal.this):
                raise GuardError(
                    "The format asks for an enormous width.", rule="size", hint="Use a width below 10,000."
                )
    elif name in allowed.SIZE_FUNCTIONS:
        if any(number > MAX_REPEAT for number in _literals(node)):
            raise GuardError(f"{name}() would make an enormous value.", rule="size", hint=f"Stay below {MAX_REPEAT:,}.")
        if any(_sized(ancestor) for ancestor in _ancestors(node)):
            raise GuardError(
                f"{name}() inside of another such function would make an enormous value.",
                rule="size",
                hint="Use it once.",
            )


def _sized(node: exp.Expr) -> bool:
    return type(node).__name__.lower() in allowed.SIZE_FUNCTIONS or (
        type(node).__name__ == "Anonymous" and node.name.lower() in allowed.SIZE_FUNCTIONS
    )


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _literals(node: exp.Expr) -> list[float]:
    """The direct arguments that are numbers, or arithmetic of numbers."""
    return [value for argument in node.iter_expressions() if (value := _constant(argument)) is not None]


def _constant(node: exp.Expr) -> float | None:
    from sqlglot import exp

    if isinstance(node, exp.Literal):
        try:
            # Text is a number only where it is made one: elsewhere it may be what is repeated.
            return float(node.this) if not node.is_string or isinstance(node.parent, exp.Cast) else None
        except ValueError:
            return None
    if isinstance(node, (exp.Paren, exp.Cast)):
        return _constant(node.this)
    if isinstance(node, exp.Neg):
        number = _constant(node.this)
        return None if number is None else -number
    compute = _ARITHMETIC.get(type(node).__name__)
    if compute is None or (left := _constant(node.this)) is None or (right := _constant(node.expression)) is None:
        return None
    try:
        value = float(compute(left, right))
    except (OverflowError, ZeroDivisionError, TypeError):  # TypeError: the root of a negative number is complex
        return math.inf
    return math.inf if math.isnan(value) else value


def _one_line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return " ".join(text.split())[:200] or type(error).__name__
