"""``bench leaderboard serve``: the page in a browser on this machine."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.cli.console import say
from benchmark.leaderboard.serve import Server
from benchmark.registry import Registry


def serve_page(results: Path, port: int, registry: Registry) -> None:
    """Serve the page until Ctrl-C, and open it if a person sees the output.

    Parameters
    ----------
    results : Path
        Folder of the results.
    port : int
        Port of the server; 0: any that is free.
    registry : Registry
        Describes the suites, bindings and metrics.

    Raises
    ------
    BenchError
        If the page cannot be written, or the port is taken.
    """
    with TemporaryDirectory() as folder, Server(results, Path(folder), registry, port) as server:
        say(f"{server.address} shows the results under {results}; Ctrl-C ends it")
        if sys.stdout.isatty():
            webbrowser.open(server.address)
        server.serve_forever()
