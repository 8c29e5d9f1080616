"""Worlds with a reference model, for tasks that ask what a model explains beyond another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from benchmark.calibration.arrays import ArrayView
from benchmark.calibration.simulate import features_with_rdm
from benchmark.calibration.worlds import World, rdm_world
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.datasets.types import RDMTarget


@dataclass(frozen=True)
class ReferenceWorld(World):
    """A world with a reference model.

    Attributes
    ----------
    other : ndarray, shape (m, d)
        Features of the reference.
    """

    other: np.ndarray = field(kw_only=True)

    def view(self, layers: dict[str, np.ndarray]) -> ArrayView:
        """Make a model view that has the reference; ``layers`` as of :meth:`World.view`."""
        reference = ArrayView(self.stimuli, {"layer": self.other[self.rows]})
        by_stimulus = {name: values[self.rows] for name, values in layers.items()}
        return ArrayView(self.stimuli, by_stimulus, references={"reference": reference})


def reference_world(rng: np.random.Generator) -> ReferenceWorld:
    """Draw with ``rng`` a target of RDMs, and a reference that is unrelated to it."""
    world = rdm_world(rng)
    return ReferenceWorld(**vars(world), other=rng.standard_normal(world.signal.shape))


def mixed_world(parts: list[np.ndarray], rng: np.random.Generator) -> ReferenceWorld:
    """A target that is the sum of ``parts`` (RDMs), in an order of ``rng``; a reference has the first."""
    rdm = np.sum(parts, axis=0)
    rdm -= rdm.min() - 0.05
    np.fill_diagonal(rdm, 0)
    world = rdm_world(rng, concepts=len(rdm))
    assert isinstance(world.target, RDMTarget)
    # the rows of a world follow the names of its concepts
    target = replace(world.target, ids=tuple(sorted(world.target.ids)), rdms=rdm[None])
    return ReferenceWorld(**{**vars(world), "target": target}, other=features_with_rdm(parts[0]))


def appearing_world(known: np.ndarray, new: np.ndarray, rng: np.random.Generator) -> ReferenceWorld:
    """Eight subjects with the RDM ``known`` at two times, ``new`` at the second, and noise of variance 1.

    The noise is drawn with ``rng``. A reference has ``known``.
    """
    world = rdm_world(rng, concepts=len(known))
    i, j = np.triu_indices(len(known), 1)
    target = RDMSeriesTarget(
        "control",
        tuple(sorted(world.target.ids)),
        "control",
        pairs=known[i, j] + np.outer([0.0, 1.0], new[i, j]) + rng.standard_normal((8, 2, len(i))),
        subjects=tuple(f"s{number}" for number in range(8)),
        axis=Axis("time", (0.0, 10.0), "ms"),
    )
    return ReferenceWorld(**{**vars(world), "target": target}, other=features_with_rdm(known))


def standard_rdm(rng: np.random.Generator) -> np.ndarray:
    """An RDM drawn with ``rng``: mean 0 and variance 1 over pairs, and a zero diagonal, (m, m)."""
    target = rdm_world(rng).target
    assert isinstance(target, RDMTarget)
    rdm = target.rdms[0]
    above = rdm[np.triu_indices(len(rdm), 1)]
    standard: np.ndarray = (rdm - above.mean()) / above.std()
    np.fill_diagonal(standard, 0)
    return standard
