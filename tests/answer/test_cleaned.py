"""An answer tells what reading a file changed in the values that it uses."""

from __future__ import annotations

from pathlib import Path

from querist.answer.cleaned import cleaned
from querist.sources.open import open_sources


def test_only_what_the_query_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "fares.csv").write_text('line,fare,since\nA,"$1,200",05.03.2024\nB,$3,06.03.2024\nC,N/A,07.03.2024\n')
    (source,) = open_sources([str(tmp_path / "fares.csv")])
    schema = source.schema()
    assert cleaned("SELECT max(fare) FROM fares", schema) == [
        "fares.fare: the comma in '$1,200' is read as a thousands separator",
        "fares.fare: the currency sign $ is left out",
        "fares.fare: 'N/A' read as NULL",
    ]
    assert cleaned("SELECT line FROM fares", schema) == []
    source.close()
