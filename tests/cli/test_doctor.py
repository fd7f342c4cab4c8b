"""`querist doctor`: what it finds, and what it says to do."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from querist.cli import doctor
from querist.cli.main import app
from querist.models.manifest import default_model
from tests.models.http_server import Answer, serving, unused_url


def examine(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


def findings(*arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(examine(*arguments, "--json").stdout)["findings"]
    return found


def of(part: str, *arguments: object) -> list[dict[str, Any]]:
    return [finding for finding in findings(*arguments) if finding["part"] == part]


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that needs nothing on this machine."""
    monkeypatch.setenv("QUERIST_MODELS__CODING", "openai:gpt-5")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of the default model, of the right size and with other bytes."""
    path = default_model().path
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(default_model().bytes)  # takes no space on the disk
    return path


def test_all_is_well_with_a_hosted_model_and_data_that_open(hosted: None, kites: Path) -> None:
    shown = examine("--data", kites)
    assert shown.exit_code == 0, shown.output
    assert "opens (duckdb, 1 table)" in shown.stdout
    assert "fail" not in shown.stdout


def test_every_extra_is_told(hosted: None) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    told = {finding["message"].partition(":")[0] for finding in of("install")[1:]}
    assert told == set(project["optional-dependencies"]) - {"all"}


def test_a_key_is_named_and_never_shown(hosted: None) -> None:
    shown = examine()
    assert "openai (OPENAI_API_KEY)" in shown.stdout
    assert "secret" not in shown.output


def test_the_missing_default_model_is_a_failure_with_the_command_that_fetches_it() -> None:
    shown = examine()
    assert shown.exit_code == 1
    assert "fail  models" in shown.stdout
    assert "querist models pull qwen2.5-coder-1.5b" in shown.stdout


def test_a_model_that_is_only_the_second_choice_may_be_missing(hosted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERIST_MODELS__CODING", '["openai:gpt-5", "local:qwen2.5-coder-1.5b"]')
    assert [finding["level"] for finding in of("models")] == ["ok", "warn"]
    assert examine().exit_code == 0


def test_only_deep_reads_the_model_through(placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("querist.models.download.verify", lambda info: False)
    assert of("models")[0]["level"] == "ok"
    deep = of("models", "--deep")[0]
    assert deep["level"] == "fail"
    assert "querist models pull --again" in deep["todo"]


def test_the_runtime_of_local_models_must_be_installed(placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: "")
    last = of("models")[-1]
    assert last["level"] == "fail"
    assert 'pip install "querist[local]"' in last["todo"]


def test_a_server_is_reached_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERIST_MODELS__CODING", "openai-compatible:any")
    with serving([Answer(status=404)]) as server:
        provider = {"openai-compatible": {"base_url": server.url}}
        monkeypatch.setenv("QUERIST_MODELS__PROVIDERS", json.dumps(provider))
        assert [finding["level"] for finding in of("models")] == ["ok"]
    monkeypatch.setenv("QUERIST_MODELS__PROVIDERS", json.dumps({"openai-compatible": {"base_url": unused_url()}}))
    assert [finding["level"] for finding in of("models")] == ["fail"]


def test_wrong_settings_are_told_and_end_the_examination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "querist.yaml"
    file.write_text("limits:\n  row: 5\n")
    monkeypatch.setenv("QUERIST_CONFIG", str(file))
    last = findings()[-1]
    assert (last["part"], last["level"]) == ("settings", "fail")
    assert "querist.yaml:2" in last["message"]
    assert "rows" in last["message"] + last["todo"]


def test_each_source_is_tried_and_a_password_never_shown(hosted: None, kites: Path) -> None:
    url = "postgresql://ada:hush-hush@127.0.0.1:1/none"
    levels = [finding["level"] for finding in of("data", "--data", kites, "--data", url, "--data", kites / "x")]
    assert levels == ["ok", "fail", "fail"]
    assert "hush-hush" not in examine("--data", url).output


def test_a_folder_that_cannot_be_written_is_a_failure(hosted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert {finding["level"] for finding in of("folders")} == {"fail"}


def test_a_file_in_place_of_the_home_is_a_failure(
    hosted: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUERIST_HOME", str(tmp_path / "file"))
    assert {finding["level"] for finding in of("folders")} == {"fail"}


def test_a_nearly_full_disk_is_a_warning(hosted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    assert {finding["level"] for finding in of("folders")} == {"warn"}
