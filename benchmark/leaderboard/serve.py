"""Serve the page to a browser on this machine, built anew when results change."""

from __future__ import annotations

import functools
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from benchmark.common.errors import BenchError, UsageError
from benchmark.common.text import plain
from benchmark.leaderboard.build import build_page
from benchmark.registry import Registry

#: The page can be seen from this machine alone
_HOST = "127.0.0.1"
_PAGE = "index.html"
#: Files of results. Names that begin with a dot are of a run that works in the folder
_FORMS = ("[!.]*.json", "[!.]*.not-possible")


class Server(ThreadingHTTPServer):
    """A server of the page.

    Parameters
    ----------
    results : Path
        Folder of the results.
    folder : Path
        Folder that the page is built into, and that is served.
    registry : Registry
    port : int
        0: any that is free.

    Raises
    ------
    BenchError
        If the page cannot be written, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, results: Path, folder: Path, registry: Registry, port: int) -> None:
        self._results, self._folder, self._registry = results, folder, registry
        self._seen: object = None
        self._lock = Lock()
        self.refresh()
        try:
            super().__init__((_HOST, port), functools.partial(_Handler, directory=str(folder)))
        except OSError as error:
            raise UsageError(f"port {port}: {error.strerror or error}; choose another with --port") from error

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self.server_port}/"

    def refresh(self) -> None:
        """Build the page if a result is new, changed or gone since it was built."""
        with self._lock:
            present = []
            for file in sorted(file for form in _FORMS for file in self._results.glob(f"*/*/{form}")):
                with suppress(FileNotFoundError):  # a run may take a result away at any time
                    present.append((str(file), file.stat().st_mtime_ns))
            if present != self._seen:
                build_page(self._results, self._folder / _PAGE, self._registry)
                self._seen = present


class _Handler(SimpleHTTPRequestHandler):
    server: Server  # it is made by no other

    def do_GET(self) -> None:
        """Give a file; the page itself as the results are now."""
        if self.path.split("?")[0] in ("/", f"/{_PAGE}"):
            try:
                self.server.refresh()
            except BenchError as error:
                self.send_error(503, explain=plain(error))
                return
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing for each request."""
