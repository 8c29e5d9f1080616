"""A small random world with an axis, whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmark.calibration.worlds import World, rdm_world
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.datasets.types import RDMTarget


def series_world(rng: np.random.Generator) -> World:
    """Draw the world of :func:`rdm_world`, with its RDM at each of three times.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    World
        Its target has one subject.

    Examples
    --------
    >>> series_world(np.random.default_rng(0)).target.pairs.shape
    (1, 3, 780)
    """
    world = rdm_world(rng)
    assert isinstance(world.target, RDMTarget)
    i, j = np.triu_indices(len(world.target.ids), 1)
    pairs = world.target.rdms[:, i, j]
    target = RDMSeriesTarget(
        "control",
        world.target.ids,
        "control",
        pairs=np.repeat(pairs[:, None], 3, axis=1),
        subjects=("s",),
        axis=Axis("time", (0.0, 10.0, 20.0), "ms"),
    )
    return replace(world, target=target)
