"""Print a page as PDF, by the browser that is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import write_atomic

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: Seconds after which a browser has failed
_PATIENCE = 120


def print_pdf(text: str, path: Path) -> None:
    """Print a page of HTML.

    Parameters
    ----------
    text : str
        The page. It needs no other file.
    path : Path
        The PDF to write.

    Raises
    ------
    UsageError
        If there is no Chromium or Chrome.
    DataError
        If the browser fails, or the file cannot be written.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise UsageError(
            f"{path}: a PDF is printed by Chromium or Chrome, and neither is here; "
            "end the name in .html, and print that page from any browser"
        )
    with tempfile.TemporaryDirectory() as folder:
        page, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
        page.write_text(text, encoding="utf-8")
        # the sandbox of Chromium cannot be had by root; the page is ours and has no script
        flags = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        command = [browser, "--headless", *flags, "--disable-gpu", f"--user-data-dir={folder}/profile"]
        asked = [f"--print-to-pdf={printed}", "--no-pdf-header-footer", page.as_uri()]
        try:
            subprocess.run(  # noqa: S603 - no part of the command comes from a result
                [*command, *asked], check=True, capture_output=True, timeout=_PATIENCE
            )
            write_atomic(path, printed.read_bytes())
        except subprocess.SubprocessError as error:
            raise DataError(f"{path}: {browser} did not print the page: {error}") from error
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
