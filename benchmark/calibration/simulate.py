"""Simulated people, and simulated models with more or less noise, from the stimuli and target of a binding.

``rng`` draws everything random. ``noise`` is the noise of a model, in standard deviations of the signal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from scipy import sparse

from benchmark.calibration.arrays import ArrayView, synthetic_stimuli
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget, Target, VectorTarget
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import concept_images
from benchmark.task import ModelView

#: Number of features of a simulated model of association strengths
_COLUMNS = 200


class Simulation(ABC):
    """Draws people like those of a target, and models whose features are the target with noise.

    Attributes
    ----------
    stimuli : Stimuli
        The stimuli that the simulated models see.
    subjects : int or None
        Number of people; None: the target does not distinguish people.
    references : mapping of str to ModelView
        The other models that the task needs, for these stimuli.
    """

    stimuli: Stimuli
    subjects: int | None = None
    references: Mapping[str, ModelView] = MappingProxyType({})

    @abstractmethod
    def people(self, rng: np.random.Generator) -> Target:
        """Draw new people: a target like the real one."""

    @abstractmethod
    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Features (n stimuli, d) of the target with noise of ``noise`` standard deviations of the signal."""

    def views(self, noises: Sequence[float], rng: np.random.Generator) -> list[ArrayView]:
        """Draw one model for each of ``noises``, with one layer each: "0", "1", ...

        The models are in one view, except where each needs its own.
        """
        layers = {str(i): self.features(s, rng) for i, s in enumerate(noises)}
        return [ArrayView(self.stimuli, layers, references=self.references)]


class SimulatedRDMs(Simulation):
    """All people share one geometry (the signal). Each person adds independent noise to every pair.

    The noise is so strong that two simulated people correlate as two people of the target do on average. So
    individual differences between people count as noise. A target of one person is taken to have no noise.
    A model's noise is of the same kind: it is added to the model's RDM.

    Parameters
    ----------
    joined : Join
        The target, joined with its stimuli.
    signal : ndarray, shape (k, k), optional
        The RDM that all people share. Default: the mean of the target's RDMs.

    Raises
    ------
    NotPossible
        If the target has missing pairs, or the subjects have nothing in common.
    """

    def __init__(self, joined: Join[RDMTarget], signal: np.ndarray | None = None) -> None:
        if np.isnan(joined.target.rdms).any():
            raise NotPossible(
                f"target {joined.target.name!r} has missing pairs: there is no RDM to simulate people from"
            )
        self._target = joined.target
        self._concepts = joined.concepts
        self.stimuli = synthetic_stimuli(joined.concepts)
        self.subjects = len(joined.target.rdms)
        upper = np.triu_indices(len(joined.concepts), 1)
        standard = np.array([_standard(rdm) for rdm in joined.target.rdms])
        self._signal = _standard(standard.mean(axis=0) if signal is None else signal)
        self._noise = _noise_of_people(standard[:, upper[0], upper[1]])

    def people(self, rng: np.random.Generator) -> RDMTarget:
        """Draw as many people as the target has."""
        rdms = [_positive(self._signal + self._noise * self._draw(rng)) for _ in range(self.subjects or 0)]
        return replace(self._target, ids=self._concepts, rdms=np.array(rdms))

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Draw features whose correlation RDM is the signal with noise."""
        return features_with_rdm(self._signal + noise * self._draw(rng))

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        upper = np.triu(rng.standard_normal(self._signal.shape), 1)
        symmetric: np.ndarray = upper + upper.T
        return symmetric


class SimulatedVectors(Simulation):
    """Word vectors are not simulated, because they do not come from people. A model has them with noise.

    The noise is independent in every column.

    Parameters
    ----------
    joined : Join
        The target, joined with its stimuli.
    stimuli : Stimuli
        The stimuli of the binding.
    mistakes : sequence of ClassProbabilities
        Class probabilities of networks for the stimuli. If there are any, models are simulated image by
        image, and each model makes the mistakes of one network. Else each concept has one image.
    """

    def __init__(
        self, joined: Join[VectorTarget], stimuli: Stimuli, mistakes: Sequence[ClassProbabilities] = ()
    ) -> None:
        self._target = replace(joined.target, ids=joined.concepts)
        self._mistakes = mistakes
        vectors = np.asarray(joined.target.vectors, dtype=np.float64)
        self._vectors = (vectors - vectors.mean(axis=0)) / vectors.std()
        self.stimuli = (
            _test_images(stimuli, joined.concepts) if mistakes else synthetic_stimuli(joined.concepts)
        )
        self._images = _rows(stimuli, joined.concepts)
        index = {concept: i for i, concept in enumerate(joined.concepts)}
        self._shown = np.array([index[concept] for concept in self.stimuli.concepts])

    def people(self, rng: np.random.Generator) -> VectorTarget:  # noqa: ARG002 - nothing is drawn
        """The word vectors themselves."""
        return self._target

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Draw features: the word vectors of the concepts that the stimuli show, with noise."""
        signal = self._vectors[self._shown]
        noisy: np.ndarray = signal + noise * rng.standard_normal(signal.shape)
        return noisy

    def views(self, noises: Sequence[float], rng: np.random.Generator) -> list[ArrayView]:
        """Draw one model for each of ``noises``; with mistakes each model is a view of its own."""
        if not self._mistakes:
            return super().views(noises, rng)
        views = []
        for i, noise in enumerate(noises):
            network = self._mistakes[int(rng.integers(len(self._mistakes)))]
            classes = ClassProbabilities(network.class_ids, network.probabilities[self._images])
            views.append(ArrayView(self.stimuli, {str(i): self.features(noise, rng)}, classes=classes))
        return views


class SimulatedAssociations(Simulation):
    """Draws responses to each cue: as many as the norms have, with their strengths as probabilities.

    A model has the strengths under a random linear map, with independent noise for each image.

    Parameters
    ----------
    joined : Join
        The target, joined with its stimuli.
    stimuli : Stimuli
        The stimuli of the binding.
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
        # Stimuli without a cue in the norms are never read: they have only noise.
        self._mapped = np.where(shown[:, None] >= 0, self._strengths[shown], 0)

    def people(self, rng: np.random.Generator) -> AssociationTarget:
        """Draw new counts of responses."""
        counts = rng.multinomial(self._responses, self._strengths)
        # the number of respondents stays: it includes people who gave no response
        return replace(self._target, counts=sparse.csr_array(counts.astype(np.float64)))

    def features(self, noise: float, rng: np.random.Generator) -> np.ndarray:
        """Draw features: the strengths of the cues that the stimuli show, mapped to columns, with noise."""
        signal = self._mapped @ rng.standard_normal((self._mapped.shape[1], _COLUMNS))
        noisy: np.ndarray = signal / signal.std() + noise * rng.standard_normal(signal.shape)
        return noisy


def simulation(
    joined: Join[Target], stimuli: Stimuli, mistakes: Sequence[ClassProbabilities] = ()
) -> Simulation:
    """Make the simulation for the kind of a target.

    Parameters
    ----------
    joined : Join
        The target, joined with its stimuli.
    stimuli : Stimuli
        The stimuli of the binding.
    mistakes : sequence of ClassProbabilities
        For word vectors, as in :class:`SimulatedVectors`.

    Returns
    -------
    Simulation

    Raises
    ------
    NotPossible
        If there is no simulation for this kind of target.
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
    r"""Make features with a given correlation RDM, up to scale and shift off the diagonal.

    With :math:`\lambda` above the greatest eigenvalue, :math:`\lambda I - D` is a Gram matrix :math:`F F^T`
    of rows of equal length. The rows of :math:`(F, -F)` have mean zero, so their correlations are
    :math:`-D / \lambda`. Correlations of RDMs, and assignments by them, do not depend on scale and shift.

    Parameters
    ----------
    dissimilarity : ndarray, shape (k, k)
        The RDM :math:`D`, symmetric with a zero diagonal.

    Returns
    -------
    ndarray, shape (k, 2k)
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
    correlations = np.corrcoef(values)
    shared = (correlations.sum() - s) / (s * (s - 1))
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
    """Shift dissimilarities so that the least one is a little above zero."""
    rdm: np.ndarray = values - values.min() + 0.05
    np.fill_diagonal(rdm, 0)
    return rdm


def _rows(stimuli: Stimuli, concepts: tuple[str, ...]) -> np.ndarray:
    return np.concatenate(concept_images(stimuli, concepts))


def _test_images(stimuli: Stimuli, concepts: tuple[str, ...]) -> Stimuli:
    """The test images of the concepts, without a split."""
    rows = _rows(stimuli, concepts)
    ids, shown = (tuple(values[i] for i in rows) for values in (stimuli.ids, stimuli.concepts))
    return Stimuli(name=stimuli.name, ids=ids, concepts=shown, manifest="simulated")
