"""Simulated odd-one-out choices of the drawn world: the probability of every choice is known.

Simulated, not measured: no people were asked.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.norms import IDS
from benchmark.datasets.mini.people import people
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import KeyedDraws
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import TripletTarget

#: Triplets that are answered once, and triplets that are answered by several people each
SINGLE, REPEATED, REPEATS = 1500, 50, 10

#: A pair is kept together with probability in proportion to its dissimilarity to the power of minus eight,
#: which is one over it, squared three times: products are the same on every machine
_SQUARINGS = 3


@made_from_source
def triplets(root: DataRoot, *, name: str) -> TripletTarget:
    """Odd-one-out choices that follow the mean dissimilarities of the simulated people.

    Simulated, not measured. Of three concepts, each pair is kept together with the probability of
    :func:`kept_together`. 1,500 triplets, drawn at random, are answered once, and 50 others ten times.

    Parameters
    ----------
    root : DataRoot
        Passed on to :func:`benchmark.datasets.mini.people`.
    name : str
        Name of the target.

    Returns
    -------
    TripletTarget
        2,000 answers of 48 concepts.
    """
    draws = KeyedDraws("triplets")
    # the three least of 48 random numbers: each set of three has the same probability
    three = np.argsort(draws.uniform(SINGLE + REPEATED, len(IDS)), axis=1, kind="stable")[:, :3]
    shown = np.concatenate([three[:SINGLE], three[SINGLE:].repeat(REPEATS, axis=0)])
    up_to = np.cumsum(kept_together(root, shown), axis=1)
    kept = (draws.uniform(len(shown))[:, None] >= up_to[:, :2]).sum(axis=1)
    # the pairs of kept_together in their order: the odd one out is the third, the second, the first
    order = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])[kept]
    return TripletTarget(
        name=name,
        ids=IDS,
        hash=target_hash(triplets),
        simulated=True,
        triplets=np.take_along_axis(shown, order, axis=1),
    )


def kept_together(root: DataRoot, shown: np.ndarray) -> np.ndarray:
    """Probability that each pair of three concepts is kept together.

    Parameters
    ----------
    root : DataRoot
        As for :func:`triplets`.
    shown : ndarray of int, shape (m, 3)
        Numbers of concepts.

    Returns
    -------
    ndarray, shape (m, 3)
        For the first and second, the first and third, the second and third concept of each row.
    """
    mean = people(root, name="mini_people").rdms.mean(axis=0)
    i, j, odd = shown.T
    strengths = 1 / np.stack([mean[i, j], mean[i, odd], mean[j, odd]], axis=1)
    for _ in range(_SQUARINGS):
        strengths = strengths * strengths
    probabilities: np.ndarray = strengths / strengths.sum(axis=1, keepdims=True)
    return probabilities
