from __future__ import annotations

import pytest
import sqlglot

from querist.answer.fixed_time import reads_clock


@pytest.mark.parametrize(
    ("dialect", "clock"),
    [
        ("duckdb", "today()"), ("duckdb", "now()"), ("duckdb", "get_current_timestamp()"), ("duckdb", "DATE 'today'"),
        ("postgres", "CURRENT_DATE"), ("postgres", "clock_timestamp()"), ("postgres", "LOCALTIMESTAMP"),
        ("mysql", "curdate()"), ("mysql", "utc_date()"), ("mysql", "sysdate()"), ("tsql", "GETDATE()"),
        ("sqlite", "date()"), ("sqlite", "datetime('now')"), ("snowflake", "current_timestamp()"),
    ],
)  # fmt: skip
def test_the_clock_is_known_in_every_dialect(dialect: str, clock: str) -> None:
    assert reads_clock(sqlglot.parse_one(f"SELECT 1 FROM t WHERE day >= {clock}", dialect=dialect))
    assert not reads_clock(sqlglot.parse_one("SELECT now FROM t WHERE state = 'now' AND date(day) = '2025-01-01'"))
