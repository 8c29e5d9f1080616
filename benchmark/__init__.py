"""Does a model represent things the way people do? Every comparison the field uses, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.api import check, run

__version__ = "0.1.0"
__all__ = ["check", "run"]


def __getattr__(name: str) -> Any:
    # torch and all else is imported when it is first needed: the command line must answer at once
    if name in __all__:
        from benchmark import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
