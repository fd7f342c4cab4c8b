"""Asks the questions of a set, one after the other, and marks each answer as it comes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from querist.answer.answer import Answer
from querist.errors import (
    ConfigError,
    MissingExtraError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    QueristError,
    UsageError,
)
from querist.evaluate.prediction import Prediction, PredictionLog, crashed, predicted
from querist.evaluate.question import GoldenQuestion
from querist.evaluate.score import Scorer
from querist.settings.section import redact

_STOPPING = (ConfigError, UsageError, MissingExtraError, ModelNotFoundError, ModelAccessError)
"""Errors that every other question would meet as well."""
PATIENCE = 3
"""So many questions in a row may fail because of the model before the run stops."""


class Asker(Protocol):
    """Who is evaluated: `Querist` over one set of data."""

    def ask(self, question: str, *, note: str = "") -> Answer: ...

    def replay(self, repeat: int) -> None:
        """The next questions are asked for the `repeat`-th time."""

    def take_replayed(self) -> tuple[int, float]:
        """Calls answered from the cache since this was last asked, and the seconds that this saved."""
        ...

    def close(self) -> None: ...


def run(
    questions: Sequence[GoldenQuestion],
    open_asker: Callable[[tuple[str, ...]], Asker],
    *,
    log: PredictionLog | None = None,
    on_each: Callable[[Prediction], None] | None = None,
    repeat: int = 1,
    setup: str = "",
) -> list[Prediction]:
    """Ask all questions, those about the same data together, and mark the answers.

    What `log` holds already is not asked again, except where the model had failed, or the question, its note, its data
    or the setup has changed since.

    Args:
        open_asker: opens data; kept open for all questions about them.
        on_each: is told of every answer, those that were there already included.
        repeat: how often each question is asked.
        setup: what the answers depend on beside the questions, such as the model.

    Raises:
        QueristError: what would fail for every question: settings, a model that is missing or gone, data that cannot
            be opened. What was answered until then is in `log`.
    """
    done = {(p.id, p.question, p.repeat): p for p in (log.done if log else ()) if not p.model_failed}
    marked: list[Prediction] = []
    failures = 0

    with Scorer() as scorer:
        for data, group in _by_data(questions).items():
            asker: Asker | None = None
            try:
                for number in range(repeat):
                    for question in group:
                        asked = _digest(question, setup)
                        known = done.get((question.id, question.question, number))
                        if known is not None and known.asked in ("", asked):
                            prediction = scorer.mark(question, known)
                        else:
                            asker = asker or open_asker(data)
                            asker.replay(number)
                            prediction = ask_one(asker, question, number).model_copy(update={"asked": asked})
                            failures = failures + 1 if prediction.model_failed else 0
                            if failures >= PATIENCE:
                                raise ModelError(
                                    f"{PATIENCE} questions in a row failed because of the model: {prediction.text}",
                                    hint="What was answered is kept in the predictions; mend it and run again.",
                                )
                            prediction = scorer.mark(question, prediction)
                            if log is not None:
                                log.add(prediction)
                        marked.append(prediction)
                        if on_each is not None:
                            on_each(prediction)
            finally:
                if asker is not None:
                    asker.close()
    return marked


def ask_one(asker: Asker, question: GoldenQuestion, repeat: int = 0) -> Prediction:
    """Ask one question. An error that it meets stands in the prediction.

    Raises:
        QueristError: one that every other question would meet as well.
    """
    db = ", ".join(_last_part(path) for path in question.data)
    asker.take_replayed()
    started = time.perf_counter()
    try:
        answer = asker.ask(question.question, note=question.note)
    except _STOPPING:
        raise
    except QueristError as error:
        took = time.perf_counter() - started
        return crashed(question.id, db, question.question, error, measured=took, repeat=repeat)
    took = time.perf_counter() - started
    replayed, saved = asker.take_replayed()
    return predicted(question.id, db, answer, measured=took, saved=saved, replayed=replayed, repeat=repeat)


def _digest(question: GoldenQuestion, setup: str) -> str:
    told = [question.question, question.note, *map(redact, question.data), setup]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _by_data(questions: Sequence[GoldenQuestion]) -> dict[tuple[str, ...], list[GoldenQuestion]]:
    groups: dict[tuple[str, ...], list[GoldenQuestion]] = {}
    for question in questions:
        groups.setdefault(question.data, []).append(question)
    return groups
