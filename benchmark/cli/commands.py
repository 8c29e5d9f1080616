"""How a group of commands treats its flags, and Ctrl-C in each of its commands."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from benchmark.common.errors import plugin_border
from benchmark.common.text import plain

#: Exit status of a command that Ctrl-C stopped, as shells have it
STOPPED = 130


class Commands(TyperGroup):
    """A group of commands. Help shows a flag without a type, and Ctrl-C says what is done.

    A plug-in that calls ``sys.exit`` is an error of its command, and does not end it with status 0.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command of ``ctx``."""
        try:
            with plugin_border():
                return super().invoke(ctx)
        except KeyboardInterrupt as stop:  # typer would end without a word
            say_stopped(stop)
            raise typer.Exit(STOPPED) from None

    def get_params(self, ctx: Any) -> list[Any]:
        """Options of the group in ``ctx``."""
        return _without_types(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command ``cmd_name`` of the group in ``ctx``."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _without_types(command.get_params(ctx))
        return command


def say_stopped(stop: KeyboardInterrupt) -> None:
    """Say in one line that the user stopped the command, and what the text of ``stop`` says is done."""
    typer.echo(plain(f"stopped: {stop}" if str(stop) else "stopped"), err=True)


def _without_types(params: list[Any]) -> list[Any]:
    """The same options; typer writes <bool> after a flag, but a flag takes no value."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params
