"""What all parts of the settings share: they are frozen, know their keys, and show no secret."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


Whole = Annotated[int, BeforeValidator(_no_switch)]
Seconds = Annotated[float, BeforeValidator(_no_switch), Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """Base of all parts of the settings: cannot be changed after loading, knows every key that it accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, redacted(value)


_USER_INFO = re.compile(r"(://[^:/?#\s]*:)\S*(?=@)")
_SECRET_PARAMETER = re.compile(r"([?&](?:\w*(?:password|passwd|pwd|token|secret|api_?key)\w*)=)[^&\s]*", re.IGNORECASE)


def redact(text: str) -> str:
    """`text` with the passwords of the URLs in it replaced by asterisks."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub(r"\1***", text))


def redacted(value: Any) -> Any:
    """`value` with every string in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, (list, tuple)):
        return type(value)(redacted(v) for v in value)
    if isinstance(value, dict):
        return {k: redacted(v) for k, v in value.items()}
    return value
