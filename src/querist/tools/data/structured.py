"""The work of the tools for JSON, YAML, XML and schemas, run in a worker: each of these can be written so that reading
it, or a rule applied to it, has no end. Imports little, as workers should."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from querist.tools.markup import parse_xml

MAX_ERRORS = 100
"""Mistakes told at most."""


def read_json(text: str) -> Any:
    """Parse strict JSON (RFC 8259)."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"The text is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from error
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"The text is not JSON: it has no {name}.")


def query_json(text: str, expression: str) -> Any:
    """What a JMESPath expression finds in JSON."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(expression, read_json(text))
    except JMESPathError as error:
        raise ValueError(f"{expression!r} cannot be used: {str(error).splitlines()[0]}") from error


def merge_json(text: str, patch: Any) -> Any:
    """JSON changed by a merge patch (RFC 7396): fields replace fields, null takes them out."""
    return _merged(read_json(text), patch)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def validate_json(text: str, schema: Any) -> dict[str, Any]:
    """The mistakes that `validate` finds in JSON."""
    return validate(read_json(text), schema)


def validate(data: Any, schema: Any) -> dict[str, Any]:
    """Check data by a JSON Schema. Other schemas that it refers to by address are never fetched.

    Returns:
        `valid`, and `errors` with `path` (a JSON pointer) and `message`.
    """
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
        validator = kind(schema, registry=Registry(), format_checker=kind.FORMAT_CHECKER)
        errors = []
        for error in validator.iter_errors(data):
            path = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.absolute_path)
            errors.append({"path": path, "message": error.message[:500]})
            if len(errors) == MAX_ERRORS:
                break
    except SchemaError as error:
        raise ValueError(f"The schema is not a JSON Schema: {error.message}.") from error
    except Unresolvable as error:
        raise ValueError(f"The schema refers to another, which is not there: {error}.") from error
    except re.error as error:
        raise ValueError(f"A pattern of the schema is none: {error}.") from error
    except RecursionError as error:
        raise ValueError("The schema or the data are nested too deeply, or the schema refers to itself.") from error
    return {"valid": not errors, "errors": errors}


def read_yaml(text: str) -> Any:
    """Parse YAML 1.2, plain data only: a list where there are several documents, None where there is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        documents = [_plain(document) for document in YAML(typ="safe", pure=True).load_all(text)]
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"The text is not YAML: {error.problem or error.context}{place}.") from error
    except YAMLError as error:
        raise ValueError(f"The text is not YAML: {error}.") from error
    except RecursionError as error:
        raise ValueError("The YAML is nested too deeply, or holds itself.") from error
    return documents if len(documents) > 1 else next(iter(documents), None)


def validate_yaml(text: str, schema: Any) -> dict[str, Any]:
    """The mistakes that `validate` finds in YAML."""
    return validate(read_yaml(text), schema)


def _plain(value: Any) -> Any:
    """YAML's values as JSON has them."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | set | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def write_yaml(data: Any) -> str:
    """Data as YAML, with the keys in their order."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 100
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue().removesuffix("...\n")


def read_xml(text: str) -> Any:
    """XML as data: `{"tag", "attributes", "text", "children"}` for each element, without those that are empty."""
    return _element(_root(text))


def find_xml(text: str, expression: str, namespaces: dict[str, str], limit: int) -> Any:
    """What an XPath 1.0 expression finds: elements as XML, attributes and texts as text; or one number, text or truth.

    Returns:
        `results`, and how many there are.
    """
    from lxml import etree

    try:
        found = etree.XPath(expression, namespaces=namespaces or None, regexp=False)(_root(text))
    except (etree.XPathError, etree.XPathSyntaxError) as error:
        raise ValueError(f"{expression!r} cannot be used: {error}.") from error
    if not isinstance(found, list):
        return {"results": [found], "count": 1}
    shown = [
        etree.tostring(x, encoding="unicode", with_tail=False) if etree.iselement(x) else str(x) for x in found[:limit]
    ]
    return {"results": shown, "count": len(found)}


def transform_xml(text: str, stylesheet: str, parameters: dict[str, str]) -> str:
    """XML through an XSLT 1.0 stylesheet that can reach no file and no network."""
    from lxml import etree

    sheet = _root(stylesheet)
    _alone(sheet, "the stylesheet")
    try:
        transform = etree.XSLT(sheet, access_control=etree.XSLTAccessControl.DENY_ALL, regexp=False)
        values = {name: etree.XSLT.strparam(value) for name, value in parameters.items()}
        return str(transform(_root(text), **values))
    except etree.XSLTError as error:
        raise ValueError(f"The stylesheet cannot be used: {error}.") from error


def validate_xml(text: str, schema: str) -> dict[str, Any]:
    """The mistakes that an XML Schema finds."""
    from lxml import etree

    root = _root(schema)
    _alone(root, "the schema")
    try:
        checker = etree.XMLSchema(root)
    except etree.XMLSchemaParseError as error:
        raise ValueError(f"The schema cannot be used: {error}.") from error
    valid = checker.validate(_root(text))
    errors = [{"path": e.path or f"line {e.line}", "message": e.message} for e in list(checker.error_log)[:MAX_ERRORS]]
    return {"valid": valid, "errors": errors}


def _root(text: str) -> Any:
    """The root of a document that may still say in its first line that it is in another encoding."""
    return parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode())


def _alone(root: Any, what: str) -> None:
    """Refuse what brings in other files."""
    for element in root.iter("{*}import", "{*}include", "{*}redefine", "{*}override"):
        if element.get("href") or element.get("schemaLocation"):
            raise ValueError(f"{what.capitalize()} brings in another file, which is refused: put all into one.")


def _element(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"tag": element.tag}
    if element.attrib:
        found["attributes"] = dict(element.attrib)
    children = [_element(child) for child in _elements(element)]
    text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    if text:
        found["text"] = text
    if children:
        found["children"] = children
    return found


def _elements(element: Any) -> Iterator[Any]:
    return (child for child in element if isinstance(child.tag, str))  # no comments, no instructions
