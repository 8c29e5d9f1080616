"""Simulated MEG: RDMs at 29 times, that follow image energy early, and category and form late.

Simulated, not recorded: no brain was measured. We know what each time follows. So pixels and first layers
must have an early peak, and models that know the objects a late one.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.areas import image_energy
from benchmark.datasets.mini.norms import IDS
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import (
    KeyedDraws,
    category_rdm,
    cosine_distances,
    domain_rdm,
    euclidean_distances,
    form_rdm,
    mix,
    standardise,
)
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.datasets.root import DataRoot

SUBJECTS = 8
#: Times in ms after the picture appears
TIMES = tuple(float(time) for time in range(-100, 601, 25))
#: When the early and the late geometry are greatest, and how fast they come and go, in ms
EARLY, LATE = (100.0, 40.0), (275.0, 90.0)
#: standard deviation of the noise of a pair at a time, where that of a geometry at its peak is one
_NOISE = 2.0


@made_from_source
def meg(root: DataRoot, *, name: str) -> RDMSeriesTarget:
    """RDMs of eight simulated subjects at 29 times, from 100 ms before a picture appears to 600 ms after.

    Simulated, not recorded. At a time t a dissimilarity is the sum of two geometries and noise. The early
    geometry is that of :func:`benchmark.datasets.mini.area_early`, colour and contrast of the image; its
    strength is greatest at 100 ms. The late one is that of :func:`benchmark.datasets.mini.area_late`,
    category, domain and form; its strength is greatest at 275 ms. Strengths are Gaussian curves. Each subject
    weights the parts differently. Noise is independent from pair to pair, and half of it is shared by
    neighbouring times.

    Parameters
    ----------
    root : DataRoot
        Passed on to :func:`benchmark.datasets.mini.images`.
    name : str
        Name of the target.

    Returns
    -------
    RDMSeriesTarget
        ``pairs`` of shape (8, 29, 1128), float32. Values are standard scores and can be below zero, as those
        of cross-validated distances can.
    """
    colour, contrast = (maps.reshape(len(IDS), -1) for maps in image_energy(root))
    centred = colour - colour.mean(axis=1, keepdims=True)
    early = [standardise(rdm) for rdm in (cosine_distances(centred), euclidean_distances(contrast))]
    late = [standardise(rdm) for rdm in (category_rdm(), domain_rdm(), form_rdm())]
    gains = [np.exp(-(((np.array(TIMES) - peak) / width) ** 2)) for peak, width in (EARLY, LATE)]
    upper = np.triu_indices(len(IDS), 1)

    def subject(number: int) -> np.ndarray:
        draws = KeyedDraws(f"meg/{number}")
        parts = [
            standardise(mix(rdms, 0.5 + draws.uniform(len(rdms))))[upper] * gain[:, None]
            for rdms, gain in zip((early, late), gains, strict=True)
        ]
        noise = np.array([draws.noise(len(IDS))[upper] for _ in range(len(TIMES) + 1)])
        shared = (noise[1:] + noise[:-1]) / np.sqrt(2)
        pairs: np.ndarray = np.round(parts[0] + parts[1] + _NOISE * shared, 4).astype(np.float32)
        return pairs

    return RDMSeriesTarget(
        name=name,
        ids=IDS,
        hash=target_hash(meg),
        simulated=True,
        pairs=np.stack([subject(number) for number in range(SUBJECTS)]),
        subjects=tuple(f"simulated-subject-{number + 1}" for number in range(SUBJECTS)),
        axis=Axis("time", TIMES, "ms"),
    )
