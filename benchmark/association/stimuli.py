"""The images of a training run as stimuli, so that models are scored on those that it held out."""

from __future__ import annotations

from dataclasses import replace

from benchmark.association.sampling import read_manifest
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import image_stimuli
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.stimuli import Stimuli


def manifest(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """Read the manifest of a training run as stimuli.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the stimulus set.
    path : str
        The file ``manifest.csv`` that ``bench train swow_assoc`` wrote: an absolute path, or a path in the
        data root.

    Returns
    -------
    Stimuli
        The concepts are the cues, so that classes that share a cue are one concept. The split "train" holds
        the images that were trained on; ``held_out`` are the cues with no such image. Images that decided
        when training stopped are left out, and so are images that could not be decoded.

    Raises
    ------
    NotPossible
        If there is no such manifest.
    DataError
        If the file is not a manifest, or an image is not at its place.
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
    return replace(stimuli, held_out=held_out, manifest=hash_files((), stimuli.manifest, sorted(held_out)))
