"""Spans for OpenTelemetry, where the program that uses Querist has set it up. Costs nothing where it has not."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

_OFF: AbstractContextManager[Any] = nullcontext()


def span(name: str, run_id: str, parent_id: str) -> AbstractContextManager[Any]:
    """A context manager around one run: a span named after its component, or nothing when nobody traces."""
    # Whoever traces has imported OpenTelemetry and set a provider by now. Importing it here, for all others, would
    # cost every command its time.
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _OFF
    attributes = {"querist.run_id": run_id, "querist.parent_id": parent_id}
    tracer = trace.get_tracer("querist")
    traced: AbstractContextManager[Any] = tracer.start_as_current_span(name, attributes=attributes)
    return traced
