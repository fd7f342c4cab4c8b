"""A number in a text is a value rounded, or it is flagged."""

from __future__ import annotations

import pytest

from querist.analysis.findings import FindingValue
from querist.analysis.numbers import unsupported

VALUES: dict[str, FindingValue] = {
    "r": 0.4567,
    "total": 12345.678,
    "change": -3.2,
    "count": 17,
    "most": 250,
    "p_value": 0.0004,
    "day": "2021-05-01",
    "list": [8.25, None],
    "sure": True,
}


@pytest.mark.parametrize(
    "text",
    [
        "The correlation is 0.46, or .457, or 0.5.",
        "About 45.7% of it, 46 per cent, forty-six percent.",
        "It sold 12,346 in all, 12345.7 to be exact, 12'345.68 or 12.3 thousand, about 12,300 or 12.3k.",
        "A fall of 3.2 points; a change of −3.2; it fell by about 3.2, is 3.2 points lower, and lower by 3.2.",
        "They are negatively correlated (r = 3.2); a downward trend of 3.2; 3.2 is negative.",
        "It was 17, on 2021-05-01, the 1st of May 2021, May 1, 2021, 01/05/2021, in May 2021, and in 2021.",
        "Between 8.25 and 8.3, or 8.25–17, or 17-250.",
        "Seventeen of two hundred and the two groups.",
        "Of the 1000 asked for; in March 2020.",
        "The difference is significant (p < 0.001), p = 4e-4, p = 0.000.",
        "It is significant at the 5% level, with a p-value below the usual threshold of 0.05.",
        "It is significant at the 95% confidence level, 95% CI: 8.3 to 17.",
        "Almost half, that is 46%; a dozen; the 95% confidence interval begins at 8.25.",
        "R2 and x1 in Q3 declined. Nothing but words.",
    ],
)
def test_numbers_that_a_value_rounds_to_are_fine(text: str) -> None:
    assert unsupported(text, {**VALUES, "all": 200, "new": 12}, "What of 1000 in March 2020?") == []


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
        ("The correlation of 3.2 is significant, with a p-value below 0.001.", ["3.2"]),
        ("The change of 3.2 is lower than 17, and costs fell.", ["3.2"]),
        ("A negative correlation of 0.46, or minus 17.", ["0.46", "17"]),
        ("The share is below 0.5.", []),
        ("EUR50, approx.60, ABC-70, v1.2, R2.5.", ["50", "60", "70"]),
        ("It is 0.45, or 0.00, and 12,345 in all.", ["0.45", "0.00", "12,345"]),
        ("In May 2019, on 2020-05-01.", ["May 2019", "2020-05-01"]),
        ("They are not related (p > 0.05).", ["0.05"]),
        ("It did not fall by 3.2.", ["3.2"]),
        ("It fell to 3.2.", ["3.2"]),
        ("It fell and then rose by 3.2.", ["3.2"]),
        ("It stays below 3.2.", ["3.2"]),
        ("They rose by 95%.", ["95"]),
        (
            "Sales doubled, a third came back, three quarters stayed, and two dozen are new: twice as many.",
            ["doubled", "a third", "three quarters", "two dozen", "twice"],
        ),
    ],
)
def test_other_numbers_are_flagged_as_they_are_written(text: str, flagged: list[str]) -> None:
    assert unsupported(text, VALUES) == list(dict.fromkeys(flagged))


def test_a_number_is_rounded_and_neither_away_nor_by_another_scale() -> None:
    assert unsupported("It rose from 1 to 2.", {"before": 1.4, "after": 2.1}) == ["1"]
    assert unsupported("Sales of 2.5 billion, 2.5bn, 2,500 million, 2.5e9.", {"sales": 2.5e9}) == []
    assert unsupported("Sales of 2.5 million, 2.5k.", {"sales": 2.5e9}) == ["2.5 million", "2.5k"]
    assert unsupported("Sales of 2.5 trillion.", {"sales": 2.5}) == ["2.5 trillion"]


def test_a_day_is_not_known_by_its_month() -> None:
    best: dict[str, FindingValue] = {"day": "2020-03-17"}
    asked = "Which day in March 2020 was the best?"
    assert unsupported("It was March 17, 2020, a day in March.", best, asked) == []
    assert unsupported("It was March 5, 2020.", best, asked) == ["March 5, 2020"]


UNSURE: dict[str, FindingValue] = {"r_x_y": 0.012, "p_x_y": 0.86, "p_value": 0.83, "n": 40}


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("Both are significantly correlated (p < 0.05).", ["significantly", "0.05"]),
        ("The p-value is 0.05.", ["0.05"]),
        ("They are related at the 0.05 level of significance.", ["0.05"]),
        ("A significant difference, p = 0.83.", ["significant"]),
        ("No, it is significant.", ["significant"]),
        ("It is not significant (p > 0.05); there is no evidence that they differ significantly at 0.05.", []),
        ("The p-value is above the 0.05 significance level; we fail to reject it at the 5% level, with α = 0.05.", []),
        ("They don't differ significantly, and r = 0.012 is insignificant.", []),
    ],
)
def test_a_level_and_the_word_significant_are_held_against_p_values_alone(text: str, flagged: list[str]) -> None:
    assert unsupported(text, UNSURE) == flagged


def test_a_claim_rests_on_the_p_value_that_was_adjusted() -> None:
    text = "They are significantly related (p < 0.01)."
    many: dict[str, FindingValue] = {"p_a_b": 0.004, "p_adjusted_a_b": 0.11}
    assert unsupported(text, many) == ["significantly", "0.01"]
    assert unsupported(text, {"p_value": 0.3, "p_value_unadjusted": 0.004}) == ["significantly", "0.01"]
    assert unsupported(text, {**many, "p_adjusted_a_b": 0.008}) == []
    assert unsupported(text, {"p_value": 0.004, "p_value_exact": 0.07}) == ["significantly", "0.01"]


def test_nothing_is_significant_without_a_p_value() -> None:
    text = "The difference of 3 is significant."
    assert unsupported(text, {"difference": 3.0}, "Is there a significant difference?") == ["significant"]
    assert unsupported(text, {"page": "The difference of 3 was significant, the authors say."}) == []


def test_p_values_are_found_in_texts() -> None:
    result = '{"findings":[{"name":"p_value","value":0.03,"meaning":"of the price"}]}'
    assert unsupported("The difference is significant (p < 0.05).", {"result": result}) == []
    spaced = result.replace(":", ": ").replace(",", ", ")
    assert unsupported("The difference is significant (p < 0.05).", {"result": spaced}) == []
    assert unsupported("It is significant (p < 0.01).", {"result": result}) == ["0.01"]
    assert unsupported("It is significant.", {"page": "Not significant (p = 0.2)."}) == ["significant"]
    assert unsupported("It is significant (p < 0.05).", {"result": "p = 0.2, price: 0.04"}) == ["significant", "0.05"]


def test_the_numbers_of_a_list_in_json_are_each_a_value() -> None:
    result = '{"result":[120,900],"rest":[null,5.5]}'
    assert unsupported("It was 120, then 900 and 5.5.", {"result": result}) == []
    assert unsupported("It was 120,900.", {"result": result}) == ["120,900"]


def test_what_a_person_wrote_needs_no_value_and_a_percentage_is_no_number_of_things() -> None:
    assert unsupported("The top 10 have doubled.", {}, "Have the top 10 doubled?") == []
    assert unsupported("They rose by 10%.", {}, "Have the top 10 grown?") == ["10"]
    assert unsupported("1.000,50 and 9.876,54", {}, "Who paid more than 1.000,50?") == ["9.876,54"]


def test_a_count_is_no_percentage() -> None:
    assert unsupported("101% are economy.", {"economy": 101.0}) == ["101"]
    assert unsupported("Growth was 12%.", {"growth": 12.0}) == []
    assert unsupported("12% of the orders.", {"orders": 12.0}, "What percentage of the orders is late?") == []
    assert unsupported("30% of them.", {"economy": 0.3}) == []
