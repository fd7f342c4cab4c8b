"""Text of files is mended where nothing can be lost, each mend is told, and the file stays as it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from querist.sources.base import Source
from querist.sources.open import open_sources


def _opened(folder: Path, text: str, name: str = "catch.csv") -> Source:
    (folder / name).write_text(text, encoding="utf-8")
    return open_sources([str(folder / name)])[0]


def _notes(source: Source) -> str:
    return "\n".join(source.schema().tables[0].notes)


def _column(source: Source, name: str) -> list[object]:
    table = source.schema().tables[0].name
    return [row[0] for row in source.execute(f'SELECT "{name}" FROM {table}').rows]


def test_spellings_that_differ_in_case_or_blanks_become_the_most_frequent_one(tmp_path: Path) -> None:
    text = "harbour,kg\nHamnvik,5\nhamnvik,7\n Hamnvik ,3\n,4\nSandnes,9\n"
    with closing(_opened(tmp_path, text)) as source:
        assert _column(source, "harbour") == ["Hamnvik", "Hamnvik", "Hamnvik", None, "Sandnes"]
        assert "column 'harbour': blanks around 1 value are left out" in _notes(source)
        assert "column 'harbour': 'hamnvik' is read as 'Hamnvik' (spellings of one word)" in _notes(source)
    assert (tmp_path / "catch.csv").read_text() == text


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("grade", ["a", "A", "a"]),
        ("lot", ["ab1", "AB1", "ab1"]),
        ("harbour_code", ["hamn", "HAMN", "hamn"]),
        ("unit", ["Kcal", "kcal", "kcal"]),
        ("boat", ["Havørn", "havørn", "Terna"]),
    ],
)
def test_case_that_may_mean_something_is_kept(tmp_path: Path, header: str, values: list[str]) -> None:
    text = f"{header},n\n" + "".join(f"{value},{n}\n" for n, value in enumerate(values))
    with closing(_opened(tmp_path, text)) as source:
        assert _column(source, header) == values
        assert _notes(source) == ""
        profile = source.profile().tables[0].column(header)
        assert profile is not None and len(profile.spellings) == 1


def test_values_of_nothing_but_blanks_are_missing(tmp_path: Path) -> None:
    with closing(
        _opened(tmp_path, '[{"t": "x", "e": ""}, {"t": "  ", "e": "y"}, {"t": "x", "e": "y"}]', "b.json")
    ) as source:
        assert _column(source, "t") == ["x", None, "x"]
        assert _column(source, "e") == ["", "y", "y"]


def test_parquet_is_mended_too_and_its_rows_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    duckdb.execute(
        f"COPY (SELECT n, CASE WHEN n = 7 THEN 'reef ' ELSE 'reef' END AS w FROM range(50000) r(n)) TO '{path}'"
    )
    with closing(open_sources([str(path)])[0]) as source:
        assert source.execute("SELECT DISTINCT w FROM p").rows == (("reef",),)
        assert source.execute("SELECT n FROM p LIMIT 3").rows == ((0,), (1,), (2,))
        assert "blanks around 1 value are left out" in _notes(source)


def test_dates_in_several_forms_are_dates_and_told(tmp_path: Path) -> None:
    text = "landed,kg\n2024-01-05,1\n2024-03-02,2\n05/13/2024,3\n02/04/2024,4\n"
    with closing(_opened(tmp_path, text)) as source:
        assert source.execute("SELECT max(landed)::VARCHAR, min(landed)::VARCHAR FROM catch").rows == (
            ("2024-05-13", "2024-01-05"),
        )
        told = "dates in several forms, such as '2024-01-05' and '05/13/2024', read as %Y-%m-%d, %m/%d/%Y"
        assert told in _notes(source)


def test_dates_that_can_be_read_two_ways_stay_text_and_the_profile_tells(tmp_path: Path) -> None:
    with closing(_opened(tmp_path, "landed,kg\n2024-01-05,1\n02/03/2024,3\n")) as source:
        assert _column(source, "landed") == ["2024-01-05", "02/03/2024"]
        assert "'02/03/2024' may be day/month or month/day" in _notes(source)
        column = source.profile().tables[0].column("landed")
        assert column is not None and column.date_formats == ("%Y-%m-%d", "%d/%m/%Y or %m/%d/%Y")


def test_clean_text_is_left_alone(tmp_path: Path) -> None:
    with closing(_opened(tmp_path, "harbour,kg\nHamnvik,5\nSandnes,7\nHamnvik,3\n")) as source:
        assert _notes(source) == ""


def test_a_column_of_any_name_stands_beside_text(tmp_path: Path) -> None:
    with closing(_opened(tmp_path, "k,v\nreef,1\nReef,2\nreef,3\n")) as source:
        assert source.execute("SELECT k, sum(v) FROM catch GROUP BY k").rows == (("reef", 6),)


@pytest.mark.parametrize("sums", ["Total,,3,0.30", "Grand total:,3,3,"])
def test_a_last_row_that_is_the_sum_of_the_others_is_left_out(tmp_path: Path, sums: str) -> None:
    with closing(_opened(tmp_path, f"boat,port,kg,share\nTerna,1,1,0.1\nHavn,2,2,0.2\n{sums}\n")) as source:
        assert source.execute("SELECT count(*), sum(kg) FROM catch").rows == ((2, 3),)
        assert source.schema().tables[0].row_count == 2
        assert _notes(source).endswith("is the sum of the others and left out")


@pytest.mark.parametrize(
    ("last", "note"),
    [
        ("Total:,,6", "the last row, 'Total:', may be the sum of the others; it is read as one of them"),
        (
            "Counted by hand,,",
            "the last row holds 'Counted by hand' alone, and may be a remark; it is read as the others",
        ),
        ("Tern,total catch,3", ""),
    ],
)
def test_a_last_row_that_may_be_none_is_told(tmp_path: Path, last: str, note: str) -> None:
    with closing(_opened(tmp_path, f"boat,port,kg\nTerna,Hamnvik,1\nHavn,Sandnes,2\n{last}\n")) as source:
        assert len(_column(source, "boat")) == 3
        assert _notes(source) == note
