"""Several models in order: the next one answers when one cannot."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from querist.errors import ModelError, QueristError
from querist.models.base import Model, OnToken, Reply, Request

log = logging.getLogger(__name__)


class FallbackModel:
    """Asks the first model; after a `ModelError`, the next. That is logged, and `Reply.model` names who answered.

    A reply that breaks off while it streams is begun anew by the next model, so a reader may see two beginnings.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = tuple(models)
        self.name = " | ".join(model.name for model in self._models)

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        failures: list[ModelError] = []
        for model in self._models:
            try:
                return await model.complete(request, on_token)
            except ModelError as error:
                failures.append(error)
                log.warning("%s failed (%s: %s)", model.name, error.code, error.message)
        raise all_failed(failures) from failures[-1]

    async def close(self) -> None:
        for model in self._models:
            await model.close()


def all_failed(failures: Sequence[QueristError]) -> QueristError:
    """One error that tells all; a lone one as it is."""
    if len(failures) == 1:
        return failures[0]
    told = "; ".join(error.message.rstrip(".") for error in failures)
    return ModelError(f"None of the {len(failures)} models answered. {told}.", hint=failures[0].hint)
