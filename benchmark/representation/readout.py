"""A linear readout from features to profiles, or names, of classes: ridge in closed form, and its folds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from benchmark.common.errors import NotPossible
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference.bootstrap import first_best
from benchmark.measures.ridge import decomposed
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import concept_images, concept_means

#: Penalties to choose from, for features whose rows have mean squared length one
ALPHAS = 10.0 ** np.arange(-3, 5)
#: Number of folds of the cross-validation over classes
FOLDS = 10
#: Number of folds of the cross-validation over the images of each class
IMAGE_FOLDS = 5


@dataclass(frozen=True)
class ProfileReadout:
    """Predictions of a ridge readout.

    Attributes
    ----------
    coefficients : ndarray, shape (m, k)
        The prediction of test row i is ``coefficients[i] @ profiles``. Each row sums to one.
    alpha : float
        The penalty chosen.
    """

    coefficients: np.ndarray
    alpha: float


def ridge_to_profiles(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, gram: np.ndarray
) -> ProfileReadout:
    r"""Ridge regression from standardised features to the profile of each row's class.

    Every training row of class c has the same target, the profile :math:`t_c`. So the prediction is a
    combination of the k profiles. Of the profiles only their Gram matrix is needed, and the cost does not
    depend on the length of a profile. The penalty has the least squared leave-one-row-out error,
    :math:`\sum_i \|y_i - \hat y_i\|^2 / (1 - h_{ii})^2`, which is exact for ridge with an intercept.

    Parameters
    ----------
    train : ndarray, shape (n, d)
        Training features. Means and standard deviations are computed from these rows only.
    labels : ndarray of int, shape (n,)
        Class of each training row, 0 to k - 1.
    test : ndarray, shape (m, d)
        Features to predict from.
    gram : ndarray, shape (k, k)
        Inner products of the profiles.

    Returns
    -------
    ProfileReadout

    Raises
    ------
    ValueError
        If every feature is constant over the training rows.

    References
    ----------
    Golub, Heath & Wahba (1979), Technometrics 21(2), 215-223.
    """
    n, k = len(train), len(gram)
    basis, variances, test_scores = decomposed(*_standardise(train, test))
    share = np.bincount(labels, minlength=k) / n
    by_class = np.zeros((k, len(variances)))
    np.add.at(by_class, labels, basis)
    seen = gram @ by_class
    # Inner products of the centred targets with the targets along each basis vector, (n, r) and (r, r).
    cross = seen[labels] - share @ seen
    among = by_class.T @ seen
    energy = (np.diagonal(gram) - 2 * gram @ share + share @ gram @ share)[labels]
    losses = []
    for alpha in ALPHAS:
        shrunk = basis * (variances / (variances + alpha))
        residual = energy + np.einsum("ir,ir->i", shrunk, shrunk @ among - 2 * cross)
        leverage = np.einsum("ir,ir->i", shrunk, basis) + 1 / n
        losses.append(np.mean(residual / (1 - leverage) ** 2))
    alpha = float(ALPHAS[int(first_best(-np.array(losses) / max(*losses, np.finfo(float).tiny)))])
    return ProfileReadout(test_scores / (variances + alpha) @ by_class.T + share, alpha)


def _standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides by the mean and deviation of the training rows. Rows have mean squared length one."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    varies = deviation > 1e-6 * np.abs(train).max(axis=0)
    if not varies.any():
        raise ValueError("constant features: every feature is the same in all training rows")
    scale = deviation[varies] * np.sqrt(varies.sum())
    return (train[:, varies] - mean[varies]) / scale, (test[:, varies] - mean[varies]) / scale


@dataclass(frozen=True)
class Fold:
    """Numbers of the joined concepts that a readout is fitted on (``train``) and predicts (``test``)."""

    train: np.ndarray
    test: np.ndarray


def class_folds(
    stimuli: Stimuli, concepts: tuple[str, ...], split: str, rng: np.random.Generator
) -> list[Fold]:
    """Which classes a readout is fitted on and which are scored.

    Parameters
    ----------
    stimuli : Stimuli
        The stimulus set.
    concepts : tuple of str, length k
        The joined classes.
    split : {"images", "classes"}
        "images": other images of the same classes, for all classes that are not held out and have a test
        image. "classes": the classes that the stimuli hold out. If they hold out none, each class in turn, by
        10-fold cross-validation.
    rng : numpy.random.Generator
        Assigns the classes to folds.

    Returns
    -------
    list of Fold

    Raises
    ------
    NotPossible
        If there are no training images ("images"), or fewer than two classes to fit on.
    """
    held = np.array([concept in stimuli.held_out for concept in concepts])
    seen, unseen = np.flatnonzero(~held), np.flatnonzero(held)
    if split == "images":
        if stimuli.splits is None:
            raise NotPossible(
                f"stimulus set {stimuli.name!r} has no training images: use split: classes, which fits on "
                "other classes"
            )
        tested = {c for c, part in zip(stimuli.concepts, stimuli.splits, strict=True) if part == "test"}
        folds = [Fold(seen, seen[[concepts[i] in tested for i in seen]])]
    elif len(unseen):
        folds = [Fold(seen, unseen)]
    else:
        parts = np.array_split(rng.permutation(len(concepts)), min(FOLDS, len(concepts)))
        folds = [Fold(np.setdiff1d(seen, part), np.sort(part)) for part in parts]
    if min(len(fold.train) for fold in folds) < 2:
        raise NotPossible(f"stimulus set {stimuli.name!r}: fewer than two classes to fit a readout on")
    return folds


class ClassReadouts:
    """Ridge readouts of one binding (a task with its stimuli and target), for features of any layer.

    Parameters
    ----------
    stimuli : Stimuli
        The stimulus set.
    concepts : tuple of str, length k
        The joined classes.
    folds : list of Fold
        From :func:`class_folds`.
    by_image : bool
        Whether to fit on every training image, or else on the mean of each class. It is right where the
        readout is fitted on the same classes that are scored.

    Attributes
    ----------
    test_images : dict of int to ndarray
        Rows of the test images of each scored class, by the number of the class among the joined classes.
    """

    def __init__(
        self, stimuli: Stimuli, concepts: tuple[str, ...], folds: list[Fold], *, by_image: bool
    ) -> None:
        self._folds = folds
        self._by_image = by_image
        fitted = np.unique(np.concatenate([fold.train for fold in folds]))
        scored = np.unique(np.concatenate([fold.test for fold in folds]))
        self._train_images = _images_of(stimuli, concepts, fitted, "train")
        self.test_images = _images_of(stimuli, concepts, scored, "test")

    def fit(self, features: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, float]:
        """Fit in every fold and predict the scored classes.

        The readout is linear. So the prediction for the mean of a class's images is the mean of the
        predictions for each image.

        Parameters
        ----------
        features : ndarray, shape (n, d)
            Features of all stimuli.
        gram : ndarray, shape (k, k)
            Inner products of the profiles of the joined classes. A fold reads only those of its training
            classes.

        Returns
        -------
        predicted : ndarray, shape (k, k)
            Predictions as combinations of the profiles. The rows of classes that are not scored are zero.
        alpha : float
            Median penalty over folds.

        Raises
        ------
        ValueError
            If the features are constant over the training images of a fold.
        """
        predicted = np.zeros_like(gram)
        alphas = []
        test = {i: features[rows].mean(axis=0, dtype=np.float64) for i, rows in self.test_images.items()}
        for fold in self._folds:
            images = [self._train_images[i] for i in fold.train]
            if self._by_image:
                train = np.asarray(features[np.concatenate(images)], dtype=np.float64)
                labels = np.repeat(np.arange(len(images)), [len(rows) for rows in images])
            else:
                # One row per class: leaving out a row to choose the penalty then leaves out a class.
                train, labels = concept_means(features, images), np.arange(len(images))
            readout = ridge_to_profiles(
                train, labels, np.stack([test[i] for i in fold.test]), gram[np.ix_(fold.train, fold.train)]
            )
            predicted[np.ix_(fold.test, fold.train)] = readout.coefficients
            alphas.append(readout.alpha)
        return predicted, float(np.median(alphas))


def _images_of(
    stimuli: Stimuli, concepts: tuple[str, ...], which: np.ndarray, split: str
) -> dict[int, np.ndarray]:
    """Image rows of the joined concepts ``which``, by the number of the concept."""
    return dict(zip(which, concept_images(stimuli, [concepts[i] for i in which], split), strict=True))


def can_read_classes(stimuli: Stimuli) -> bool:
    """Whether every concept of the ``stimuli`` has two test images, which :func:`read_classes` needs."""
    splits = stimuli.splits or ("test",) * len(stimuli)
    tested = Counter(c for c, split in zip(stimuli.concepts, splits, strict=True) if split == "test")
    return all(tested[concept] > 1 for concept in stimuli.concept_ids)


def read_classes(features: np.ndarray, stimuli: Stimuli) -> ClassProbabilities:
    """Classes of a network that has no classifier, by a ridge readout cross-validated over images.

    The test images of each concept are dealt into five folds in the order of their ids, or into as many as it
    has images. The concepts of the images of a fold are predicted by :func:`ridge_to_profiles`, fitted to all
    other folds, where the profile of a concept is one for itself and zero for the others.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        One layer of the network.
    stimuli : Stimuli
        The n stimuli. Every concept has two test images at least (:func:`can_read_classes`).

    Returns
    -------
    ClassProbabilities
        One for the concept with the greatest prediction, and zero for the others. Stimuli of the split
        "train" have equal probabilities.

    Raises
    ------
    ValueError
        If every feature is constant over the images of a fit.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.calibration import synthetic_stimuli
    >>> stimuli = synthetic_stimuli(("cat", "dog"), test=3)
    >>> features = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [0.3]])
    >>> read_classes(features, stimuli).predicted.tolist()
    ['cat', 'cat', 'cat', 'dog', 'dog', 'cat']
    """
    images = concept_images(stimuli, stimuli.concept_ids)
    rows = np.concatenate(images)
    labels = np.repeat(np.arange(len(images)), [len(numbers) for numbers in images])
    fold = np.concatenate([np.arange(len(numbers)) % IMAGE_FOLDS for numbers in images])
    one_each = np.eye(len(images))
    probabilities = np.full((len(stimuli), len(images)), 1 / len(images))
    for number in range(fold.max() + 1):
        shown = fold == number
        readout = ridge_to_profiles(
            np.asarray(features[rows[~shown]], dtype=np.float64),
            labels[~shown],
            np.asarray(features[rows[shown]], dtype=np.float64),
            one_each,
        )
        probabilities[rows[shown]] = one_each[readout.coefficients.argmax(axis=1)]
    return ClassProbabilities(stimuli.concept_ids, probabilities)
