"""Small random worlds whose answer is known: a target, and features that match it exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from benchmark.calibration.arrays import ArrayView, synthetic_stimuli
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import (
    AssociationTarget,
    PropertyTarget,
    RDMTarget,
    Target,
    TripletTarget,
    VectorTarget,
    WordPairTarget,
)
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
    names = _names("c", concepts)
    categories = None if twins is None else tuple(f"category {i // size}" for i in range(concepts))
    target = RDMTarget(
        "control", names, "control", rdms=rdm(signal)[None], subjects=("s",), categories=categories
    )
    return _by_concept(target, names, signal, rng)


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
    names = _names("c", concepts)
    target = TripletTarget("control", names, "control", triplets=np.take_along_axis(shown, order, axis=1))
    return _by_concept(target, names, signal, rng)


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
    names = _names("c", concepts)
    vectors = rng.standard_normal((concepts, columns))
    return _by_concept(VectorTarget("control", names, "control", vectors=vectors), names, vectors, rng)


class _FromTheOrigin(World):
    """A world of cosines, which depend on the origin: a copy is turned and scaled, and not shifted."""

    def copy(self, rng: np.random.Generator) -> np.ndarray:
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
        _names("c", words),
        "control",
        pairs=rated,
        ratings=np.einsum("md,md->m", unit[rated[:, 0]], unit[rated[:, 1]]),
    )
    world = _by_concept(target, target.ids, signal, rng)
    return _FromTheOrigin(**vars(world))


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
        _names("c", concepts),
        "control",
        columns=_names("p", properties),
        counts=sparse.csr_array(counts.astype(float)),
        respondents=np.full(concepts, 30.0),
        types=("property",) * properties,
    )
    mapped = counts @ rng.standard_normal((properties, 2 * properties))
    return _FromTheOrigin(**vars(_by_concept(target, target.ids, mapped, rng)))


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
    names = _names("c", concepts)
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
    blocks = [np.flatnonzero(is_test & (shown == c)) for c in range(cues)]
    return World(stimuli, target, signal=mapped[shown], rows=np.arange(len(stimuli)), blocks=np.array(blocks))


def _by_concept(
    target: Target, names: tuple[str, ...], signal: np.ndarray, rng: np.random.Generator
) -> World:
    """A world in which both images of a concept have the same features."""
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
    names = _names("c", concepts)
    ranks = np.argsort(rng.random((concepts, properties)), axis=1)
    given = ranks < properties // 3
    target = PropertyTarget(
        "control",
        names,
        "control",
        columns=_names("p", properties),
        counts=sparse.csr_array(20.0 * given),
        respondents=np.full(concepts, 30.0),
        types=("taxonomic",) * properties,
    )
    return _by_concept(target, names, np.where(given, 1.0, -1.0), rng)


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
    names = _names("c", concepts)
    signal = rng.standard_normal((concepts, columns))
    responses = signal @ rng.standard_normal((columns, channels))
    responses /= responses.std(axis=0)
    measured = responses[:, :, None] + noise * rng.standard_normal((concepts, channels, repeats))
    target = ResponseTarget("control", names, "control", repeats=measured, channels=_names("ch", channels))
    return _by_concept(target, names, signal, rng)
