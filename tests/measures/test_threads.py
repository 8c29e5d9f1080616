"""Work in threads: one result per item, in order, for any number of items and of threads."""

from __future__ import annotations

import pytest

from benchmark.measures._threads import in_threads


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_results_have_the_order_of_the_items(count: int, workers: int) -> None:
    assert in_threads(lambda item: item * 2, range(count), workers) == [2 * item for item in range(count)]


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        in_threads(abs, [1], 0)
