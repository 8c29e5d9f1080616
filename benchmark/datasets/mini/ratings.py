"""Simulated similarity ratings of pairs of words: what a list like MEN would be in the drawn world.

Simulated, not measured: no people were asked. The true similarity is known: it is that of the authored
properties, associations, categories and forms, each with the same weight.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.norms import IDS, associations, properties
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import (
    KeyedDraws,
    association_rdm,
    category_rdm,
    form_rdm,
    property_rdms,
    standardise,
    to_rdm,
)
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import WordPairTarget

PAIRS = 300
#: The greatest rating, as in MEN
GREATEST = 50.0

#: standard deviation of the noise of a rating, where that of the true similarity is one
_NOISE = 0.5


@made_from_source
def word_pairs(root: DataRoot, *, name: str) -> WordPairTarget:
    """Simulated ratings of 300 pairs of the 48 concepts, from 0 to 50.

    Parameters
    ----------
    root : DataRoot
        Not used: everything is made from the tables of the package.
    name : str
        Name of the target.

    Returns
    -------
    WordPairTarget
        A rating is the true similarity (:func:`true_similarity`) with noise, on a scale of whole numbers.
    """
    draws = KeyedDraws("word pairs")
    rows, columns = np.triu_indices(len(IDS), 1)
    chosen = np.sort(np.argsort(draws.uniform(len(rows)), kind="stable")[:PAIRS])
    pairs = np.stack([rows[chosen], columns[chosen]], axis=1)
    rated = -to_rdm(standardise(-true_similarity(root)) + _NOISE * draws.noise(len(IDS)))
    values = rated[pairs[:, 0], pairs[:, 1]]
    return WordPairTarget(
        name=name,
        ids=IDS,
        hash=target_hash(word_pairs),
        simulated=True,
        pairs=pairs,
        ratings=np.round(GREATEST * (values - values.min()) / np.ptp(values)),
    )


def true_similarity(root: DataRoot) -> np.ndarray:
    """How similar two concepts are, shape (48, 48): the mean of their distances of four kinds, negative.

    ``root`` is not used, as for every target of the miniature.
    """
    norms = properties(root, name="properties")
    by_property = np.sum([standardise(rdm) for rdm in property_rdms(norms).values()], axis=0)
    parts = (
        by_property,
        association_rdm(associations(root, name="associations")),
        category_rdm(),
        form_rdm(),
    )
    similarity: np.ndarray = -np.mean([standardise(part) for part in parts], axis=0)
    return similarity
