"""``bench run --dry-run``: what would be scored; nothing is. And the cost a long extraction begins with."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from benchmark.cli.run import WorkBar
from benchmark.common.cost import Cost
from benchmark.datasets import Join, RDMTarget, Stimuli
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model
from benchmark.runner import Options, Session
from benchmark.runner.view import LONG, StoredView


def test_what_is_missing_and_then_nothing(bench: Callable, tmp_path: Path) -> None:
    command = ("run", "--model", "mini_clip", "--task", "people_rdm,area_early_rdm", "--output", tmp_path)
    found = bench(*command, "--dry-run")
    assert found.status == 0
    first, second = (line for line in found.out.splitlines() if "mini_clip" in line)
    assert "to score" in first
    assert "to score" in second
    assert "2 of 2 cells would be scored" in found.out
    assert list(tmp_path.iterdir()) == []
    assert bench(*command).status == 0
    found = bench(*command, "--dry-run")
    assert found.out.count("scored already") == 2
    assert "0 of 2 cells would be scored" in found.out


def test_cost_stands_at_the_first_cell_that_needs_the_features(bench: Callable, tmp_path: Path) -> None:
    found = bench(
        *("run", "--model", "mini_clip@untrained:77", "--task", "people_rdm,area_early_rdm"),
        *("--output", tmp_path, "--dry-run"),
    )
    lines = [line for line in found.out.splitlines() if "untrained:77" in line]
    assert ["on disk" in line for line in lines] == [True, False]


def test_the_search_of_gwot_is_counted(bench: Callable, tmp_path: Path) -> None:
    command = ("run", "--model", "pixels", "--task", "people_gwot,people_rdm", "--output", tmp_path)
    rdm, gwot = (line for line in bench(*command, "--dry-run").out.splitlines() if "pixels" in line)
    assert re.search(r"about \d+ s, 1 MiB on disk", gwot), "12 starts of 48 concepts"
    assert "about" not in rdm


def test_a_search_is_counted_for_each_layer_and_each_part_of_the_people() -> None:
    task = Session(Options()).task("gwot_matching")
    ids = tuple(map(str, range(40)))
    rdms = np.random.default_rng(0).random((9, 40, 40))
    rdms = rdms + rdms.transpose(0, 2, 1)
    rdms[:, np.arange(40), np.arange(40)] = 0
    target = RDMTarget("people", ids, "h", rdms=rdms, subjects=tuple("abcdefghi"))
    joined = Join(ids, target, {}, target)
    few, many = (task.cost(joined, layers, {"starts": 8}).seconds for layers in (1, 41))
    # 7 and 47 searches; a step is timed twice, so the ratio is not exact
    assert 3 < many / few < 13


class Slow(Model):
    """A model that knows what it costs."""

    layers = ("only",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):  # type: ignore[no-untyped-def]
        return {layer: np.ones((len(stimuli), 2), np.float32) for layer in layers}

    def estimate(self, stimuli, layers, *, device="cpu"):  # type: ignore[no-untyped-def]
        return Cost(600.0, 2**30, 2**20)


@pytest.mark.parametrize(("n", "said"), [(LONG, True), (LONG - 1, False)])
def test_a_long_extraction_says_its_cost_before_it_starts(tmp_path: Path, n: int, said: bool) -> None:
    ids = tuple(map(str, range(n)))
    stimuli = Stimuli("many", ids, ids, "m", lambda _: Image.new("RGB", (2, 2)))
    text = io.StringIO()
    bars = Progress(console=Console(file=text), disable=True)
    view = StoredView(
        Slow(), stimuli, FeatureStore(tmp_path), {"k": n}, progress=WorkBar(bars, "features of slow")
    )
    view.features("only")
    assert ("features of slow: about 10 min, 1.0 GiB memory, 1 MiB on disk" in text.getvalue()) is said
