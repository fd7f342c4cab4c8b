"""The pytest plugin: `pytest --querist` asks golden questions as tests.

pytest loads this in every run of everyone who has Querist installed, so it imports nothing until it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from querist.evaluate.prediction import Prediction
    from querist.evaluate.question import GoldenQuestion
    from querist.evaluate.run import Asker
    from querist.evaluate.score import Scorer

PATTERNS = ("golden*.yaml", "golden*.yml", "*.golden.yaml", "*.golden.yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("querist", "golden questions")
    group.addoption("--querist", action="store_true", help="Ask the golden questions (golden*.yaml, *.golden.yaml).")
    group.addoption("--querist-model", metavar="NAME", help="Model that writes the queries, as provider:model.")
    group.addoption(
        "--querist-no-cache", action="store_true", help="Ask the model even where it was asked the very same before."
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not parent.config.getoption("--querist"):
        return None
    named = parent.session.isinitpath(file_path) and file_path.suffix in (".yaml", ".yml")
    if not named and not any(fnmatch(file_path.name, pattern) for pattern in PATTERNS):
        return None
    return GoldenFile.from_parent(parent, path=file_path)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (opened := config.stash.get(_OPENED, None)) is not None:
        opened.close()


class GoldenFile(pytest.File):
    """A golden file; a mistake in it is told with its line and column."""

    def collect(self) -> Iterable[pytest.Item]:
        from querist.errors import QueristError
        from querist.evaluate.golden import read_golden

        try:
            questions = read_golden(self.path)
        except QueristError as error:
            raise self.CollectError(_told(error)) from error
        for question in questions:
            yield GoldenItem.from_parent(self, name=str(question.id), asked=question)


class GoldenItem(pytest.Item):
    """One golden question. Its tags can be selected with `-k`."""

    def __init__(self, *, asked: GoldenQuestion, **rest: Any) -> None:
        super().__init__(**rest)
        self.asked = asked
        self.extra_keyword_matches.update(asked.tags)

    def runtest(self) -> None:
        stash = self.config.stash
        opened = stash.get(_OPENED, None)
        if opened is None:
            opened = stash[_OPENED] = _Opened(
                self.config.getoption("--querist-model"), cached=not self.config.getoption("--querist-no-cache")
            )
        prediction = opened.ask(self.asked)
        self.user_properties += [("status", prediction.status), ("seconds", prediction.seconds)]
        assert prediction.mark is not None
        if not prediction.mark.passed:
            raise _NotRight(prediction)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from querist.errors import QueristError
        from querist.evaluate.failure import failure_text

        if isinstance(excinfo.value, _NotRight):
            return failure_text(excinfo.value.prediction)
        if isinstance(excinfo.value, QueristError):
            return _told(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        line = int(self.asked.place.rpartition(":")[2]) - 1
        return self.path, line, f"{self.path.name}: {self.asked.question}"


class _NotRight(AssertionError):
    def __init__(self, prediction: Prediction) -> None:
        super().__init__(prediction.mark and prediction.mark.reason)
        self.prediction = prediction


class _Opened:
    """What stays open between the questions about the same data."""

    def __init__(self, model: str | None, *, cached: bool) -> None:
        from querist.evaluate.score import Scorer
        from querist.settings import load_settings

        self.model, self.cached, self.settings = model, cached, load_settings()
        self.scorer: Scorer = Scorer()
        self.data: tuple[str, ...] = ()
        self.asker: Asker | None = None

    def ask(self, question: GoldenQuestion) -> Prediction:
        from querist.cli.eval_asker import QueristAsker
        from querist.evaluate.run import ask_one

        if self.asker is None or self.data != question.data:
            self.close()
            self.asker = QueristAsker(question.data, self.settings, self.model, cached=self.cached)
            self.data = question.data
        return self.scorer.mark(question, ask_one(self.asker, question))

    def close(self) -> None:
        asker, self.asker = self.asker, None
        if asker is not None:
            asker.close()
        self.scorer.close()


_OPENED = pytest.StashKey[_Opened]()


def _told(error: Exception) -> str:
    hint = getattr(error, "hint", "")
    return f"{error}\n{hint}".rstrip()
