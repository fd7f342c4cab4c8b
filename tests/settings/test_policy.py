from __future__ import annotations

from pathlib import Path

import pytest

from querist.errors import ConfigError
from querist.settings import load_settings
from querist.settings.policy import Policy, Retry

EXAMPLE = """
components:
  defaults: {timeout: 60}
  fetch:
    retry: {attempts: 2, on: model}
    rate: {per_minute: 30, burst: 5}
    concurrency: {limit: 2}
    breaker: {threshold: 3}
    cache: {ttl: 60}
hooks:
  - {use: transformer, at: 'after:tool', pattern: '\\d+'}
permissions: [file_read:sales, 'network:*.example.org', model:*]
"""


def load(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "querist.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_can_say_how_components_run_and_what_they_may(tmp_path: Path) -> None:
    settings = load_settings(load(tmp_path, EXAMPLE), environ={"QUERIST_COMPONENTS__FETCH__TIMEOUT": "7"})
    fetch = settings.components["fetch"]
    assert fetch.timeout == 7
    assert fetch.retry == Retry(attempts=2, on=("model",))
    assert fetch.concurrency is not None
    assert fetch.concurrency.queue == 100
    assert settings.hooks[0].at == ("after:tool",)
    assert settings.permissions == (f"file_read:{tmp_path / 'sales'}", "network:*.example.org", "model:*")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("components: {fetch: {timeout: -1}}", r"1:31: 'components\.fetch\.timeout' is -1"),
        ("components: {fetch: {retries: 3}}", r"unknown setting 'retries' in 'components\.fetch'"),
        ("hooks: [{use: validator, at: 'before:*'}]", r"'hooks\[0\]' is .* a validator needs a `pattern`"),
        ("hooks: [{use: validator, at: 'before:*', pattern: '('}]", r"is no regular expression"),
        ("permissions: networks:x", r"'permissions\[0\]' is 'networks:x', but a permission is written KIND:SCOPE"),
        ("token_budget: 0", r"'token_budget' is 0"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_settings(load(tmp_path, text), environ={})


def test_what_one_policy_leaves_open_the_one_below_says() -> None:
    above, below = Policy(timeout=1), Policy(timeout=2, retry=Retry(attempts=5))
    assert above.over(below) == Policy(timeout=1, retry=Retry(attempts=5))
    assert Policy(retry=None).over(below).retry is None, "what is set to nothing is set"
