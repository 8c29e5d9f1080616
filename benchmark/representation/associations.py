"""Rows that stand for association profiles in a comparison, under a named rule.

The logits of a network with an association head are no geometry: what they say about two images depends on
how unlikely words are numbered. Such a network is compared by its strengths, and so are people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from benchmark.common.errors import NotPossible
from benchmark.datasets.join import join
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.measures.associations import (
    association_graph,
    hellinger,
    normalised,
    positive_pmi,
    spread_geometry,
)
from benchmark.model import Associations, ClassProbabilities

#: The rules that need association norms
NEED_NORMS = ("ppmi", "spread")
#: Every rule. "logits" leaves the output of the network as it is
RULES = ("logits", "strengths", "hellinger", *NEED_NORMS)
#: The key of stimuli that holds the cues of their concepts
_CUES = "swow"
#: The default decay of "spread", chosen on the THINGS concepts that are not classes of ImageNet
#: (docs/explanation/association-geometry.md)
DECAY = 0.5


@dataclass(frozen=True)
class AssociationRule:
    """A rule under which association profiles are compared.

    Attributes
    ----------
    name : str
        One of :data:`RULES`. "strengths": the profile, which sums to one. "hellinger": its square root.
        "ppmi": positive pointwise mutual information against the base rates of the norms. "spread": spread
        over the association graph of the norms; its logarithm, less the mean over the stimuli that are
        compared.
    norms : AssociationTarget or None
        The norms, for the rules that need them.
    decay : float
        Weight of each further step of "spread".
    """

    name: str
    norms: AssociationTarget | None = None
    decay: float = DECAY

    def __str__(self) -> str:
        norms = f" by {self.norms.name}" if self.norms else ""
        decay = f", decay {self.decay:g}" if self.name == "spread" else ""
        return f"{self.name}{norms}{decay}"

    def rows(self, associations: Associations, over: np.ndarray | None = None) -> np.ndarray:
        """One row for each profile.

        Parameters
        ----------
        associations : Associations
            n profiles over v words.
        over : ndarray of bool, shape (n,), optional
            The profiles that are compared: "spread" takes the mean over these; None: all.

        Returns
        -------
        ndarray, shape (n, v), float64

        Raises
        ------
        NotPossible
            If the rule needs norms, and no word of the vocabulary is a response in them; for "spread", if
            no word of the vocabulary is a cue in them.
        """
        strengths = associations.strengths
        if self.name == "strengths":
            return normalised(strengths)
        if self.name == "hellinger":
            return hellinger(strengths)
        words = self._words(associations.vocabulary)
        if self.name == "ppmi":
            return positive_pmi(strengths, words.base)
        return spread_geometry(strengths, words.graph, self.decay, over)

    def _words(self, vocabulary: tuple[str, ...]) -> _Words:
        if self.norms is None:
            raise ValueError(f"rule {self.name!r} needs norms")
        words = _Words(vocabulary, self.norms)
        if not words.base.any():
            raise NotPossible(
                f"rule {self.name}: none of the {len(vocabulary)} words of the vocabulary (first "
                f"{vocabulary[0]!r}) is a response in norms {self.norms.name!r}; take the network's norms"
            )
        if self.name == "spread" and not words.graph.nnz:
            raise NotPossible(
                f"rule spread: no word of the vocabulary (first {vocabulary[0]!r}) is a cue in norms "
                f"{self.norms.name!r} with a response that is one too, so there is nothing to spread over; "
                "take rule ppmi or hellinger"
            )
        return words


def nearest_concepts(
    associations: Associations, norms: AssociationTarget, stimuli: Stimuli
) -> ClassProbabilities:
    """Classes of a network that has no classifier: the concept whose profile is nearest to its associations.

    Profiles are those of people in ``norms``. The nearest has the greatest cosine of the strengths, as in the
    class retrieval of ``association_topk``; of those that tie, the first in the order of the stimuli.

    Parameters
    ----------
    associations : Associations
        n profiles over v words, one for each stimulus.
    norms : AssociationTarget
        Association norms.
    stimuli : Stimuli
        The n stimuli. Their concepts are joined with the norms on the key of cues, or on the concept id where
        they have no such key.

    Returns
    -------
    ClassProbabilities
        One for the nearest concept of each stimulus, and zero for the others. The classes are the concepts
        that join.

    Raises
    ------
    NotPossible
        If fewer than three concepts join, or nobody answered their cues with a word of the vocabulary.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from benchmark.calibration import synthetic_stimuli
    >>> from benchmark.datasets import AssociationTarget
    >>> concepts, words = ("cat", "dog", "car"), ("pet", "bark", "wheel")
    >>> norms = AssociationTarget(
    ...     "norms",
    ...     concepts,
    ...     "hash",
    ...     columns=words,
    ...     counts=sparse.csr_array(np.array([[9, 0, 0], [5, 5, 0], [0, 0, 9]])),
    ...     respondents=np.array([10, 10, 9]),
    ... )
    >>> seen = Associations(words, np.array([[0.8, 0.1, 0.1], [0.9, 0.1, 0.0], [0.1, 0.1, 0.8]]))
    >>> nearest_concepts(seen, norms, synthetic_stimuli(concepts)).predicted.tolist()
    ['cat', 'cat', 'car']
    """
    joined = join(stimuli, norms, _CUES if _CUES in stimuli.keys else None)
    people = _Words(associations.vocabulary, joined.target).strengths
    lengths = np.sqrt(people.multiply(people).sum(axis=1))
    if not lengths.any():
        raise NotPossible(
            f"nobody answered the cues of {len(joined.concepts)} concepts in norms {norms.name!r} with one "
            f"of the {len(associations.vocabulary)} words of the vocabulary (first "
            f"{associations.vocabulary[0]!r}); take the network's norms"
        )
    cosines = (people @ associations.strengths.T).T / np.where(lengths > 0, lengths, np.inf)
    nearest = cosines.argmax(axis=1)
    return ClassProbabilities(joined.concepts, np.eye(len(joined.concepts))[nearest])


@dataclass(frozen=True)
class _Words:
    """The words of a vocabulary in association norms."""

    vocabulary: tuple[str, ...]
    norms: AssociationTarget

    @cached_property
    def strengths(self) -> sparse.csr_array:
        """Strength of each word (column) as a response to each cue of the norms (row)."""
        position = {word: i for i, word in enumerate(self.vocabulary)}
        table = self.norms.counts.tocoo()
        # where in the vocabulary each response of the norms stands; -1: nowhere
        place = np.array([position.get(response, -1) for response in self.norms.columns], dtype=np.intp)
        kept = place[table.col] >= 0
        values = table.data[kept] / self.norms.respondents[table.row[kept]]
        return sparse.csr_array(
            (values, (table.row[kept], place[table.col[kept]])),
            shape=(len(self.norms.ids), len(self.vocabulary)),
        )

    @cached_property
    def base(self) -> np.ndarray:
        """Mean strength of each word over all cues of the norms, (v,)."""
        return np.asarray(self.strengths.mean(axis=0), dtype=np.float64).ravel()

    @cached_property
    def graph(self) -> sparse.csr_array:
        """Steps from word to word, (v, v)."""
        row = {cue: i for i, cue in enumerate(self.norms.ids)}
        cues = [(i, row[word]) for i, word in enumerate(self.vocabulary) if word in row]
        word, cue = (
            np.array(side, dtype=np.intp) for side in (zip(*cues, strict=True) if cues else ((), ()))
        )
        choose = sparse.csr_array(
            (np.ones(len(cues)), (word, cue)), shape=(len(self.vocabulary), len(self.norms.ids))
        )
        return association_graph((choose @ self.strengths).tocsr(), self.base)
