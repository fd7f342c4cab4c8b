"""Chart: what a table looks like. A Vega-Lite spec with its data, and the ways to draw it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from querist.errors import UsageError
from querist.state.whole_file import whole_file

Spec = dict[str, Any]
Kind = Literal["bar", "line", "scatter", "histogram", "pie", "heatmap", "box"]
FORMATS = ("svg", "png", "pdf", "html", "json", "txt")


@dataclass(frozen=True)
class Chart:
    """A checked spec.

    Attributes:
        spec: Vega-Lite, data included.
        notes: what people should know: what was drawn instead of what was asked for, what was left out.
    """

    spec: Spec
    kind: Kind
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        told = self.spec.get("title", "")
        return str(told.get("text", "")) if isinstance(told, dict) else str(told)

    def with_notes(self, *notes: str) -> Chart:
        """This chart, with notes before its own, which stand below its title."""
        told = [*notes, *self.notes]
        return replace(self, notes=tuple(told), spec={**self.spec, "title": {"text": self.title, "subtitle": told}})

    def svg(self) -> str:
        """As an SVG image. This and the others below need the extra `charts`, but no network."""
        from querist.charts.render import to_svg

        return to_svg(self.spec)

    def png(self, scale: float = 2.0) -> bytes:
        from querist.charts.render import to_png

        return to_png(self.spec, scale)

    def pdf(self) -> bytes:
        from querist.charts.render import to_pdf

        return to_pdf(self.spec)

    def html(self) -> str:
        """As a page that holds all it needs."""
        from querist.charts.render import to_html

        return to_html(self.spec)

    def text(self, width: int = 80) -> str:
        """As lines for a terminal."""
        from querist.charts.text import to_text

        return to_text(self, width)

    def save(self, path: str | Path) -> Path:
        """Write it in the format that the file's ending names. The file appears whole or not at all.

        Raises:
            UsageError: an ending that is no format.
            MissingExtraError: the extra `charts` is missing.
        """
        path = Path(path).expanduser()
        format = check_ending(path)
        content = self._content(format)
        with whole_file(path) as file:
            file.write(content)
        return path

    def _content(self, format: str) -> bytes:
        if format == "json":
            import json

            return (json.dumps(self.spec, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")
        if format in ("png", "pdf"):
            return self.png() if format == "png" else self.pdf()
        return {"svg": self.svg, "html": self.html, "txt": self.text}[format]().encode(errors="replace")


def check_ending(path: Path) -> str:
    """The format that a file's ending names; UsageError when it names none."""
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise UsageError(
            f"A chart cannot be saved as {path.name!r}.", hint=f"Use one of the endings {', '.join(FORMATS)}."
        )
    return format
