"""The images of several sets that show the concepts of property norms, as one set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from PIL import Image

from benchmark.common.errors import UsageError
from benchmark.datasets.join import join
from benchmark.datasets.readers.caltech import caltech101
from benchmark.datasets.readers.imagenet import sample, tiny_validation
from benchmark.datasets.readers.norms import cslb
from benchmark.datasets.root import DataRoot
from benchmark.datasets.stimuli import Stimuli

_SETS: dict[str, Callable[[DataRoot, str], Stimuli]] = {
    "imagenet_sample": lambda root, name: sample(root, name=name),
    "tiny_imagenet_val": lambda root, name: tiny_validation(root, name=name, halves=False),
    "caltech101": lambda root, name: caltech101(root, name=name, path="caltech101-15"),
}


def cslb_images(root: DataRoot, *, name: str, sets: Sequence[str] = tuple(_SETS)) -> Stimuli:
    """All images of the concepts of the CSLB norms in the image sets of the data root.

    A class of a set shows the concept that it joins by its words (:func:`benchmark.datasets.join` with the
    key "word"). If two classes of a set would join one concept, none of them is taken.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    sets : sequence of str
        The image sets: "imagenet_sample", "tiny_imagenet_val" and "caltech101".

    Returns
    -------
    Stimuli
        Concepts are those of the norms, in the order of the sets and of their images. Ids are "set/id". No
        split: every image is scored.

    Raises
    ------
    NotPossible
        If the norms or a set are not there, or fewer than three concepts of a set join.
    UsageError
        If a set is unknown.
    """
    unknown = [known for known in sets if known not in _SETS]
    if unknown or not sets:
        raise UsageError(f"dataset {name}: sets is {list(sets)}: expected some of {', '.join(_SETS)}")
    norms = cslb(root, name=name)
    shown: list[tuple[str, str, Stimuli, int]] = []
    digest = hashlib.sha256()
    for known in sets:
        stimuli = _SETS[known](root, name)
        joined = join(stimuli, norms, "word")
        concept_of = dict(zip(joined.concepts, joined.target.ids, strict=True))
        digest.update(f"{known}\0{stimuli.manifest}\0{sorted(concept_of.items())}\0".encode())
        shown += [
            (f"{known}/{image}", concept_of[concept], stimuli, i)
            for i, (image, concept) in enumerate(zip(stimuli.ids, stimuli.concepts, strict=True))
            if concept in concept_of
        ]

    def open_image(number: int) -> Image.Image:
        _, _, stimuli, i = shown[number]
        return stimuli.image(i)

    def is_turned(number: int) -> bool:
        _, _, stimuli, i = shown[number]
        return stimuli.is_turned is not None and stimuli.is_turned(i)

    concepts = tuple(concept for _, concept, _, _ in shown)
    return Stimuli(
        name=name,
        ids=tuple(image for image, _, _, _ in shown),
        concepts=concepts,
        manifest=digest.hexdigest(),
        open_image=open_image,
        keys={"word": {concept: (concept, concept.replace("_", " ")) for concept in dict.fromkeys(concepts)}},
        labels={concept: concept.replace("_", " ") for concept in dict.fromkeys(concepts)},
        is_turned=is_turned,
    )
