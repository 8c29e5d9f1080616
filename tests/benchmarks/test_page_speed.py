"""The page of many results: how long people wait until it is built, is open in a browser, and is sorted."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "leaderboard"))
from test_page import cell

from benchmark.leaderboard import build_page
from benchmark.registry import load_registry
from benchmark.results import CellResult, Estimate, LayerScore, ResultStore

pytestmark = pytest.mark.benchmark

LAYERS = 6
OPENINGS = 4
SORT = """direction => new Promise(done => {
  const start = performance.now();
  table.setSort("binding_00", direction);
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def made_up(model: int, binding: int, rng: np.random.Generator) -> CellResult:
    """A result with layers of two metrics, and with what paired comparisons need."""

    def estimate() -> Estimate:
        score = float(rng.random() * 0.6)
        return Estimate(
            score=score,
            ci_low=score - 0.05,
            ci_high=score + 0.05,
            chance=0.0,
            ceiling_low=0.6,
            ceiling_high=0.7,
        )

    layers = [
        LayerScore(
            name=f"layer{i}", p=0.01, p_fdr=0.02, metrics={n: estimate() for n in ("spearman", "pearson")}
        )
        for i in range(LAYERS)
    ]
    score = float(rng.random() * 0.6)
    best = LayerScore(name="two", p=0.01, metrics={"spearman": Estimate(score=score)})
    changes = tuple(tuple(map(float, np.round(0.02 * rng.normal(size=64), 6))) for _ in range(2))
    name, on = f"model_{model:04d}", f"binding_{binding:02d}"
    return cell(name, score, binding=on, layers=(*layers, best), perturbed=changes)


def opened(page: Any, address: str) -> tuple[float, list[float]]:
    """Milliseconds until the first row is there, and until a column is sorted, three times."""
    page.goto(address)
    page.wait_for_selector(".tabulator-row .strip")
    first = float(page.evaluate("performance.now()"))
    return first, [float(page.evaluate(SORT, direction)) for direction in ("desc", "asc", "desc")]


@pytest.mark.parametrize(
    ("models", "bindings", "most_build_s", "most_open_ms"), [(200, 40, 20, 2000), (1000, 25, np.inf, 3000)]
)
def test_a_page_of_many_results(tmp_path, models, bindings, most_build_s, most_open_ms):
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
    chromium = shutil.which("chromium") or pytest.skip("there is no Chromium here")
    store, file, rng = ResultStore(tmp_path / "results"), tmp_path / "page.html", np.random.default_rng(0)
    for binding in range(bindings):
        for model in range(models):
            store.write(made_up(model, binding, rng))
    start = time.process_time()
    build_page(store.folder, file, load_registry())
    took = time.process_time() - start
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        visits = [opened(browser.new_page(), file.as_uri()) for _ in range(OPENINGS)]
        browser.close()
    first, sorts = min(ms for ms, _ in visits), [ms for _, each in visits for ms in each]
    print(f"\nbuilt in {took:.1f} CPU seconds, {file.stat().st_size / 1e6:.2f} MB")
    print(f"opened in {first:.0f} ms, sorted in {min(sorts):.0f} to {max(sorts):.0f} ms")
    assert took < most_build_s
    assert first < most_open_ms
    assert float(np.median(sorts)) < 200
