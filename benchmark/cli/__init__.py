"""The command ``bench``: one thin function a verb."""

from benchmark.cli.app import main

__all__ = ["main"]
