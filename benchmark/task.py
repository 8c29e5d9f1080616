"""What a task is: a plug-in that scores a model's features against a target, layer by layer.

A task gives each of its numbers as a *statistic*: a function of concept weights. The engine does the rest, in
the same way for every task: the score (all weights one), the bootstrap (multinomial weights, which all models
of a binding share, so that differences are paired), and the best layer, chosen on one half of the concepts
and scored on the other half (weights zero on one half). A binding is a task with its stimuli, target and
parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from benchmark.common.cost import Cost
from benchmark.common.errors import NotPossible, UsageError
from benchmark.common.parameters import Parameter as Parameter
from benchmark.common.parameters import read_params
from benchmark.datasets.join import Join
from benchmark.datasets.rdm_check import pairs_of
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget, Target
from benchmark.model import Announcing, Associations, ClassProbabilities, Progress

#: weights (b, k) over concepts, not negative -> statistic (b,); NaN where it is undefined
Statistic = Callable[[np.ndarray], np.ndarray]
#: weights of the pairs of concepts, row by row of the upper triangle (k (k - 1) / 2,) -> score
PairStatistic = Callable[[np.ndarray], float]

#: Among the references of a task: the network that the model was trained from or is built from
ENCODER = "encoder"


@dataclass(frozen=True)
class Metric:
    """The meaning of one number of a task.

    Attributes
    ----------
    name : str
        Key of the metric in results.
    label : str
        For tables: "2 vs 2 accuracy".
    range : tuple of float
        Least and greatest possible value.
    chance : str
        The chance level, in words.
    ceiling : str or None
        The noise ceiling, in words. None: there is none.
    higher_is_better : bool
        Whether a greater value is better.
    """

    name: str
    label: str
    range: tuple[float, float]
    chance: str
    ceiling: str | None = None
    higher_is_better: bool = True


@dataclass(frozen=True)
class LongWork:
    """Tools of the engine for a task that takes long. A short task ignores them.

    Attributes
    ----------
    progress : callable or None
        ``progress(done, total)`` moves the progress bar of the cell. None where no bar is shown.
    memo : mutable mapping of str to dict of ndarray, or None
        Records of work that is done. If a run is killed, the next run of the same cell finds them here. The
        engine empties it after it stores the result. A record must not change the result. None: nothing is
        kept.
    device : str or None
        The accelerator of the run, "cuda" or "mps". None where there is none.
    """

    progress: Progress | None = None
    memo: MutableMapping[str, dict[str, np.ndarray]] | None = None
    device: str | None = None

    def expect(self, cost: Cost) -> None:
        """Announce the ``cost`` of the work before it starts."""
        if isinstance(self.progress, Announcing):
            self.progress.expect(cost)


class ModelView(Protocol):
    """What a task sees of a model: its features for the stimuli of the binding, and tools for long work."""

    name: str
    stimuli: Stimuli
    layers: tuple[str, ...]
    work: LongWork
    #: The models that :meth:`Task.references` asks for, by the same words; empty if it asks for none
    references: Mapping[str, ModelView]

    def features(self, layer: str) -> np.ndarray:
        """Features (n stimuli, d), float32, in stimulus order."""

    def associations(self) -> Associations | None:
        """Association strengths of every stimulus, or None."""

    def classify(self) -> ClassProbabilities | None:
        """Class probabilities of every stimulus, or None."""


@dataclass(frozen=True)
class LayerResult:
    """The result of a task in one layer.

    Attributes
    ----------
    statistics : dict of str to Statistic
        By metric name. The first metric of the task must be there, unless ``undefined`` is given.
    p : float or None
        One-sided p-value of the first metric against its permutation null.
    values : dict of str to float
        Further numbers that are not a function of concept weights (counts, distances).
    undefined : str or None
        Why the layer has no score ("constant features: correlation undefined").
    pairs : callable or None
        Makes the first metric as a function of the weights of pairs of concepts, computed anew. Give it for a
        score in which two concepts meet (a correlation of RDMs, 2 vs 2): the comparison of two models needs
        it (:func:`benchmark.inference.paired_difference`). It is called for one layer only.
    """

    statistics: dict[str, Statistic] = field(default_factory=dict)
    p: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    undefined: str | None = None
    pairs: Callable[[], PairStatistic] | None = None


@dataclass(frozen=True)
class TaskResult:
    """The result of a task for one model.

    Attributes
    ----------
    concepts : tuple of str, length k
        The concepts that the statistics weight, in order.
    layers : dict of str to LayerResult
        In the model's order.
    chance : dict of str to float
        Chance level by metric name.
    ceiling : dict of str to (float, float)
        Noise ceiling (lower, upper) by metric name. A metric without one is absent.
    headline : str or None
        A layer that is fixed beforehand as *the* score (an association head). None: the best layer is chosen
        on one half of the concepts and scored on the other.
    counts : dict of str to int
        Numbers of joined, dropped, tied and misclassified items.
    arrays : dict of str to ndarray
        Arrays worth looking at. They are stored beside the result.
    notes : list of str
        Anything that a reader must know.
    chance_band : dict of str to (float, float)
        5th and 95th percentile of a score by chance, by metric name, where it is simulated.
    """

    concepts: tuple[str, ...]
    layers: dict[str, LayerResult]
    chance: dict[str, float]
    ceiling: dict[str, tuple[float, float]] = field(default_factory=dict)
    headline: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    chance_band: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    """One calibration control: the expected and the computed number.

    Attributes
    ----------
    name : str
        What the control is.
    expected : str
        What should come out, in words.
    found : float
        The computed number.
    passed : bool
        Whether the number is as expected.
    kind : str
        "copy", "noisy", "noise" or "permuted"; a complete set has all of these. "own": another control.
    band : (float, float) or None
        The least and the greatest number that pass.
    """

    name: str
    expected: str
    found: float
    passed: bool
    kind: str = "own"
    band: tuple[float, float] | None = None


class Task(ABC):
    """A way of comparing models with people."""

    name: ClassVar[str]
    version: ClassVar[int]
    metrics: ClassVar[tuple[Metric, ...]]
    reference: ClassVar[str]
    target_kinds: ClassVar[tuple[str, ...]]
    #: Number of sets of simulated people for the power of the task. Use fewer if scoring a layer takes long
    simulations: ClassVar[int] = 10
    #: Whether the task works where pairs of an RDM are NaN. If not, the engine calls such a cell not possible
    missing_pairs: ClassVar[bool] = False
    #: Whether the task needs the classes of the model. If it has none, the cell is not possible, and no
    #: features are extracted for it
    needs_classes: ClassVar[bool] = False
    #: What ``n`` of a result counts, and intervals are over: the items of ``TaskResult.concepts``
    unit: ClassVar[str] = "concepts"
    #: What the layer "output" of a network with an association head is, where the binding does not say: a
    #: rule of :class:`benchmark.representation.associations.AssociationRule`
    association_rule: ClassVar[str] = "hellinger"
    #: Every parameter of the task by its name; :meth:`read` gives their values
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A value for each of :attr:`parameters`: that of ``params``, or else its default.

        Raises
        ------
        UsageError
            If a key is unknown, or a value has another type or is not allowed.
        """
        defaults = {key: parameter.default for key, parameter in self.parameters.items()}
        own = {key: value for key, value in params.items() if callable(value)}
        named = {key: value for key, value in params.items() if key not in own}
        values = read_params(self.name, named, defaults) | own
        for key, parameter in self.parameters.items():
            parameter.check(f"task {self.name}: {key}", values[key])
        return values

    def references(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The other models whose features the task needs: names of the registry, or :data:`ENCODER`.

        The engine gives them as :attr:`ModelView.references`, for the same stimuli as the model's.

        Parameters
        ----------
        params : mapping
            The ``params`` of the binding.
        """
        del params
        return ()

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise unless the task can score what joined. Asked before features are extracted, and by a dry run.

        A task adds here what :meth:`score` would refuse without a look at the features, and calls this one
        first.

        Parameters
        ----------
        stimuli : Stimuli
            What the model is shown.
        joined : Join
            As for :meth:`score`.
        params : mapping
            The ``params`` of the binding.

        Raises
        ------
        NotPossible
            If a pair of an RDM is missing and the task needs every pair.
        UsageError
            If a parameter is unknown or not allowed.
        """
        del stimuli
        if self.parameters:
            self.read(params)
        target = joined.target
        if self.missing_pairs or not isinstance(target, RDMTarget) or not np.isnan(target.rdms).any():
            return
        s, i, j = np.argwhere(np.isnan(target.rdms))[0]
        pairs = len(target.ids) * (len(target.ids) - 1) // 2
        raise NotPossible(
            f"task {self.name!r} needs every pair of an RDM; target {target.name!r} lacks "
            f"{pairs - pairs_of(target.rdms)[s]} of {pairs} for subject {target.subjects[s]!r}, first "
            f"{target.ids[i]!r} and {target.ids[j]!r}; rdm_correlation takes the pairs that are there"
        )

    def require_classes(
        self, stimuli: Stimuli, joined: Join[Any], class_ids: Sequence[str], params: Mapping[str, Any]
    ) -> None:
        """Raise unless the classes of the model will do. Asked after :meth:`require` if classes are needed.

        Parameters
        ----------
        stimuli, joined, params
            As for :meth:`require`.
        class_ids : sequence of str
            The classes of the model.

        Raises
        ------
        NotPossible
            Here never: a task with :attr:`needs_classes` adds what it needs.
        """
        del stimuli, joined, class_ids, params

    def require_layers(self, layers: Sequence[str], params: Mapping[str, Any]) -> None:
        """Raise unless the layers of the model will do. Asked after :meth:`require`.

        Parameters
        ----------
        layers : sequence of str
            The layers that would be scored.
        params
            As for :meth:`require`.

        Raises
        ------
        NotPossible
            Here never: a task whose ``params`` name layers adds which of them it needs.
        """
        del layers, params

    def cost(self, joined: Join[Target], layers: int, params: Mapping[str, Any]) -> Cost | None:
        """The cost of scoring, once the features are there, for ``bench run --dry-run``.

        Parameters
        ----------
        joined : Join
            As for :meth:`score`.
        layers : int
            Number of layers that are scored.
        params : mapping
            The ``params`` of the binding.

        Returns
        -------
        Cost or None
            None: close to nothing.
        """
        del joined, layers, params
        return None

    @abstractmethod
    def score(
        self, view: ModelView, joined: Join[Target], params: Mapping[str, Any], rng: np.random.Generator
    ) -> TaskResult:
        """Score every layer of ``view`` against the target.

        Parameters
        ----------
        view : ModelView
            The model's features.
        joined : Join
            The concepts in both stimuli and target, and the target in that order.
        params : mapping
            The ``params`` of the binding.
        rng : numpy.random.Generator
            Seeded by the binding, the same for every model.

        Returns
        -------
        TaskResult

        Raises
        ------
        NotPossible
            If the model cannot take part ("has no classes").
        """

    @abstractmethod
    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """Run controls with known answers, drawn from ``rng``.

        :func:`benchmark.calibration.standard_controls` gives the standard set.
        """


def reference_names(task: str, beyond: Any) -> tuple[str, ...]:
    """The reference models that a binding names under ``beyond``, each once.

    Parameters
    ----------
    task : str
        Name of the task, for the message.
    beyond : list of str, or str
        Names of models, or the word :data:`ENCODER`.

    Returns
    -------
    tuple of str

    Raises
    ------
    UsageError
        If it is anything else.

    Examples
    --------
    >>> from benchmark.task import reference_names
    >>> reference_names("rdm_partition", ["pixels", "pixels"])
    ('pixels',)
    """
    names = [beyond] if beyond == ENCODER else beyond
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(
            f"task {task}: beyond is {beyond!r}: expected a list of models of the registry, or {ENCODER}"
        )
    return tuple(dict.fromkeys(names))
