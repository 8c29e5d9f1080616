"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def human_data() -> Path:
    """The real-data root: ``$BENCH_DATA``, else ``../shared/data``; skipped where there is none."""
    folder = Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "SHA256SUMS").is_file():
        pytest.skip(f"real data are not here ({folder}); set BENCH_DATA to a data root to run this test")
    return folder
