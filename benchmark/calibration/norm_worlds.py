"""Worlds of property norms whose answer is known."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmark.calibration.worlds import FromTheOrigin, World, by_concept, names_of
from benchmark.datasets.norms import PropertyTarget


def frequency_world(
    rng: np.random.Generator, concepts: int = 60, properties: int = 12, kinds: int | None = None
) -> World:
    """Draw a world of property norms; the features are the production frequencies under a random linear map.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, properties : int
        Number of concepts and of properties. Each property is one of a third of the concepts.
    kinds : int, optional
        If given, the concepts are of this many kinds, in equal numbers, and all of a kind have the same
        properties. Default: each concept has its own.

    Returns
    -------
    World

    Examples
    --------
    >>> world = frequency_world(np.random.default_rng(0), concepts=6, properties=4)
    >>> world.target.counts.shape, world.signal.shape
    ((6, 4), (6, 8))
    """
    profiles = concepts if kinds is None else kinds
    given = rng.random((profiles, properties)) < 1 / 3
    given[np.arange(profiles), np.arange(profiles) % properties] = True
    counts = (given * rng.integers(5, 31, given.shape)).repeat(concepts // profiles, axis=0)
    target = PropertyTarget(
        "control",
        names_of("c", concepts),
        "control",
        columns=names_of("p", properties),
        counts=sparse.csr_array(counts.astype(float)),
        respondents=np.full(concepts, 30.0),
        types=("property",) * properties,
    )
    mapped = counts @ rng.standard_normal((properties, 2 * properties))
    return FromTheOrigin(**vars(by_concept(target, target.ids, mapped, rng)))


def property_world(rng: np.random.Generator, concepts: int = 40, properties: int = 6) -> World:
    """Draw a world of property norms: each concept has a third of the properties.

    The signal is one feature for each property, 1 where a concept has it, and else -1. So its rows are of one
    length, shifted too, and each property can be read out of them.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, properties : int
        Number of concepts and of properties.

    Returns
    -------
    World

    Examples
    --------
    >>> world = property_world(np.random.default_rng(0), concepts=10, properties=3)
    >>> world.target.counts.toarray().sum(axis=1).tolist()
    [20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]
    """
    names = names_of("c", concepts)
    ranks = np.argsort(rng.random((concepts, properties)), axis=1)
    given = ranks < properties // 3
    target = PropertyTarget(
        "control",
        names,
        "control",
        columns=names_of("p", properties),
        counts=sparse.csr_array(20.0 * given),
        respondents=np.full(concepts, 30.0),
        types=("taxonomic",) * properties,
    )
    return by_concept(target, names, np.where(given, 1.0, -1.0), rng)
