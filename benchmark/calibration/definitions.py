"""What a task must find: closed forms, and measures written directly from their definition.

Nothing here uses ``benchmark.measures`` or the tasks. So a score that agrees comes from two independent
implementations.

``world`` is a world of :mod:`benchmark.calibration.worlds`. ``features`` (m, d) are rows like those of its
signal: noisy copies, for example.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import optimize, special, stats
from scipy.spatial.distance import cosine

from benchmark.calibration.worlds import World
from benchmark.datasets.norms import AssociationTarget, PropertyTarget
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.types import RDMTarget, TripletTarget, VectorTarget, WordPairTarget


def spearman_of_noisy_rdms(snr: float, columns: int = 200) -> float:
    r"""Spearman correlation of the correlation RDMs of Gaussian features and of their noisy copy.

    The correlation of a row and its noisy copy is :math:`\rho = \sqrt{snr / (1 + snr)}`. In a sample of d
    columns its mean is :math:`E[r]`, a hypergeometric function (Hotelling 1953). The rest of the copy is
    isotropic, so the correlation of the two RDMs is :math:`E[r]^2`. For many columns both RDMs are normal.
    Then Spearman's correlation is :math:`(6 / \pi) \arcsin(\cdot / 2)`.

    Parameters
    ----------
    snr : float
        Signal-to-noise ratio (ratio of variances).
    columns : int
        Number of features d.

    Returns
    -------
    float
    """
    rho = np.sqrt(snr / (1 + snr))
    ratio = np.exp(2 * (special.gammaln(columns / 2) - special.gammaln((columns - 1) / 2)))
    mean = 2 / (columns - 1) * ratio * rho * special.hyp2f1(0.5, 0.5, (columns + 1) / 2, rho**2)
    return float(6 / np.pi * np.arcsin(mean**2 / 2))


def two_vs_two_accuracy(world: World, features: np.ndarray) -> float:
    """Accuracy of 2 vs 2: for each pair its two columns are left out, one pair at a time."""
    assert isinstance(world.target, VectorTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    words, model = np.corrcoef(world.target.vectors[order]), np.corrcoef(features)
    k = len(words)
    passed = []
    for a, b in combinations(range(k), 2):
        keep = [c for c in range(k) if c not in (a, b)]
        r = np.corrcoef([words[a, keep], words[b, keep], model[a, keep], model[b, keep]])
        passed.append(float(np.heaviside(r[0, 2] + r[1, 3] - r[0, 3] - r[1, 2], 0.5)))
    return float(np.mean(passed))


def one_vs_two_accuracy(world: World, features: np.ndarray) -> float:
    """Accuracy of 1 vs 2, image by image."""
    assert isinstance(world.target, VectorTarget)
    assert world.classes is not None
    words = np.corrcoef(world.target.vectors)
    true = np.array([world.target.ids.index(concept) for concept in world.stimuli.concepts])
    predicted = world.classes.probabilities.argmax(axis=1)
    right = np.flatnonzero(true == predicted)
    passed = []
    for i in np.flatnonzero(true != predicted):
        seen = [np.corrcoef(features[i], features[j])[0, 1] for j in right]
        named = [np.corrcoef(seen, words[c, true[right]])[0, 1] for c in (true[i], predicted[i])]
        passed.append(float(np.heaviside(named[0] - named[1], 0.5)))
    return float(np.mean(passed))


def informed_matching(world: World, features: np.ndarray) -> float:
    """Top-1 matching rate of the assignment of least GW distance near the correct assignment.

    The search starts from the correct assignment, and exchanges two concepts as long as that lowers the
    distance. Where noise confuses concepts and does not hide the geometry, the result is the optimum. A task
    must find it too, without knowing the correct assignment.
    """
    assigned = _informed_assignment(world, features)
    return float(np.mean(assigned == np.arange(len(assigned))))


def informed_category_matching(world: World, features: np.ndarray) -> float:
    """The same assignment's share of concepts that are assigned one of their category."""
    assert isinstance(world.target, RDMTarget)
    assert world.target.categories is not None
    by_name = dict(zip(world.target.ids, world.target.categories, strict=True))
    category = np.array([by_name[name] for name in sorted(by_name)])
    return float(np.mean(category[_informed_assignment(world, features)] == category))


def category_auc(world: World, features: np.ndarray) -> float:
    """Share of all pairs of pairs in which the pair between two categories is the more dissimilar one."""
    assert isinstance(world.target, RDMTarget)
    assert world.target.categories is not None
    by_name = dict(zip(world.target.ids, world.target.categories, strict=True))
    category = [by_name[name] for name in sorted(by_name)]
    model = 1 - np.corrcoef(features)
    pairs = list(combinations(range(len(category)), 2))
    within = np.array([model[i, j] for i, j in pairs if category[i] == category[j]])
    between = np.array([model[i, j] for i, j in pairs if category[i] != category[j]])
    return float(np.mean(between[:, None] > within))


def odd_one_out_accuracy(world: World, features: np.ndarray) -> float:
    """Share of the triplets whose two nearest objects are those that people kept, one triplet at a time."""
    assert isinstance(world.target, TripletTarget)
    row = {name: i for i, name in enumerate(sorted(world.target.ids))}
    right = []
    for answer in world.target.triplets:
        a, b, odd = (features[row[world.target.ids[i]]] for i in answer)
        apart = {"kept": np.linalg.norm(a - b), "a": np.linalg.norm(a - odd), "b": np.linalg.norm(b - odd)}
        right.append(min(apart, key=lambda pair: float(apart[pair])) == "kept")
    return float(np.mean(right))


def _informed_assignment(world: World, features: np.ndarray) -> np.ndarray:
    assert isinstance(world.target, RDMTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    people = world.target.rdms[0][np.ix_(order, order)]
    model = 1 - np.corrcoef(features)
    assigned = np.arange(len(people))

    def agreement(order: np.ndarray) -> float:
        return float(np.sum(model * people[np.ix_(order, order)]))

    best = agreement(assigned)
    while True:
        candidates = []
        for a, b in combinations(range(len(people)), 2):
            candidate = assigned.copy()
            candidate[[a, b]] = candidate[[b, a]]
            candidates.append((agreement(candidate), candidate))
        highest, exchanged = max(candidates, key=lambda pair: pair[0])
        if highest <= best + 1e-12:
            return assigned
        best, assigned = highest, exchanged


def class_retrieval(world: World, features: np.ndarray) -> float:
    """Top-1 class retrieval of a ridge readout, computed with scikit-learn."""
    assert isinstance(world.target, AssociationTarget)
    counts = np.asarray(world.target.counts.todense())
    # scikit-learn is needed here alone: a run that calibrates nothing does not wait for it
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    strengths = counts / counts.sum(axis=1, keepdims=True)
    labels = np.array([world.target.ids.index(concept) for concept in world.stimuli.concepts])
    train = np.array(world.stimuli.splits) == "train"
    scaler = StandardScaler().fit(features[train])
    scaled = scaler.transform(features)
    readout = RidgeCV(alphas=features.shape[1] * 10.0 ** np.arange(-3, 5)).fit(
        scaled[train], strengths[labels[train]]
    )
    tests = [scaled[~train & (labels == c)].mean(axis=0) for c in range(len(strengths))]
    predicted = readout.predict(np.array(tests))
    cosine = predicted @ (strengths / np.linalg.norm(strengths, axis=1, keepdims=True)).T
    return float(np.mean(cosine.argmax(axis=1) == np.arange(len(strengths))))


def word_similarity_by_definition(world: World, features: np.ndarray) -> float:
    """Spearman correlation of ratings and cosines, pair by pair."""
    assert isinstance(world.target, WordPairTarget)
    row = {name: i for i, name in enumerate(sorted(world.target.ids))}
    words = [row[name] for name in world.target.ids]
    cosines = [-cosine(features[words[a]], features[words[b]]) for a, b in world.target.pairs]
    return float(stats.spearmanr(cosines, world.target.ratings).statistic)


def ridge_retrieval(world: World, features: np.ndarray) -> float:
    """Hit at 5 of zero-shot ridge: every fold and every inner fold is fitted anew, in coordinates."""
    assert isinstance(world.target, PropertyTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    y, x = world.target.counts.toarray()[order], features / np.linalg.norm(features, axis=1, keepdims=True)
    rows, hits = np.random.default_rng(0).permutation(len(y)), []
    for test in np.array_split(rows, 10):
        train = np.setdiff1d(rows, test)
        parts = np.array_split(np.random.default_rng(1).permutation(train), 5)
        penalties = 10.0 ** np.arange(-4, 3) * x[train].var(axis=0).sum()

        def precision(penalty: float, train: np.ndarray = train, parts: list[np.ndarray] = parts) -> float:
            predicted = [(_ridge(x, y, np.setdiff1d(train, part), part, penalty), part) for part in parts]
            return float(
                np.mean(
                    [_precision(row, y[i]) for p, part in predicted for row, i in zip(p, part, strict=True)]
                )
            )

        penalty = max(penalties, key=precision)
        guesses = _ridge(x, y, train, test, penalty)
        near = guesses @ y.T / np.linalg.norm(guesses, axis=1)[:, None] / np.linalg.norm(y, axis=1)
        hits += [(row > row[i] + 1e-9).sum() < 5 for row, i in zip(near, test, strict=True)]
    return float(np.mean(hits))


def _ridge(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, penalty: float) -> np.ndarray:
    mean, level = x[train].mean(axis=0), y[train].mean(axis=0)
    centred = x[train] - mean
    gram = centred.T @ centred + penalty * np.eye(x.shape[1])
    predicted: np.ndarray = level + (x[test] - mean) @ np.linalg.solve(gram, centred.T @ (y[train] - level))
    return predicted


def _precision(predicted: np.ndarray, true: np.ndarray) -> float:
    ranked = true[np.argsort(-predicted)] > 0
    return float(np.mean([ranked[: i + 1].mean() for i in np.flatnonzero(ranked)]))


def decoded_f1(world: World, features: np.ndarray) -> float:
    """F1 of property decoding, fold by fold and property by property, by Newton's method.

    Which concepts are in a fold is drawn anew, so this agrees with a task on average, not in each world.
    """
    assert isinstance(world.target, PropertyTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    labels = world.target.counts.toarray()[order] > 0
    rows = np.column_stack(
        [features / np.linalg.norm(features, axis=1, keepdims=True), np.ones(len(features))]
    )
    scores = []
    for label in labels.T[labels.sum(axis=0) >= 5]:
        fold = np.empty(len(label), dtype=int)
        for value in (True, False):
            fold[label == value] = np.arange((label == value).sum()) % 5
        for k in range(5):
            train = fold != k
            found = rows[~train] @ _logistic(rows[train], label[train]) > 0
            hits = (found & label[~train]).sum()
            scores.append(2 * hits / (found.sum() + label[~train].sum()))
    return float(np.mean(scores))


def _logistic(rows: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Balanced logistic regression with an L2 penalty on all coefficients but the last, the intercept."""
    weights = np.where(label, len(label) / (2 * label.sum()), len(label) / (2 * (~label).sum()))
    penalty = np.append(np.ones(rows.shape[1] - 1), 0.0)
    coefficients = np.zeros(rows.shape[1])
    for _ in range(30):
        p = special.expit(rows @ coefficients)
        gradient = rows.T @ (weights * (p - label)) + penalty * coefficients
        hessian = (rows.T * (weights * p * (1 - p))) @ rows + np.diag(penalty)
        coefficients -= np.linalg.solve(hessian, gradient)
    return coefficients


def ridge_correlation(world: World, features: np.ndarray) -> float:
    """Median over channels of the correlation of ridge predictions, with scikit-learn, in five folds."""
    from sklearn.linear_model import RidgeCV  # see class_retrieval

    assert isinstance(world.target, ResponseTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    responses = world.target.repeats[order].mean(axis=2)
    total = ((features - features.mean(axis=0)) ** 2).sum()
    by_fold = []
    for fold in range(5):
        test = np.arange(len(features)) % 5 == fold
        ridge = RidgeCV(total * np.logspace(-5, 1, 13), alpha_per_target=True)
        predicted = ridge.fit(features[~test], responses[~test]).predict(features[test])
        pairs = zip(predicted.T, responses[test].T, strict=True)
        by_fold.append([np.corrcoef(p, y)[0, 1] for p, y in pairs])
    return float(np.median(np.mean(by_fold, axis=0)))


def unique_of_responses(world: World, features: np.ndarray) -> float:
    """What features explain of responses beyond ``world.other``, with scikit-learn on scaled columns.

    The scale of a band stands for its penalty. All scales are tried in five folds, and RidgeCV's
    leave-one-out error chooses.
    """
    from sklearn.linear_model import RidgeCV  # see class_retrieval

    assert isinstance(world.target, ResponseTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    y = world.target.repeats[order].mean(axis=2)
    bands = [x - x.mean(axis=0) for x in (features, world.other)]  # type: ignore[attr-defined]
    one, other = (x / np.linalg.norm(x) for x in bands)
    odds = 10.0 ** np.arange(-2, 2.5, 0.5)
    scaled = [other, *(np.hstack([one * np.sqrt(w / (1 + w)), other / np.sqrt(1 + w)]) for w in odds), one]
    left = np.zeros((2, y.shape[1]))
    variance = np.zeros(y.shape[1])
    for fold in range(5):
        test = np.arange(len(y)) % 5 == fold
        fits = []
        for x in scaled:
            total = ((x[~test] - x[~test].mean(axis=0)) ** 2).sum()
            ridge = RidgeCV(total * np.logspace(-5, 1, 13), alpha_per_target=True).fit(x[~test], y[~test])
            fits.append((ridge.best_score_, ridge.predict(x[test])))
        best = np.argmax([score for score, _ in fits], axis=0)
        both = np.array([fits[i][1][:, c] for c, i in enumerate(best)]).T
        for i, predicted in enumerate((both, fits[0][1])):
            left[i] += test.sum() * (y[test] - predicted).var(axis=0)
        variance += test.sum() * y[test].var(axis=0)
    return float(np.mean((left[1] - left[0]) / variance))


def reweighted_correlation(world: World, features: np.ndarray) -> float:
    """Spearman correlation of a reweighted RDM, with scipy's solver on explicit pairs, in five folds.

    A penalty is a row for each weight, and is chosen in folds of the training rows.
    """
    assert isinstance(world.target, RDMTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    known = world.target.rdms[0][np.ix_(order, order)]
    rows = features - features.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    def fitted(train: np.ndarray, test: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
        x, y = _explicit_pairs(rows, known, train)
        mean, spread = x.mean(axis=0), x.std(axis=0)
        z = (x - mean) / spread
        penalty = np.sqrt(share * (z**2).sum()) * np.eye(z.shape[1])
        weights, _ = optimize.nnls(np.vstack([z, penalty]), np.append(y - y.mean(), np.zeros(len(penalty))))
        new, truth = _explicit_pairs(rows, known, test)
        return (new - mean) / spread @ weights, truth

    folds = np.arange(len(rows)) % 5
    scores = []
    for fold in range(5):
        chosen = {}
        for share in np.logspace(-7, 1, 5):
            inner = [
                np.corrcoef(
                    *fitted(
                        np.flatnonzero(~np.isin(folds, (fold, other))), np.flatnonzero(folds == other), share
                    )
                )[0, 1]
                for other in range(5)
                if other != fold
            ]
            chosen[share] = float(np.nan_to_num(inner).mean())
        best = max(chosen, key=chosen.__getitem__)
        pairs = fitted(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), best)
        scores.append(stats.spearmanr(*pairs).statistic)
    return float(np.mean(scores))


def versa_correlation(world: World, features: np.ndarray) -> float:
    """Spearman correlation of the RDMs of predicted and measured responses, with scikit-learn, five folds."""
    from sklearn.linear_model import RidgeCV  # see class_retrieval

    assert isinstance(world.target, ResponseTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    responses = world.target.repeats[order].mean(axis=2)
    responses = (responses - responses.mean(axis=0)) / responses.std(axis=0)
    total = ((features - features.mean(axis=0)) ** 2).sum()
    scores = []
    for fold in range(5):
        test = np.arange(len(features)) % 5 == fold
        ridge = RidgeCV(total * np.logspace(-5, 1, 13), alpha_per_target=True)
        predicted = ridge.fit(features[~test], responses[~test]).predict(features[test])
        upper = np.triu_indices(test.sum(), 1)
        rdms = [1 - np.corrcoef(rows)[upper] for rows in (predicted, responses[test])]
        scores.append(stats.spearmanr(*rdms).statistic)
    return float(np.mean(scores))


def _explicit_pairs(rows: np.ndarray, rdm: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared differences of each feature, and the target, over all pairs of ``kept``, one by one."""
    pairs = list(combinations(kept, 2))
    return np.array([(rows[i] - rows[j]) ** 2 for i, j in pairs]), np.array([rdm[i, j] for i, j in pairs])
