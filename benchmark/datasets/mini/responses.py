"""Responses of two simulated cortical areas, image by image, whose sources are known.

Simulated, not recorded: no neuron was measured. We know exactly what each channel follows. So pixels and
first layers must predict the early area, and models that know the objects the late one.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.areas import places
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.images import images
from benchmark.datasets.mini.norms import IDS
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import CATEGORIES, DECIMALS, KeyedDraws, form_ratings
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot

#: Channels of an area, images of each concept that they see, and repeats of an image
CHANNELS, IMAGES, REPEATS = 12, 4, 4
#: Standard deviation of the noise of one repeat, where that of what a channel follows is one
_NOISE = 1.5
#: Uniform numbers whose sum is nearly Gaussian, with variance one
_SUMMANDS = 12


@made_from_source
def responses_early(root: DataRoot, *, name: str) -> ResponseTarget:
    """Responses of 12 simulated channels in an early visual area to 192 images.

    Simulated, not recorded. Each channel sees one of the 8 x 8 places of the image, and follows a mixture of
    the local colour and of the local contrast in four orientations there, with weights of its own.

    Parameters
    ----------
    root : DataRoot
        Passed on to :func:`benchmark.datasets.mini.images`.
    name : str
        Name of the target.

    Returns
    -------
    ResponseTarget
        ``repeats`` of shape (192, 12, 4): the first four test images of each concept.
    """
    stimuli = images(root, name="mini_images")
    seen = np.array([places(np.asarray(stimuli.image(i), dtype=float) / 255.0) for i in _rows(root)])
    draws = KeyedDraws("responses_early")
    place = (draws.uniform(CHANNELS) * 64).astype(int)
    weights = draws.uniform(7, CHANNELS) - 0.5
    maps = seen.reshape(len(seen), 7, 64)[:, :, place]
    maps = (maps - maps.mean(axis=0)) / np.maximum(maps.std(axis=0), 1e-9)
    return _target(root, name, "early", (maps * weights).sum(axis=1))


@made_from_source
def responses_late(root: DataRoot, *, name: str) -> ResponseTarget:
    """Responses of 12 simulated channels in a late visual area to 192 images.

    Simulated, not recorded. Each channel follows a mixture of the category of the object and of the authored
    ratings of its form, with weights of its own. All images of a concept have the same response.

    Parameters
    ----------
    root : DataRoot
        Passed on to :func:`benchmark.datasets.mini.images`.
    name : str
        Name of the target.

    Returns
    -------
    ResponseTarget
        ``repeats`` of shape (192, 12, 4): the first four test images of each concept.
    """
    kinds = sorted(set(CATEGORIES))
    sources = np.column_stack([np.array([[c == k for k in kinds] for c in CATEGORIES]), form_ratings()[1]])
    sources = (sources - sources.mean(axis=0)) / sources.std(axis=0)
    weights = KeyedDraws("responses_late").uniform(sources.shape[1], CHANNELS) - 0.5
    by_concept = (sources[:, :, None] * weights).sum(axis=1)
    concepts = images(root, name="mini_images").concepts
    return _target(root, name, "late", by_concept[[IDS.index(concepts[i]) for i in _rows(root)]])


def _rows(root: DataRoot) -> list[int]:
    """The first test images of each concept."""
    wanted = {f"{concept.id}-test-{i:02d}" for concept in CONCEPTS for i in range(IMAGES)}
    return [i for i, name in enumerate(images(root, name="mini_images").ids) if name in wanted]


def _target(root: DataRoot, name: str, area: str, signal: np.ndarray) -> ResponseTarget:
    """Repeats of ``signal`` (n, c), each with noise of its own."""
    signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
    draws = KeyedDraws(f"responses_{area}/noise")
    noise = draws.uniform(_SUMMANDS, *signal.shape, REPEATS).sum(axis=0) - _SUMMANDS / 2
    stimuli = images(root, name="mini_images")
    return ResponseTarget(
        name=name,
        ids=tuple(stimuli.ids[i] for i in _rows(root)),
        hash=target_hash(responses_early if area == "early" else responses_late),
        simulated=True,
        repeats=np.round(signal[:, :, None] + _NOISE * noise, DECIMALS),
        channels=tuple(f"{area} {i + 1:02d}" for i in range(CHANNELS)),
        areas=(area,) * CHANNELS,
        subjects=("simulated",) * CHANNELS,
    )
