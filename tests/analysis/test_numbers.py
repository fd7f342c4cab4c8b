"""A number in a text is a value rounded, or it is flagged."""

from __future__ import annotations

import pytest

from querist.analysis.numbers import unsupported

VALUES = [0.4567, 12345.678, -3.2, 17, "2021-05-01", [8.25, None], True]


@pytest.mark.parametrize(
    "text",
    [
        "The correlation is 0.46.",
        "About 45.7% of it.",
        "It sold 12,346 in all, 12345.7 to be exact.",
        "A fall of 3.2 points.",
        "It was 17, on 2021-05-01.",
        "Between 8.25 and 8.3.",
        "Of the 1000 asked for.",
        "Nothing but words.",
    ],
)
def test_numbers_that_a_value_rounds_to_are_fine(text: str) -> None:
    assert unsupported(text, VALUES, "What of 1000?") == []


def test_other_numbers_are_flagged_as_they_are_written() -> None:
    assert unsupported("It is 0.47, or 99%, or 12,999; again 0.47.", VALUES) == ["0.47", "99", "12,999"]
