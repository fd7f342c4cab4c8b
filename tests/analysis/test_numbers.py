"""A number in a text is a value rounded, or it is flagged."""

from __future__ import annotations

import pytest

from querist.analysis.numbers import unsupported

VALUES = [0.4567, 12345.678, -3.2, 17, 250, 0.0004, "2021-05-01", [8.25, None], True]


@pytest.mark.parametrize(
    "text",
    [
        "The correlation is 0.46, or .457, or 0.5.",
        "About 45.7% of it, 46 per cent.",
        "It sold 12,346 in all, 12345.7 to be exact, 12'345.68 or 12.3 thousand, about 12,300 or 12.3k.",
        "A fall of 3.2 points; a change of −3.2.",
        "It was 17, on 2021-05-01, the 1st of May 2021, May 1, 2021, 01/05/2021, in May 2021, and in 2021.",
        "Between 8.25 and 8.3, or 8.25–17, or 17-250.",
        "Seventeen of two hundred and the two groups.",
        "Of the 1000 asked for; in March 2020.",
        "The difference is significant (p < 0.001), p = 4e-4, p = 0.000.",
        "R2 and x1 in Q3 declined. Nothing but words.",
    ],
)
def test_numbers_that_a_value_rounds_to_are_fine(text: str) -> None:
    assert unsupported(text, [*VALUES, 200], "What of 1000 in March 2020?") == []


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("It is 0.47, or 99%, or 12,999; again 0.47.", ["0.47", "99", "12,999"]),
        ("The share is 0.457%.", ["0.457"]),
        ("It rose by 3.2.", ["3.2"]),
        ("It is -17, and +8.25.", ["-17"]),
        ("There were 0 of them, or 1.", ["0", "1"]),
        ("About 10,000 or 12,000.", ["10,000", "12,000"]),
        ("The 3rd of 40 and 5kg.", ["3", "40", "5"]),
        ("Seven of twenty-three, three million.", ["Seven", "twenty-three", "three million"]),
        ("On 2021-05-02, May 3, 2021 or in June 2021.", ["2021-05-02", "May 3, 2021", "June 2021"]),
        ("12.345,67 at 10:30, 1.2.3", ["12.345,67", "10", "30", "1.2.3"]),
        ("p < 0.0001, and it declined 5 times.", ["0.0001", "5"]),
        ("1e99 or 1e999", ["1e99", "1e99"]),
    ],
)
def test_other_numbers_are_flagged_as_they_are_written(text: str, flagged: list[str]) -> None:
    assert unsupported(text, VALUES) == list(dict.fromkeys(flagged))
