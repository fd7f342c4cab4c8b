from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.shop import Shop
from tests.agents.shop import shop as make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)
