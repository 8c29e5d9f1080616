"""The parts of which simulated people and areas are a mix: dissimilarities of the 48 concepts, and noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.norms import table
from benchmark.datasets.norms import AssociationTarget, PropertyTarget

CATEGORIES: tuple[str, ...] = tuple(concept.category for concept in CONCEPTS)

#: the domain of each category: animals, plants, or (every category that is not listed) things that people
#: make
_DOMAINS = {"mammal": "animal", "bird_or_fish": "animal", "fruit": "plant"}

#: strength of the association of a concept with itself; without it, dog -> cat would not make the two alike
_SELF = 0.3

#: uniform draws per noise value, which is their sum: twelve have variance one and are nearly normal
_SUMMANDS = 12

#: dissimilarity of the pair that is most alike
_LEAST = 0.05

#: decimals to which simulated values are rounded, so that the last bits of a machine's arithmetic do not
#: count
DECIMALS = 6


def category_rdm() -> np.ndarray:
    """0 within a category, 1 between categories; shape (48, 48)."""
    return _differs(list(CATEGORIES))


def domain_rdm() -> np.ndarray:
    """0 within a domain (animals, plants, made things), 1 between domains; shape (48, 48)."""
    return _differs([_DOMAINS.get(category, "made") for category in CATEGORIES])


def form_ratings() -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the six forms (round, elongated, ...), and ratings of each concept, 0 to 10, shape (48, 6)."""
    rows = table("forms.csv")
    forms = tuple(key for key in rows[0] if key != "concept")
    return forms, np.array([[float(row[form]) for form in forms] for row in rows])


def form_rdm() -> np.ndarray:
    """Euclidean distance between authored ratings of form; shape (48, 48)."""
    return euclidean_distances(form_ratings()[1])


def association_rdm(norms: AssociationTarget) -> np.ndarray:
    """Cosine distance between the association profiles of ``norms``, shape (n, n).

    Each profile also has an association of the concept with itself.
    """
    words = list(dict.fromkeys([*norms.columns, *norms.ids]))
    profiles = np.zeros((len(norms.ids), len(words)))
    profiles[:, : len(norms.columns)] = norms.counts.toarray() / norms.respondents[:, None]
    profiles[np.arange(len(norms.ids)), [words.index(concept) for concept in norms.ids]] = _SELF
    return cosine_distances(profiles)


def property_rdms(norms: PropertyTarget) -> dict[str, np.ndarray]:
    """Cosine distance between production frequencies of ``norms``: an RDM, shape (n, n), by property type."""
    frequencies = norms.counts.toarray()
    types = np.array(norms.types)
    return {kind: cosine_distances(frequencies[:, types == kind]) for kind in sorted(set(norms.types))}


def cosine_distances(profiles: np.ndarray) -> np.ndarray:
    """1 - cosine between the rows of ``profiles``, shape (n, d); the distance of an empty row is 1."""
    length = np.sqrt((profiles**2).sum(axis=1, keepdims=True))
    unit = profiles / np.where(length > 0, length, 1.0)
    distances = 1.0 - unit @ unit.T
    np.fill_diagonal(distances, 0.0)
    return distances


def euclidean_distances(rows: np.ndarray) -> np.ndarray:
    """Euclidean distance between the ``rows`` of a matrix, shape (n, d)."""
    distances: np.ndarray = np.sqrt(((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=-1))
    return distances


def standardise(rdm: np.ndarray) -> np.ndarray:
    """The ``rdm`` scaled to mean 0 and standard deviation 1 over its pairs. RDMs are mixed after that."""
    pairs = rdm[np.triu_indices(len(rdm), 1)]
    standard: np.ndarray = (rdm - pairs.mean()) / pairs.std()
    return standard


def _differs(labels: list[str]) -> np.ndarray:
    values = np.array(labels)
    differs: np.ndarray = (values[:, None] != values[None, :]).astype(float)
    return differs


def mix(rdms: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Sum of ``rdms``, each multiplied by its number in ``weights``."""
    return np.tensordot(weights, np.stack(rdms), axes=1)


def to_rdm(values: np.ndarray) -> np.ndarray:
    """A symmetric matrix of ``values`` on any scale as an RDM, with dissimilarities from .05 to 1.

    The least dissimilarity is not 0, since no two concepts are identical.
    """
    rows, columns = np.triu_indices(len(values), 1)
    pairs = values[rows, columns]
    pairs = np.round(_LEAST + (1.0 - _LEAST) * (pairs - pairs.min()) / np.ptp(pairs), DECIMALS)
    rdm = np.zeros_like(values)
    rdm[rows, columns] = pairs
    rdm[columns, rows] = pairs
    return rdm


class KeyedDraws:
    """Random numbers that are decided by ``key``.

    They come from the raw output of PCG64, which is the same in every version of numpy.
    """

    def __init__(self, key: str) -> None:
        self._bits = np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))

    def uniform(self, *shape: int) -> np.ndarray:
        """Numbers drawn uniformly from [0, 1), an array of this ``shape``."""
        raw = self._bits.random_raw(int(np.prod(shape))) >> np.uint64(11)
        values: np.ndarray = raw.reshape(shape) * 2.0**-53
        return values

    def noise(self, n: int) -> np.ndarray:
        """Symmetric noise, shape (``n``, ``n``): mean 0, standard deviation 1, independent pairs."""
        values = self.uniform(_SUMMANDS, n, n).sum(axis=0) - _SUMMANDS / 2
        upper = np.triu(values, 1)
        symmetric: np.ndarray = upper + upper.T
        return symmetric
