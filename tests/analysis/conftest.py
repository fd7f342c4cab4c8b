from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def plots() -> pd.DataFrame:
    """Two hundred plots of land: the yield rises with rain, is higher where irrigated, and lacks five values."""
    random = np.random.default_rng(4)
    rain = random.normal(400, 60, 200)
    irrigated = np.where(np.arange(200) % 2 == 0, "yes", "no")
    crop = 2 * rain + np.where(irrigated == "yes", 120, 0) + random.normal(0, 25, 200)
    crop[:5] = np.nan
    return pd.DataFrame(
        {
            "plot": [f"P-{number}" for number in range(200)],
            "region": random.choice(["north", "south", "west"], 200),
            "rain_mm": rain,
            "Yield kg": crop,
            "price": random.exponential(10, 200),
            "irrigated": irrigated,
            "sown": pd.date_range("2020-01-01", periods=200, freq="D"),
        }
    )
