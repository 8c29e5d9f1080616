"""The memory of this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.common.cost import peak_memory

STATUS = Path("/proc/self/status")


@pytest.mark.skipif(not STATUS.is_file(), reason="the peak as Linux writes it")
def test_peak_memory_is_what_the_system_says_in_bytes() -> None:
    kib = next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    assert peak_memory() == pytest.approx(1024 * kib, rel=0.05)
