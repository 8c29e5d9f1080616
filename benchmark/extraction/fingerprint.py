"""Fingerprints: a few numbers that tell two arrays apart, and are the same on every machine.

A fingerprint of what a model makes of one image tells whether the model still does the same, whatever its
source, its entry or its libraries say. It is no checksum. The last digits of a network's output depend on the
processor and on the number of threads, so two fingerprints are compared within a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

#: Name of the part of a key that holds fingerprints. It is compared by :func:`same_fingerprint`, and is no
#: part of the address of stored features.
FINGERPRINT = "fingerprint"

#: Greatest difference of two equal fingerprints, as a share of the norm. Processors differ by about 1e-6 of
#: the norm; another interpolation or another activation function by more than 1e-3.
TOLERANCE = 1e-4

_PROJECTIONS = 7


def fingerprint_of(array: np.ndarray) -> list[float] | None:
    """Compute the fingerprint of an array.

    Parameters
    ----------
    array : ndarray
        Of any shape.

    Returns
    -------
    list of float, or None
        Number of values, Euclidean norm, and the sums of the values under seven fixed patterns of random
        signs, to seven significant digits. A change of the array by a share s of its norm changes the sums by
        about that share. None: a value is NaN or infinite.
    """
    values = np.asarray(array, dtype=np.float64).ravel()
    if not np.isfinite(values).all():
        return None
    words = np.random.PCG64(0).random_raw(-(-values.size * _PROJECTIONS // 64))
    bits = np.unpackbits(words.view(np.uint8))[: values.size * _PROJECTIONS]
    sums = (bits.reshape(_PROJECTIONS, -1) * 2.0 - 1.0) @ values
    return [float(values.size), *(float(f"{x:.7g}") for x in (np.linalg.norm(values), *sums))]


def same_fingerprint(one: Any, other: Any) -> bool:
    """Whether two fingerprints can be of the same array.

    Parameters
    ----------
    one, other : list of float or None
        As :func:`fingerprint_of` gives them. Anything else is the same only if it is equal.
    """
    if not is_fingerprint(one) or not is_fingerprint(other):
        return bool(one == other)
    if one[0] != other[0]:
        return False
    gap = max(abs(a - b) for a, b in zip(one, other, strict=True))
    return bool(gap <= TOLERANCE * max(one[1], other[1]))


def without_fingerprints(key: Mapping[str, Any]) -> dict[str, Any]:
    """A ``key`` without its fingerprints, and without those of the models inside it."""
    return {
        part: without_fingerprints(value) if isinstance(value, Mapping) else value
        for part, value in key.items()
        if part != FINGERPRINT
    }


def same_fingerprints(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two keys, ``one`` and ``other``, and the keys inside them have the same fingerprints."""
    ours, theirs = _fingerprints(one), _fingerprints(other)
    return ours.keys() == theirs.keys() and all(same_fingerprint(ours[part], theirs[part]) for part in ours)


def _fingerprints(key: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    """The fingerprints in a key by their place."""
    values: dict[str, Any] = {}
    for part, value in key.items():
        if part == FINGERPRINT and isinstance(value, Mapping):
            values |= {f"{inside}{part}.{name}": fingerprint for name, fingerprint in value.items()}
        elif isinstance(value, Mapping):
            values |= _fingerprints(value, f"{inside}{part}.")
    return values


def is_fingerprint(value: Any) -> bool:
    """Whether ``value`` has the form of a fingerprint."""
    return (
        isinstance(value, list)
        and len(value) == 2 + _PROJECTIONS
        and all(isinstance(x, (int, float)) and math.isfinite(x) for x in value)
    )
