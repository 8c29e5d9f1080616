"""1 vs 2: whether a misclassified image is nearer to what it shows than to what it was taken for."""

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
        1: nearer to the true concept, 0: to the predicted one, .5: tied.
    accuracy : float
        Mean of the outcomes; chance is .5.
    ties : int
    p_binomial : float
        Exact one-sided binomial p-value against .5, without the ties (NaN where all are tied).
    """

    outcomes: Float64
    accuracy: float
    ties: int
    p_binomial: float


def one_vs_two(
    features_wrong: ArrayLike, features_right: ArrayLike, true_words: ArrayLike, predicted_words: ArrayLike
) -> OneVsTwo:
    """1 vs 2 accuracy of one layer.

    The correlations of misclassified stimulus i with the correctly classified stimuli, in the layer, are
    correlated with the word-space correlations of its true concept to the concepts of those stimuli, and with
    those of its predicted concept. Passed when the first is the greater.

    Parameters
    ----------
    features_wrong : array_like, shape (m, d)
        Features of the misclassified stimuli.
    features_right : array_like, shape (c, d)
        Features of the correctly classified stimuli, c >= 3.
    true_words : array_like, shape (m, c)
        Word-space correlation between the true concept of wrong stimulus i and the concept of right stimulus
        j.
    predicted_words : array_like, shape (m, c)
        The same for the concept that stimulus i was taken for.

    Returns
    -------
    OneVsTwo

    Raises
    ------
    ValueError
        If the shapes do not fit, there is no misclassified stimulus, or a row is constant.

    References
    ----------
    Dharmaretnam & Fyshe (2018), Proc. NAACL-HLT.
    """
    from scipy import stats  # its import takes longer than the rest of this measure

    images, contrast = _image_rows_and_contrast(features_wrong, features_right, true_words, predicted_words)
    outcomes = _outcomes(images, contrast)
    ties = int((outcomes == 0.5).sum())
    decided = len(outcomes) - ties
    wins = int((outcomes == 1).sum())
    p = stats.binomtest(wins, decided, 0.5, alternative="greater").pvalue if decided else np.nan
    return OneVsTwo(outcomes, float(outcomes.mean()), ties, float(p))


def one_vs_two_permutation(
    features_wrong: ArrayLike,
    features_right: ArrayLike,
    true_words: ArrayLike,
    predicted_words: ArrayLike,
    n: int,
    rng: np.random.Generator | int,
) -> PermutationTest:
    """Test the 1 vs 2 accuracy against permutations of the correctly classified stimuli.

    One permutation moves the same columns for all misclassified stimuli, so that what they share stays shared
    (the binomial test takes them for independent).

    Parameters
    ----------
    features_wrong, features_right, true_words, predicted_words : array_like
        As :func:`one_vs_two`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        As :func:`one_vs_two`, and if ``n`` is less than one.
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
    """Normed rows of image correlations, and normed true minus normed predicted rows, both (m, c)."""
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
