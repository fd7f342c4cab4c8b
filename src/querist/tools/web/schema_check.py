"""Holds a reply against a JSON Schema. For a worker, as patterns in a schema can be costly; it imports little."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any


def schema_faults(text: str, schema: dict[str, Any]) -> list[str]:
    """Where a JSON text does not fit a schema."""
    import jsonschema
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        data = json.loads(text)
    except ValueError as error:
        return [f"the body is not JSON: {error}"]
    try:
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        # With a registry of its own that holds nothing, no reference in a schema is ever fetched from somewhere.
        found = validator(schema, registry=Registry()).iter_errors(data)
        return [f"{error.json_path}: {error.message[:200]}" for error in islice(found, 20)]
    except Unresolvable as error:
        raise ValueError(f"The schema points to what it does not hold: {error}.") from error
    except jsonschema.SchemaError as error:
        raise ValueError(f"The schema is none: {error.message}.") from error
