"""GWOT: match two geometries concept by concept, without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, rdm_world, standard_controls
from benchmark.calibration.definitions import informed_category_matching, informed_matching
from benchmark.common.cost import Cost
from benchmark.common.errors import UsageError
from benchmark.datasets.join import Join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.inference import mean_statistic
from benchmark.measures import (
    GromovWasserstein,
    gromov_wasserstein,
    gw_search_seconds,
    matching_permutation,
    matching_rate,
)
from benchmark.measures.solution_rates import (
    CATEGORY,
    TOP,
    has_categories,
    random_plan_rates,
    solution_hits,
    solution_rates,
)
from benchmark.representation.concepts import (
    METRIC,
    STANDARDISATION,
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
    Parameter,
    Task,
    TaskResult,
)

_STARTS = 12
#: Random halvings of the subjects for the ceiling
_HALVINGS = 3
_FEWEST_SUBJECTS = 4
#: Fewer subjects than this (groups of people) are not halved: each is matched with the mean of the others
_HALVED = 8
#: Controls: number of worlds, and signal-to-noise ratios that confuse similar pairs but keep the geometry
_REPLICATES = 8
_SNRS = (64.0, 16.0, 8.0)
#: From this number of seconds on, the cost of the searches is announced beforehand
_LONG = 60.0
#: Key of a finished search in the memo: this text and the number of the search
_FINISHED = "found-"
#: In the record of a search: what the name of a value begins with, and the arrays that are stored
_VALUE, _ARRAYS = "value/", ("sweep", "plan", "likeliest", "probability")
#: Plans of more concepts than this are not stored. A plan of 500 concepts is 1 MB
_STORED = 500
#: Number of greatest entries of each row of the entropic plan that are stored
_LIKELIEST = 10

_INTERVAL = (
    "the interval is over concepts, for the plan that was found; another search may find another plan: see "
    "found_again and near_top1"
)
_CEILING = "mean RDM of half of the subjects matched with that of the other half (lower) and of all (upper)"


class GWOTMatching(Task):
    """Matching rates of the Gromov-Wasserstein plan between a model's RDM and the mean RDM of people.

    The score, ``top1``, is that of the plan of least GW distance that a search finds, without labels.
    ``found_again`` of ``searches`` starts ended at that distance. ``near_top1`` is the mean rate of the
    ``near_plans`` different plans that starts ended at within one per cent of it. Rates for k > 1 and for
    categories are those of the entropic plan that the solution leads to, at ``entropic_epsilon``, where a
    concept has three choices. RDMs are scaled to a mean dissimilarity of one. The highest rate among all
    solutions of the search is an oracle: it is among the values and never a score. Features are averaged over
    a concept's test images. The p-value is from a permutation of the labels of the plan, and ``category_p``
    is that of the category rate.

    With ``polish: false`` the protocol is that of the reference: entropic solutions for all epsilons and
    starts, and of these the one of least distance.
    """

    name: ClassVar[str] = "gwot_matching"
    version: ClassVar[int] = 5
    metrics: ClassVar[tuple[Metric, ...]] = (
        *(
            Metric(f"top{k}", f"top-{k} matching rate", (0.0, 1.0), "random plans, simulated", _CEILING)
            for k in TOP
        ),
        Metric(CATEGORY, "category matching rate", (0.0, 1.0), "random plans, simulated", _CEILING),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("rdm",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "metric": METRIC,
        "standardise": STANDARDISATION,
        "epsilons": Parameter(None, "a list of positive numbers; None: ten values, computed from the RDMs"),
        "starts": Parameter(
            _STARTS, "initial plans at most, at least 1; fewer if the least distance is found again", least=1
        ),
        "polish": Parameter(
            True, "whether solutions are polished without entropy; false: the protocol of the reference"
        ),
    }
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

        ``params``: those of :attr:`parameters`.

        Raises
        ------
        NotPossible
            If a concept has no test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        options = self._options(params)
        people = joined.target.rdms.mean(axis=0)
        categories = joined.target.categories
        images = concept_images(view.stimuli, joined.concepts)
        # One seed each for layers, ceiling and chance, so that none depends on which layers are scored.
        seeds = [int(seed) for seed in rng.integers(2**63, size=3)]
        parts = _parts_of(len(joined.target.subjects))
        searches = _Searches(
            view.work,
            len(view.layers) + 2 * parts,
            {name: options[name] for name in ("epsilons", "starts", "polish")},
            joined.target.categories,
        )
        cost = self.cost(joined, len(view.layers), params)
        if cost.seconds > _LONG:
            view.work.expect(cost)
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for number, layer in enumerate(view.layers):
            try:
                model_rdm = feature_rdm(
                    concept_means(view.features(layer), images),
                    joined.concepts,
                    options["metric"],
                    options["standardise"],
                )
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue

            def search(model_rdm: np.ndarray = model_rdm, number: int = number) -> dict[str, np.ndarray]:
                return _match(model_rdm, people, searches, number, seeds[0])

            record = searches.run_once(number, search)
            layers[layer] = _layer_result(record)
            arrays |= {f"{name}/{layer}": record[name] for name in _ARRAYS if name in record}
        if has_categories(categories):
            arrays["categories"] = np.array([category or "" for category in categories])
        rates = _human_rates(joined.target, parts, searches, len(view.layers), seeds[1])
        arrays |= {f"ceiling_by_part/{name}": values for name, values in rates.items()}
        chance, band = random_plan_rates(len(people), categories, np.random.default_rng(seeds[2]))
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=chance,
            chance_band=band,
            ceiling=_means(rates),
            counts={
                **joined.counts,
                "subjects": len(joined.target.subjects),
                "with_category": sum(c is not None for c in categories or ()),
            },
            arrays=arrays,
            notes=[*_ceiling_notes(joined.target.subjects, rates), _INTERVAL],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a pair of an RDM is missing, or a concept has no test image."""
        super().require(stimuli, joined, params)
        self._options(params)
        concept_images(stimuli, joined.concepts)

    def cost(self, joined: Join[RDMTarget], layers: int, params: Mapping[str, Any]) -> Cost:  # type: ignore[override]
        """The cost of the searches: one for each layer, and those of the ceiling."""
        options = self._options(params)
        n, starts = len(joined.target.ids), options["starts"]
        searches = layers + 2 * _parts_of(len(joined.target.subjects))
        seconds = gw_search_seconds(n, starts, options["epsilons"], polish=options["polish"])
        # two plans per start, until a search is done
        return Cost(searches * seconds, None, starts * 2 * n * n * 8)

    def _options(self, params: Mapping[str, Any]) -> dict[str, Any]:
        options = self.read(params)
        epsilons = options["epsilons"]
        if epsilons is not None and not (
            isinstance(epsilons, list)
            and epsilons
            and all(isinstance(e, (int, float)) and e > 0 for e in epsilons)
        ):
            raise UsageError(
                f"task {self.name}: epsilons must be a list of positive numbers, not {epsilons!r}"
            )
        return options

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls for concepts and for categories, in a world of similar pairs.

        Noise confuses pairs first, and each pair is a category. A noisy copy must have the matching rates of
        a search that starts from the truth.
        """
        definitions = {"top1": informed_matching, CATEGORY: informed_category_matching}
        return [
            replace(control, name=f"{metric}: {control.name}")
            for metric, definition in definitions.items()
            for control in standard_controls(
                self,
                _twins,
                rng,
                definition=definition,
                metric=metric,
                snrs=_SNRS,
                replicates=_REPLICATES,
            )
        ]


def _twins(rng: np.random.Generator) -> World:
    return rdm_world(rng, concepts=24, twins=0.1)


class _Searches:
    """The searches of a cell (one model scored on one binding), by number.

    All of them move one progress bar, and the results of each are kept.

    Parameters
    ----------
    work : LongWork
        Progress bar, memo and device of the engine.
    count : int
        Number of searches.
    options : mapping
        Options of :func:`gromov_wasserstein`: the grid of epsilons, the number of starts, the polish.
    categories : sequence of str or None, or None
        Category of each concept.
    """

    def __init__(
        self,
        work: LongWork,
        count: int,
        options: Mapping[str, Any],
        categories: Sequence[str | None] | None,
    ) -> None:
        self._work, self._count, self.categories = work, count, categories
        self._solver: dict[str, Any] = {
            **options,
            "categories": categories,
            "memo": work.memo,
            "device": work.device,
        }

    def align(self, number: int, a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> GromovWasserstein:
        """Align the RDMs ``a`` and ``b``, each scaled to a mean dissimilarity of one.

        The scale of an RDM does not change the optimal plan, but it changes the distance and the meaning of
        epsilon. ``number`` is the number of the search, for the progress bar. ``rng`` draws the random
        starts.
        """

        def report(done: int, total: int) -> None:
            if self._work.progress is not None:
                self._work.progress(number * total + done, self._count * total)

        scaled = [c * (len(c) * (len(c) - 1) / c.sum()) for c in (np.asarray(a, np.float64), b)]
        return gromov_wasserstein(scaled[0], scaled[1], rng=rng, progress=report, **self._solver)

    def run_once(self, number: int, search: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays that ``search`` gives, or gave in an earlier run that was interrupted later.

        ``number`` is the number of the search.
        """
        memo, name = self._work.memo, f"{_FINISHED}{number}"
        record = None if memo is None else memo.get(name)
        if record is None:
            record = search()
            if memo is not None:
                memo[name] = record
                # The plans of the starts are large and are not needed after this.
                for key in [key for key in memo if not key.startswith(_FINISHED)]:
                    del memo[key]
        return record


def _match(
    model_rdm: np.ndarray, people: np.ndarray, searches: _Searches, number: int, seed: int
) -> dict[str, np.ndarray]:
    """The arrays of a search in one layer.

    They are: its hits by metric; ``sweep``, with epsilon, start, distance, matching rates of concepts and of
    categories, and converged of each solution; ``value/...``, the values of the layer; ``likeliest`` and
    ``probability``, the columns of the greatest entries of each row of the entropic plan, and these entries
    as a share of the row; and the plan, if it is small.
    """
    rng = np.random.default_rng(seed)
    found = searches.align(number, model_rdm, people, rng)
    near = [matching_rate(plan) for plan in found.near_optimal]
    values = {
        "p": matching_permutation(found.plan, rng).p,
        "gw_distance": found.distance,
        "near_top1": np.mean(near),
        "near_plans": len(near),
        "entropic_epsilon": found.entropic_epsilon,
        "oracle_top1": matching_rate(found.oracle_plan),
        "oracle_gw_distance": found.oracle_distance,
        "found_again": found.found_again,
        "searches": found.searches,
    }
    if has_categories(searches.categories):
        values["category_p"] = matching_permutation(
            found.entropic_plan, rng, categories=searches.categories
        ).p
        values["oracle_category"] = max(s.category for s in found.sweep)
    n = len(people)
    likeliest = np.argsort(-found.entropic_plan, axis=1, kind="stable")[:, :_LIKELIEST]
    sweep = [(s.epsilon, s.start, s.distance, s.matching, s.category, s.converged) for s in found.sweep]
    return {
        **solution_hits(found.plan, found.entropic_plan, searches.categories),
        **({"plan": found.plan.astype(np.float32)} if n <= _STORED else {}),
        **{f"{_VALUE}{name}": np.array(value, dtype=np.float64) for name, value in values.items()},
        "likeliest": likeliest.astype(np.int32),
        "probability": (n * np.take_along_axis(found.entropic_plan, likeliest, axis=1)).astype(np.float32),
        "sweep": np.array(sweep, dtype=np.float64),
    }


def _layer_result(record: Mapping[str, np.ndarray]) -> LayerResult:
    values = {name[len(_VALUE) :]: float(array) for name, array in record.items() if name.startswith(_VALUE)}
    hits = {name: record[name] for name in (*(f"top{k}" for k in TOP), CATEGORY) if name in record}
    return LayerResult(
        {name: mean_statistic(hit) for name, hit in hits.items()},
        p=values.pop("p"),
        values=values,
        # a plan is found as a whole, so hits vary by far more than they show: they compare no models
        pairs=lambda: lambda weights: float("nan"),  # noqa: ARG005 - no weight gives a score
    )


def _parts_of(subjects: int) -> int:
    """How many parts of the people are matched with the others: each subject, or a half in each halving."""
    if subjects < _FEWEST_SUBJECTS:
        return 0
    return subjects if subjects < _HALVED else _HALVINGS


def _parts(subjects: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The subjects of each part, and the others."""
    everyone = np.arange(subjects)
    for part in range(_parts_of(subjects)):
        if subjects < _HALVED:
            yield everyone[part : part + 1], np.delete(everyone, part)
        else:
            order = rng.permutation(subjects)
            yield order[: subjects // 2], order[subjects // 2 :]


def _human_rates(
    target: RDMTarget, parts: int, searches: _Searches, first: int, seed: int
) -> dict[str, np.ndarray]:
    """Rates, (parts, 2), between the mean RDM of a part of the subjects and that of the others, and of all.

    ``first`` is the number of the first of these searches.
    """

    def search() -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        everyone = target.rdms.mean(axis=0)
        rates: list[dict[str, float]] = []
        for part, others in _parts(len(target.subjects), rng):
            own = target.rdms[part].mean(axis=0)
            for counterpart in (target.rdms[others].mean(axis=0), everyone):
                found = searches.align(first + len(rates), own, counterpart, rng)
                rates.append(solution_rates(found.plan, found.entropic_plan, target.categories))
        return {name: np.array([rate[name] for rate in rates]).reshape(-1, 2) for name in rates[0]}

    return searches.run_once(first, search) if parts else {}


def _means(rates: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    return {
        name: (float(np.mean(values[:, 0])), float(np.mean(values[:, 1]))) for name, values in rates.items()
    }


def _ceiling_notes(subjects: Sequence[str], rates: Mapping[str, np.ndarray]) -> list[str]:
    if not rates:
        return [f"fewer than {_FEWEST_SUBJECTS} subjects: there is no ceiling of halves"]
    if len(subjects) >= _HALVED:
        return []
    alone = zip(subjects, rates["top1"][:, 0], strict=True)
    each = ", ".join(f"{name} {value:.3f}" for name, value in alone)
    return [f"each subject with the mean of the others (top-1): {each}"]
