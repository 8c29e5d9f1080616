"""Draw the picture of the leaderboard, from the published results: ``python docs/picture.py``.

It needs the extra ``browser`` and Chromium.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmark.leaderboard import build_page
from benchmark.registry import load_registry

DOCS = Path(__file__).parent
#: What the picture shows: networks on real data, the columns of two tasks, the best first
VIEW = "#/human?tasks=rdm_correlation,two_vs_two&sort=things_rdm_334:desc"
SIZE = {"width": 1440, "height": 720}


def main() -> None:
    """Write ``docs/leaderboard.png``."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "page.html"
        build_page(DOCS.parent / "leaderboard" / "results", page, load_registry())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.as_uri() + VIEW)
        tab.wait_for_selector(".tabulator-row")
        tab.screenshot(path=DOCS / "leaderboard.png")
        browser.close()


if __name__ == "__main__":
    main()
