"""Time the page of many results in a browser: ``python tests/benchmarks/page_in_a_browser.py 200 40``.

It makes up results of so many models and bindings, builds their page, and opens it in headless Chromium. It prints
how long the build takes, how long until the first row is there, and until a column is sorted.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "leaderboard"))
from test_page import cell

from benchmark.leaderboard import build_page
from benchmark.registry import load_registry
from benchmark.results import CellResult, Estimate, LayerScore, ResultStore

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


def opened(page: Page, address: str) -> tuple[float, list[float]]:
    """Milliseconds until the first row is there, and until a column is sorted, three times."""
    page.goto(address)
    page.wait_for_selector(".tabulator-row .strip")
    first = float(page.evaluate("performance.now()"))
    return first, [float(page.evaluate(SORT, direction)) for direction in ("desc", "asc", "desc")]


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description="Time the page of many results in a browser.")
    parser.add_argument("models", type=int)
    parser.add_argument("bindings", type=int)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store, file = ResultStore(Path(folder) / "results"), Path(folder) / "page.html"
        for binding in range(asked.bindings):
            for model in range(asked.models):
                store.write(made_up(model, binding, rng))
        start, start_cpu = time.perf_counter(), time.process_time()
        build_page(store.folder, file, load_registry())
        took, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        print(f"built in {took:.1f} s ({cpu:.1f} s of processor); {file.stat().st_size / 1e6:.2f} MB")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(OPENINGS):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            first, sorts = opened(page, file.as_uri())
            print(f"opened in {first:.0f} ms; sorted in {', '.join(f'{ms:.0f}' for ms in sorts)} ms")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
