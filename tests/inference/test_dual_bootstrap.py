"""Bootstrap over concepts, subjects and both, against loops over explicit resamples and rsatoolbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.inference import (
    DualBootstrap,
    NoiseCeiling,
    Population,
    bootstrap_compare,
    bootstrap_weights,
    dual_bootstrap,
    fdr,
    model_tests,
    noise_ceiling,
)
from benchmark.measures import rdm

#: The package holds the function of this name
MODULE = import_module("benchmark.inference.dual_bootstrap")
POPULATIONS: tuple[Population, ...] = ("concepts", "subjects", "both")
METHODS = ("pearson", "cosine", "spearman")


def world(seed: int, n: int = 12, s: int = 5, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """RDMs of three models, (3, n, n), and of subjects, (s, n, n)."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, 6))
    models = [rdm(truth + sd * rng.normal(size=truth.shape)) for sd in (0.5, 1, 2)]
    return np.array(models), np.array([rdm(truth + noise * rng.normal(size=truth.shape)) for _ in range(s)])


@contextmanager
def resamples(counts: np.ndarray, copies: np.ndarray) -> Iterator[None]:
    """The bootstrap takes these copies of conditions, (b, n), and of subjects, (b, s)."""
    given_weights = {counts.shape[1]: counts.astype(float), copies.shape[1]: copies.astype(float)}
    assert len(given_weights) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "bootstrap_weights", lambda n, draws, rng: given_weights[n])
        yield


def comparison(x: np.ndarray, y: np.ndarray, method: str) -> float:
    used = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[used], y[used]
    if len(x) < 3:
        return np.nan
    if method == "cosine":
        return float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return float(np.corrcoef(x, y)[0, 1])


def pooled(rows: list[np.ndarray], method: str) -> np.ndarray:
    if method == "cosine":
        return np.mean([row / np.sqrt(np.nanmean(row**2)) for row in rows], axis=0)
    return np.mean([(row - np.nanmean(row)) / np.nanstd(row) for row in rows], axis=0)


def ranked_once(rdms: np.ndarray) -> np.ndarray:
    upper = np.triu_indices(rdms.shape[1], 1)
    ranks = np.zeros(rdms.shape)
    for place, one in zip(ranks, rdms, strict=True):
        place[upper] = stats.rankdata(one[upper])
    return ranks + ranks.transpose(0, 2, 1)


def by_hand(
    models: np.ndarray, subjects: np.ndarray, method: str, conditions: np.ndarray, people: np.ndarray
) -> list[float]:
    """Scores and bounds of one resample: arrays are indexed by the numbers that were drawn."""
    at = [(i, j) for i in range(len(conditions)) for j in range(i) if conditions[i] != conditions[j]]
    first, second = (conditions[[pair[k] for pair in at]].astype(int) for k in (0, 1))
    drawn = [subjects[person][first, second] for person in people]
    for row in drawn:
        used = zip(first[~np.isnan(row)], second[~np.isnan(row)], strict=True)
        if len({frozenset(pair) for pair in used}) < 3:
            row[:] = np.nan
    if np.isnan(drawn).all():
        return [np.nan] * (len(models) + 2)
    scores = [np.nanmean([comparison(m[first, second], row, method) for row in drawn]) for m in models]
    lower = []
    for person, row in zip(people, drawn, strict=True):
        others = [other for who, other in zip(people, drawn, strict=True) if who != person]
        lower.append(comparison(row, pooled(others, method), method) if others else np.nan)
    upper = np.mean([comparison(row, pooled(drawn, method), method) for row in drawn])
    return [*scores, np.mean(lower), upper]


class Loops:
    """The variances by loops over resamples, each made by indexing."""

    def __init__(
        self, models: np.ndarray, subjects: np.ndarray, method: str, counts: np.ndarray, copies: np.ndarray
    ) -> None:
        if method == "spearman":
            models, subjects = ranked_once(models), ranked_once(subjects)
        self.n, self.s = counts.shape[1], copies.shape[1]
        drawn = [np.repeat(np.arange(self.n), row) for row in counts]
        people = [np.repeat(np.arange(self.s), row) for row in copies]
        every, everyone = np.arange(self.n), np.arange(self.s)
        self.whole = by_hand(models, subjects, method, every, everyone)
        self.tables = {
            "concepts": np.array([by_hand(models, subjects, method, c, everyone) for c in drawn]),
            "subjects": np.array([by_hand(models, subjects, method, every, p) for p in people]),
            "both": np.array(
                [by_hand(models, subjects, method, c, p) for c, p in zip(drawn, people, strict=True)]
            ),
        }

    def variance(self, population: str, contrast: np.ndarray) -> float:
        at = np.flatnonzero(contrast)
        values = {name: table[:, at] @ contrast[at] for name, table in self.tables.items()}
        c, r, b = (np.var(values[name][~np.isnan(values[name])], ddof=1) for name in POPULATIONS)
        new_c, new_r = c * self.n / (self.n - 1), r * self.s / (self.s - 1)
        both = new_c + new_r - self.n * self.s / ((self.n - 1) * (self.s - 1)) * (b - c - r)
        return {"concepts": new_c, "subjects": new_r, "both": min(max(both, new_c, new_r), b)}[population]


def variance(found: DualBootstrap, contrast: np.ndarray) -> float:
    at = np.flatnonzero(contrast)
    return float(contrast[at] @ found.covariance[np.ix_(at, at)] @ contrast[at])


def contrasts(k: int) -> list[np.ndarray]:
    """Each entry, and each difference of two."""
    unit = np.eye(k)
    return [*unit, *(unit[i] - unit[j] for i in range(k) for j in range(i))]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "s"), [(7, 3), (12, 5), (5, 4)])
def test_every_variance_is_that_of_explicit_resamples(method: str, n: int, s: int) -> None:
    models, subjects = world(n, n, s)
    counts, copies = (bootstrap_weights(k, 30, k).astype(int) for k in (n, s))
    loops = Loops(models, subjects, method, counts, copies)
    for population in POPULATIONS:
        with resamples(counts, copies):
            found = dual_bootstrap(models, subjects, method, rng=0, population=population)
        for contrast in contrasts(5):
            expected = loops.variance(population, contrast)
            assert variance(found, contrast) == pytest.approx(expected, rel=1e-7, abs=1e-14)
        for name, covariance in found.of_draws.items():
            table = loops.tables[name][:, :3]
            np.testing.assert_allclose(
                covariance[:3, :3], np.cov(table[~np.isnan(table[:, 0])].T), rtol=1e-7, atol=1e-14
            )
        np.testing.assert_allclose(found.score, loops.whole[:3], atol=1e-12)
        assert found.ceiling == noise_ceiling(subjects, method)
        if method != "spearman":  # there the mean of ranks is ranked again
            np.testing.assert_allclose(found.ceiling, loops.whole[3:], atol=1e-12)
        degrees = {"concepts": n - 1, "subjects": s - 1, "both": min(n, s) - 1}[population]
        assert found.degrees_of_freedom == degrees
        width = found.interval[1] - found.interval[0]
        np.testing.assert_allclose(width, 2 * stats.t.ppf(0.975, degrees) * found.standard_error)
        np.testing.assert_allclose(found.interval.mean(axis=0), found.score)


@pytest.mark.parametrize(("method", "theirs"), [("cosine", "cosine"), ("pearson", "corr")])
def test_variances_equal_rsatoolbox_on_the_same_resamples(
    method: str, theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rsatoolbox.inference import eval_dual_bootstrap
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    n, s, draws = 12, 5, 60
    models, subjects = world(20, n, s)
    drawn: list[tuple[np.ndarray, np.ndarray]] = []
    evaluate = import_module("rsatoolbox.inference.evaluate")
    bootstrap_sample = evaluate.bootstrap_sample

    def recorded(*args: object, **options: object) -> tuple:
        sample, people, conditions = bootstrap_sample(*args, **options)
        drawn.append((np.bincount(people, minlength=s), np.bincount(conditions, minlength=n)))
        return sample, people, conditions

    monkeypatch.setattr(evaluate, "bootstrap_sample", recorded)
    np.random.seed(0)  # noqa: NPY002 - rsatoolbox draws from numpy's global state
    fixed = [ModelFixed(f"model {i}", RDMs(model[None])) for i, model in enumerate(models)]
    expected = eval_dual_bootstrap(fixed, RDMs(subjects), method=theirs, N=draws)
    copies, counts = (np.array(part) for part in zip(*drawn, strict=True))
    with resamples(counts, copies):
        found = dual_bootstrap(models, subjects, method, rng=0)
    for name, covariance in zip(("both", "subjects", "concepts"), expected.variances, strict=True):
        np.testing.assert_allclose(found.of_draws[name][:3, :3], covariance[:3, :3], rtol=1e-6, atol=1e-12)
    # Over concepts the bounds agree too; over subjects rsatoolbox does not count copies.
    np.testing.assert_allclose(found.of_draws["concepts"], expected.variances[2], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.standard_error**2, expected.model_var, rtol=1e-6)
    pairs = [(0, 1), (0, 2), (1, 2)]
    unit = np.eye(5)
    differences = [variance(found, unit[i] - unit[j]) for i, j in pairs]
    np.testing.assert_allclose(differences, expected.diff_var, rtol=1e-6)
    assert found.degrees_of_freedom == expected.dof


def test_within_monte_carlo_error_of_rsatoolbox() -> None:
    """Resamples of their own on both sides."""
    from rsatoolbox.inference import eval_dual_bootstrap
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    models, subjects = world(21, 12, 6)
    np.random.seed(1)  # noqa: NPY002 - rsatoolbox draws from numpy's global state
    fixed = [ModelFixed(f"model {i}", RDMs(model[None])) for i, model in enumerate(models)]
    expected = eval_dual_bootstrap(fixed, RDMs(subjects), method="corr", N=200)
    found = dual_bootstrap(models, subjects, "pearson", rng=0, draws=3000)
    for name, covariance in zip(("both", "subjects", "concepts"), expected.variances, strict=True):
        ratio = np.diag(covariance)[:3] / np.diag(found.of_draws[name])[:3]
        # The relative standard error of a variance of 200 normal draws is sqrt(2 / 199); 4 of them.
        assert np.abs(ratio - 1).max() < 4 * np.sqrt(2 / 199)


def test_p_values_equal_rsatoolbox() -> None:
    from rsatoolbox.util.inference_util import t_test_0, t_test_nc, t_tests

    models, subjects = world(22)
    for population in POPULATIONS:
        found = dual_bootstrap(models, subjects, rng=0, population=population, draws=200)
        tests, degrees = model_tests(found), found.degrees_of_freedom
        unit = np.eye(5)
        pairs = np.array([variance(found, unit[i] - unit[j]) for i, j in ((0, 1), (0, 2), (1, 2))])
        to_ceiling = np.array([variance(found, unit[i] - unit[3]) for i in range(3)])
        evaluations = found.score[None]
        expected = t_tests(evaluations, pairs, degrees)
        off = ~np.eye(3, dtype=bool)
        np.testing.assert_allclose(tests.pairs[off], expected[off], atol=1e-12)
        assert np.isnan(np.diag(tests.pairs)).all()
        np.testing.assert_allclose(
            tests.chance, t_test_0(evaluations, found.standard_error**2, degrees), atol=1e-12
        )
        np.testing.assert_allclose(
            tests.ceiling, t_test_nc(evaluations, to_ceiling, found.ceiling.lower, degrees), atol=1e-12
        )
        above = np.triu_indices(3, 1)
        np.testing.assert_array_equal(tests.pairs_fdr[above], fdr(tests.pairs[above]))
        np.testing.assert_array_equal(tests.pairs_fdr, tests.pairs_fdr.T)


def test_over_concepts_it_is_the_bootstrap_of_bootstrap_compare() -> None:
    models, subjects = world(23)
    found = dual_bootstrap(models, subjects, rng=4, population="concepts", draws=300)
    plain = bootstrap_compare(models, subjects[None], rng=4, draws=300, rerank=False)
    np.testing.assert_allclose(found.of_draws["concepts"][:3, :3], np.cov(plain.draws[:, :, 0].T))
    np.testing.assert_allclose(found.score, plain.score[:, 0])


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 12), s=st.integers(2, 5))
@settings(max_examples=15, deadline=None)
def test_neither_order_nor_scale_matters(method: str, seed: int, n: int, s: int) -> None:
    models, subjects = world(seed, n, s)
    rng = np.random.default_rng(seed)
    counts, copies = (bootstrap_weights(k, 20, rng) for k in (n, s))
    order, people = rng.permutation(n), rng.permutation(s)
    turned = np.ix_(range(3), order, order)
    scaled_models = models[turned] * rng.uniform(0.1, 10, (3, 1, 1))
    scaled_subjects = (subjects * rng.uniform(0.1, 10, (s, 1, 1)))[np.ix_(people, order, order)]
    for population in POPULATIONS:
        with resamples(counts, copies):
            found = dual_bootstrap(models, subjects, method, rng=0, population=population)
        with resamples(counts[:, order], copies[:, people]):
            other = dual_bootstrap(scaled_models, scaled_subjects, method, rng=0, population=population)
        np.testing.assert_allclose(other.score, found.score, atol=1e-9)
        np.testing.assert_allclose(other.covariance, found.covariance, atol=1e-9)
        np.testing.assert_allclose(other.ceiling, found.ceiling, atol=1e-9)


@given(seed=st.integers(0, 10**6), s=st.integers(3, 6))
@settings(max_examples=15, deadline=None)
def test_the_estimate_for_both_is_within_its_bounds(seed: int, s: int) -> None:
    """No more than over both, and no less than over one of them unless that is more than over both."""
    models, subjects = world(seed, 9, s)
    found = {p: dual_bootstrap(models, subjects, rng=seed, population=p, draws=40) for p in POPULATIONS}
    with_seeds = found["both"]
    plain = with_seeds.of_draws["both"]
    alone = {
        "concepts": 9 / 8 * with_seeds.of_draws["concepts"],
        "subjects": s / (s - 1) * with_seeds.of_draws["subjects"],
    }
    for i in range(5):
        value, most = with_seeds.covariance[i, i], plain[i, i]
        least = max(covariance[i, i] for covariance in alone.values())
        assert value <= most * (1 + 1e-9)
        assert value >= min(least, most) * (1 - 1e-9)
    np.testing.assert_allclose(np.diag(found["concepts"].covariance), np.diag(alone["concepts"]), rtol=1e-9)


@pytest.mark.parametrize("method", ["pearson", "cosine"])
def test_subjects_are_compared_over_the_pairs_that_they_have(method: str) -> None:
    models, subjects = world(24, 9, 4)
    rng = np.random.default_rng(0)
    drawn = np.triu(rng.random(subjects.shape) < 0.3, 1)
    partial = np.where(drawn | drawn.transpose(0, 2, 1), np.nan, subjects)
    counts, copies = (bootstrap_weights(k, 25, k).astype(int) for k in (9, 4))
    loops = Loops(models, partial, method, counts, copies)
    for population in POPULATIONS:
        with resamples(counts, copies):
            found = dual_bootstrap(models, partial, method, rng=0, population=population)
        for contrast in [c for c in contrasts(5) if not c[3:].any()]:
            assert variance(found, contrast) == pytest.approx(loops.variance(population, contrast), rel=1e-7)
        # The bounds have no variance, because the mean of different subjects is over different pairs.
        assert np.isnan(found.covariance[3:]).all()
        assert found.ceiling == noise_ceiling(partial, method)
        tests = model_tests(found)
        assert np.isnan(tests.ceiling).all()
        assert not np.isnan(tests.chance).any()
        assert not np.isnan(tests.pairs_fdr[np.triu_indices(3, 1)]).any()


@pytest.mark.parametrize("method", ["pearson", "cosine"])
def test_where_all_subjects_lack_the_same_pairs_the_bounds_have_a_variance(method: str) -> None:
    models, subjects = world(25, 8, 4)
    subjects[:, 2, 4:7] = subjects[:, 4:7, 2] = np.nan
    counts, copies = (bootstrap_weights(k, 25, k).astype(int) for k in (8, 4))
    loops = Loops(models, subjects, method, counts, copies)
    for population in POPULATIONS:
        with resamples(counts, copies):
            found = dual_bootstrap(models, subjects, method, rng=0, population=population)
        for contrast in contrasts(5):
            assert variance(found, contrast) == pytest.approx(loops.variance(population, contrast), rel=1e-7)


def test_one_subject_speaks_to_concepts_alone() -> None:
    models, subjects = world(26, s=1)
    for population in ("subjects", "both"):
        with pytest.raises(ValueError, match=f"population is '{population}' and there is 1 subject") as error:
            dual_bootstrap(models, subjects, rng=0, population=population)  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
    found = dual_bootstrap(models, subjects, rng=0, population="concepts", draws=50)
    assert np.isnan(found.ceiling).all()
    assert np.isnan(found.covariance[3:]).all()
    assert (found.standard_error > 0).all()
    assert np.isnan(model_tests(found).ceiling).all()
    assert (model_tests(found).chance < 0.5).all()


def test_two_subjects_give_the_lower_bound_no_variance_over_subjects() -> None:
    """A draw of one of them has no lower bound, and a draw of both is the sample."""
    models, subjects = world(27, s=2)
    for population in POPULATIONS:
        found = dual_bootstrap(models, subjects, rng=0, population=population, draws=50)
        assert np.isnan(found.covariance[3, 3]) == (population != "concepts")
        assert np.isnan(model_tests(found).ceiling).all() == (population != "concepts")
        assert found.covariance[4, 4] > 0
        assert (found.standard_error > 0).all()


def test_three_conditions_speak_to_subjects_alone() -> None:
    models, subjects = world(28, n=3, s=4)
    for population in ("concepts", "both"):
        with pytest.raises(ValueError, match="there are 3 conditions: at least 4 are needed"):
            dual_bootstrap(models, subjects, rng=0, population=population)  # type: ignore[arg-type]
    found = dual_bootstrap(models, subjects, rng=0, population="subjects", draws=50)
    assert (found.standard_error > 0).all()


def test_copies_of_a_model_do_not_differ_and_one_model_has_no_pair() -> None:
    models, subjects = world(29)
    two = dual_bootstrap(np.array([models[0], 3 * models[0]]), subjects, "pearson", rng=0, draws=100)
    assert model_tests(two).pairs[0, 1] == pytest.approx(1, abs=1e-6)
    one = dual_bootstrap(models[0], subjects, "pearson", rng=0, draws=100)
    assert np.isnan(model_tests(one).pairs).all()
    np.testing.assert_allclose(one.score, two.score[:1])


@pytest.mark.parametrize("s", [5, 10, 17])
def test_the_number_of_workers_changes_nothing(s: int) -> None:
    models, subjects = world(30, s=s)
    one, other = (dual_bootstrap(models, subjects, rng=0, draws=20, workers=w) for w in (1, 3))
    np.testing.assert_array_equal(one.covariance, other.covariance)
    # Subjects are worked on in groups: the bounds are those of all of them.
    alone = dual_bootstrap(models, subjects, "cosine", rng=0, draws=20, population="subjects")
    copies = bootstrap_weights(s, 20, np.random.default_rng(0)).astype(int)
    rows = [by_hand(models, subjects, "cosine", np.arange(12), np.repeat(np.arange(s), c)) for c in copies]
    np.testing.assert_allclose(np.diag(alone.of_draws["subjects"]), np.var(rows, axis=0, ddof=1), rtol=1e-7)


MODELS, SUBJECTS = world(31)


@pytest.mark.parametrize(
    ("models", "subjects", "options", "message"),
    [
        (MODELS, SUBJECTS, {"population": "people"}, "population is 'people': expected 'concepts', 'subj"),
        (MODELS, SUBJECTS, {"draws": 1}, "draws is 1: a variance needs at least two"),
        (MODELS, SUBJECTS[:, :6, :6], {}, r"models has shape \(3, 12, 12\) and subjects \(5, 6, 6\)"),
        (MODELS[0, 0], SUBJECTS, {}, r"models has shape \(12,\) and subjects"),
        (MODELS, SUBJECTS[None], {}, r"subjects has shape \(1, 5, 12, 12\)"),
        (MODELS, 1 - np.array([np.eye(12)] * 3), {}, r"subjects\[0\] of shape .* all equal"),
        (1 - np.eye(12), SUBJECTS, {}, r"models\[0\] of shape .* all equal"),
        (MODELS, SUBJECTS, {"method": "kendall"}, "method is 'kendall'"),
    ],
)
def test_bad_arguments(models: np.ndarray, subjects: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dual_bootstrap(models, subjects, **{"rng": 0, **options})


def test_a_model_at_the_lower_bound_is_not_told_from_it() -> None:
    """Of people who differ by noise alone, their own truth is above the lower bound, and noise below."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(30, 6))
    subjects = np.array([rdm(truth + rng.normal(size=truth.shape)) for _ in range(8)])
    models = np.array([rdm(truth), rdm(rng.normal(size=truth.shape))])
    found = dual_bootstrap(models, subjects, rng=0, draws=400)
    tests = model_tests(found)
    assert isinstance(found.ceiling, NoiseCeiling)
    assert tests.ceiling[1] < 0.01 < tests.ceiling[0]
    assert tests.chance[0] < 0.001 < 0.05 < tests.chance[1]
    assert tests.pairs[0, 1] < 0.01
