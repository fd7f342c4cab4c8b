"""What is believed of what comes out of hostile code: nothing."""

from __future__ import annotations

import io
import json
import struct
from base64 import b64encode

import pyarrow as pa
import pytest

from querist.sandbox.artifacts import as_file
from querist.sandbox.jailed.frames import frame
from querist.sandbox.received import Received
from querist.sandbox.tables import from_arrow, to_arrow
from querist.sources.table import ResultColumn, Table

_OLD = "ARROW:experimental_compression"
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink">{}</svg>'
_CHART = '{"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": %s}'


def stream(table: pa.Table, metadata: dict[str, str] | None = None, **options: object) -> bytes:
    target = io.BytesIO()
    with pa.ipc.new_stream(target, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch, custom_metadata=metadata)
    return target.getvalue()


def _entry(data: bytearray, table: int, number: int) -> tuple[int, int]:
    """Where a flatbuffer's table says where a field lies, and what it says."""
    at = table - struct.unpack_from("<i", data, table)[0] + 4 + 2 * number
    return at, struct.unpack_from("<H", data, at)[0]


def _field(data: bytearray, table: int, number: int, kind: str, value: int) -> None:
    struct.pack_into(kind, data, table + _entry(data, table, number)[1], value)


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(9)


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
        stream(pa.table({f"c{n}": [0] for n in range(2001)})),
        stream(pa.table({"a": [[1]]})),
        stream(pa.table({"a": pa.array([0], pa.timestamp("s", tz="Nowhere/None"))})),
        stream(pa.table({"a": pa.array([1 << 62], pa.timestamp("s"))})),
        b"",
        b"\xff\xff\xff\xff" + b"\x7f" * 99,
    ],
    ids=[
        "dictionary",
        "compressed",
        "a flood of nulls",
        "columns without end",
        "nested",
        "no time zone",
        "no such year",
        "empty",
        "broken",
    ],
)
def test_tables_that_could_grow_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_arrow(data)


def test_tables_that_are_compressed_as_arrow_0_17_did_are_refused() -> None:
    data = bytearray(stream(pa.table({"a": pa.array([0] * 100_000)}), compression="zstd", metadata={_OLD: "ZSTD"}))
    schema = 8 + struct.unpack_from("<I", data, 4)[0]
    batch = schema + 8 + struct.unpack_from("<I", data, schema + 8)[0]
    _field(data, batch, 0, "<h", 3)  # version 4 of the metadata
    header = batch + _entry(data, batch, 2)[1]
    at, _ = _entry(data, header + struct.unpack_from("<I", data, header)[0], 3)
    struct.pack_into("<H", data, at, 0)  # no word of compression
    assert pa.ipc.open_stream(bytes(data)).read_all().num_rows == 100_000
    with pytest.raises(ValueError, match="compressed"):
        from_arrow(bytes(data))


def test_all_tables_of_a_run_share_one_bound() -> None:
    received = Received(1 << 20)
    nothing = stream(pa.table({"a": pa.nulls(3_000_000)}))
    received.feed(frame("table", nothing, name="first") + frame("table", nothing, name="second"))
    assert list(received.tables) == ["first"]
    assert received.refused == ["Not handed out: the table 'second': it is larger than it may be."]


@pytest.mark.parametrize(
    "data",
    [
        b"no header\n",
        b'{"kind": "value", "size": -1}\n',
        b'{"kind": "value", "size": 99999999999}\n',
        b'{"kind": "value", "size": 2, "name": 7}\n[]',
        b'{"kind": "value", "size": 200000}\n' + b"[" * 200_000,
        b'{"kind": "end", "size": 2}\n[]',
        b"x" * 5000,
        frame("other"),
        frame("value", b"[1e999]"),
        frame("value", b'"\\ud800"'),
        frame("value", b"[" + b"[]," * 2_000_000 + b"1]"),
    ],
    ids=[
        "no header",
        "negative",
        "large",
        "name",
        "deep",
        "no error",
        "no end",
        "kind",
        "endless",
        "half",
        "unfolding",
    ],
)
def test_forged_frames_end_the_job_and_give_nothing(data: bytes) -> None:
    received = Received(10 << 20)
    received.feed(data)
    assert received.ended
    assert received.value is None
    assert received.failure is not None
    assert received.failure.type == "ForgedResult"


@pytest.mark.parametrize(
    ("exit_code", "printed", "limit"),
    [
        (-24, "", "cpu_seconds"),
        (152, "", "cpu_seconds"),
        (153, "", "files"),
        (134, "memory allocation of 99 bytes failed", "memory"),
        (-9, "", None),
        (3, "", None),
    ],
)
def test_a_process_that_was_ended_at_a_limit_is_told_as_that(exit_code: int, printed: str, limit: str | None) -> None:
    outcome = Received(1).outcome("x", "strong", stdout=printed, stderr="", limit=None, exit_code=exit_code, seconds=1)
    assert (outcome.status, outcome.limit) == ("limit" if limit else "error", limit)


@pytest.mark.parametrize(
    ("type", "message", "limit"),
    [
        ("MemoryError", "Unable to allocate 7 TiB", "memory"),
        ("OSError", "[Errno 27] File too large", "files"),
        ("OSError", "[Errno 28] No space left on device", "files"),
        ("OSError", "[Errno 2] No such file", None),
        ("RuntimeError", "can't start new thread", "threads"),
    ],
)
def test_an_error_that_a_limit_made_is_told_as_that_limit(type: str, message: str, limit: str | None) -> None:
    received = Received(1 << 10)
    received.feed(frame("end", json.dumps({"type": type, "message": message}).encode()))
    outcome = received.outcome("x", "strong", stdout="", stderr="", limit=None, exit_code=None, seconds=1)
    assert (outcome.status, outcome.limit) == ("limit" if limit else "error", limit)
    assert outcome.error is not None


def test_results_larger_than_the_limit_of_files_are_told_as_that() -> None:
    received = Received(1 << 10)
    received.feed(b'{"kind": "table", "name": "t", "size": 5000}\n')
    outcome = received.outcome("x", "strong", stdout="", stderr="", limit=None, exit_code=None, seconds=1)
    assert (outcome.limit, outcome.error) == ("files", None)


def test_names_that_would_be_the_same_to_people_or_systems_get_a_number() -> None:
    received = Received(1 << 20)
    for name in ("a?.txt", "A_.txt", "b/a_.txt", "x" * 200 + ".txt", "x" * 300 + ".txt"):
        received.feed(frame("file", b"x", name=name))
    assert [file.name for file in received.files] == [
        "a_.txt",
        "A__2.txt",
        "a__3.txt",
        "x" * 116 + ".txt",
        "x" * 116 + "_2.txt",
    ]


def test_a_second_table_of_a_name_does_not_replace_the_first() -> None:
    received = Received(1 << 20)
    for number in (1, 2):
        received.feed(frame("table", stream(pa.table({"n": [number]})), name="t"))
    assert received.tables["t"].rows == ((1,),)
    assert received.refused == ["Not handed out: the table 't': there is another of this name."]


def test_frames_may_arrive_in_any_portions() -> None:
    received = Received(1 << 20)
    for byte in frame("value", b"[1, NaN]") + frame("end", b"null"):
        received.feed(bytes([byte]))
    assert (received.value, received.ended, received.failure) == ([1, None], True, None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "<p>hi</p>"),
        ("a.svg", _SVG.format("<script/>")),
        ("a.svg", _SVG.format("<path onload='x()'/>")),
        ("a.svg", _SVG.format("<image href='http://example.org/x'/>")),
        ("a.svg", _SVG.format("<use x:href='http://example.org/x#y'/>")),
        ("a.svg", _SVG.format("<path fill='url(http://example.org/x)'/>")),
        ("a.svg", _SVG.format("<path style='fill: u\\72l(http://example.org/x)'/>")),
        ("a.svg", _SVG.format("<path style='mask: image-set(\"http://example.org/x\" 1x)'/>")),
        ("a.svg", _SVG.format("<g xml:base='http://example.org/'/>")),
        ("a.svg", _SVG.format("<style>@import '//example.org/x'</style>")),
        ("a.svg", _SVG.format("<style><desc/>@import '//example.org/x'</style>")),
        ("a.svg", _SVG.format("<style>@imp<desc>x</desc>ort '//example.org/x'</style>")),
        ("a.svg", _SVG.format("<a><animate attributeName='href' values='&#106;avascript:x()'/></a>")),
        ("a.svg", _SVG.format("<x:script/>")),
        ("a.svg", _SVG.format("<g id='a'><path/></g><g id='b'><use href='#a'/></g><use href=' #b'/>")),
        ("a.svg", _SVG.format("<path id='a'/><use id='b' href='#a'/><use href='#b'/>")),
        ("a.svg", _SVG.format(f"<image href='data:image/png;base64,{b64encode(png(60_000, 60_000)).decode()}'/>")),
        ("a.svg", _SVG.format("<image href='data:image/png;base64,x'/>")),
        ("a.svg", '<!DOCTYPE svg [<!ENTITY a "b">]>' + _SVG.format("<text>&a;</text>")),
        ("a.svg", _SVG.format("<g>" * 5000 + "</g>" * 5000)),
        *(("a.json", _CHART % f'{{"{key}": "x"}}') for key in ("url", "href", "expr", "signal")),
        ("a.json", _CHART % '[{"\\u0075rl": "x"}]'),
        ("a.json", _CHART % '[], "usermeta": {"embedOptions": {"config": "https://example.org/x.json"}}'),
        ("a.json", "[" * 100_000),
        pytest.param("a.json", "0" + " " * (8 << 20), id="more JSON than is checked"),
        ("..", "x"),
    ],
)
def test_texts_that_act_when_opened_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_file(name, text.encode())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.pkl", b"\x80\x04."),
        ("data.csv", b"\x80\x04\xff."),
        ("a.gif", b"GIF89a" + bytes(99)),
        ("a.png", png(60_000, 60_000)),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x04xx\xff\xc0\0\x11\x08\xff\xff\xff\xff"),
        ("a.jpg", b"\xff\xd8\xff\xff\xff\xc0"),
    ],
)
def test_bytes_that_are_no_data_or_too_large_to_draw_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_file(name, data)


def test_a_picture_keeps_what_draws_and_nothing_else() -> None:
    drawn = "<defs><path id='p' d='M0 0'/></defs><use x:href='#p' style='clip-path: url(#c)'/>"
    file = as_file("a.svg", ("<?xml-stylesheet href='x'?>" + _SVG.format(f"<!-- x --><metadata/>{drawn}")).encode())
    assert file.media_type == "image/svg+xml"
    assert file.data == (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><defs>'
        b'<path id="p" d="M0 0" /></defs><use xlink:href="#p" style="clip-path: url(#c)" /></svg>'
    )


def test_a_chart_that_holds_what_it_draws_is_handed_out() -> None:
    chart = (_CHART % '{"values": [{"n": 1}]}, "usermeta": {"embedOptions": {"theme": "dark"}}').encode()
    assert as_file("a.json", chart).data == chart


def test_a_file_is_called_what_it_is() -> None:
    assert as_file("report.html", png(1, 1) + b"<script>").name == "report.html.png"
    assert as_file("a\n\x1b]0;x\x07\u202e.PNG", png(1, 1)).name == "a___0_x__.PNG"


def test_files_lose_their_path_and_their_formulas() -> None:
    file = as_file("../../etc/cron.d/a.csv", b"name,n\n=1+1,-5\n@x,+3.5\n")
    assert (file.name, file.media_type) == ("a.csv", "text/csv")
    assert file.data == b"name,n\n'=1+1,-5\n'@x,+3.5\n"


def test_formulas_are_found_behind_every_separator_that_a_spreadsheet_may_take() -> None:
    assert as_file("a.csv", b"sep=;\na;=HYPERLINK(0);-5;-\n").data == b"sep=;\na;'=HYPERLINK(0);-5;-\n"
    assert as_file("a.csv", b"\xef\xbb\xbf=1+1\n").data == b"'=1+1\n"
    assert as_file("a.csv", "+A1,-A1,\uff1dA1\n".encode()).data == "'+A1,'-A1,'\uff1dA1\n".encode()
    assert as_file("a.tsv", b'"a\t=x"\t1\n').data == b'"a\t\'=x"\t1\n'


def test_formulas_that_begin_with_a_text_or_a_line_break_are_found() -> None:
    assert as_file("a.csv", b'"=""a""&WEBSERVICE(0)",-,5\n').data == b'"\'=""a""&WEBSERVICE(0)",-,5\n'
    assert as_file("a.csv", b'"=\n1+1",-\n').data == b'"\'=\n1+1",-\n'
