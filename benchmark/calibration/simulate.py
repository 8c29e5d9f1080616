"""Simulated people and simulated models of graded quality, from the stimuli and the target of a binding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from benchmark.calibration.arrays import ArrayView, synthetic_stimuli
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join
from benchmark.datasets.types import AssociationTarget, RDMTarget, Stimuli, Target, VectorTarget
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import concept_images

#: Columns of a simulated model that gives association strengths
_COLUMNS = 200


class Simulation(ABC):
    """Draws people like those of a target, and models that have the target but for noise.

    Attributes
    ----------
    stimuli : Stimuli
        What the simulated models see.
    subjects : int or None
        How many people there are, where they are told apart.
    """

    stimuli: Stimuli
    subjects: int | None = None

    @abstractmethod
    def people(self, rng: np.random.Generator) -> Target:
        """A target drawn anew."""

    @abstractmethod
    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Features (n stimuli, d) of the target with noise of ``noise`` standard deviations of the signal."""

    def views(self, noises: Sequence[float], rng: np.random.Generator) -> list[ArrayView]:
        """Models with one layer each, "0", "1", ...; in one view wherever they can share it."""
        return [ArrayView(self.stimuli, {str(i): self.features(s, rng) for i, s in enumerate(noises)})]


class SimulatedRDMs(Simulation):
    """People go by one geometry, each with noise of their own, independent from pair to pair.

    Their noise is such that two of them correlate as much as two of the target do on average, so what is
    individual in a person counts as noise. One person alone is taken to be without noise. Noise of a model is
    of the same kind, on its RDM.

    Parameters
    ----------
    joined : Join
    signal : ndarray, shape (k, k), optional
        RDM that people go by; default: the mean of the target's.
    """

    def __init__(self, joined: Join[RDMTarget], signal: np.ndarray | None = None) -> None:
        self._target = joined.target
        self._concepts = joined.concepts
        self.stimuli = synthetic_stimuli(joined.concepts)
        self.subjects = len(joined.target.rdms)
        upper = np.triu_indices(len(joined.concepts), 1)
        standard = np.array([_standard(rdm) for rdm in joined.target.rdms])
        self._signal = _standard(standard.mean(axis=0) if signal is None else signal)
        self._noise = _noise_of_people(standard[:, upper[0], upper[1]])

    def people(self, rng: np.random.Generator) -> RDMTarget:
        """As many people as the target has."""
        rdms = [_positive(self._signal + self._noise * self._draw(rng)) for _ in range(self.subjects or 0)]
        return replace(self._target, ids=self._concepts, rdms=np.array(rdms))

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Features whose correlation RDM is that of the signal with noise."""
        return features_with_rdm(self._signal + noise * self._draw(rng))

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        upper = np.triu(rng.standard_normal(self._signal.shape), 1)
        symmetric: np.ndarray = upper + upper.T
        return symmetric


class SimulatedVectors(Simulation):
    """Word vectors stay as they are, for no people are in them; a model has them with noise in each column.

    Parameters
    ----------
    joined : Join
    stimuli : Stimuli
        Of the binding.
    mistakes : sequence of ClassProbabilities
        What networks take the stimuli for. Where there are any, models are simulated image by image and each
        makes the mistakes of one of the networks; else each concept has one image.
    """

    def __init__(
        self, joined: Join[VectorTarget], stimuli: Stimuli, mistakes: Sequence[ClassProbabilities] = ()
    ) -> None:
        self._target = replace(joined.target, ids=joined.concepts)
        self._mistakes = mistakes
        vectors = np.asarray(joined.target.vectors, dtype=np.float64)
        self._vectors = (vectors - vectors.mean(axis=0)) / vectors.std()
        self.stimuli = _tested(stimuli, joined.concepts) if mistakes else synthetic_stimuli(joined.concepts)
        self._images = _rows(stimuli, joined.concepts)
        index = {concept: i for i, concept in enumerate(joined.concepts)}
        self._shown = np.array([index[concept] for concept in self.stimuli.concepts])

    def people(self, rng: np.random.Generator) -> VectorTarget:  # noqa: ARG002 - nothing is drawn
        """The word vectors themselves."""
        return self._target

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Word vectors of what is shown, with noise."""
        signal = self._vectors[self._shown]
        noisy: np.ndarray = signal + noise * rng.standard_normal(signal.shape)
        return noisy

    def views(self, noises: Sequence[float], rng: np.random.Generator) -> list[ArrayView]:
        """With mistakes, a view for each model."""
        if not self._mistakes:
            return super().views(noises, rng)
        found = []
        for i, noise in enumerate(noises):
            taken = self._mistakes[int(rng.integers(len(self._mistakes)))]
            classes = ClassProbabilities(taken.class_ids, taken.probabilities[self._images])
            found.append(ArrayView(self.stimuli, {str(i): self.features(noise, rng)}, classes=classes))
        return found


class SimulatedAssociations(Simulation):
    """As many people respond to each cue as did, with the strengths as found.

    A model has the strengths under a random linear map, with noise in each image.
    """

    def __init__(self, joined: Join[AssociationTarget], stimuli: Stimuli) -> None:
        target = joined.target
        self._target = replace(target, ids=joined.concepts)
        self.stimuli = stimuli
        counts = np.asarray(target.counts.todense(), dtype=np.float64)
        self._responses = np.rint(counts.sum(axis=1)).astype(np.int64)
        self._strengths = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
        index = {concept: i for i, concept in enumerate(joined.concepts)}
        shown = np.array([index.get(concept, -1) for concept in stimuli.concepts])
        # Stimuli that do not join are never read: they have noise alone.
        self._mapped = np.where(shown[:, None] >= 0, self._strengths[shown], 0)

    def people(self, rng: np.random.Generator) -> AssociationTarget:
        """Counts of responses drawn anew."""
        counts = rng.multinomial(self._responses, self._strengths)
        # respondents stay: who gave no response is among them
        return replace(self._target, counts=sparse.csr_array(counts.astype(np.float64)))

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Strengths of what is shown, mapped to columns, with noise."""
        signal = self._mapped @ rng.standard_normal((self._mapped.shape[1], _COLUMNS))
        noisy: np.ndarray = signal / signal.std() + noise * rng.standard_normal(signal.shape)
        return noisy


def simulation(
    joined: Join[Target], stimuli: Stimuli, mistakes: Sequence[ClassProbabilities] = ()
) -> Simulation:
    """The simulation for a target of this kind.

    Raises
    ------
    NotPossible
        If there is none.
    """
    target = joined.target
    if isinstance(target, RDMTarget):
        return SimulatedRDMs(joined)  # type: ignore[arg-type]  # narrowed by its target
    if isinstance(target, VectorTarget):
        return SimulatedVectors(joined, stimuli, mistakes)  # type: ignore[arg-type]
    if isinstance(target, AssociationTarget):
        return SimulatedAssociations(joined, stimuli)  # type: ignore[arg-type]
    raise NotPossible(f"no simulation of targets of kind {target.kind!r}: power is not known")


def features_with_rdm(dissimilarity: np.ndarray) -> np.ndarray:
    r"""Features (k, 2k) of which the correlation RDM is a given one, scaled and shifted off the diagonal.

    With :math:`\lambda` above the greatest eigenvalue, :math:`\lambda I - D` is a Gram matrix :math:`F F^T`
    of rows of one length. The rows of :math:`(F, -F)` have mean zero, so that they correlate by
    :math:`-D / \lambda`. Correlations of RDMs, and assignments by them, do not depend on scale and shift.
    """
    k = len(dissimilarity)
    greatest = float(np.linalg.eigvalsh(dissimilarity)[-1])
    factor = np.linalg.cholesky((1.01 * greatest + 1e-9) * np.eye(k) - dissimilarity)
    return np.hstack([factor, -factor])


def _noise_of_people(values: np.ndarray) -> float:
    """Standard deviation of a person's noise, for values (s, pairs) of variance one."""
    s = len(values)
    if s < 2:
        return 0.0
    together = np.corrcoef(values)
    shared = (together.sum() - s) / (s * (s - 1))
    if shared <= 0:
        raise NotPossible("the subjects have nothing in common: there are no people to simulate")
    return float(np.sqrt((1 - shared) / shared))


def _standard(rdm: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1 over pairs; the diagonal is 0."""
    upper = rdm[np.triu_indices(len(rdm), 1)]
    standard: np.ndarray = (rdm - upper.mean()) / upper.std()
    np.fill_diagonal(standard, 0)
    return standard


def _positive(values: np.ndarray) -> np.ndarray:
    """Dissimilarities of which the least is a little above zero."""
    rdm: np.ndarray = values - values.min() + 0.05
    np.fill_diagonal(rdm, 0)
    return rdm


def _rows(stimuli: Stimuli, concepts: tuple[str, ...]) -> np.ndarray:
    return np.concatenate(concept_images(stimuli, concepts))


def _tested(stimuli: Stimuli, concepts: tuple[str, ...]) -> Stimuli:
    """The test images of the concepts, without a split."""
    rows = _rows(stimuli, concepts)
    ids, shown = (tuple(values[i] for i in rows) for values in (stimuli.ids, stimuli.concepts))
    return Stimuli(name=stimuli.name, ids=ids, concepts=shown, manifest="simulated")
