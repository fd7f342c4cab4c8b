"""A small invented database that the tests of this package ask."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from querist.answer.prepared import Prepared, prepare
from querist.sources.open import open_sources

SCRIPT = """
CREATE TABLE region (region_id INTEGER PRIMARY KEY, label TEXT);
CREATE TABLE depot (depot_id INTEGER PRIMARY KEY, town TEXT, region_id INTEGER REFERENCES region(region_id));
CREATE TABLE truck (truck_id INTEGER PRIMARY KEY, plate TEXT, depot_id INTEGER REFERENCES depot(depot_id), tonnes REAL);
CREATE TABLE trip (trip_id INTEGER PRIMARY KEY, truck_id INTEGER REFERENCES truck(truck_id), km INTEGER, driver TEXT);
INSERT INTO region VALUES (1, 'North'), (2, 'South');
INSERT INTO depot VALUES (1, 'Ålesund', 1), (2, 'Lindau', 2), (3, 'Passau', 2);
INSERT INTO truck VALUES (1, 'AX-100', 1, 7.5), (2, 'LI-200', 2, 12.0), (3, 'PA-300', 3, 12.0),
    (4, 'PA-301', 3, 18.5);
INSERT INTO trip VALUES (1, 1, 120, 'Ada Berg'), (2, 1, 80, 'Ada Berg'), (3, 2, 300, 'Jon Falk'),
    (4, 4, 50, 'Mia Roth');
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Prepared]:
    path = tmp_path / "fleet.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPT)
    connection.close()
    (source,) = open_sources([path])
    prepared = prepare(source, tmp_path / "values")
    yield prepared
    prepared.close()
    source.close()
