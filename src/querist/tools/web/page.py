"""What is in a page: its text, links, and what CSS selectors find. For a worker, as pages and selectors may be hostile.

Scripts are not run: what a page makes only in a browser is not there.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

MAX_TEXT = 200_000
MAX_LINKS = 1000
MAX_FOUND = 1000
"""Elements given for one selector."""

_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object"})
_INLINE = frozenset(
    "a abbr b bdi bdo cite code data dfn em font i img kbd label mark q s samp small span strong sub sup time tt u var "
    "wbr".split()
)


def read_page(html: str, url: str, selectors: dict[str, str]) -> dict[str, Any]:
    """The parts of a page.

    Args:
        selectors: by name; `css` for the text of each element that fits, `css@name` for one of its attributes.

    Returns:
        `title`, `description`, `language`, `text`, `links` (absolute, with their texts), `found` (by name).
    """
    root = parse_html(html)
    base = _absolute(url, next(iter(root.xpath("//base/@href")), "")) or url
    links: dict[str, str] = {}
    for anchor in root.iter("a"):
        target = _absolute(base, anchor.get("href") or "").partition("#")[0]
        if target and len(links) < MAX_LINKS:
            links.setdefault(target, " ".join("".join(anchor.itertext()).split())[:200])
    return {
        "title": " ".join("".join(next(root.iter("title"), root.makeelement("title")).itertext()).split()),
        "description": next(iter(root.xpath("//meta[@name='description']/@content")), ""),
        "language": root.get("lang") or "",
        "text": text_of(root)[:MAX_TEXT],
        "links": [{"url": target, "text": text} for target, text in links.items()],
        "found": {name: _select(root, selector) for name, selector in selectors.items()},
    }


def _absolute(base: str, link: str) -> str:
    """Where a link leads; empty where it is no address of the web, as `https://[your-host]/` is none."""
    try:
        target = urljoin(base, link.strip())
        return target if urlsplit(target).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def parse_html(html: str) -> Any:
    """The root element of a page; an empty one for an empty page."""
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    # As bytes: lxml refuses text with an encoding of its own declared in it.
    content = html.replace("\0", "").encode(errors="replace") or b"<html></html>"
    return lxml_html.document_fromstring(content, parser=parser, ensure_head_body=True)


def text_of(root: Any) -> str:
    """The text that a reader sees, a line for each block."""
    from lxml import etree

    parts: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        parts.append("" if element.tag in _INLINE else "\n")
        if event == "end" and element is not root:
            parts.append(_flat(element.tail))
        elif event == "start" and element.tag in _SILENT:
            walk.skip_subtree()
        elif event == "start":
            parts.append(_flat(element.text))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _flat(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")


def _select(root: Any, selector: str) -> list[str]:
    from cssselect import HTMLTranslator, SelectorError

    named = re.search(r"@([\w-]+)$", selector)
    css = selector[: named.start()] if named else selector
    try:
        path = HTMLTranslator().css_to_xpath(css.strip())
    except SelectorError as error:
        raise ValueError(f"{css!r} is not a CSS selector: {error}.") from error
    found = root.xpath(path)[:MAX_FOUND]
    if named:
        return [element.get(named[1]) for element in found if element.get(named[1]) is not None]
    return [text_of(element) for element in found]
