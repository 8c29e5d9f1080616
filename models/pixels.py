"""The pixels of the image, a baseline that was not trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from benchmark.common.errors import UsageError
from benchmark.datasets import Stimuli
from benchmark.model import OUTPUT, Model, Progress

#: width and height of the small image in pixels
SIZE = 32


class Pixels(Model):
    """RGB values of the image, resized to 32 x 32 pixels: one layer, ``"output"``."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The only layer."""
        return (OUTPUT,)

    @property
    def preprocessing(self) -> str:
        """Everything done to an image."""
        return f"resize {SIZE}x{SIZE} box, scale 0..1"

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Pixel values from 0 to 1, shape (n, 3072)."""
        del device
        unknown = [layer for layer in layers if layer != OUTPUT]
        if unknown:
            raise UsageError(f"{self.spec.name} has no layer {unknown[0]!r}; its one layer is {OUTPUT!r}")
        values = np.empty((len(stimuli), 3 * SIZE * SIZE), np.float32)
        for index in range(len(stimuli)):
            small = stimuli.image(index).resize((SIZE, SIZE), Image.Resampling.BOX)
            values[index] = np.asarray(small, dtype=np.float32).ravel() / 255
            if progress is not None:
                progress(index + 1, len(stimuli))
        return dict.fromkeys(layers, values)
