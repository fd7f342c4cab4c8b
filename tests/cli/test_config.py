from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from querist.cli.main import app
from querist.settings import Settings, load_settings

RUN = CliRunner()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_show_prints_the_settings_in_force_as_a_file_that_can_be_used() -> None:
    Path("querist.yaml").write_text("limits: {rows: 5}\nmodels: {fast: [ollama:b, openai:d]}\n")
    result = RUN.invoke(app, ["config", "show"])
    assert result.exit_code == 0
    assert result.stdout.startswith("# with querist.yaml")
    assert YAML(typ="safe").load(result.stdout) == load_settings().public()
    Path("copy.yaml").write_text(result.stdout)
    assert load_settings("copy.yaml") == load_settings()


def test_show_gives_json_for_programs() -> None:
    result = RUN.invoke(app, ["config", "show", "--json"], env={"QUERIST_LIMITS__ROWS": "7"})
    assert json.loads(result.stdout)["limits"]["rows"] == 7


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_show_hides_secrets(options: list[str]) -> None:
    Path("querist.yaml").write_text(
        "data: 'mysql+pymysql://me:hunter2@host/db'\nmodels: {providers: {openai: {api_key: '${KEY}'}}}\n"
    )
    result = RUN.invoke(app, ["--config", "querist.yaml", "config", "show", *options], env={"KEY": "sk-hunter2"})
    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert "@host/db" in result.output


def test_validate_says_which_file_is_right() -> None:
    assert "No settings file" in RUN.invoke(app, ["config", "validate"]).stdout
    Path("querist.yaml").write_text("limits: {rows: 5}")
    assert RUN.invoke(app, ["config", "validate"]).stdout == "querist.yaml: no mistakes\n"
    assert json.loads(RUN.invoke(app, ["config", "validate", "--json"]).stdout) == {
        "valid": True,
        "file": "querist.yaml",
    }


def test_a_file_in_the_working_directory_grants_rights_once_it_is_trusted() -> None:
    file = Path("querist.yaml")
    file.write_text("permissions: file_read:/\n")

    def permitted() -> list[str]:
        granted: list[str] = json.loads(RUN.invoke(app, ["config", "show", "--json"]).stdout)["permissions"]
        return granted

    assert permitted() == []
    assert "may grant rights from now on" in RUN.invoke(app, ["config", "trust"]).stdout
    assert permitted() == ["file_read:/"]
    RUN.invoke(app, ["config", "trust", "--revoke"])
    assert permitted() == []
    assert RUN.invoke(app, ["config", "trust", "none.yaml"]).exit_code == 2


def test_validate_tells_mistakes_in_what_is_not_trusted_as_well() -> None:
    Path("querist.yaml").write_text("permissions: everything")
    assert "KIND:SCOPE" in RUN.invoke(app, ["config", "validate"]).output


def test_validate_tells_mistakes_and_exits_with_2() -> None:
    Path("other.yaml").write_text("limits:\n  rowz: 5")
    result = RUN.invoke(app, ["config", "validate", "other.yaml"])
    assert result.exit_code == 2
    assert "other.yaml:2:3: unknown setting 'rowz'" in result.stderr
    assert "Did you mean 'rows'?" in result.stderr
    result = RUN.invoke(app, ["config", "validate", "other.yaml", "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "config"


def test_config_names_the_file_for_every_command() -> None:
    Path("other.yaml").write_text("limits: {rows: 9}")
    result = RUN.invoke(app, ["--config", "other.yaml", "config", "show", "--json"])
    assert json.loads(result.stdout)["limits"]["rows"] == 9


def test_schema_knows_every_section_and_says_what_keys_mean() -> None:
    schema = json.loads(RUN.invoke(app, ["config", "schema"]).stdout)
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["additionalProperties"] is False
    assert "cut" in schema["$defs"]["LimitSettings"]["properties"]["rows"]["description"]


def test_validate_tells_what_counts_only_in_a_file_that_is_trusted() -> None:
    Path("querist.yaml").write_text("data: ${SHOP}\n")
    for arguments, code in ((["validate"], 2), (["validate", "querist.yaml"], 0)):
        result = RUN.invoke(app, ["config", *arguments], env={"SHOP": "shop"})
        assert result.exit_code == code
        assert ("querist config trust" in result.stderr) == (code == 2)
