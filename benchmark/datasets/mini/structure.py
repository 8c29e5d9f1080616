"""What the simulated people and areas are mixed from: dissimilarities between the 48 concepts, and noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.norms import table
from benchmark.datasets.types import AssociationTarget, PropertyTarget

CATEGORIES: tuple[str, ...] = tuple(concept.category for concept in CONCEPTS)

#: the domain of each category: living things that move, things that grow, things people make
_DOMAINS = {"mammal": "animal", "bird_or_fish": "animal", "fruit": "plant"}

#: strength with which a concept brings to mind itself, so that dog -> cat makes the two alike
_SELF = 0.3

#: uniform draws summed into one noise value: twelve have variance one and look normal
_SUMMANDS = 12

#: dissimilarity of the most alike pair
_LEAST = 0.05

#: decimals kept of a simulated value, so that the last bits of a machine's arithmetic do not show
DECIMALS = 6


def category_rdm() -> np.ndarray:
    """0 within a category, 1 between categories; shape (48, 48)."""
    return _differs(list(CATEGORIES))


def domain_rdm() -> np.ndarray:
    """0 within a domain (animals, plants, made things), 1 between domains; shape (48, 48)."""
    return _differs([_DOMAINS.get(category, "made") for category in CATEGORIES])


def form_ratings() -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the forms (round, elongated, ...), and how much each concept has of them, 0 to 10; (48, 6)."""
    rows = table("forms.csv")
    forms = tuple(key for key in rows[0] if key != "concept")
    return forms, np.array([[float(row[form]) for form in forms] for row in rows])


def form_rdm() -> np.ndarray:
    """Euclidean distance between authored ratings of form; shape (48, 48)."""
    return euclidean_distances(form_ratings()[1])


def association_rdm(norms: AssociationTarget) -> np.ndarray:
    """Cosine distance between association profiles in which every concept also brings to mind itself."""
    words = list(dict.fromkeys([*norms.columns, *norms.ids]))
    profiles = np.zeros((len(norms.ids), len(words)))
    profiles[:, : len(norms.columns)] = norms.counts.toarray() / norms.respondents[:, None]
    profiles[np.arange(len(norms.ids)), [words.index(concept) for concept in norms.ids]] = _SELF
    return cosine_distances(profiles)


def property_rdms(norms: PropertyTarget) -> dict[str, np.ndarray]:
    """Cosine distance between production frequencies, by property type."""
    frequencies = norms.counts.toarray()
    types = np.array(norms.types)
    return {kind: cosine_distances(frequencies[:, types == kind]) for kind in sorted(set(norms.types))}


def cosine_distances(profiles: np.ndarray) -> np.ndarray:
    """1 - cosine between rows; an empty row has nothing in common with any other (distance 1)."""
    length = np.sqrt((profiles**2).sum(axis=1, keepdims=True))
    unit = profiles / np.where(length > 0, length, 1.0)
    distances = 1.0 - unit @ unit.T
    np.fill_diagonal(distances, 0.0)
    return distances


def euclidean_distances(rows: np.ndarray) -> np.ndarray:
    """Euclidean distance between rows."""
    distances: np.ndarray = np.sqrt(((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=-1))
    return distances


def standardise(rdm: np.ndarray) -> np.ndarray:
    """The RDM with mean 0 and standard deviation 1 over its pairs, so that RDMs can be mixed by weight."""
    pairs = rdm[np.triu_indices(len(rdm), 1)]
    standard: np.ndarray = (rdm - pairs.mean()) / pairs.std()
    return standard


def _differs(labels: list[str]) -> np.ndarray:
    values = np.array(labels)
    differs: np.ndarray = (values[:, None] != values[None, :]).astype(float)
    return differs


def mix(rdms: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted sum of RDMs."""
    return np.tensordot(weights, np.stack(rdms), axes=1)


def to_rdm(values: np.ndarray) -> np.ndarray:
    """A symmetric matrix of any scale as dissimilarities from .05 (no two concepts are one) to 1."""
    rows, columns = np.triu_indices(len(values), 1)
    pairs = values[rows, columns]
    pairs = np.round(_LEAST + (1.0 - _LEAST) * (pairs - pairs.min()) / np.ptp(pairs), DECIMALS)
    rdm = np.zeros_like(values)
    rdm[rows, columns] = pairs
    rdm[columns, rows] = pairs
    return rdm


class Chance:
    """Random numbers decided by a key, from the raw output of PCG64, which every numpy keeps the same."""

    def __init__(self, key: str) -> None:
        self._bits = np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))

    def uniform(self, *shape: int) -> np.ndarray:
        """Uniform in [0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape))) >> np.uint64(11)
        values: np.ndarray = raw.reshape(shape) * 2.0**-53
        return values

    def noise(self, n: int) -> np.ndarray:
        """A symmetric matrix (n, n) with mean 0, standard deviation 1 and independent pairs."""
        values = self.uniform(_SUMMANDS, n, n).sum(axis=0) - _SUMMANDS / 2
        upper = np.triu(values, 1)
        symmetric: np.ndarray = upper + upper.T
        return symmetric
