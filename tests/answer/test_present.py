from __future__ import annotations

from decimal import Decimal

import pytest

from querist.answer.present import label, present
from querist.sources.table import ResultColumn, Table, Value


def table(names: list[str], *rows: tuple[Value, ...], truncated: str | None = None) -> Table:
    return Table(tuple(ResultColumn(name) for name in names), rows, truncated)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("COUNT(*)", "count"),
        ("avg(t.unit_price)", "average unit price"),
        ("SUM(qty * price)", "total"),
        ("MAX(age)", "highest age"),
        ("sum(total)", "total"),
        ("unit_price", "unit price"),
        ("", "value"),
    ],
)
def test_columns_are_named_as_people_would(name: str, said: str) -> None:
    assert label(name) == said


def test_a_single_value_is_said() -> None:
    assert present(table(["COUNT(*)"], (1234567,))) == "count: 1,234,567"
    assert present(table(["share"], (0.25,))) == "share: 0.25"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("turnover", Decimal("12345678901234.56"), "12,345,678,901,234.56"),
        ("turnover", 12345678901234.56, "12,345,678,901,234.56"),
        ("price", 10.5, "10.5"),
        ("share", 0.12345, "0.1235"),
        ("share", 0.0000012, "1.2e-06"),
        ("change", -0.0, "0"),
        ("bytes", Decimal("12345678901234567890"), "12,345,678,901,234,567,890"),
    ],
)
def test_a_number_is_said_in_its_own_digits(name: str, value: Value, said: str) -> None:
    assert present(table([name], (value,))) == f"{name}: {said}"


def test_numbers_that_name_something_have_no_separators() -> None:
    assert present(table(["customer_id", "zip", "spent"], (104233, 90210, 12000))) == (
        "customer id: 104233; zip: 90210; spent: 12,000"
    )
    assert present(table(["MAX(o.order_id)"], (104233,))) == "highest order id: 104233"
    assert present(table(["code"], (10001,), (10002,))) == "code: 10001, 10002"


def test_a_single_row_is_said() -> None:
    assert present(table(["name", "age"], ("Ada", 36))) == "name: Ada; age: 36"


def test_columns_that_would_be_said_alike_keep_their_names() -> None:
    names = ["COUNT(*)", "COUNT(DISTINCT buyer)", "SUM(price)"]
    assert present(table(names, (9, 4, 30))) == "COUNT(*): 9; COUNT(DISTINCT buyer): 4; total price: 30"


def test_a_few_values_are_listed() -> None:
    assert present(table(["town"], ("Graz",), ("Linz",))) == "town: Graz, Linz"


def test_a_larger_result_is_counted_and_its_truncation_told() -> None:
    rows = [(str(i), i) for i in range(20)]
    assert present(table(["town", "n"], *rows)) == "20 rows of town, n."
    assert "first 20" in present(table(["town", "n"], *rows, truncated="Only the first 20 rows are shown."))


def test_a_few_values_of_more_are_not_said_to_be_all() -> None:
    cut = "Only the first 2 rows are shown."
    assert present(table(["town"], ("Graz",), ("Linz",), truncated=cut)) == f"town: Graz, Linz. {cut}"
    assert present(table(["town"], ("Graz",), truncated=cut)).endswith(cut)
    assert present(table(["town", "n"], ("Graz", 1), ("Linz", 2), truncated=cut)) == f"2 rows of town, n. {cut}"


def test_nothing_is_said_to_be_nothing() -> None:
    assert present(table(["town"])) == "No rows match."
    assert "NULL" in present(table(["sum"], (None,)))
