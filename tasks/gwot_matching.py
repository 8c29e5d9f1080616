"""GWOT: matching two geometries concept to concept, when no labels are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, rdm_world, standard_controls
from benchmark.calibration.definitions import informed_matching
from benchmark.common.cost import Cost
from benchmark.common.errors import UsageError
from benchmark.datasets.join import Join
from benchmark.datasets.types import RDMTarget
from benchmark.inference import mean_statistic
from benchmark.measures import (
    GromovWasserstein,
    category_matching_hits,
    gromov_wasserstein,
    gw_search_seconds,
    matching_hits,
    matching_rate,
)
from benchmark.representation.concepts import (
    RDM_METRICS,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import (
    Control,
    LayerResult,
    LongWork,
    Metric,
    ModelView,
    Task,
    TaskResult,
    one_of,
    read_params,
)

_TOP = (1, 5, 10)
_CATEGORY = "category"
_PERMUTATIONS = 1000
_STARTS = 10
#: Random halvings of the subjects for the ceiling
_HALVINGS = 3
_FEWEST_SUBJECTS = 4
#: Controls: worlds, and signal-to-noise ratios at which twins are confused but the geometry is not
_REPLICATES = 8
_SNRS = (64.0, 16.0, 8.0)
#: Entries of random plans drawn for the chance level
_CHANCE_ENTRIES = 20_000_000
#: Seconds of searching from which on it is said beforehand
_LONG = 60.0
#: What is kept of a finished search is called this and its number
_FOUND = "found-"
#: Plans of more concepts than this are not stored: at 500 one is 1 MB
_STORED = 500

_CEILING = "mean RDM of half of the subjects matched with that of the other half (lower) and of all (upper)"


class GWOTMatching(Task):
    """Matching rates of the Gromov-Wasserstein plan between a model's RDM and the mean RDM of people.

    The score is that of the plan of least GW distance over a grid of epsilon and random starts, which uses no
    labels; RDMs are scaled to a mean dissimilarity of one. The plan of highest matching rate among those
    tried is an oracle: it is in the values and never a score. Features are averaged over a concept's test
    images. p is of a permutation of the labels of the plan.
    """

    name: ClassVar[str] = "gwot_matching"
    version: ClassVar[int] = 2
    metrics: ClassVar[tuple[Metric, ...]] = (
        *(
            Metric(f"top{k}", f"top-{k} matching rate", (0.0, 1.0), "random plans, simulated", _CEILING)
            for k in _TOP
        ),
        Metric(_CATEGORY, "category matching rate", (0.0, 1.0), "random plans, simulated", _CEILING),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("rdm",)
    simulations: ClassVar[int] = 5
    reference: ClassVar[str] = """@misc{sasaki2023gwtune,
  author = {Sasaki, Masaru and Takeda, Ken and Abe, Kota and Oizumi, Masafumi},
  title = {Toolbox for {Gromov-Wasserstein} optimal transport: Application to unsupervised alignment in
           neuroscience},
  howpublished = {bioRxiv},
  year = {2023},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[RDMTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``metric``, the dissimilarity of features ("correlation"); ``epsilons``, the grid (a list;
        absent: chosen by the solver from the RDMs); ``starts``, random initial plans for each epsilon (10).

        Raises
        ------
        NotPossible
            If a concept has no test image.
        UsageError
            If a parameter is unknown or of no use.
        """
        options = self._options(params)
        people = joined.target.rdms.mean(axis=0)
        categories = joined.target.categories
        images = concept_images(view.stimuli, joined.concepts)
        # One seed each for layers, ceiling and chance: none depends on which layers are asked for.
        seeds = [int(seed) for seed in rng.integers(2**63, size=3)]
        halvings = _HALVINGS if len(joined.target.subjects) >= _FEWEST_SUBJECTS else 0
        searches = _Searches(
            view.work, len(view.layers) + 2 * halvings, options["epsilons"], options["starts"]
        )
        searches.announce(len(people))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for number, layer in enumerate(view.layers):
            try:
                model_rdm = feature_rdm(
                    concept_means(view.features(layer), images), joined.concepts, options["metric"]
                )
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue

            def find(model_rdm: np.ndarray = model_rdm, number: int = number) -> dict[str, np.ndarray]:
                return _match(model_rdm, people, categories, searches, number, seeds[0])

            found = searches.once(number, find)
            layers[layer] = _layer_result(found)
            arrays |= {f"{name}/{layer}": found[name] for name in ("sweep", "plan") if name in found}
        ceiling = _ceiling(joined.target, halvings, searches, len(view.layers), seeds[1])
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=_chance(len(people), categories, np.random.default_rng(seeds[2])),
            ceiling=ceiling,
            counts={
                **joined.counts,
                "subjects": len(joined.target.subjects),
                "with_category": sum(c is not None for c in categories or ()),
            },
            arrays=arrays,
            notes=[]
            if ceiling
            else [f"fewer than {_FEWEST_SUBJECTS} subjects: there is no ceiling of halves"],
        )

    def _options(self, params: Mapping[str, Any]) -> dict[str, Any]:
        defaults = {"metric": "correlation", "epsilons": None, "starts": _STARTS}
        options = read_params(self.name, params, defaults)
        one_of(self.name, "metric", options["metric"], RDM_METRICS)
        epsilons = options["epsilons"]
        if epsilons is not None and not (
            isinstance(epsilons, list)
            and epsilons
            and all(isinstance(e, (int, float)) and e > 0 for e in epsilons)
        ):
            raise UsageError(
                f"task {self.name}: epsilons must be a list of positive numbers, not {epsilons!r}"
            )
        if options["starts"] < 1:
            raise UsageError(f"task {self.name}: starts must be at least 1, not {options['starts']}")
        return options

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, in a world of twins, which noise confuses first.

        A noisy copy has the matching rate of a search that starts from the truth.
        """
        return standard_controls(
            self, _twins, rng, definition=informed_matching, snrs=_SNRS, replicates=_REPLICATES
        )


def _twins(rng: np.random.Generator) -> World:
    return rdm_world(rng, concepts=24, twins=0.1)


class _Searches:
    """The searches of a cell, by number: all of them move one bar, and what each has found is kept.

    Parameters
    ----------
    work : LongWork
    count : int
        How many there are.
    epsilons : list of float or None
    starts : int
    """

    def __init__(self, work: LongWork, count: int, epsilons: list[float] | None, starts: int) -> None:
        self._work, self._count = work, count
        self._solver: dict[str, Any] = {
            "epsilons": epsilons,
            "starts": starts,
            "memo": work.memo,
            "device": work.device,
        }

    def announce(self, n: int) -> None:
        """Say what searches among n concepts will cost, if that is much."""
        starts, epsilons = self._solver["starts"], self._solver["epsilons"]
        seconds = self._count * gw_search_seconds(n, starts, epsilons)
        if seconds > _LONG:
            # two plans a start, until a search is done
            self._work.expect(Cost(seconds, None, starts * 2 * n * n * 8))

    def align(self, number: int, a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> GromovWasserstein:
        """Align two RDMs, each scaled to a mean dissimilarity of one.

        The scale of an RDM changes no optimal plan, but it changes the distance and what an epsilon means.
        """

        def tell(done: int, total: int) -> None:
            if self._work.progress is not None:
                self._work.progress(number * total + done, self._count * total)

        scaled = [c * (len(c) * (len(c) - 1) / c.sum()) for c in (np.asarray(a, np.float64), b)]
        return gromov_wasserstein(scaled[0], scaled[1], rng=rng, progress=tell, **self._solver)

    def once(self, number: int, find: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """What ``find`` gives, or gave in a run that was broken off later."""
        memo, name = self._work.memo, f"{_FOUND}{number}"
        found = None if memo is None else memo.get(name)
        if found is None:
            found = find()
            if memo is not None:
                memo[name] = found
                # The plans of the starts are large, and now of no use.
                for key in [key for key in memo if not key.startswith(_FOUND)]:
                    del memo[key]
        return found


def _hits(plan: np.ndarray, categories: Sequence[str | None] | None) -> dict[str, np.ndarray]:
    """Hit of each concept, (n,), by metric; the category ones only where there are categories."""
    hits = {f"top{k}": matching_hits(plan, min(k, len(plan))) for k in _TOP}
    if categories is not None and any(category is not None for category in categories):
        hits[_CATEGORY] = category_matching_hits(plan, categories)
    return hits


def _match(
    model_rdm: np.ndarray,
    people: np.ndarray,
    categories: Sequence[str | None] | None,
    searches: _Searches,
    number: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """What a search finds in a layer.

    Its hits by metric; ``sweep``: epsilon, start, distance, matching, converged of each solution; ``values``:
    p, distance, and top-1 and distance of the oracle; and the plan, if it is small.
    """
    rng = np.random.default_rng(seed)
    found = searches.align(number, model_rdm, people, rng)
    hits = _hits(found.plan, categories)
    # Under a permutation of the labels row i is a hit where its greatest entry is the label it is given.
    greatest = found.plan == found.plan.max(axis=1, keepdims=True)
    credit = greatest / greatest.sum(axis=1, keepdims=True)
    n = len(people)
    null = np.array([credit[np.arange(n), rng.permutation(n)].mean() for _ in range(_PERMUTATIONS)])
    reached = np.count_nonzero(null >= hits["top1"].mean() - 1e-12)
    p = (1 + reached) / (1 + _PERMUTATIONS)
    curve = [(s.epsilon, s.start, s.distance, s.matching, s.converged) for s in found.sweep]
    plan = {"plan": found.plan.astype(np.float32)} if n <= _STORED else {}
    return {
        **hits,
        **plan,
        "sweep": np.array(curve, dtype=np.float64),
        "values": np.array([p, found.distance, matching_rate(found.oracle_plan), found.oracle_distance]),
    }


def _layer_result(found: Mapping[str, np.ndarray]) -> LayerResult:
    p, *values = (float(value) for value in found["values"])
    hits = {name: found[name] for name in (*(f"top{k}" for k in _TOP), _CATEGORY) if name in found}
    return LayerResult(
        {name: mean_statistic(values) for name, values in hits.items()},
        p=p,
        values=dict(zip(("gw_distance", "oracle_top1", "oracle_gw_distance"), values, strict=True)),
    )


def _chance(n: int, categories: Sequence[str | None] | None, rng: np.random.Generator) -> dict[str, float]:
    """Mean rates of random plans."""
    draws = int(np.clip(_CHANCE_ENTRIES // n**2, 10, 1000))
    rates = [_rates(rng.random((n, n)), categories) for _ in range(draws)]
    return {name: float(np.mean([rate[name] for rate in rates])) for name in rates[0]}


def _ceiling(
    target: RDMTarget, halvings: int, searches: _Searches, first: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Rates between the mean RDMs of two halves of the subjects, and of a half and all.

    The searches have the numbers from ``first`` on.
    """

    def find() -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        s, everyone = len(target.subjects), target.rdms.mean(axis=0)
        rates: list[dict[str, float]] = []
        for _ in range(halvings):
            order = rng.permutation(s)
            half, rest = (target.rdms[part].mean(axis=0) for part in (order[: s // 2], order[s // 2 :]))
            for other in (rest, everyone):
                plan = searches.align(first + len(rates), half, other, rng).plan
                rates.append(_rates(plan, target.categories))
        return {
            name: np.array([np.mean([r[name] for r in rates[bound::2]]) for bound in (0, 1)])
            for name in rates[0]
        }

    found = searches.once(first, find) if halvings else {}
    return {name: (float(bounds[0]), float(bounds[1])) for name, bounds in found.items()}


def _rates(plan: np.ndarray, categories: Sequence[str | None] | None) -> dict[str, float]:
    return {name: float(np.nanmean(values)) for name, values in _hits(plan, categories).items()}
