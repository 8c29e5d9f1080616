"""Measured responses: what models predict channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.names import require_unique
from benchmark.datasets.types import Target


@dataclass(frozen=True)
class ResponseTarget(Target):
    """Responses of channels (neurons, voxels, dimensions of behaviour) to stimuli.

    ``ids`` are those of the stimuli, an id for each image. Where they are ids of concepts, a row is the
    response to the concept.

    Attributes
    ----------
    repeats : ndarray, shape (n, c, r)
        Response to each stimulus, in each channel, at each repeat; NaN where a repeat is missing. Every
        stimulus has a repeat in every channel. With r = 1 the noise of the channels is not known.
    channels : tuple of str, length c
        Unique name of each channel.
    areas : tuple of str, length c, or None
        The area in which each channel was measured. None: it is not known.
    subjects : tuple of str, length c, or None
        The person or animal in which each channel was measured. None: it is not known.

    Raises
    ------
    DataError
        If a shape is wrong, a response is infinite, or a stimulus has no repeat in a channel.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import ResponseTarget
    >>> neurons = ResponseTarget(
    ...     name="neurons",
    ...     ids=("cat", "dog", "car"),
    ...     hash="sha256 of the file",
    ...     repeats=np.array([[[1.0, 3.0]], [[2.0, np.nan]], [[0.0, 1.0]]]),  # one channel, two repeats
    ...     channels=("unit 1",),
    ... )
    >>> neurons.responses
    array([[2. ],
           [2. ],
           [0.5]])
    >>> neurons.select(["car"]).repeats.shape
    (1, 1, 2)
    """

    repeats: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    channels: tuple[str, ...] = ()
    areas: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None

    kind: ClassVar[str] = "responses"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.repeats.ndim != 3 or self.repeats.shape[:2] != (len(self.ids), len(self.channels)):
            raise DataError(
                f"{self._where}: responses of shape {self.repeats.shape} for {len(self.ids)} ids and "
                f"{len(self.channels)} channels; expected (ids, channels, repeats)"
            )
        if not self.channels or not self.repeats.shape[2]:
            raise DataError(f"{self._where}: responses of shape {self.repeats.shape}; nothing was measured")
        require_unique(self.channels, f"{self._where} (channels)")
        for what, names in (("areas", self.areas), ("subjects", self.subjects)):
            if names is not None and len(names) != len(self.channels):
                raise DataError(f"{self._where}: {len(names)} {what} for {len(self.channels)} channels")
        self._require_measured()

    def _require_measured(self) -> None:
        if np.isinf(self.repeats).any():
            i, c, _ = np.argwhere(np.isinf(self.repeats))[0]
            raise DataError(
                f"{self._where}: {self.ids[i]!r} has an infinite response in {self.channels[c]!r}"
            )
        none = np.isnan(self.repeats).all(axis=2)
        if none.any():
            i, c = np.argwhere(none)[0]
            raise DataError(
                f"{self._where}: {self.ids[i]!r} has no response in channel {self.channels[c]!r}, all its "
                f"repeats are NaN ({int(none.any(axis=1).sum())} of {len(self.ids)} ids lack one); leave "
                "such ids or channels out"
            )

    def require_varied(self) -> None:
        """Raise if a channel has the same mean response to every stimulus.

        Raises
        ------
        DataError
            The message names the first such channel.
        """
        responses = self.responses
        flat = np.flatnonzero(np.ptp(responses, axis=0) <= 1e-12 * np.abs(responses).max(axis=0))
        if flat.size:
            raise DataError(
                f"{self._where}: channel {self.channels[flat[0]]!r} never varies ({flat.size} of "
                f"{len(self.channels)} channels), so nothing can be predicted; leave it out"
            )

    @property
    def responses(self) -> np.ndarray:
        """Mean over the repeats that are there, shape (n, c)."""
        if self.repeats.shape[2] == 1:
            return self.repeats[:, :, 0]
        mean: np.ndarray = np.nanmean(self.repeats, axis=2)
        return mean

    def select(self, ids: Sequence[str]) -> ResponseTarget:
        """The same target with only the rows ``ids``, in that order. All channels stay."""
        return replace(self, ids=tuple(ids), repeats=self.repeats[self.rows(ids)])
