"""Who is evaluated: `Querist` with a model whose replies are kept, so that a rerun is free and exact.

Without the user's verified queries, for the figures are about the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.models.cached import CachedModel
from querist.state.paths import cache_dir

if TYPE_CHECKING:
    from querist.answer.answer import Answer
    from querist.settings import Settings

MAX_BYTES = 500_000_000
"""Bound on the kept replies."""


class QueristAsker:
    """Asks over one set of data; see `evaluate.run.Asker`.

    Args:
        data: as `Querist` takes it.
        model: name of the model that writes the queries; as settings say when None.
        cached: whether replies are kept and replayed.
    """

    def __init__(self, data: tuple[str, ...], settings: Settings, model: str | None, *, cached: bool = True) -> None:
        from querist.app import Querist
        from querist.models.open import open_model
        from querist.state.cache import ContentCache

        opened = open_model(model or settings.models.coding, settings)
        self._cache = ContentCache(cache_dir() / "model-replies.sqlite", MAX_BYTES) if cached else None
        self._cached = CachedModel(opened, self._cache) if self._cache is not None else None
        self._querist = Querist(*data, settings=settings, model=self._cached or opened, use_verified=False)

    def ask(self, question: str, *, note: str = "") -> Answer:
        return self._querist.ask(question, note=note)

    def replay(self, repeat: int) -> None:
        if self._cached is not None:
            self._cached.variant = f"repeat {repeat}" if repeat else ""

    def take_replayed(self) -> tuple[int, float]:
        return self._cached.take_replayed() if self._cached is not None else (0, 0.0)

    def close(self) -> None:
        self._querist.close()
        if self._cache is not None:
            self._cache.close()
