"""The sandbox that the tests share: it starts once, as its start costs more than all runs together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from querist.sandbox.launch import probe
from querist.sandbox.local import LocalSandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    if why := probe("bubblewrap"):
        pytest.skip(f"bubblewrap does not work here: {why}")
    made = LocalSandbox("bubblewrap")
    yield made
    asyncio.run(made.close())
