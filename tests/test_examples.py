"""The demo: what it expects is right, and it tells right answers from wrong ones."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from querist.models.base import Model, Request
from querist.settings import Settings
from querist.sources.open import open_sources
from tests.scripted_model import ScriptedModel

EXAMPLES = Path(__file__).parent.parent / "examples"


def load_demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["demo"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEMO = load_demo()


def use(monkeypatch: pytest.MonkeyPatch, reply: Callable[[str], str]) -> None:
    """Let the demo ask a model that replies to the question's text."""

    def answer(request: Request) -> str:
        return reply(request.messages[-1].content)

    def opened(names: str | Sequence[str], settings: Settings | None = None) -> Model:
        return ScriptedModel(answer)

    monkeypatch.setattr("querist.models.open.open_model", opened)
    monkeypatch.setattr(DEMO, "fetch_model", lambda console: None)


def by_hand(asked: str) -> str:
    return next(example.by_hand for example in DEMO.EXAMPLES if example.question in asked)


@pytest.mark.parametrize("example", DEMO.EXAMPLES, ids=lambda example: example.question)
def test_what_the_demo_expects_is_what_a_query_written_by_hand_gives(example: object) -> None:
    (source,) = open_sources([EXAMPLES / example.data])  # type: ignore[attr-defined]
    table = source.execute(example.by_hand)  # type: ignore[attr-defined]
    source.close()
    rows = [tuple(round(v, 2) if isinstance(v, float) else v for v in row) for row in table]
    assert sorted(rows) == sorted(example.expected)  # type: ignore[attr-defined]


def test_the_demo_ends_well_when_all_answers_are_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, by_hand)
    assert DEMO.main() == 0
    assert capsys.readouterr().out.count("✓") == len(DEMO.EXAMPLES)


def test_the_demo_fails_when_an_answer_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, lambda asked: by_hand(asked).replace("returned'", "shipped'"))
    assert DEMO.main() == 1
    assert "✗ expected ((43,),)" in capsys.readouterr().out


@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_demo_with_the_real_model() -> None:
    assert DEMO.main() == 0
