"""Files of one table: put together when only numbers and months tell their names apart, and never else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from querist.sources.base import TableSchema
from querist.sources.files import FileSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "visits").mkdir()
    return tmp_path / "visits"


def opened(folder: Path, files: Mapping[str, str]) -> FileSource:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return FileSource("files", paths=[folder / name for name in files])


def tables(folder: Path, files: Mapping[str, str]) -> dict[str, TableSchema]:
    source = opened(folder, files)
    try:
        return {table.name: table for table in source.schema().tables}
    finally:
        source.close()


@pytest.fixture
def years(folder: Path) -> Iterator[FileSource]:
    source = opened(
        folder,
        {
            "2023.csv": "day,guests,paid\n2023-05-01,3,10\n2023-05-02,4,20\n",
            "2024.csv": "day,guests,paid\n2024-05-01,7,12.5\n",
        },
    )
    yield source
    source.close()


def test_files_of_years_are_one_table_with_a_column_that_tells_the_file(years: FileSource) -> None:
    (table,) = years.schema().tables
    assert [c.name for c in table.columns] == ["day", "guests", "paid", "file"]
    assert (table.name, table.row_count) == ("visits", 3)
    assert 'one table of 2 files with the same columns (2023.csv, 2024.csv); "file" tells which' in table.notes
    sums = years.execute("SELECT file, SUM(guests), SUM(paid) FROM visits GROUP BY file ORDER BY file")
    assert sums.rows == (("2023.csv", 7, 30.0), ("2024.csv", 7, 12.5))


def test_a_file_that_changes_is_read_anew(years: FileSource, folder: Path) -> None:
    years.schema()
    (folder / "2024.csv").write_text("day,guests,paid\n2024-05-01,100,1.0\n2024-05-02,100,1.0\n")
    assert years.execute("SELECT SUM(guests) FROM visits").scalar() == 207


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (("visits_2023-01.csv", "visits_2023-02.csv"), "visits_2023"),
        (("visits-jan.csv", "visits-feb.csv"), "visits"),
        (("Visits May 2024.csv", "Visits June 2024.csv"), "Visits_2024"),
        (("zone7_2023.csv", "zone7_2024.csv"), "zone7"),
        (("2023/guests.csv", "2024/guests.csv"), "guests"),
        (("part-1.csv", "part-2.csv", "part-10.csv"), "part"),
    ],
)
def test_the_table_is_named_after_what_the_files_have_in_common(
    folder: Path, names: tuple[str, ...], table: str
) -> None:
    found = tables(folder, dict.fromkeys(names, "day,guests\n2023-05-01,3\n2023-05-02,5\n"))
    assert list(found) == [table]
    assert found[table].row_count == 2 * len(names)


@pytest.mark.parametrize(
    "files",
    [
        {"colours.csv": "id,name\n1,red\n", "sizes.csv": "id,name\n1,small\n"},
        {"visits_2023.csv": "day,guests\n2023-05-01,3\n", "visits_2024.csv": "day,visitors\n2024-05-01,3\n"},
        {"visits_2023.csv": "day,guests\n2023-05-01,3\n", "visits_2024.csv": "day,guests\n2024-05-01,many\n"},
        {"visits_2023.csv": "day,guests\n2023-05-01,3\n", "visits_2024.csv": "guests,day\n3,2024-05-01\n"},
        {"market_1.csv": "id,n\n1,2\n", "margin_1.csv": "id,n\n1,2\n"},
        {"visits_2024.csv": "id,n\n1,2\n", "visits_2024.tsv": "id\tn\n1\t2\n"},
        {"visits_v1.csv": "id,n\n1,2\n", "visits_v12.csv": "id,n\n1,2\n"},
        {"visits (1).csv": "id,n\n1,2\n", "visits (12).csv": "id,n\n1,2\n"},
    ],
    ids=[
        "other names",
        "other columns",
        "other types",
        "other order",
        "a month within a word",
        "the same in two formats",
        "versions",
        "copies",
    ],
)
def test_files_that_may_be_different_tables_stay_apart(folder: Path, files: dict[str, str]) -> None:
    found = tables(folder, files)
    assert len(found) == 2
    assert all("file" not in [c.name for c in table.columns] for table in found.values())


def test_a_column_that_is_called_file_already_keeps_its_name(folder: Path) -> None:
    (table,) = tables(folder, {"a1.csv": "file,n\nx,1\n", "a2.csv": "file,n\ny,2\n"}).values()
    assert [c.name for c in table.columns] == ["file", "n", "file_2"]
