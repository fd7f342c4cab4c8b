"""What is believed of what comes out of hostile code: nothing."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pytest

from querist.sandbox.artifacts import as_file
from querist.sandbox.jailed.frames import frame
from querist.sandbox.received import Received
from querist.sandbox.tables import from_arrow, to_arrow
from querist.sources.table import ResultColumn, Table


def stream(table: pa.Table, **options: object) -> bytes:
    target = io.BytesIO()
    with pa.ipc.new_stream(target, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return target.getvalue()


def test_a_table_survives_the_way_there_and_back() -> None:
    table = Table((ResultColumn("a"), ResultColumn("a"), ResultColumn("c")), ((1, "x", 1.5), (None, None, None)))
    assert from_arrow(to_arrow(table)).rows == table.rows
    assert from_arrow(to_arrow(table)).names == ["a", "a_2", "c"]
    mixed = Table((ResultColumn("a"), ResultColumn("b")), ((1, 1), ("x", 2**70)))
    assert from_arrow(to_arrow(mixed)).rows == (("1", 1.0), ("x", float(2**70)))


@pytest.mark.parametrize(
    "data",
    [
        stream(pa.table({"a": pa.array(["x" * 9999]).dictionary_encode()})),
        stream(pa.table({"a": pa.array([0] * 100_000)}), compression="zstd"),
        stream(pa.table({"a": pa.nulls(30_000_000)})),
        stream(pa.table({"a": [[1]]})),
        b"",
        b"\xff\xff\xff\xff" + b"\x7f" * 99,
    ],
    ids=["dictionary", "compressed", "a flood of nulls", "nested", "empty", "broken"],
)
def test_tables_that_could_grow_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_arrow(data)


@pytest.mark.parametrize(
    "data",
    [
        b"no header\n",
        b'{"kind": "value", "size": -1}\n',
        b'{"kind": "value", "size": 99999999}\n',
        b'{"kind": "value", "size": 2, "name": 7}\n[]',
        b'{"kind": "value", "size": 200000}\n' + b"[" * 200_000,
        b'{"kind": "end", "size": 2}\n[]',
        b"x" * 5000,
        frame("other"),
    ],
)
def test_forged_frames_end_the_job_and_give_nothing(data: bytes) -> None:
    received = Received(1 << 20)
    received.feed(data)
    assert received.ended
    assert received.value is None
    assert received.failure is not None
    assert received.failure.type == "ForgedResult"


def test_frames_may_arrive_in_any_portions() -> None:
    received = Received(1 << 20)
    for byte in frame("value", b"[1, NaN]") + frame("end", b"null"):
        received.feed(bytes([byte]))
    assert (received.value, received.ended, received.failure) == ([1, None], True, None)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.pkl", b"\x80\x04."),
        ("data.csv", b"\x80\x04\xff."),
        ("page.html", b"<p>hi</p>"),
        ("a.svg", b"<svg onload='x()'/>"),
        ("a.svg", b"<svg><image href='http://example.org/x'/></svg>"),
        (
            "a.json",
            json.dumps({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"url": "x"}}).encode(),
        ),
        ("..", b"x"),
    ],
)
def test_files_that_act_when_opened_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_file(name, data)


def test_files_lose_their_path_and_their_formulas() -> None:
    file = as_file("../../etc/cron.d/a.csv", b"name,n\n=1+1,-5\n@x,+3.5\n")
    assert (file.name, file.media_type) == ("a.csv", "text/csv")
    assert file.data == b"name,n\n'=1+1,-5\n'@x,+3.5\n"
