"""Marked predictions for tests that are not about marking."""

from __future__ import annotations

from typing import Any

from querist.evaluate.prediction import Mark, Prediction


def marked(id: str | int, right: bool = True, status: str = "agreed", **rest: Any) -> Prediction:
    """A prediction with its mark; `hardness`, `tags`, `reason`, `expected`, … go into the mark."""
    of_mark = {name: rest.pop(name) for name in list(rest) if name in Mark.model_fields}
    of_mark.setdefault("reason", "" if right else "other values than expected")
    return Prediction(
        id=id,
        status=status,
        question=f"Question {id}?",
        mark=Mark(right=right, **of_mark),
        **{"sql": "SELECT 1", **rest},
    )
