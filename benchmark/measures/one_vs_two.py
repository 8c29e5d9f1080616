"""1 vs 2: whether a misclassified image is nearer to its true concept than to its predicted concept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import TIE, Float64, as_matrix, require_draws
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.rdm import unit_rows


@dataclass(frozen=True)
class OneVsTwo:
    """1 vs 2 of the misclassified stimuli.

    Attributes
    ----------
    outcomes : ndarray, shape (m,)
        1: nearer to the true concept. 0: nearer to the predicted concept. .5: tied.
    accuracy : float
        Mean of the outcomes; chance is .5.
    ties : int
        Number of tied outcomes.
    p_binomial : float
        Exact one-sided binomial p-value against .5, without the ties. NaN if all outcomes are tied.
    """

    outcomes: Float64
    accuracy: float
    ties: int
    p_binomial: float

    @classmethod
    def of(cls, outcomes: Float64) -> OneVsTwo:
        """Summarise the ``outcomes`` (m,), m >= 1, which may be those of several groups of stimuli."""
        from scipy import stats  # its import takes longer than the rest of this measure

        ties = int((outcomes == 0.5).sum())
        decided = len(outcomes) - ties
        wins = int((outcomes == 1).sum())
        p = stats.binomtest(wins, decided, 0.5, alternative="greater").pvalue if decided else np.nan
        return cls(outcomes, float(outcomes.mean()), ties, float(p))


def one_vs_two(
    features_wrong: ArrayLike, features_right: ArrayLike, true_words: ArrayLike, predicted_words: ArrayLike
) -> OneVsTwo:
    """1 vs 2 accuracy of one layer.

    In the layer, misclassified stimulus i has a correlation with each correctly classified stimulus. These
    correlations are correlated with two rows of word-space correlations to the concepts of the same stimuli:
    those of its true concept, and those of its predicted concept. Stimulus i passes if the first correlation
    is greater.

    Parameters
    ----------
    features_wrong : array_like, shape (m, d)
        Features of the misclassified stimuli.
    features_right : array_like, shape (c, d)
        Features of the correctly classified stimuli, c >= 3.
    true_words : array_like, shape (m, c)
        Word-space correlation between the true concept of misclassified stimulus i and the concept of
        correctly classified stimulus j.
    predicted_words : array_like, shape (m, c)
        The same for the predicted concept of stimulus i.

    Returns
    -------
    OneVsTwo
        Greater accuracy: more stimuli are nearer to their true concept.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is no misclassified stimulus, or a row is constant.

    References
    ----------
    Dharmaretnam & Fyshe (2018), Proc. NAACL-HLT.

    Examples
    --------
    Six concepts have word vectors. Concepts 0 to 4 each have an image that is classified correctly. Two
    images of concept 5 are taken for concept 0; their features still resemble concept 5.

    >>> import numpy as np
    >>> from benchmark.measures import one_vs_two
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(6, 8))
    >>> correlations = np.corrcoef(words)
    >>> images_right = words[:5] + 0.1 * rng.normal(size=(5, 8))
    >>> images_wrong = words[[5, 5]] + 0.1 * rng.normal(size=(2, 8))
    >>> result = one_vs_two(images_wrong, images_right, correlations[[5, 5], :5], correlations[[0, 0], :5])
    >>> result.outcomes
    array([1., 1.])
    >>> result.accuracy, result.ties, result.p_binomial
    (1.0, 0, 0.25)
    """
    images, contrast = _image_rows_and_contrast(features_wrong, features_right, true_words, predicted_words)
    return OneVsTwo.of(_outcomes(images, contrast))


def one_vs_two_permutation(
    features_wrong: ArrayLike,
    features_right: ArrayLike,
    true_words: ArrayLike,
    predicted_words: ArrayLike,
    n: int,
    rng: np.random.Generator | int,
) -> PermutationTest:
    """Test the 1 vs 2 accuracy against permutations of the correctly classified stimuli.

    A permutation reorders the same columns for all misclassified stimuli, so that the dependence between
    these stimuli is kept. (The binomial test assumes that they are independent.)

    Parameters
    ----------
    features_wrong, features_right, true_words, predicted_words : array_like
        As :func:`one_vs_two`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        As :func:`one_vs_two`, or if ``n`` is less than one.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import one_vs_two_permutation
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(20, 30))
    >>> correlations = np.corrcoef(words)
    >>> images = words + 0.5 * rng.normal(size=words.shape)
    >>> true, predicted, right = np.arange(5), np.arange(5, 10), np.arange(10, 20)
    >>> test = one_vs_two_permutation(
    ...     images[true], images[right],
    ...     correlations[np.ix_(true, right)], correlations[np.ix_(predicted, right)],
    ...     n=99, rng=0,
    ... )
    >>> test.score, round(test.chance, 2), round(test.p, 2)
    (1.0, 0.46, 0.02)
    """
    require_draws(n)
    images, contrast = _image_rows_and_contrast(features_wrong, features_right, true_words, predicted_words)
    generator = np.random.default_rng(rng)
    orders = (generator.permutation(images.shape[1]) for _ in range(n))
    null = np.array([_outcomes(images[:, order], contrast).mean() for order in orders])
    return PermutationTest.of(float(_outcomes(images, contrast).mean()), null)


def _outcomes(images: Float64, contrast: Float64) -> Float64:
    margins = np.einsum("ij,ij->i", images, contrast)
    margins[np.abs(margins) < TIE] = 0
    outcomes: Float64 = (np.sign(margins) + 1) / 2
    return outcomes


def _image_rows_and_contrast(
    features_wrong: ArrayLike, features_right: ArrayLike, true_words: ArrayLike, predicted_words: ArrayLike
) -> tuple[Float64, Float64]:
    """Unit rows of image correlations, and unit rows of the true less the predicted concept, (m, c) each."""
    wrong = as_matrix(features_wrong, "features_wrong").astype(np.float64)
    right = as_matrix(features_right, "features_right").astype(np.float64)
    if len(wrong) == 0:
        raise ValueError(
            f"features_wrong has shape {wrong.shape}: at least one misclassified stimulus is needed"
        )
    if len(right) < 3 or right.shape[1] != wrong.shape[1]:
        raise ValueError(f"features_right has shape {right.shape}: expected (c >= 3, {wrong.shape[1]})")
    words = []
    for name, values in (("true_words", true_words), ("predicted_words", predicted_words)):
        matrix = as_matrix(values, name).astype(np.float64)
        if matrix.shape != (len(wrong), len(right)):
            raise ValueError(f"{name} has shape {matrix.shape}: expected {(len(wrong), len(right))}")
        words.append(unit_rows(matrix, name, centre=True))
    images = (
        unit_rows(wrong, "features_wrong", centre=True) @ unit_rows(right, "features_right", centre=True).T
    )
    rows = unit_rows(images, "image correlations", centre=True).astype(np.float64, copy=False)
    return rows, words[0] - words[1]
