"""Two simulated cortical areas: an early one that follows image energy, a late one category and form.

Simulated, not recorded: no brain was measured. We know exactly what each area follows. So pixels and first
layers must predict the early area, and models that know the objects must predict the late one.

``root``, wherever a function takes it, is the data root. Only :func:`benchmark.datasets.mini.images` gets it,
and does not use it.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.images import images
from benchmark.datasets.mini.norms import IDS
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import (
    CATEGORIES,
    KeyedDraws,
    category_rdm,
    cosine_distances,
    domain_rdm,
    euclidean_distances,
    form_rdm,
    mix,
    standardise,
    to_rdm,
)
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import RDMTarget

SUBJECTS = 8

#: standard deviation of a subject's noise, where that of the mix that the area follows is one
_NOISE = 1.2

#: width and height, in pixels, of the square of the image that one place of the early area sees
_PLACE = 8


@made_from_source
def area_early(root: DataRoot, *, name: str) -> RDMTarget:
    """RDMs of eight simulated subjects in an early visual area.

    Simulated, not recorded. The area has 8 x 8 places, each of which sees one square of the image. A place
    sees the local colour, and the local contrast in four orientations. Both are averaged over the test images
    of a concept.

    A subject's dissimilarity is a mix of two parts: 1 - correlation between the colour maps, and the
    Euclidean distance between the contrast maps. Each subject weights them differently. Noise is added that
    is independent from pair to pair.

    Parameters
    ----------
    root : DataRoot
        Passed on to :func:`benchmark.datasets.mini.images`.
    name : str
        Name of the target.

    Returns
    -------
    RDMTarget
        ``rdms`` of shape (8, 48, 48), from .05 (the pair that a subject finds most alike) to 1.
    """
    colour, contrast = (maps.reshape(len(IDS), -1) for maps in image_energy(root))
    centred = colour - colour.mean(axis=1, keepdims=True)
    return _area(name, "early", [cosine_distances(centred), euclidean_distances(contrast)])


@made_from_source
def area_late(root: DataRoot, *, name: str) -> RDMTarget:  # noqa: ARG001 - the engine passes a root to every dataset
    """RDMs of eight simulated subjects in a late visual area.

    Simulated, not recorded. A subject's dissimilarity is a mix of three parts: category (same or not), domain
    (animal, plant, made thing), and the distance between authored ratings of form (round, elongated, upright,
    angular, legged, pointed). Each subject weights them differently. Noise is added that is independent from
    pair to pair.

    Parameters
    ----------
    root : DataRoot
        Not used: everything is made from the tables of the package.
    name : str
        Name of the target.

    Returns
    -------
    RDMTarget
        ``rdms`` of shape (8, 48, 48), from .05 (the pair that a subject finds most alike) to 1.
    """
    return _area(name, "late", [category_rdm(), domain_rdm(), form_rdm()])


def image_energy(root: DataRoot) -> tuple[np.ndarray, np.ndarray]:
    """Local colour and local contrast of each concept, averaged over its test images.

    Returns
    -------
    colour : ndarray, shape (48, 3, 8, 8)
        Mean red, green and blue, from 0 to 1: concept, colour, row and column of the place.
    contrast : ndarray, shape (48, 4, 8, 8)
        Root mean square difference of luminance across, down, and along the two diagonals.
    """
    stimuli = images(root, name="mini_images")
    seen = np.zeros((len(IDS), 7, 8, 8))
    for i, (concept, split) in enumerate(zip(stimuli.concepts, stimuli.splits or (), strict=True)):
        if split == "test":
            seen[IDS.index(concept)] += places(np.asarray(stimuli.image(i), dtype=float) / 255.0)
    seen /= (stimuli.splits or ()).count("test") / len(IDS)
    return seen[:, :3], seen[:, 3:]


def places(image: np.ndarray) -> np.ndarray:
    """What the 8 x 8 places see of one image (64, 64, 3), shape (7, 8, 8): three colours, four contrasts.

    Only + - * / and square roots are used, so that the values are the same on every machine.
    """
    grey = (image[..., 0] + image[..., 1] + image[..., 2]) / 3.0
    steps = (
        grey[1:-1, 2:] - grey[1:-1, :-2],
        grey[2:, 1:-1] - grey[:-2, 1:-1],
        grey[2:, 2:] - grey[:-2, :-2],
        grey[:-2, 2:] - grey[2:, :-2],
    )
    maps = np.concatenate([np.moveaxis(image, 2, 0), [np.pad(step * step, 1) for step in steps]])
    seen: np.ndarray = maps.reshape(len(maps), 8, _PLACE, 8, _PLACE).mean(axis=(2, 4))
    seen[3:] = np.sqrt(seen[3:])
    return seen


def _area(name: str, area: str, rdms: list[np.ndarray]) -> RDMTarget:
    """Subjects who mix ``rdms``, each with weights and noise of their own."""
    rdms = [standardise(rdm) for rdm in rdms]

    def subject(number: int) -> np.ndarray:
        draws = KeyedDraws(f"area_{area}/{number}")
        weights = 0.5 + draws.uniform(len(rdms))
        return to_rdm(standardise(mix(rdms, weights)) + _NOISE * draws.noise(len(IDS)))

    return RDMTarget(
        name=name,
        ids=IDS,
        hash=target_hash(area_early if area == "early" else area_late),
        simulated=True,
        rdms=np.stack([subject(number) for number in range(SUBJECTS)]),
        subjects=tuple(f"simulated-subject-{number + 1}" for number in range(SUBJECTS)),
        categories=CATEGORIES,
    )
