"""Does a model represent things the way people do? Every comparison the field uses, in one command.

Its functions live in :mod:`benchmark.api`. They are imported when they are first used: that room imports all
others, and the command line must answer at once. No other import goes up the order of rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.common.package import VERSION

if TYPE_CHECKING:
    from benchmark.api import check, compare, run, score, similarity

__version__ = VERSION
__all__ = ["check", "compare", "run", "score", "similarity"]


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})


def __getattr__(name: str) -> Any:
    if name in __all__:
        from benchmark import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
