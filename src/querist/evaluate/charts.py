"""Draws the report's charts as SVG. Colours are classes of the page's style sheet, so they follow light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from querist.evaluate.statistics import CoveragePoint, Share, percentile

WIDTH = 460
_LABEL, _FIGURES, _ROW = 130, 104, 26


def share_bars(title: str, shares: Mapping[str, Share]) -> str:
    """A bar for each share, with its 95% interval as a thin line."""
    room = WIDTH - _LABEL - _FIGURES
    parts = []
    for number, (name, share) in enumerate(shares.items()):
        y = number * _ROW
        rate = share.rate or 0.0
        low, high = share.interval
        told = f"{name}: {share.part} of {share.total} right, 95% interval {100 * low:.0f} to {100 * high:.0f}%"
        parts.append(
            f"<g><title>{_text(told)}</title>"
            f'<text x="{_LABEL - 10}" y="{y + 17}" text-anchor="end">{_text(_cut(name, 19))}</text>'
            f'<rect class="track" x="{_LABEL}" y="{y + 4}" width="{room}" height="{_ROW - 8}" rx="3"/>'
            f'<rect class="bar" x="{_LABEL}" y="{y + 4}" width="{rate * room:.1f}" height="{_ROW - 8}" rx="3"/>'
            f'<line class="whisker" x1="{_LABEL + low * room:.1f}" x2="{_LABEL + high * room:.1f}" '
            f'y1="{y + _ROW / 2}" y2="{y + _ROW / 2}"/>'
            f'<text class="figure" x="{WIDTH}" y="{y + 17}" text-anchor="end">'
            f"{share.part}/{share.total}  {100 * rate:.0f}%</text></g>"
        )
    return _figure(title, max(1, len(shares)) * _ROW, parts)


def coverage_chart(title: str, points: Sequence[CoveragePoint], overall: float) -> str:
    """Accuracy (upwards) of the surest share of the questions (to the right); a dashed line at `overall`."""
    height, left, right, top, bottom = 220, 44, 22, 10, 36
    floor = math.floor(min([overall, *(p.accuracy for p in points)], default=0.0) * 9.999) / 10
    floor = min(floor, 0.9)

    def x(coverage: float) -> float:
        return left + coverage * (WIDTH - left - right)

    def y(accuracy: float) -> float:
        return top + (1 - accuracy) / (1 - floor) * (height - top - bottom)

    steps = round((1 - floor) * 10)
    every = 1 if steps <= 5 else 2
    parts = []
    for step in range(0, steps + 1, every):
        rate = 1 - step / 10
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH - right}" y1="{y(rate):.1f}" y2="{y(rate):.1f}"/>')
        parts.append(f'<text x="{left - 6}" y="{y(rate) + 4:.1f}" text-anchor="end">{100 * rate:.0f}%</text>')
    for tick in range(0, 101, 25):
        parts.append(f'<text x="{x(tick / 100):.1f}" y="{height - 18}" text-anchor="middle">{tick}%</text>')
    parts.append(
        f'<text class="axis" x="{x(0.5):.1f}" y="{height - 2}" text-anchor="middle">of all questions answered</text>'
    )
    parts.append(
        f'<line class="overall" x1="{left}" x2="{WIDTH - right}" y1="{y(overall):.1f}" y2="{y(overall):.1f}"/>'
        f'<text class="axis" x="{left + 4}" y="{y(overall) - 4:.1f}">all questions: {100 * overall:.1f}%</text>'
    )
    if points:
        line = " ".join(f"{x(p.coverage):.1f},{y(p.accuracy):.1f}" for p in points)
        start = f"{x(0):.1f},{y(points[0].accuracy):.1f} "
        parts.append(f'<polyline class="curve" points="{start}{line}"/>')
        for p in points:
            told = f"the surest {100 * p.coverage:.0f}%: {100 * p.accuracy:.1f}% right"
            parts.append(
                f'<circle class="dot" cx="{x(p.coverage):.1f}" cy="{y(p.accuracy):.1f}" r="3.5">'
                f"<title>{told}</title></circle>"
            )
    return _figure(title, height, parts)


def histogram(title: str, seconds: Sequence[float], bins: int = 24) -> str:
    """How many questions took how long, with the median and the 90th percentile. The last bar holds the rest."""
    height, left, right, top, bottom = 220, 34, 22, 24, 36
    end = _round_up(percentile(seconds, 0.98) or 1.0)
    counts = [0] * bins
    for value in seconds:
        counts[min(bins - 1, int(value / end * bins))] += 1
    most = max([1, *counts])
    room, tall = WIDTH - left - right, height - top - bottom
    parts = [
        f'<line class="grid" x1="{left}" x2="{WIDTH - right}" y1="{height - bottom}" y2="{height - bottom}"/>',
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end">{most}</text>',
        f'<text x="{left - 6}" y="{height - bottom + 4}" text-anchor="end">0</text>',
    ]
    for number, count in enumerate(counts):
        size = count / most * tall
        low, high = end * number / bins, end * (number + 1) / bins
        told = f"{count} took {low:.2f} s or more" if number == bins - 1 else f"{count} took {low:.2f} to {high:.2f} s"
        parts.append(
            f'<rect class="bar" x="{left + number * room / bins + 1:.1f}" y="{height - bottom - size:.1f}" '
            f'width="{room / bins - 2:.1f}" height="{size:.1f}"><title>{told}</title></rect>'
        )
    for tick in range(5):
        parts.append(
            f'<text x="{left + room * tick / 4:.1f}" y="{height - 18}" text-anchor="middle">{end * tick / 4:g}</text>'
        )
    parts.append(
        f'<text class="axis" x="{left + room / 2}" y="{height - 2}" text-anchor="middle">seconds a question</text>'
    )
    for number, (name, share) in enumerate((("median", 0.5), ("p90", 0.9))):
        value = percentile(seconds, share)
        place = left + min(1.0, value / end) * room
        anchor = "end" if place > WIDTH * 0.7 else "start"
        shift = -4 if anchor == "end" else 4
        parts.append(
            f'<line class="overall" x1="{place:.1f}" x2="{place:.1f}" '
            f'y1="{top - 14 + 12 * number}" y2="{height - bottom}"/>'
            f'<text class="axis" x="{place + shift:.1f}" y="{top - 6 + 12 * number}" text-anchor="{anchor}">'
            f"{name} {value:.2f} s</text>"
        )
    return _figure(title, height, parts)


def _figure(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f"<figure><figcaption>{_text(title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{_text(title)}">{"".join(parts)}</svg></figure>'
    )


def _round_up(value: float) -> float:
    """The next number of the kind that an axis ends with: 1, 2, 4 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 8) if value <= step * power * 1.0001), 10 * power)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _text(text: str) -> str:
    return html.escape(text, quote=True)
