"""Word vectors of the drawn world, made by counting words in a generated corpus.

A small seeded grammar generates the corpus from the authored norms. Nobody wrote or said these sentences. The
vectors are those of a count model: co-occurrence in a window, positive pointwise mutual information, singular
value decomposition (Levy, Goldberg & Dagan 2015, doi:10.1162/tacl_a_00134).
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from functools import cache
from itertools import accumulate

import numpy as np

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.norms import IDS, table
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.mini.structure import DECIMALS, KeyedDraws
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import VectorTarget

SENTENCES = 20_000
DIMENSIONS = 50

#: words on either side of a word that count as its neighbours
_WINDOW = 4

#: a word that is rarer than this has no vector
_MIN_COUNT = 5

#: words that are everywhere and say nothing about a concept; they are left out
_FUNCTION_WORDS = frozenset(
    {"a", "and", "at", "both", "by", "for", "has", "in", "is", "of", "on", "the", "to"}
)


@made_from_source
def word_vectors(root: DataRoot, *, name: str) -> VectorTarget:  # noqa: ARG001 - the engine passes a root to every dataset
    """Word vectors (50 dimensions) of the 48 concepts and of the other words of the generated corpus.

    Made from generated sentences, not from anything people wrote.

    Parameters
    ----------
    root : DataRoot
        Not used: the corpus is generated.
    name : str
        Name of the target.

    Returns
    -------
    VectorTarget
        Ids are words: first the 48 concepts in their order, then the others in alphabetical order.
    """
    words, vectors = _train()
    return VectorTarget(
        name=name, ids=words, hash=target_hash(word_vectors), simulated=True, vectors=vectors.copy()
    )


def sentences() -> list[str]:
    """The generated corpus: sentences about properties, associations and shared categories, and random ones.

    The grammar has no plural ("the train and the boat both is fast").
    """
    properties = _menu(
        [(row["concept"], row["property"], row["frequency"]) for row in table("properties.csv")]
    )
    responses = _menu([(row["cue"], row["response"], row["count"]) for row in table("associations.csv")])
    words = sorted({row["response"] for row in table("associations.csv")})
    kin = {c.id: [d.id for d in CONCEPTS if d.category == c.category and d != c] for c in CONCEPTS}

    def sentence(u: list[float]) -> str:
        concept = IDS[int(u[0] * len(IDS))]
        fact = properties[concept]
        if u[1] < 0.4:
            return f"the {concept} {_pick(fact, u[2])}"
        if u[1] < 0.7:
            return f"a {concept} and the {_pick(responses[concept], u[2])}"
        if u[1] < 0.85:
            relative = kin[concept][int(u[2] * len(kin[concept]))]
            return f"the {concept} and the {relative} both {_pick(fact, u[3])}"
        first, second = (words[int(x * len(words))] for x in u[2:])
        return f"the {first} of the {concept} at the {second}"

    draws = KeyedDraws("corpus").uniform(SENTENCES, 4).tolist()
    return [sentence(u) for u in draws]


Menu = tuple[list[str], list[float]]


def _menu(entries: list[tuple[str, str, str]]) -> dict[str, Menu]:
    """For each concept, what can be said about it, and the cumulative counts."""
    menu: dict[str, Menu] = {}
    for concept, text, count in entries:
        texts, counts = menu.setdefault(concept, ([], []))
        texts.append(text)
        counts.append(float(count))
    return {concept: (texts, list(accumulate(counts))) for concept, (texts, counts) in menu.items()}


def _pick(menu: Menu, u: float) -> str:
    texts, cumulative = menu
    return texts[bisect(cumulative, u * cumulative[-1])]


@cache
def _train() -> tuple[tuple[str, ...], np.ndarray]:
    tokens = [[w for w in line.split() if w not in _FUNCTION_WORDS] for line in sentences()]
    frequency = Counter(word for line in tokens for word in line)
    further_words = sorted(word for word, n in frequency.items() if n >= _MIN_COUNT and word not in IDS)
    words = (*IDS, *further_words)
    u, s, _ = np.linalg.svd(_ppmi(_co_occurrences(tokens, words)))
    vectors = u[:, :DIMENSIONS] * np.sqrt(s[:DIMENSIONS])
    # An SVD does not decide the sign of a dimension. Here the largest entry of each is made positive.
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(DIMENSIONS)]
    return words, np.round(vectors * np.where(largest < 0, -1.0, 1.0), DECIMALS)


def _co_occurrences(tokens: list[list[str]], words: tuple[str, ...]) -> np.ndarray:
    """How often two words are in the window of each other, shape (v, v), symmetric."""
    index = {word: i for i, word in enumerate(words)}
    pairs: Counter[tuple[int, int]] = Counter()
    for line in tokens:
        known = [index[word] for word in line if word in index]
        for i, word in enumerate(known):
            for neighbour in known[i + 1 : i + 1 + _WINDOW]:
                pairs[word, neighbour] += 1
    counts = np.zeros((len(words), len(words)))
    for (word, neighbour), n in pairs.items():
        counts[word, neighbour] += n
        counts[neighbour, word] += n
    return counts


def _ppmi(counts: np.ndarray) -> np.ndarray:
    """Positive pointwise mutual information: max(0, log p(a, b) / (p(a) p(b)))."""
    margin = counts.sum(axis=1)
    expected = margin[:, None] * margin[None, :] / counts.sum()
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    information: np.ndarray = np.log(np.maximum(ratio, 1.0))
    return information
