"""From names to models: which provider, in which order, with which settings."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from querist.errors import (
    ConfigError,
    MissingExtraError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    ModelRateLimitError,
)
from querist.models import hosted
from querist.models.base import Message, Request
from querist.models.fallback import FallbackModel
from querist.models.manifest import find_model, manifest
from querist.models.open import open_embedding_model, open_model
from querist.settings import Settings
from querist.settings.model import PROVIDERS
from tests.models.http_server import Answer, serving
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

ASK = Request([Message("user", "Hello?")])
SAID = Answer({"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]})


def settings(**providers: dict[str, Any]) -> Settings:
    named = {name.replace("_", "-"): value for name, value in providers.items()}
    return Settings.model_validate({"models": {"providers": named, "retries": 0}})


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("opnai:gpt-5", "Did you mean openai:gpt-5?"),
        ("gpt-5", "provider:model"),
        ("openai:", "Write openai:MODEL"),
        ("local:qwen2.5-coder-1.5", "Did you mean 'qwen2.5-coder-1.5b'?"),
        ("local:/nowhere/x.gguf", "GGUF"),
        ("local:qwen2.5-coder-1.5b", "querist models pull qwen2.5-coder-1.5b"),
    ],
)
def test_a_name_that_leads_nowhere_says_what_was_meant(name: str, hint: str) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        open_model(name)
    assert hint in caught.value.hint


def test_settings_and_models_know_the_same_providers() -> None:
    assert set(PROVIDERS) == {"local", "ollama", "openai-compatible", *hosted.PROVIDERS}


@pytest.mark.parametrize("shared", [True, False])
def test_a_missing_runtime_is_told_before_the_model_is_fetched(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError) as caught:
        open_model("local:qwen2.5-coder-1.5b", Settings.model_validate({"local": {"shared": shared}}))
    assert 'pip install "querist[local]"' in caught.value.hint


def test_a_missing_key_is_told_at_once_with_its_variable() -> None:
    with pytest.raises(ModelAccessError) as caught:
        open_model("anthropic:claude-sonnet-4-5")
    assert "ANTHROPIC_API_KEY" in caught.value.hint


def test_a_server_of_ones_own_needs_an_address() -> None:
    with pytest.raises(ConfigError, match="address"):
        open_model("openai-compatible:x")


async def test_asks_a_compatible_server_with_the_key_of_the_settings() -> None:
    with serving([SAID]) as server:
        model = open_model(
            "openai-compatible:x", settings(openai_compatible={"base_url": f"{server.url}/v1", "api_key": "s3"})
        )
        assert (await model.complete(ASK)).text == "Hi."
    assert server.calls[0].headers["authorization"] == "Bearer s3"


async def test_a_server_named_in_the_settings_is_a_provider() -> None:
    with serving([SAID]) as server:
        model = open_model("den:x", settings(den={"base_url": f"{server.url}/v1"}))
        assert (await model.complete(ASK)).model == "den:x"


async def test_ollama_is_found_where_its_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([SAID]) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))
        reply = await open_model("ollama:x").complete(ASK)
    assert (reply.text, reply.usage.cost) == ("Hi.", 0.0)


async def test_the_next_model_answers_when_the_first_cannot(caplog: pytest.LogCaptureFixture) -> None:
    first = ScriptedModel([ModelRateLimitError("a: too many")], "a:x")
    second = ScriptedModel(["Hi."], "b:y")
    reply = await FallbackModel([first, second]).complete(ASK)
    assert (reply.text, reply.model) == ("Hi.", "b:y")
    assert "a: too many" in caplog.text


async def test_when_none_answers_the_error_tells_of_all() -> None:
    chain = FallbackModel([ScriptedModel([ModelError("a is down.")]), ScriptedModel([ModelError("b is down.")])])
    with pytest.raises(ModelError, match=r"None of the 2 models answered\. a is down; b is down\."):
        await chain.complete(ASK)


def test_a_model_that_cannot_be_opened_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert open_model(["local:qwen2.5-coder-1.5b", "ollama:x"]).name == "ollama:x"
    assert "not on this machine" in caplog.text


def test_a_slip_in_a_list_is_an_error_all_the_same() -> None:
    with pytest.raises(ModelNotFoundError, match="olama"):
        open_model(["ollama:x", "olama:x"])


def test_no_name_at_all_is_an_error() -> None:
    with pytest.raises(ConfigError):
        open_model([])


async def test_embeddings_of_an_openai_compatible_server() -> None:
    with serving([Answer({"data": [{"index": 0, "embedding": [5, 0]}]})]) as server:
        model = open_embedding_model("openai:e", settings(openai={"base_url": f"{server.url}/v1", "api_key": "k"}))
        assert await model.embed(["a"]) == [[1.0, 0.0]]


def test_a_file_of_the_users_own_is_a_local_model(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF")
    assert open_model(f"local:{file}").name == f"local:{file}"


def test_the_manifest_is_whole() -> None:
    assert find_model(manifest().default)
    for model in manifest().models:
        assert model.sources or sum(part.size for part in model.pypi) == model.bytes
        assert len({part.sha256 for part in model.pypi}) == len(model.pypi)
        assert len(model.sha256) == 64
