"""Drawing specs offline. Nothing is fetched: a spec that names an address is refused before it gets here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from querist.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from querist.charts.chart import Spec

T = TypeVar("T")
VERSION = "6.1"
"""Of Vega-Lite, as the drawing library names it."""


def to_svg(spec: Spec) -> str:
    return _drawn(lambda vl: str(vl.vegalite_to_svg(spec, vl_version=VERSION, allowed_base_urls=[])))


def to_png(spec: Spec, scale: float) -> bytes:
    return _drawn(lambda vl: bytes(vl.vegalite_to_png(spec, vl_version=VERSION, scale=scale, allowed_base_urls=[])))


def to_pdf(spec: Spec) -> bytes:
    return _drawn(lambda vl: bytes(vl.vegalite_to_pdf(spec, vl_version=VERSION, allowed_base_urls=[])))


def to_html(spec: Spec) -> str:
    return _drawn(lambda vl: str(vl.vegalite_to_html(_without_tags(spec), vl_version=VERSION, bundle=True)))


def _drawn(draw: Callable[[Any], T]) -> T:
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("vl_convert", "charts", "draw a chart") from error
    try:
        return draw(vl_convert)
    except ValueError as error:
        raise UsageError(f"The chart cannot be drawn: {str(error).splitlines()[0]}") from error


def _without_tags(value: Any) -> Any:
    """The spec with no `<` in its texts, which would end the script that it stands in."""
    if isinstance(value, str):
        return value.replace("<", "‹")
    if isinstance(value, list):
        return [_without_tags(item) for item in value]
    if isinstance(value, dict):
        return {_without_tags(key): _without_tags(item) for key, item in value.items()}
    return value
