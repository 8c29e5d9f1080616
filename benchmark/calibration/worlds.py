"""Small worlds whose answer is known: a target, and the features of a model that has it exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from benchmark.calibration.arrays import ArrayView, synthetic_stimuli
from benchmark.datasets.types import AssociationTarget, RDMTarget, Stimuli, Target, VectorTarget
from benchmark.measures import rdm
from benchmark.model import ClassProbabilities


@dataclass(frozen=True)
class World:
    """A target, and the features of a model that has it exactly.

    Attributes
    ----------
    stimuli : Stimuli
        In an order of their own: what goes by row numbers in place of ids is lost.
    target : Target
    signal : ndarray, shape (m, d)
        Features that hold the target. Noise is added to these rows.
    rows : ndarray of int, shape (n,)
        Row of the signal that each stimulus has: its concept's, or one of its own.
    blocks : ndarray of int, shape (b, u)
        Rows of the signal that carry a label together: permuted labels exchange blocks.
    classes : ClassProbabilities or None
        What the model takes each stimulus for.
    """

    stimuli: Stimuli
    target: Target
    signal: np.ndarray
    rows: np.ndarray
    blocks: np.ndarray
    classes: ClassProbabilities | None = None

    def view(self, layers: dict[str, np.ndarray]) -> ArrayView:
        """A model whose layers hold rows (m, d) of the kind of the signal."""
        by_stimulus = {name: values[self.rows] for name, values in layers.items()}
        return ArrayView(self.stimuli, by_stimulus, classes=self.classes)

    def copy(self, rng: np.random.Generator) -> np.ndarray:
        """The signal with columns reordered, scaled and shifted: nothing that a score may depend on."""
        copy: np.ndarray = 3.0 * self.signal[:, rng.permutation(self.signal.shape[1])] + 2.0
        return copy

    def noisy(self, snr: float, rng: np.random.Generator) -> np.ndarray:
        """The signal with Gaussian noise of variance 1 / ``snr`` beside that of the signal."""
        scale = float(self.signal.std()) / float(np.sqrt(snr))
        return self.signal + scale * rng.standard_normal(self.signal.shape)

    def noise(self, rng: np.random.Generator) -> np.ndarray:
        """Gaussian noise that knows nothing of the signal."""
        return rng.standard_normal(self.signal.shape)

    def permuted(self, rng: np.random.Generator) -> np.ndarray:
        """The signal with its labels permuted, all orders alike (a label may fall on itself)."""
        order = rng.permutation(len(self.blocks))
        features = self.signal.copy()
        features[self.blocks.ravel()] = self.signal[self.blocks[order].ravel()]
        return features


def rdm_world(
    rng: np.random.Generator, concepts: int = 40, columns: int = 200, twins: float | None = None
) -> World:
    """Concepts with independent Gaussian features; the target is their correlation RDM, of one subject.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, columns : int
    twins : float, optional
        Concepts 2i and 2i + 1 then share their features but for a part of this standard deviation: noise
        confuses twins long before it hides the geometry.
    """
    if twins is None:
        signal = rng.standard_normal((concepts, columns))
    else:
        centres = rng.standard_normal((concepts // 2, columns)).repeat(2, axis=0)
        signal = centres + twins * rng.standard_normal((concepts, columns))
    names = _names("c", concepts)
    target = RDMTarget("control", names, "control", rdms=rdm(signal)[None], subjects=("s",))
    return _by_concept(target, names, signal, rng)


def vector_world(rng: np.random.Generator, concepts: int = 30, columns: int = 60) -> World:
    """Concepts with independent Gaussian word vectors, which are the target; noise is of concepts."""
    names = _names("c", concepts)
    vectors = rng.standard_normal((concepts, columns))
    return _by_concept(VectorTarget("control", names, "control", vectors=vectors), names, vectors, rng)


def mistaken_world(rng: np.random.Generator, concepts: int = 20, images: int = 5, columns: int = 60) -> World:
    """Word vectors, and a model that takes one image of each concept for another concept.

    The signal of an image is the vector of the concept it shows. Noise, and labels, are of images.
    """
    names = _names("c", concepts)
    words = rng.standard_normal((concepts, columns))
    stimuli, order = _shuffled(synthetic_stimuli(names, test=images), rng)
    shown = order // images
    missed = order % images == 0
    taken_for = np.where(missed, (shown + rng.integers(1, concepts, len(shown))) % concepts, shown)
    n = len(stimuli)
    return World(
        stimuli,
        VectorTarget("control", names, "control", vectors=words),
        signal=words[shown],
        rows=np.arange(n),
        blocks=np.arange(n)[:, None],
        classes=ClassProbabilities(names, np.eye(concepts)[taken_for]),
    )


def association_world(
    rng: np.random.Generator, cues: int = 40, responses: int = 60, train: int = 4, test: int = 2
) -> World:
    """Association norms of 200 people a cue; the signal is their counts under a random linear map.

    Noise is of images. Permuted are the labels of the test images, by cue: permuted in training and test
    alike they could be learnt.
    """
    names = _names("c", cues)
    strengths = rng.dirichlet(np.full(responses, 0.1), size=cues)
    counts = np.stack([rng.multinomial(200, row) for row in strengths])
    target = AssociationTarget(
        "control",
        names,
        "control",
        columns=_names("w", responses),
        counts=sparse.csr_array(counts),
        respondents=counts.sum(axis=1).astype(float),
    )
    stimuli, order = _shuffled(synthetic_stimuli(names, test=test, train=train), rng)
    shown = order // (train + test)
    mapped = counts @ rng.standard_normal((responses, 4 * responses))
    is_test = np.array(stimuli.splits) == "test"
    tested = [np.flatnonzero(is_test & (shown == c)) for c in range(cues)]
    return World(stimuli, target, signal=mapped[shown], rows=np.arange(len(stimuli)), blocks=np.array(tested))


def _by_concept(
    target: Target, names: tuple[str, ...], signal: np.ndarray, rng: np.random.Generator
) -> World:
    """A world in which both images of a concept are alike."""
    stimuli, order = _shuffled(synthetic_stimuli(names, test=2), rng)
    shuffled = target.select([names[i] for i in rng.permutation(len(names))])
    return World(stimuli, shuffled, signal, rows=order // 2, blocks=np.arange(len(names))[:, None])


def _shuffled(stimuli: Stimuli, rng: np.random.Generator) -> tuple[Stimuli, np.ndarray]:
    order = rng.permutation(len(stimuli))
    splits = stimuli.splits and tuple(stimuli.splits[i] for i in order)
    ids, concepts = (tuple(values[i] for i in order) for values in (stimuli.ids, stimuli.concepts))
    return replace(stimuli, ids=ids, concepts=concepts, splits=splits), order


def _names(letter: str, n: int) -> tuple[str, ...]:
    return tuple(f"{letter}{i:03d}" for i in range(n))
