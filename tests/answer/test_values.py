from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from querist.answer.prepared import Prepared, prepare
from querist.answer.values import Match, ValueIndex, normal
from querist.sources.base import Limits
from querist.sources.open import open_sources


def found(index: ValueIndex, question: str) -> list[tuple[str, str, str]]:
    return [(m.table, m.column, m.value) for m in index.mentions(question)]


def test_texts_are_compared_without_case_accents_and_punctuation() -> None:
    assert normal("L'Été — 2024!") == normal("l ete 2024")


@pytest.mark.parametrize(
    "question",
    ["Which trucks are in Passau?", "trucks in PASSAU", "trucks in pasau", "how heavy are Passau's trucks"],
)
def test_words_of_a_question_find_the_cell_they_mean(fleet: Prepared, question: str) -> None:
    assert found(fleet.values, question) == [("depot", "town", "Passau")]


def test_values_are_readable_by_their_owner_only(fleet: Prepared, tmp_path: Path) -> None:
    kept = [tmp_path / "values", *(tmp_path / "values").iterdir()]
    assert len(kept) > 1
    assert not any(path.stat().st_mode & 0o077 for path in kept)


def test_a_phrase_is_found_as_a_whole(fleet: Prepared) -> None:
    assert found(fleet.values, "how far did jon falk drive?") == [("trip", "driver", "Jon Falk")]


def test_accents_need_not_be_typed(fleet: Prepared) -> None:
    assert found(fleet.values, "the depot of Alesund") == [("depot", "town", "Ålesund")]


def test_a_question_about_nothing_in_the_data_finds_nothing(fleet: Prepared) -> None:
    assert found(fleet.values, "How many of them are there in all, and how old?") == []


def test_an_exact_match_says_so_and_a_guess_does_not(fleet: Prepared) -> None:
    assert fleet.values.mentions("lindau") == [Match("depot", "town", "Lindau", "lindau", True)]
    assert [m.exact for m in fleet.values.mentions("linndau")] == [False]


def test_a_literal_is_looked_up_in_its_column(fleet: Prepared) -> None:
    assert fleet.values.in_column("depot", "town", "LINDAU") == "Lindau"
    assert fleet.values.in_column("depot", "town", "Linndau") == "Lindau"
    assert fleet.values.in_column("depot", "town", "Rome") is None
    assert fleet.values.covers("depot", "town")
    assert not fleet.values.covers("truck", "tonnes")


def index_of(folder: Path, *values: str) -> ValueIndex:
    (folder / "items.csv").write_text("id,item\n" + "".join(f'{i},"{value}"\n' for i, value in enumerate(values)))
    (source,) = open_sources([folder / "items.csv"])
    index = prepare(source, folder / "values").values
    source.close()
    return index


def test_signs_that_mean_something_make_another_value(tmp_path: Path) -> None:
    index = index_of(tmp_path, "C++", "C#", "B+", "1-5", "St. Ives", "Łódź-Ost")
    assert [index.written("items", "item", text) for text in ("c", "B", "1.5")] == [[], [], []]
    assert [index.written("items", "item", text) for text in ("c#", "st ives", "ŁÓDŹ OST")] == [
        ["C#"],
        ["St. Ives"],
        ["Łódź-Ost"],
    ]


@pytest.mark.parametrize("text", ["Q1 2024", "2031-05-01", "inactive", "Marta Weil", "North Bend", "Model S"])
def test_another_thing_is_no_misspelling(tmp_path: Path, text: str) -> None:
    index = index_of(tmp_path, "Q1 2025", "2031-05-02", "active", "Marta Weis", "South Bend", "Model X")
    assert index.in_column("items", "item", text) is None


def test_a_slip_that_fits_two_values_fits_none(tmp_path: Path) -> None:
    assert index_of(tmp_path, "Marlon", "Marion").in_column("items", "item", "Marron") is None


def test_a_word_that_is_only_like_a_value_is_a_guess(fleet: Prepared) -> None:
    assert [m.value for m in fleet.values.guesses("trucks in Pasau, and in Lindau's depot")] == ["Passau"]


def test_a_list_that_was_cut_does_not_count_as_all_values(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,item\n1,Ann\n2,Bea\n3,Cem\n")
    (source,) = open_sources([tmp_path / "items.csv"])
    source.profile()
    execute = source.execute
    source.execute = lambda sql, limits=Limits(): execute(sql, replace(limits, rows=2))  # type: ignore[method-assign]
    index = prepare(source, tmp_path / "values").values
    source.close()
    assert (len(index.mentions("Ann, Bea, Cem")), index.covers("items", "item")) == (2, False)


def test_only_columns_that_changed_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "shops.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE shop (name TEXT, town TEXT); INSERT INTO shop VALUES ('Anna', 'Graz')")
    read: list[str] = []

    def index() -> list[str]:
        (source,) = open_sources([path])
        execute = source.execute
        source.profile()
        source.execute = lambda sql, *rest: (read.append(sql), execute(sql, *rest))[1]  # type: ignore[method-assign]
        prepared = prepare(source, tmp_path / "values")
        matches = [m.value for m in prepared.values.mentions("Anna, Bert, Graz, Linz")]
        prepared.close()
        source.close()
        return matches

    assert index() == ["Anna", "Graz"]
    assert len(read) == 2
    read.clear()
    assert index() == ["Anna", "Graz"]
    assert read == []
    connection.executescript("INSERT INTO shop VALUES ('Bert', 'Graz')")
    connection.close()
    assert index() == ["Anna", "Bert", "Graz"]
    assert any("name" in sql for sql in read)


def test_a_broken_index_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "shops.csv"
    path.write_text("name,town\nAnna,Graz\n")
    folder = tmp_path / "values"
    (source,) = open_sources([path])
    prepare(source, folder).close()
    (file,) = folder.glob("*.sqlite")
    file.write_bytes(b"\xff" * 8192)
    prepared = prepare(source, folder)
    assert [match.value for match in prepared.values.mentions("Who is in Graz?")] == ["Graz"]
    assert "is made anew" in caplog.text
    prepared.close()
    source.close()


def test_an_index_that_cannot_be_kept_is_made_for_this_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "shops.csv"
    path.write_text("name,town\nAnna,Graz\n")
    (source,) = open_sources([path])
    prepared = prepare(source, path / "values")
    assert [match.value for match in prepared.values.mentions("Who is in Graz?")] == ["Graz"]
    assert "cannot be kept" in caplog.text
    prepared.close()
    source.close()


CLOSED_IN_USE = """
import sqlite3, sys, threading, time
from pathlib import Path
from querist.answer.values import value_index
from querist.sources.open import open_sources

(source,) = open_sources([sys.argv[1]])
for _ in range(10):
    index = value_index(source, Path(sys.argv[2]))

    def use():
        try:
            while True:
                index.mentions("Does Ada Berg drive from Lindau to Passau, or does Mia Roth?")
        except sqlite3.ProgrammingError:
            pass

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    index.close()
    for thread in threads:
        thread.join()
"""


def test_an_index_may_be_closed_while_threads_use_it(fleet: Prepared, tmp_path: Path) -> None:
    """Ctrl-C closes everything while a question is being looked up."""
    program = [sys.executable, "-c", CLOSED_IN_USE, fleet.source.describe(), str(tmp_path / "again")]
    assert subprocess.run(program, timeout=60).returncode == 0
