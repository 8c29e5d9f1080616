"""Speed beside a peer: both are run in turn in one process, and the ratio of their least times is kept."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest


@pytest.fixture
def beside(benchmark: Any) -> Callable[..., float]:
    """Time ``ours`` and ``peer`` in turn; the ratio must reach ``at_least``.

    ``peer_scale`` is how many times the work of ``peer`` that of ``ours`` is (a peer too slow to do all of it
    does a part). The least times are compared: other load on the machine only ever adds to a time.
    """

    def run(
        work: str,
        peer_name: str,
        *,
        ours: Callable[[], object],
        peer: Callable[[], object],
        at_least: float,
        rounds: int = 3,
        peer_scale: float = 1.0,
    ) -> float:
        times: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
        ours()  # once untimed: imports, thread pools and compiled kernels are not the work
        for _ in range(rounds):
            for call, taken in times.items():
                start = perf_counter()
                call()
                taken.append(perf_counter() - start)
        least_ours, least_peer = min(times[ours]), min(times[peer]) * peer_scale
        ratio = least_peer / least_ours
        benchmark.extra_info.update(
            work=work, peer=peer_name, ours_s=least_ours, peer_s=least_peer, ratio=ratio, at_least=at_least
        )
        benchmark.pedantic(ours, rounds=1)
        assert ratio >= at_least, f"{work}: {ratio:.1f} x {peer_name}, expected at least {at_least:g} x"
        return ratio

    return run
