"""Tables as Arrow streams: into the sandbox, and back out of code that nobody vouches for."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

from querist.errors import MissingExtraError
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import pyarrow

MOST_COLUMNS = 2000
MOST_CELLS = 5_000_000
"""Of all tables of a run. A cell that takes one bit in the stream takes up to 100 bytes here."""


def to_arrow(table: Table) -> bytes:
    """The table as an Arrow IPC stream. Columns of mixed types become numbers where all are, else text."""
    arrow = _pyarrow()
    names = table.unique_names()
    columns = list(zip(*table.rows, strict=True)) or [()] * len(names)
    made = arrow.table([_column(list(column)) for column in columns], names=names)
    target = io.BytesIO()
    with arrow.ipc.new_stream(target, made.schema) as stream:
        stream.write_table(made)
    return target.getvalue()


def _column(cells: list[Any]) -> pyarrow.Array:
    arrow = _pyarrow()
    errors = (arrow.ArrowException, TypeError, ValueError, OverflowError)
    try:
        return arrow.array(cells)
    except errors:
        pass
    try:
        if not any(isinstance(cell, str) for cell in cells):
            return arrow.array([None if cell is None else float(cell) for cell in cells], arrow.float64())
    except errors:
        pass
    return arrow.array([None if cell is None else str(cell) for cell in cells], arrow.string())


def from_arrow(data: bytes, *, most_cells: int = MOST_CELLS) -> Table:
    """The table of an Arrow stream from hostile code.

    It is read only when it cannot grow beyond its own size: no compression, no dictionaries, no types that share bytes
    between cells, and none that bring code along (extension types).

    Raises:
        ValueError: the stream is broken, or holds something of these.
    """
    arrow = _pyarrow()
    try:
        schema = arrow.ipc.open_stream(data).schema
        if len(schema) > MOST_COLUMNS:
            raise ValueError(f"it has {len(schema)} columns; at most {MOST_COLUMNS} are taken")
        for field in schema:
            if not _is_plain(field.type) or (field.metadata and b"ARROW:extension:name" in field.metadata):
                raise ValueError(f"its column {field.name[:60]!r} has the type {str(field.type)[:60]}, not a plain one")
        _refuse_compression(data)
        rows: list[tuple[Any, ...]] = []
        for batch in arrow.ipc.open_stream(data):
            if (len(rows) + batch.num_rows) * max(1, len(schema)) > most_cells or batch.nbytes > 4 * len(data):
                raise ValueError("it is larger than it may be")
            batch.validate(full=True)
            rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    except (arrow.ArrowException, OSError, ArithmeticError, LookupError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"it is no sound Arrow stream: {str(error)[:200]}") from error
    return Table(tuple(ResultColumn(f.name, str(f.type)) for f in schema), tuple(rows))


def _is_plain(kind: pyarrow.DataType) -> bool:
    types = _pyarrow().types
    checks = (
        types.is_primitive,
        types.is_string,
        types.is_large_string,
        types.is_binary,
        types.is_large_binary,
        types.is_decimal,
        types.is_null,
    )
    return any(check(kind) for check in checks)


def _refuse_compression(data: bytes) -> None:
    """Look into the header of each batch, as its schema (Message.fbs of Arrow) lays it out: pyarrow does not tell."""
    for message in _pyarrow().ipc.MessageReader.open_stream(data):
        header = message.metadata.to_pybytes()
        if message.type == "record batch":
            root = _follow(header, 0)
            batch = _follow(header, _field(header, root, 2))
            if _field(header, batch, 3) or _field(header, root, 4):  # Arrow 0.17 told it in the metadata
                raise ValueError("it is compressed")


def _follow(header: bytes, place: int) -> int:
    return place + int(struct.unpack_from("<I", header, place)[0])


def _field(header: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table lies; 0 when it is not set."""
    layout = table - struct.unpack_from("<i", header, table)[0]
    size = struct.unpack_from("<H", header, layout)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", header, layout + at)[0] if at + 2 <= size else 0
    return table + offset if offset else 0


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise MissingExtraError("pyarrow", "sandbox", "hand tables to the sandbox") from error
    return pyarrow
