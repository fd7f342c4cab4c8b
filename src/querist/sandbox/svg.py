"""Pictures in SVG from hostile code, written anew from what is known to do nothing: shapes, text, embedded pixels."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

from querist.sandbox.pixels import check_pixels

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_KNOWN = frozenset(
    "svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan textPath clipPath mask "
    "pattern marker linearGradient radialGradient stop image style".split()
)
_LINK = re.compile(r"\s*(?:#|data:image/(?:png|jpeg);base64,(?P<picture>.*))", re.S)
_LOADS = re.compile(r"url\s*\((?!\s*[\"']?#)|@import|@font-face|\\|image-set|javascript:", re.I)


def harmless_svg(text: str) -> bytes:
    """The picture, without comments, metadata and document type.

    Raises:
        ValueError: it is no SVG, or holds something else: scripts, links, animations, entities, anything to load.
    """
    if re.search(r"<!\s*entity", text, re.I):
        raise ValueError("the picture defines entities")
    try:
        root = ElementTree.fromstring(text)
        if root.tag != f"{_SVG}svg":
            raise ValueError("it is called SVG and is none")
        for metadata in root.findall(f"{_SVG}metadata"):
            root.remove(metadata)
        for element in root.iter():
            _check(element)
        _check_copies(root)
        root.set("xmlns", _SVG[1:-1])
        root.set("xmlns:xlink", _XLINK[1:-1])
        made: bytes = ElementTree.tostring(root, encoding="utf-8")
    except (ElementTree.ParseError, RecursionError) as error:
        raise ValueError(f"it is called SVG and is none: {error}") from error
    return made


def _check(element: ElementTree.Element) -> None:
    """Refuse what is not known, and give it the plain name under which browsers and programs find it."""
    name = element.tag.removeprefix(_SVG)
    if name not in _KNOWN:
        raise ValueError(f"the picture holds {name.rpartition('}')[2][:40]!r}, which may act or load something")
    element.tag = name
    for key, value in list(element.items()):
        if key.removeprefix(_XLINK) == "href":
            if (link := _LINK.match(value)) is None:
                raise ValueError("the picture loads something from elsewhere")
            if (picture := link["picture"]) is not None:
                check_pixels(base64.b64decode(picture))
        elif key.lower().startswith("on") or _LOADS.search(value) or (key.startswith("{") and key != _SPACE):
            raise ValueError(f"the picture has the attribute {key.rpartition('}')[2][:40]!r}, which may act or load")
        del element.attrib[key]
        element.set(key.replace(_XLINK, "xlink:").replace(_SPACE, "xml:space"), value)
    if name == "style" and (len(element) or _LOADS.search(element.text or "")):  # text behind a child counts as well
        raise ValueError("the picture loads something from elsewhere")


def _check_copies(root: ElementTree.Element) -> None:
    """Refuse copies of what itself holds copies: ten levels of ten are more than a browser can draw."""
    copying = {f"#{element.get('id')}" for element in root.iter() if element.find(".//use") is not None}
    copying |= {f"#{element.get('id')}" for element in root.iter("use")}
    if any(link.strip() in copying for use in root.iter("use") for key, link in use.items() if key.endswith("href")):
        raise ValueError("the picture copies what holds copies")
