from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ComponentFailedError, ComponentInputError, ComponentTimeoutError, PermissionDeniedError
from querist.tools import worker
from querist.tools.utilities.text_operations import PLAIN

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]


@pytest.mark.parametrize(
    ("input", "result"),
    [
        ({"expression": "sqrt(25) + log(100) * sin(π/4)", "precision": 6}, 8.256347),
        ({"expression": "sqrt(25) + log10(100) * sin(π/4)", "precision": 6}, 6.414214),
        ({"expression": "0.1 + 0.2"}, 0.3),
        ({"expression": "2 + 3 * 4^2"}, 50),
        ({"expression": "2^64"}, 2**64),
        ({"expression": "3 × a ÷ 2", "variables": {"a": 4}}, 6.0),
        ({"expression": "e"}, 2.71828182845905),
    ],
)
async def test_the_calculator_calculates(use: Use, input: dict[str, Any], result: float) -> None:
    found = (await use("calculator", **input)).result
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize("text", ["'a' + 'b'", "1 / 0", "[1]", "1e308 * 10", "2 +"])
async def test_what_is_no_number_is_told(use: Use, text: str) -> None:
    with pytest.raises(ComponentInputError):
        await use("calculator", expression=text)


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        (["trim", "toLowerCase"], "héllo  wörld 12 345"),
        (["slugify"], "hello-world-12-345"),
        ([{"replace": {"pattern": r"\s+", "replacement": "_"}}], "_Héllo_Wörld_12_345_"),
        ([{"replace": {"pattern": "(w)ör", "replacement": r"\1or", "flags": "i"}}, "trim"], "Héllo  World 12 345"),
        (
            [{"replace": {"pattern": " ", "replacement": r"\1", "literal": True}}, "trim"],
            r"\1Héllo\1\1Wörld\112\1345\1",
        ),
        ([{"extract": {"pattern": r"(\d)\d+"}}], "1\n3"),
    ],
)
@pytest.mark.usefixtures("in_process")
async def test_a_text_is_changed_step_by_step(use: Use, operations: list[Any], text: str) -> None:
    assert (await use("text_manipulator", text=" Héllo  Wörld 12 345 ", operations=operations)).text == text


async def test_every_plain_operation_is_offered() -> None:
    from querist.tools.utilities.text import Plain

    assert set(Plain.__args__) == set(PLAIN)  # type: ignore[attr-defined]


async def test_a_pattern_that_never_ends_is_stopped(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.5)
    with pytest.raises(ComponentTimeoutError):
        await use("text_manipulator", text="a" * 60 + "!", operations=[{"extract": {"pattern": "(a|a)+$"}}])


@pytest.mark.usefixtures("in_process")
async def test_a_pattern_that_is_none_is_told(use: Use) -> None:
    with pytest.raises(ComponentInputError, match=r"'\(' is not a pattern"):
        await use("text_manipulator", text="a", operations=[{"extract": {"pattern": "("}}])


@pytest.mark.parametrize(
    ("input", "result"),
    [
        ({"date": "2024-03-31T00:30:00Z", "timezone": "Europe/Berlin"}, "2024-03-31 01:30:00"),
        ({"date": 0, "format": "dddd, D. MMMM YYYY", "locale": "de"}, "Donnerstag, 1. Januar 1970"),
        ({"date": 0, "format": "ddd MMM DD [at] hh:mm A"}, "Thu Jan 01 at 12:00 AM"),
        ({"date": "31.01.2024", "input_format": "DD.MM.YYYY", "format": "YYYY-MM-DD"}, "2024-01-31"),
        ({"date": "Mon, 02 Jan 2006 15:04:05 -0700"}, "2006-01-02 22:04:05"),
        ({"operation": "add", "date": "2024-01-31", "amount": 1, "unit": "months"}, "2024-02-29 00:00:00"),
        # Clocks go from 2 to 3 in this night: a day later it is the same time of day, 24 hours later it is not.
        (
            {"operation": "add", "date": "2024-03-30T12:00", "amount": 1, "timezone": "Europe/Berlin"},
            "2024-03-31 12:00:00",
        ),
        (
            {
                "operation": "add",
                "date": "2024-03-30T12:00",
                "amount": 24,
                "unit": "hours",
                "timezone": "Europe/Berlin",
            },
            "2024-03-31 13:00:00",
        ),
        ({"date": "1800-01-01", "timezone": "Europe/Berlin", "format": "Z"}, "+00:53"),
        ({"date": "2024-01-01 12:00", "from_timezone": "Asia/Tokyo"}, "2024-01-01 03:00:00"),
    ],
)
async def test_dates_are_read_moved_and_written(use: Use, input: dict[str, Any], result: str) -> None:
    assert (await use("date_time_handler", **input)).formatted == result


async def test_the_difference_of_dates_is_told_in_seconds_and_days(use: Use) -> None:
    found = await use("date_time_handler", operation="difference", date="2024-02-28T23:00", end="2024-03-01T01:00")
    assert (found.seconds, found.days) == (26 * 3600, 2)


async def test_an_hour_that_clocks_skip_is_not_counted(use: Use) -> None:
    noons = {"date": "2024-03-30T12:00", "end": "2024-03-31T12:00", "timezone": "Europe/Berlin"}
    found = await use("date_time_handler", operation="difference", **noons)
    assert (found.seconds, found.days) == (23 * 3600, 1)


@pytest.mark.parametrize(
    "input",
    [
        {"date": "yesterday"},
        {"date": "2024-01-01", "timezone": "Mars"},
        {"date": "2024-01-01", "timezone": "../../etc/passwd"},
        {"date": 1e20},
        {"date": "2024 2024", "input_format": "YYYY YYYY"},
        {"date": "9999-12-31", "operation": "add", "amount": 10**9},
        {"operation": "difference", "date": "2024-01-01"},
        {"date": "2024-01-01", "format": "MMMM", "locale": "xx"},
    ],
)
async def test_dates_that_are_none_are_told(use: Use, input: dict[str, Any]) -> None:
    with pytest.raises(ComponentInputError):
        await use("date_time_handler", **input)


async def test_uuids_have_the_version_and_the_form_asked_for(use: Use) -> None:
    in_order = (await use("uuid_generator", version=7, count=3)).uuids
    assert {uuid.UUID(text).version for text in in_order} == {7}
    assert {uuid.UUID(text).variant for text in in_order} == {uuid.RFC_4122}
    named = await use("uuid_generator", version=5, namespace="dns", name="example.org", format="urn")
    assert named.uuids == ["urn:uuid:aad03681-8b63-5304-89e0-8ca8f49461b5"]
    with pytest.raises(ComponentInputError, match="version 5"):
        await use("uuid_generator", version=5)


async def test_texts_and_files_are_hashed_alike(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a").write_text("abc")
    text = await use("hash_calculator", text="abc", algorithm="blake2b")
    file = await use("hash_calculator", path=str(tmp_path / "a"), algorithm="blake2b")
    assert text == file
    assert text.hex == hashlib.blake2b(b"abc").hexdigest()
    with pytest.raises(PermissionDeniedError):
        await use("hash_calculator", path="/etc/passwd")


@pytest.mark.parametrize(
    ("variant", "text", "encoded"),
    [("base64", "ä?>", "w6Q/Pg=="), ("base64url", "ä?>", "w6Q_Pg=="), ("url", "a b/ä", "a%20b%2F%C3%A4")],
)
async def test_what_is_encoded_is_decoded_again(use: Use, variant: str, text: str, encoded: str) -> None:
    assert (await use("base64_encoder", text=text, variant=variant)).result == encoded
    back = await use("base64_encoder", text=encoded.rstrip("="), variant=variant, operation="decode")
    assert back.result == text


async def test_bytes_come_in_hex_and_what_is_not_base64_is_told(use: Use) -> None:
    found = await use("base64_encoder", text="/w==", operation="decode")
    assert (found.result, found.is_hex) == ("ff", True)
    latin = await use("base64_encoder", text="caf%E9", operation="decode", variant="url")
    assert (latin.result, latin.is_hex) == ("636166e9", True)
    with pytest.raises(ComponentInputError, match="not base64"):
        await use("base64_encoder", text="a?", operation="decode")


async def test_a_template_is_filled_in(use: Use) -> None:
    template = "{% for x in xs %}{{ x.name | upper }};{% endfor %}{{ html }}"
    found = await use("template_processor", template=template, variables={"xs": [{"name": "a"}], "html": "<b>"})
    assert found.text == "A;<b>"
    escaped = await use(
        "template_processor",
        template="{{ html }}{{ no }}",
        variables={"html": "<b>"},
        options={"strict": False, "escapeHtml": True},
    )
    assert escaped.text == "&lt;b&gt;"


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    "template",
    [
        "{{ missing }}",
        "{% if %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ 'a' * 10**7 }}",
        "{% include '/etc/passwd' %}",
    ],
)
async def test_a_template_cannot_reach_out_or_grow_large(use: Use, template: str) -> None:
    with pytest.raises(ComponentInputError):
        await use("template_processor", template=template)


async def test_a_template_that_would_fill_the_memory_fails(use: Use) -> None:
    with pytest.raises(ComponentFailedError, match="too large"):
        await use("template_processor", template="{{ 'a' * 10**10 }}")


async def test_a_template_that_never_ends_is_stopped(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.5)
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(ComponentTimeoutError):
        await use("template_processor", template=loops)


@pytest.mark.usefixtures("in_process")
async def test_texts_are_compared_by_line(use: Use) -> None:
    found = await use("diff_calculator", old="a\nb\nc\n", new="a\nB\nc\n", context_lines=0)
    assert found.diff == "--- old\n+++ new\n@@ -2 +2 @@\n-b\n+B\n"
    assert (found.equal, found.added, found.removed) == (False, 1, 1)


@pytest.mark.usefixtures("in_process")
async def test_structures_are_compared_by_field(use: Use) -> None:
    found = await use("diff_calculator", mode="structural", old={"a/b": [1, 2], "c": 1}, new={"a/b": [1, True], "d": 2})
    assert [(c.path, c.change, c.old, c.new) for c in found.changes] == [
        ("/a~1b/1", "changed", 2, True),
        ("/c", "removed", 1, None),
        ("/d", "added", None, 2),
    ]


@pytest.mark.usefixtures("in_process")
async def test_a_line_end_that_is_missing_is_a_difference(use: Use) -> None:
    found = await use("diff_calculator", old="a\n", new="a")
    assert (found.equal, found.added, found.removed) == (False, 1, 1)
    assert found.diff.endswith("-a\n+a\n\\ No newline at end\n")


@pytest.mark.usefixtures("in_process")
async def test_flags_are_those_that_there_are(use: Use) -> None:
    found = await use("text_manipulator", text="a1B2", operations=[{"extract": {"pattern": "[a-z]", "flags": "gi"}}])
    assert found.extracted == ["a", "B"]
    with pytest.raises(ComponentInputError, match="flags"):
        await use("text_manipulator", text="a", operations=[{"extract": {"pattern": "a", "flags": "x"}}])


async def test_half_a_character_is_not_given_out(use: Use) -> None:
    with pytest.raises(ComponentInputError, match="surrogates not allowed"):
        await use("template_processor", template=r"{{ '\ud800' }}")
