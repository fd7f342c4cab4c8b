"""Drawing specs offline. Nothing is fetched: a spec that names an address is refused before it gets here."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from querist.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from querist.charts.chart import Spec

T = TypeVar("T")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 300
"""Characters of a text; a label shows fewer."""
VERSION = "6.1"
"""Of Vega-Lite, as the drawing library names it."""


def to_svg(spec: Spec) -> str:
    drawn = _with_texts(spec, _printable)
    return _drawn(lambda vl: str(vl.vegalite_to_svg(drawn, vl_version=VERSION, allowed_base_urls=[])))


def to_png(spec: Spec, scale: float) -> bytes:
    drawn = _with_texts(spec, _printable)
    return _drawn(lambda vl: bytes(vl.vegalite_to_png(drawn, vl_version=VERSION, scale=scale, allowed_base_urls=[])))


def to_pdf(spec: Spec) -> bytes:
    drawn = _with_texts(spec, _printable)
    return _drawn(lambda vl: bytes(vl.vegalite_to_pdf(drawn, vl_version=VERSION, allowed_base_urls=[])))


def to_html(spec: Spec) -> str:
    drawn = _with_texts(spec, lambda text: _printable(text).replace("<", "‹"))  # it would end the script it stands in
    return _drawn(lambda vl: str(vl.vegalite_to_html(drawn, vl_version=VERSION, bundle=True)))


def _drawn(draw: Callable[[Any], T]) -> T:
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("vl_convert", "charts", "draw a chart") from error
    try:
        return draw(vl_convert)
    except ValueError as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"The chart cannot be drawn: {why}") from error


def _printable(text: str) -> str:
    """The text without characters that no XML may hold, over which the drawing library ends the whole process.

    A backslash becomes a sign that looks like it: Vega-Lite writes names into expressions and does not escape it. What
    no label could show ends in a checksum, so that different texts stay different; measuring it would take long.
    """
    text = _UNPRINTABLE.sub("�", text).replace("\\", "⧵")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…{zlib.crc32(text.encode()):08x}"


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The spec with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_with_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): _with_texts(item, change) for key, item in value.items()}
    return value
