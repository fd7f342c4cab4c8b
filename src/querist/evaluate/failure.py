"""Tells in plain text why an answer is not right: what was expected, what came, by which query, with which warnings."""

from __future__ import annotations

from querist.evaluate.prediction import Prediction, Preview


def failure_text(prediction: Prediction) -> str:
    """Several lines for people. The prediction must be marked."""
    mark = prediction.mark
    assert mark is not None, "only a marked prediction can fail"
    # What is wrong comes first: lists of failures show only the first line.
    lines = [mark.reason] if mark.reason else []
    lines += [f"over budget: {sentence}" for sentence in mark.over_budget]
    lines += ["", prediction.question]
    if mark.expected is not None:
        lines += ["", "expected:", *preview_lines(mark.expected)]
    elif mark.expected_text:
        lines += ["", f"expected: {mark.expected_text}"]
    if mark.expected_sql:
        lines += [f"  {line}" for line in mark.expected_sql.strip().splitlines()]
    lines += ["", f"got ({prediction.status}):"]
    lines += preview_lines(mark.got) if mark.got is not None else [f"  {prediction.text or 'nothing'}"]
    if prediction.sql:
        lines += [f"  {line}" for line in prediction.sql.strip().splitlines()]
    if prediction.warnings:
        lines += ["", "warnings:", *(f"  {warning}" for warning in prediction.warnings)]
    return "\n".join(lines)


def preview_lines(preview: Preview) -> list[str]:
    """The first rows, in columns."""
    table = [[_text(name) for name in preview.columns], *([_text(cell) for cell in row] for row in preview.rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(preview.columns))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    ]
    if preview.total > len(preview.rows):
        lines.append(f"  … {preview.total} rows in all")
    elif not preview.rows:
        lines.append("  (no rows)")
    return lines


def _text(cell: object) -> str:
    return "NULL" if cell is None else " ".join(str(cell).split())
