"""Random numbers that are the same on every machine and with every version of numpy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BUFFER = 256


class Draws:
    """A stream of random numbers. The key decides all of them.

    Only the raw output of PCG64 is used, which is the same in every version of numpy. The arithmetic is done
    on Python floats. Compiled code may round ``low + span * u`` once on some machines and twice on others.

    Parameters
    ----------
    key : str
        Its sha256 is the seed.
    """

    def __init__(self, key: str) -> None:
        self._bits = np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))
        self._ahead: list[int] = []

    def unit(self) -> float:
        """A number drawn uniformly from [0, 1)."""
        if not self._ahead:
            self._ahead = self._bits.random_raw(_BUFFER).tolist()
        return (self._ahead.pop() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number drawn uniformly from ``low`` (included) to ``high`` (not included)."""
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """A whole number drawn uniformly from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self.unit())

    def chance(self, probability: float) -> bool:
        """True with this ``probability`` (0 to 1)."""
        return self.unit() < probability

    def choice(self, options: Sequence[T]) -> T:
        """One of ``options``, each with the same probability."""
        return options[self.integer(0, len(options) - 1)]

    def octets(self, shape: tuple[int, ...]) -> np.ndarray:
        """Whole numbers drawn uniformly from 0 to 255, an array of this ``shape``, float32."""
        size = int(np.prod(shape))
        raw = self._bits.random_raw((size + 7) // 8).astype("<u8")
        return raw.view(np.uint8)[:size].reshape(shape).astype(np.float32)
