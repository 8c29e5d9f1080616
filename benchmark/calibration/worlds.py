"""Small random worlds whose answer is known: a target, and features that match it exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from benchmark.calibration.arrays import ArrayView, synthetic_stimuli
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget, Target, TripletTarget, VectorTarget, WordPairTarget
from benchmark.measures import rdm
from benchmark.model import ClassProbabilities


@dataclass(frozen=True)
class World:
    """A target, and the features of a model that matches it exactly.

    In the methods ``rng`` draws everything random.

    Attributes
    ----------
    stimuli : Stimuli
        In a random order: a task that joins by row number and not by id fails its controls.
    target : Target
    signal : ndarray, shape (m, d)
        Features that match the target. Noise is added to these rows.
    rows : ndarray of int, shape (n,)
        For each stimulus its row of the signal: that of its concept, or a row of its own.
    blocks : ndarray of int, shape (b, u)
        Each block is a group of rows of the signal with one label. Permuted labels exchange whole blocks.
    classes : ClassProbabilities or None
        The model's class probabilities for the stimuli.
    """

    stimuli: Stimuli
    target: Target
    signal: np.ndarray
    rows: np.ndarray
    blocks: np.ndarray
    classes: ClassProbabilities | None = None

    def view(self, layers: dict[str, np.ndarray]) -> ArrayView:
        """Make a model view. ``layers`` maps a name to an array (m, d) with rows like those of the signal."""
        by_stimulus = {name: values[self.rows] for name, values in layers.items()}
        return ArrayView(self.stimuli, by_stimulus, classes=self.classes)

    def copy(self, rng: np.random.Generator) -> np.ndarray:
        """The signal with its columns reordered, scaled and shifted. No score may depend on that."""
        copy: np.ndarray = 3.0 * self.signal[:, rng.permutation(self.signal.shape[1])] + 2.0
        return copy

    def noisy(self, snr: float, rng: np.random.Generator) -> np.ndarray:
        """The signal with Gaussian noise; ``snr`` is the variance of the signal by that of the noise."""
        scale = float(self.signal.std()) / float(np.sqrt(snr))
        return self.signal + scale * rng.standard_normal(self.signal.shape)

    def noise(self, rng: np.random.Generator) -> np.ndarray:
        """Gaussian noise that is independent of the signal."""
        return rng.standard_normal(self.signal.shape)

    def permuted(self, rng: np.random.Generator) -> np.ndarray:
        """The signal with its labels in a random order. All orders have the same probability."""
        order = rng.permutation(len(self.blocks))
        features = self.signal.copy()
        features[self.blocks.ravel()] = self.signal[self.blocks[order].ravel()]
        return features


def rdm_world(
    rng: np.random.Generator,
    concepts: int = 40,
    columns: int = 200,
    twins: float | None = None,
    size: int = 2,
) -> World:
    """Draw a world of concepts with Gaussian features; the target is their correlation RDM.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, columns : int
        Number of concepts and of features.
    twins : float, optional
        If given, concepts 2i and 2i + 1 are twins: they share their features, and differ by noise of this
        standard deviation. Then little noise confuses twins, and only much more noise hides the geometry.
        Each pair of twins is a category. Default: the features of all concepts are independent.
    size : int
        Number of concepts of a category, where they are not pairs of twins but more.

    Returns
    -------
    World
        Its target has one subject.

    Examples
    --------
    >>> world = rdm_world(np.random.default_rng(0), concepts=6, columns=50)
    >>> world.target.rdms.shape
    (1, 6, 6)
    >>> view = world.view({"copy": world.copy(np.random.default_rng(1))})
    >>> len(world.stimuli), view.features("copy").shape  # two stimuli of each concept
    (12, (12, 50))
    """
    if twins is None:
        signal = rng.standard_normal((concepts, columns))
    else:
        centres = rng.standard_normal((concepts // size, columns)).repeat(size, axis=0)
        signal = centres + twins * rng.standard_normal((concepts, columns))
    names = names_of("c", concepts)
    categories = None if twins is None else tuple(f"category {i // size}" for i in range(concepts))
    target = RDMTarget(
        "control", names, "control", rdms=rdm(signal)[None], subjects=("s",), categories=categories
    )
    return by_concept(target, names, signal, rng)


def triplet_world(
    rng: np.random.Generator, concepts: int = 30, columns: int = 20, answers: int = 600
) -> World:
    """Draw a world of concepts with Gaussian features; people keep the two nearest of three together.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, columns : int
        Number of concepts and of features.
    answers : int
        Number of triplets, drawn at random, each answered once.

    Returns
    -------
    World

    Examples
    --------
    >>> world = triplet_world(np.random.default_rng(0), concepts=6, answers=50)
    >>> world.target.triplets.shape
    (50, 3)
    """
    signal = rng.standard_normal((concepts, columns))
    shown = np.argsort(rng.random((answers, concepts)), axis=1)[:, :3]
    apart = [
        ((signal[shown[:, a]] - signal[shown[:, b]]) ** 2).sum(axis=1) for a, b in ((1, 2), (0, 2), (0, 1))
    ]
    odd = np.argmin(apart, axis=0)  # the one that is not of the nearest pair
    order = np.array([[1, 2, 0], [0, 2, 1], [0, 1, 2]])[odd]
    names = names_of("c", concepts)
    target = TripletTarget("control", names, "control", triplets=np.take_along_axis(shown, order, axis=1))
    return by_concept(target, names, signal, rng)


def vector_world(rng: np.random.Generator, concepts: int = 30, columns: int = 60) -> World:
    """Draw a world of concepts with independent Gaussian word vectors, which are the target.

    Both stimuli of a concept have the same features, so noise is added to concepts.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, columns : int
        Number of concepts and of dimensions of a word vector.

    Returns
    -------
    World

    Examples
    --------
    >>> world = vector_world(np.random.default_rng(0), concepts=4, columns=8)
    >>> world.target.vectors.shape, world.signal.shape, len(world.stimuli)
    ((4, 8), (4, 8), 8)
    """
    names = names_of("c", concepts)
    vectors = rng.standard_normal((concepts, columns))
    return by_concept(VectorTarget("control", names, "control", vectors=vectors), names, vectors, rng)


class FromTheOrigin(World):
    """A world of cosines, which depend on the origin: a copy is turned and scaled, and not shifted."""

    def copy(self, rng: np.random.Generator) -> np.ndarray:
        """The signal, turned by ``rng`` and three times as large."""
        turn, _ = np.linalg.qr(rng.standard_normal((self.signal.shape[1],) * 2))
        copy: np.ndarray = 3.0 * self.signal @ turn
        return copy


def word_pair_world(rng: np.random.Generator, words: int = 60, pairs: int = 150, columns: int = 20) -> World:
    """Draw a world of words with independent Gaussian features; some of their pairs are rated by the cosine.

    Parameters
    ----------
    rng : numpy.random.Generator
    words, pairs, columns : int
        Number of words, of rated pairs and of features.

    Returns
    -------
    World

    Examples
    --------
    >>> world = word_pair_world(np.random.default_rng(0), words=8, pairs=12)
    >>> world.target.pairs.shape, world.signal.shape
    ((12, 2), (8, 20))
    """
    signal = rng.standard_normal((words, columns))
    unit = signal / np.linalg.norm(signal, axis=1, keepdims=True)
    rated = rng.permutation(np.stack(np.triu_indices(words, 1), axis=1))[:pairs]
    target = WordPairTarget(
        "control",
        names_of("c", words),
        "control",
        pairs=rated,
        ratings=np.einsum("md,md->m", unit[rated[:, 0]], unit[rated[:, 1]]),
    )
    world = by_concept(target, target.ids, signal, rng)
    return FromTheOrigin(**vars(world))


def mistaken_world(rng: np.random.Generator, concepts: int = 20, images: int = 5, columns: int = 60) -> World:
    """Draw a world of word vectors, with a model that misclassifies one image of each concept.

    The signal of an image is the word vector of the concept that it shows. Noise is added to images, and
    labels of images are permuted.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts : int
        Number of concepts.
    images : int
        Number of images of each concept.
    columns : int
        Number of dimensions of a word vector.

    Returns
    -------
    World

    Examples
    --------
    >>> world = mistaken_world(np.random.default_rng(0), concepts=20, images=5)
    >>> float(np.mean(world.classes.predicted != np.array(world.stimuli.concepts)))
    0.2
    """
    names = names_of("c", concepts)
    words = rng.standard_normal((concepts, columns))
    stimuli, order = _shuffled(synthetic_stimuli(names, test=images), rng)
    shown = order // images
    missed = order % images == 0
    predicted = np.where(missed, (shown + rng.integers(1, concepts, len(shown))) % concepts, shown)
    n = len(stimuli)
    return World(
        stimuli,
        VectorTarget("control", names, "control", vectors=words),
        signal=words[shown],
        rows=np.arange(n),
        blocks=np.arange(n)[:, None],
        classes=ClassProbabilities(names, np.eye(concepts)[predicted]),
    )


def association_world(
    rng: np.random.Generator, cues: int = 40, responses: int = 60, train: int = 4, test: int = 2
) -> World:
    """Draw a world of association norms: 200 people respond to each cue.

    The signal is the counts of responses under a random linear map. Noise is added to images. Permuted labels
    are those of the test images, cue by cue: a readout could learn labels that are permuted in the training
    images too.

    Parameters
    ----------
    rng : numpy.random.Generator
    cues, responses : int
        Number of cues, and of words in the vocabulary of responses.
    train, test : int
        Number of training and of test images of each cue.

    Returns
    -------
    World

    Examples
    --------
    >>> world = association_world(np.random.default_rng(0), cues=5, responses=8)
    >>> world.target.counts.shape, len(world.stimuli)
    ((5, 8), 30)
    >>> world.target.counts.sum(axis=1).tolist()
    [200, 200, 200, 200, 200]
    """
    names = names_of("c", cues)
    strengths = rng.dirichlet(np.full(responses, 0.1), size=cues)
    counts = np.stack([rng.multinomial(200, row) for row in strengths])
    target = AssociationTarget(
        "control",
        names,
        "control",
        columns=names_of("w", responses),
        counts=sparse.csr_array(counts),
        respondents=counts.sum(axis=1).astype(float),
    )
    stimuli, order = _shuffled(synthetic_stimuli(names, test=test, train=train), rng)
    shown = order // (train + test)
    mapped = counts @ rng.standard_normal((responses, 4 * responses))
    is_test = np.array(stimuli.splits) == "test"
    blocks = [np.flatnonzero(is_test & (shown == c)) for c in range(cues)]
    return World(stimuli, target, signal=mapped[shown], rows=np.arange(len(stimuli)), blocks=np.array(blocks))


def by_concept(target: Target, names: tuple[str, ...], signal: np.ndarray, rng: np.random.Generator) -> World:
    """A world in which both images of a concept have the same features.

    ``target`` has the concepts ``names``, and ``signal`` a row for each; ``rng`` shuffles stimuli and target.
    """
    stimuli, order = _shuffled(synthetic_stimuli(names, test=2), rng)
    shuffled = target.select([names[i] for i in rng.permutation(len(names))])
    return World(stimuli, shuffled, signal, rows=order // 2, blocks=np.arange(len(names))[:, None])


def _shuffled(stimuli: Stimuli, rng: np.random.Generator) -> tuple[Stimuli, np.ndarray]:
    order = rng.permutation(len(stimuli))
    splits = stimuli.splits and tuple(stimuli.splits[i] for i in order)
    ids, concepts = (tuple(values[i] for i in order) for values in (stimuli.ids, stimuli.concepts))
    return replace(stimuli, ids=ids, concepts=concepts, splits=splits), order


def names_of(letter: str, n: int) -> tuple[str, ...]:
    """The names of ``n`` things: the ``letter`` with a number."""
    return tuple(f"{letter}{i:03d}" for i in range(n))


def response_world(
    rng: np.random.Generator,
    concepts: int = 60,
    columns: int = 8,
    channels: int = 12,
    noise: float = 0.0,
    repeats: int = 1,
) -> World:
    """Draw a world of responses: each channel is a weighted sum of the same Gaussian features.

    Parameters
    ----------
    rng : numpy.random.Generator
    concepts, columns, channels : int
        Number of concepts, of features and of channels.
    noise : float
        Standard deviation of the noise of one repeat, where that of the signal of a channel is one.
    repeats : int
        Number of repeats.

    Returns
    -------
    World

    Examples
    --------
    >>> world = response_world(np.random.default_rng(0), concepts=6, columns=2, channels=3, repeats=4)
    >>> world.target.repeats.shape, world.signal.shape
    ((6, 3, 4), (6, 2))
    """
    names = names_of("c", concepts)
    signal = rng.standard_normal((concepts, columns))
    responses = signal @ rng.standard_normal((columns, channels))
    responses /= responses.std(axis=0)
    measured = responses[:, :, None] + noise * rng.standard_normal((concepts, channels, repeats))
    target = ResponseTarget("control", names, "control", repeats=measured, channels=names_of("ch", channels))
    return by_concept(target, names, signal, rng)
