"""The images of the drawn world, as a stimulus set."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from benchmark.common.errors import UsageError
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.drawing import draw
from benchmark.datasets.mini.source import source_hash
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli

#: the split to which the images of each stream belong, by stream
STREAMS = {"readout": "train", "test": "test"}


@lru_cache(maxsize=1024)
def _pixels(concept: str, stream: str, index: int) -> np.ndarray:
    return draw(concept, stream, index)


def _manifest(root: DataRoot, *, name: str, per_concept: int = 12) -> str:
    del root, name
    return hash_files((), source_hash(), per_concept)


@hashed_by(_manifest)
def images(root: DataRoot, *, name: str, per_concept: int = 12) -> Stimuli:
    """The scored images of the drawn world.

    Parameters
    ----------
    root : DataRoot
        Not used: the images are drawn, not read from a file.
    name : str
        Name of the stimulus set.
    per_concept : int
        Number of images of each concept in each split.

    Returns
    -------
    Stimuli
        ``48 * per_concept`` images in the split "train" ("dog-readout-00"), to which readouts are fitted, and
        as many in the split "test" ("dog-test-00"). No network of the suite was trained on any of them.

    Raises
    ------
    UsageError
        If ``per_concept`` is not a whole number of at least 1.
    """
    if type(per_concept) is not int or per_concept < 1:
        raise UsageError(
            f"dataset {name!r}: per_concept is {per_concept!r}; give a whole number of at least 1"
        )
    drawings = [
        (concept.id, stream, index)
        for stream in STREAMS
        for concept in CONCEPTS
        for index in range(per_concept)
    ]

    def open_image(i: int) -> Image.Image:
        return Image.fromarray(_pixels(*drawings[i]))

    return Stimuli(
        name=name,
        ids=tuple(f"{concept}-{stream}-{index:02d}" for concept, stream, index in drawings),
        concepts=tuple(concept for concept, _, _ in drawings),
        manifest=_manifest(root, name=name, per_concept=per_concept),
        open_image=open_image,
        labels={concept.id: concept.id for concept in CONCEPTS},
        splits=tuple(STREAMS[stream] for _, stream, _ in drawings),
        held_out=frozenset(concept.id for concept in CONCEPTS if concept.held_out),
        miniature=True,
    )
