"""The images that a training run sampled, as stimuli: what it held out is scored."""

from __future__ import annotations

from dataclasses import replace

from benchmark.association.sampling import read_manifest
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import image_stimuli
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import Stimuli


def manifest(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """Read the manifest of a training run.

    Parameters
    ----------
    path : str
        What ``bench train swow_assoc`` wrote as ``manifest.csv``; under the data root, or absolute.

    Returns
    -------
    Stimuli
        Concepts are cues, so that the classes that share a cue are one. Images that decided when training
        stopped, and those that could not be decoded, are left out. Split "train" is what was trained on, and
        ``held_out`` are the cues of which nothing was.

    Raises
    ------
    NotPossible
        If the manifest is not there.
    DataError
        If it is no manifest, or an image is not where it says.
    """
    sample = read_manifest(locate(root, name, path))
    images = [image for image in sample.images if image.role in ("train", "test")]
    stimuli = image_stimuli(
        name,
        [image.path for image in images],
        [image.id for image in images],
        [image.cue for image in images],
        splits=[image.role for image in images],
    )
    held_out = frozenset(image.cue for image in images if image.held_out)
    return replace(stimuli, held_out=held_out)
