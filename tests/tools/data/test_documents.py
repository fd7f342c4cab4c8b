from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ComponentFailedError, ComponentInputError, ComponentTimeoutError, PermissionDeniedError
from querist.tools import worker

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]

PEOPLE = '{"people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}]}'
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["name"]}
SHOP = '<shop xmlns:x="urn:x"><!-- c --><tea price="3">Assam</tea><x:tea price="4">Sencha</x:tea></shop>'


async def test_json_is_read_from_a_text_or_a_file(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.json").write_text("[1, 2]")
    assert (await use("json_processor", file_path=str(tmp_path / "a.json"))).data == [1, 2]
    assert (await use("json_processor", text='{"a": null}')).data == {"a": None}
    with pytest.raises(PermissionDeniedError):
        await use("json_processor", file_path="/etc/passwd")
    with pytest.raises(ComponentInputError, match="either"):
        await use("json_processor")


async def test_parts_of_json_are_taken_with_jmespath(use: Use) -> None:
    found = await use("json_processor", operation="transform", text=PEOPLE, expression="people[?age > `20`].name")
    assert found.data == ["Ada"]


async def test_json_is_changed_by_a_merge_patch(use: Use) -> None:
    found = await use("json_processor", operation="merge", text='{"a": {"b": 1, "c": 2}}', patch={"a": {"b": None}})
    assert found.data == {"a": {"c": 2}}


@pytest.mark.usefixtures("in_process")
async def test_json_and_yaml_are_validated_by_a_schema(use: Use) -> None:
    wrong = await use("json_processor", operation="validate", text='{"age": -1}', schema=SCHEMA)
    assert not wrong.valid
    assert [(e.path, e.message) for e in wrong.errors] == [
        ("/age", "-1 is less than the minimum of 0"),
        ("", "'name' is a required property"),
    ]
    assert (await use("yaml_processor", operation="validate", text="name: Ada\nage: 3", schema=SCHEMA)).valid


@pytest.mark.parametrize(
    ("name", "input", "told"),
    [
        ("json_processor", {"text": '{"a": }'}, "line 1, column 7"),
        ("json_processor", {"text": "[NaN]"}, "no NaN"),
        ("json_processor", {"text": "[" * 100_000}, "nested too deeply"),
        ("json_processor", {"text": "{}", "operation": "transform", "expression": "a["}, "cannot be used"),
        ("json_processor", {"text": "{}", "operation": "validate", "schema": {"type": "thing"}}, "not a JSON Schema"),
        ("yaml_processor", {"text": "a: [1"}, "line 1"),
        ("yaml_processor", {"text": "!!python/object/apply:os.system [id]"}, "not YAML"),
        ("yaml_processor", {"text": "&a [*a]"}, "holds itself"),
        ("xml_processor", {"text": "<a>"}, "not XML"),
        ("xml_processor", {"text": "<a/>", "operation": "xpath", "expression": "//["}, "cannot be used"),
        ("xml_processor", {"text": "<a/>", "operation": "xpath"}, "needs `expression`"),
    ],
)
@pytest.mark.usefixtures("in_process")
async def test_what_is_not_right_is_told_with_its_place(use: Use, name: str, input: dict[str, Any], told: str) -> None:
    with pytest.raises(ComponentInputError, match=told):
        await use(name, **input)


@pytest.mark.usefixtures("in_process")
async def test_a_schema_fetches_nothing(use: Use) -> None:
    for reference in ("http://127.0.0.1:9/schema.json", "file:///etc/passwd"):
        with pytest.raises(ComponentInputError, match="not there"):
            await use("data_validator", data=1, schema={"$ref": reference})


async def test_a_schema_that_never_ends_is_stopped(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.7)
    with pytest.raises(ComponentTimeoutError):
        await use("data_validator", data="a" * 60 + "!", schema={"pattern": "^(a+)+$"})
    laughs = {f"l{i}": {"anyOf": [{"$ref": f"#/$defs/l{i + 1}"}] * 9} for i in range(20)}
    with pytest.raises(ComponentTimeoutError):
        await use("data_validator", data=1, schema={"$ref": "#/$defs/l0", "$defs": {**laughs, "l20": {"type": "null"}}})


async def test_rows_are_validated_by_rules(use: Use) -> None:
    rows = [{"low": 1, "high": 2}, {"low": 3, "high": 2}, {"low": 3}]
    found = await use("data_validator", data=rows, rules=[{"name": "in order", "condition": "low <= high"}])
    assert [e.path for e in found.errors] == ["/1", "/2"]
    assert found.errors[0].message == "in order"
    assert "no value 'high'" in found.errors[1].message


@pytest.mark.usefixtures("in_process")
async def test_yaml_is_plain_data_both_ways(use: Use) -> None:
    read = await use("yaml_processor", text="a: 2024-01-02\n1: [x, 0o17, yes]\n")
    assert read.data == {"a": "2024-01-02", "1": ["x", 15, "yes"]}
    assert (await use("yaml_processor", text="a: 1\n---\nb: 2")).data == [{"a": 1}, {"b": 2}]
    written = await use("yaml_processor", operation="generate", data={"b": [1, {"c": "x: y"}], "a": None})
    assert (await use("yaml_processor", text=written.data)).data == {"b": [1, {"c": "x: y"}], "a": None}


async def test_yaml_that_grows_without_end_is_stopped(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.7)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises((ComponentTimeoutError, ComponentFailedError)):
        await use("yaml_processor", text="\n".join(lines))


@pytest.mark.usefixtures("in_process")
async def test_xml_is_read_as_data_and_by_xpath(use: Use) -> None:
    read = await use("xml_processor", text=SHOP)
    assert read.data["children"][0] == {"tag": "tea", "attributes": {"price": "3"}, "text": "Assam"}
    assert read.data["children"][1]["tag"] == "{urn:x}tea"
    find = {"text": SHOP, "operation": "xpath"}
    assert (await use("xml_processor", **find, expression="//tea/@price")).data == {"results": ["3"], "count": 1}
    assert (await use("xml_processor", **find, expression="sum(//@price)")).data["results"] == [7.0]
    spaced = await use("xml_processor", **find, expression="//y:tea/text()", namespaces={"y": "urn:x"})
    assert spaced.data["results"] == ["Sencha"]


XSLT = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{}</xsl:stylesheet>'


async def test_xml_is_transformed(use: Use) -> None:
    sheet = XSLT.format(
        '<xsl:output method="text"/><xsl:param name="p"/>'
        '<xsl:template match="/"><xsl:value-of select="concat($p, //tea)"/></xsl:template>'
    )
    made = await use("xml_processor", operation="xslt", text=SHOP, stylesheet=sheet, parameters={"p": "it's "})
    assert made.data == "it's Assam"


@pytest.mark.usefixtures("in_process")
async def test_xml_is_validated_by_a_schema(use: Use) -> None:
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n" type="xs:integer"/></xs:schema>'
    )
    assert (await use("xml_processor", operation="validate", text="<n>1</n>", schema=schema)).valid
    wrong = await use("xml_processor", operation="validate", text="<n>x</n>", schema=schema)
    assert "not a valid value" in wrong.errors[0].message


@pytest.mark.parametrize(
    "input",
    [
        {"text": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'},
        {"text": '<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "&e;&e;&e;">]><a>&f;</a>'},
        {"text": '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><a/>'},
        {"text": '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'},
        {
            "text": "<a/>",
            "operation": "xslt",
            "stylesheet": XSLT.format(
                '<xsl:template match="/"><xsl:copy-of select="document(\'file:///etc/passwd\')"/></xsl:template>'
            ),
        },
        {"text": "<a/>", "operation": "xslt", "stylesheet": XSLT.format('<xsl:import href="/etc/passwd"/>')},
        {
            "text": "<a/>",
            "operation": "validate",
            "schema": '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            '<xs:include schemaLocation="/etc/passwd"/></xs:schema>',
        },
    ],
)
@pytest.mark.usefixtures("in_process")
async def test_xml_that_reaches_out_or_grows_is_refused(use: Use, input: dict[str, Any]) -> None:
    with pytest.raises(ComponentInputError):
        await use("xml_processor", **input)


@pytest.mark.usefixtures("in_process")
async def test_what_cannot_be_told_again_is_refused_and_not_changed(use: Use) -> None:
    deep = "<a>" * 240 + "</a>" * 240
    for tool, text in {"json_processor": '"\\ud800"', "xml_processor": deep}.items():
        with pytest.raises(ComponentInputError, match="cannot be told"):
            await use(tool, text=text)
    with pytest.raises(ComponentInputError, match="no 1e999"):
        await use("json_processor", text="[1e999]")
    assert (await use("json_processor", text="\ufeff[1.5]")).data == [1.5]
    assert (await use("yaml_processor", text="")).data is None


@pytest.mark.usefixtures("in_process")
async def test_xml_is_read_in_the_encoding_that_it_names(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.xml").write_bytes('<?xml version="1.0" encoding="windows-1251"?><a>Привет</a>'.encode("cp1251"))
    assert (await use("xml_processor", file_path=str(tmp_path / "a.xml"))).data["text"] == "Привет"


async def test_of_very_many_mistakes_the_first_hundred_are_told(use: Use) -> None:
    rules = [{"name": "small", "condition": "n < 0"}]
    found = await use("data_validator", data=[{"n": 1}] * 5_000, rules=rules)
    assert (found.valid, len(found.errors), found.errors[-1].path) == (False, 100, "/99")
