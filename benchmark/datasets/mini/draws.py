"""Random numbers that are the same on every machine and with every version of numpy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BUFFER = 256


class Draws:
    """A stream of random numbers that its key decides.

    Only the raw output of PCG64 is used, which numpy keeps stable, and the arithmetic is done on Python
    floats: a compiled ``low + span * u`` may be fused into one rounding on some machines and not on others.

    Parameters
    ----------
    key : str
        Hashed (sha256) into the seed.
    """

    def __init__(self, key: str) -> None:
        self._bits = np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))
        self._ahead: list[int] = []

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        if not self._ahead:
            self._ahead = self._bits.random_raw(_BUFFER).tolist()
        return (self._ahead.pop() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self.unit())

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.unit() < probability

    def choice(self, options: Sequence[T]) -> T:
        """One of ``options``."""
        return options[self.integer(0, len(options) - 1)]

    def octets(self, shape: tuple[int, ...]) -> np.ndarray:
        """Uniform whole numbers 0 to 255 of the given shape, as float32."""
        size = int(np.prod(shape))
        raw = self._bits.random_raw((size + 7) // 8).astype("<u8")
        return raw.view(np.uint8)[:size].reshape(shape).astype(np.float32)
