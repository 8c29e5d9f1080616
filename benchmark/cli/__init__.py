"""The command ``bench``: one thin function for each command."""

from benchmark.cli.app import main

__all__ = ["main"]
