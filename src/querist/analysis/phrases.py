"""Numbers and lists as sentences have them. A number keeps enough digits to be found again among the values."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 6
"""Parts of an enumeration; of more the first ones are told."""


def figure(value: float) -> str:
    """Four significant digits, of larger numbers one after the point: `0.03125`, `12.5`, `7`, `48,210.5`."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}".removesuffix(".0") if abs(value) >= 1000 else f"{value:.4g}"


def p_text(p: float) -> str:
    """A p-value as titles and sentences say it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def listed(parts: Sequence[str], mark: str = ",", most: int = MOST) -> str:
    """`a, b and c`; of many the first ones, and that there are more."""
    if len(parts) > most:
        return f"{f'{mark} '.join(parts[:most])}{mark} and more"
    head, last = parts[:-1], parts[-1:]
    return f"{f'{mark} '.join(head)} and {last[0]}" if head else "".join(last)


def ranked(values: dict[str, float]) -> str:
    """Groups with their values, the highest first: `loam 6.2, clay 5.1 and sand 4`; of many the last one, too."""
    told = [f"{name} {figure(value)}" for name, value in sorted(values.items(), key=lambda item: -item[1])]
    return f"{', '.join(told[: MOST - 1])}, and so on down to {told[-1]}" if len(told) > MOST else listed(told)
