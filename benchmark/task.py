"""What a task is: a plug-in that scores a model's features against a target, layer by layer.

A task gives each of its numbers as a *statistic*: a function of concept weights. The engine does the rest
the same way for every task: the score (all weights one), the bootstrap (multinomial weights, shared by all
models of a binding so that differences are paired), and the choice of the best layer on one half of the
concepts with its score on the other (weights zero on one half).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from benchmark.common.cost import Cost
from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError
from benchmark.datasets.join import Join
from benchmark.datasets.types import Stimuli, Target
from benchmark.model import Announcing, Associations, ClassProbabilities, Progress

#: weights (b, k) over concepts, not negative -> statistic (b,); NaN where it is undefined
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """What a number of a task means.

    Attributes
    ----------
    name : str
    label : str
        For tables: "2 vs 2 accuracy".
    range : tuple of float
        Least and greatest value possible.
    chance : str
        What the chance level is, in words.
    ceiling : str or None
        What the noise ceiling is, in words; None: there is none.
    higher_is_better : bool
    """

    name: str
    label: str
    range: tuple[float, float]
    chance: str
    ceiling: str | None = None
    higher_is_better: bool = True


@dataclass(frozen=True)
class LongWork:
    """What the engine lends a task that takes long; a task that is soon done leaves it alone.

    Attributes
    ----------
    progress : callable or None
        ``progress(done, total)`` moves the bar of the cell; None where nobody looks.
    memo : mutable mapping of str to dict of ndarray, or None
        What is put here is there again when the same cell is scored after a run that was killed. The engine
        empties it once the result is stored; what goes in must not change the result. None: nothing is kept.
    device : str or None
        The accelerator of the run, "cuda" or "mps"; None where there is none.
    """

    progress: Progress | None = None
    memo: MutableMapping[str, dict[str, np.ndarray]] | None = None
    device: str | None = None

    def expect(self, cost: Cost) -> None:
        """Say what the work will cost, before it starts."""
        if isinstance(self.progress, Announcing):
            self.progress.expect(cost)


class ModelView(Protocol):
    """What a task sees of a model: its features for the stimuli of the binding; and a bar for long work."""

    name: str
    stimuli: Stimuli
    layers: tuple[str, ...]
    work: LongWork

    def features(self, layer: str) -> np.ndarray:
        """Features (n stimuli, d), float32, in stimulus order."""

    def associations(self) -> Associations | None:
        """Association strengths of every stimulus, or None."""

    def classify(self) -> ClassProbabilities | None:
        """Class probabilities of every stimulus, or None."""


@dataclass(frozen=True)
class LayerResult:
    """What a task found in one layer.

    Attributes
    ----------
    statistics : dict of str to Statistic
        By metric name; the first metric of the task must be there unless ``undefined`` is given.
    p : float or None
        One-sided p-value of the first metric against its permutation null.
    values : dict of str to float
        Further numbers that are no function of concept weights (counts, distances).
    undefined : str or None
        Why the layer has no score ("constant features: correlation undefined").
    """

    statistics: dict[str, Statistic] = field(default_factory=dict)
    p: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    undefined: str | None = None


@dataclass(frozen=True)
class TaskResult:
    """What a task found in one model.

    Attributes
    ----------
    concepts : tuple of str, length k
        What the statistics weigh, in order.
    layers : dict of str to LayerResult
        In the model's order.
    chance : dict of str to float
        Chance level by metric name.
    ceiling : dict of str to (float, float)
        Noise ceiling (lower, upper) by metric name; absent: there is none.
    headline : str or None
        A layer fixed beforehand as *the* score (an association head); None: the best layer is chosen on one
        half of the concepts and scored on the other.
    counts : dict of str to int
        What was joined, dropped, tied, misclassified.
    arrays : dict of str to ndarray
        Arrays worth looking at; stored beside the result.
    notes : list of str
        Anything a reader must know.
    """

    concepts: tuple[str, ...]
    layers: dict[str, LayerResult]
    chance: dict[str, float]
    ceiling: dict[str, tuple[float, float]] = field(default_factory=dict)
    headline: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Control:
    """One calibration control: what was expected, what was found.

    Attributes
    ----------
    name : str
    expected : str
    found : float
    passed : bool
    kind : str
        "copy", "noisy", "noise" or "permuted", of which a complete set has all; "own": another one.
    band : (float, float) or None
        What passes, from the least to the greatest.
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
    #: Sets of simulated people for its power; fewer where it takes long to score a layer
    simulations: ClassVar[int] = 10

    @abstractmethod
    def score(
        self, view: ModelView, joined: Join[Target], params: Mapping[str, Any], rng: np.random.Generator
    ) -> TaskResult:
        """Score every layer of ``view`` against the target.

        Parameters
        ----------
        view : ModelView
        joined : Join
            The concepts in both, and the target in that order.
        params : mapping
            The binding's ``params``.
        rng : numpy.random.Generator
            Seeded by the binding, the same for every model.

        Raises
        ------
        NotPossible
            If the model cannot take part ("has no classes").
        """

    @abstractmethod
    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """Run controls with known answers; :func:`benchmark.calibration.standard_controls` gives the set."""


def read_params(task: str, params: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a task, with defaults for those not given.

    Parameters
    ----------
    task : str
        Name of the task, for messages.
    params : mapping
        What the binding gives.
    defaults : mapping
        Every parameter the task knows, with its default. A value given must be of the default's type
        (any type where the default is None).

    Raises
    ------
    UsageError
        If a key is unknown or a value is of another type.
    """
    for key, value in params.items():
        if key not in defaults:
            raise UsageError(f"task {task}: unknown parameter {key!r}; {did_you_mean(key, sorted(defaults))}")
        default = defaults[key]
        if default is not None and (not isinstance(value, type(default)) or isinstance(value, bool)):
            raise UsageError(
                f"task {task}: parameter {key!r} must be {type(default).__name__}, not {value!r}"
            )
    return {**defaults, **params}


def one_of(task: str, key: str, value: str, allowed: tuple[str, ...]) -> str:
    """``value``, refused unless it is among ``allowed``.

    Raises
    ------
    UsageError
        If it is not.
    """
    if value not in allowed:
        raise UsageError(f"task {task}: {key} {value!r} is none of {', '.join(allowed)}")
    return value
