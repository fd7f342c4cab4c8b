"""Which package index is asked: the one that pip and uv would ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from querist.models import package_index
from querist.models.package_index import DEFAULT_INDEX, index_url, without_password


@pytest.fixture(autouse=True)
def no_pip_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "_pip_files", lambda environment: [])


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, DEFAULT_INDEX),
        ({"PIP_INDEX_URL": "https://a/simple"}, "https://a/simple"),
        ({"UV_INDEX_URL": "https://b/simple"}, "https://b/simple"),
        ({"UV_DEFAULT_INDEX": "https://c/simple", "UV_INDEX_URL": "https://b/simple"}, "https://c/simple"),
        ({"UV_DEFAULT_INDEX": "inner=https://d/simple?a=b"}, "https://d/simple?a=b"),
        ({"UV_DEFAULT_INDEX": "https://d/simple?a=b"}, "https://d/simple?a=b"),
    ],
)
def test_environment_variables_name_the_index(environment: dict[str, str], expected: str) -> None:
    assert index_url(environment) == expected


def test_pips_configuration_file_names_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://inside/simple\nformat = %(asctime)s\n", encoding="utf-8")
    assert index_url({"PIP_CONFIG_FILE": str(file)}) == "https://inside/simple"
    file.write_text("this is not a configuration", encoding="utf-8")
    assert index_url({"PIP_CONFIG_FILE": str(file)}) == DEFAULT_INDEX


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("https://me:p@ss@host/simple") == "https://host/simple"
