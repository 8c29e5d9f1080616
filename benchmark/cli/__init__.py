"""The command ``bench``: one thin function for each command."""

from benchmark.cli.process import main

__all__ = ["main"]
