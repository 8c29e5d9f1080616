"""Simulated people: how dissimilar each of sixteen imagined persons finds the concepts.

Simulated, not measured: no people were asked. It is known exactly what each "person" goes by, so a task that
recovers it is right, and one that does not is wrong.
"""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.norms import IDS, associations, properties
from benchmark.datasets.mini.source import made_from_source, source_hash
from benchmark.datasets.mini.structure import (
    CATEGORIES,
    Chance,
    association_rdm,
    category_rdm,
    domain_rdm,
    form_rdm,
    mix,
    property_rdms,
    standardise,
    to_rdm,
)
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import RDMTarget

PEOPLE = 16

#: standard deviation of a person's noise beside that of what the person goes by
_NOISE = 0.65


@made_from_source
def people(root: DataRoot, *, name: str) -> RDMTarget:
    """RDMs of sixteen simulated people over the 48 concepts.

    Simulated, not measured. A person's dissimilarity is a mix of the distances between property profiles
    (each of the five property types weighted differently by each person), between association profiles,
    between categories, between domains (animal, plant, made thing) and between ratings of form, plus noise
    that is independent from pair to pair. The noise is set so that the noise ceiling is that of a decent
    behavioural study (lower bound, Spearman, between .5 and .7).

    Parameters
    ----------
    root : DataRoot
        Not used: everything is made from the package's tables.
    name : str
        Name of the target.

    Returns
    -------
    RDMTarget
        ``rdms`` of shape (16, 48, 48), from .05 (a person's most alike pair) to 1; ``categories`` are the
        8 categories.
    """
    by_type = [standardise(rdm) for rdm in property_rdms(properties(root, name=name)).values()]
    by_association = standardise(association_rdm(associations(root, name=name)))
    by_category = standardise(category_rdm())
    by_domain = standardise(domain_rdm())
    by_form = standardise(form_rdm())

    def person(number: int) -> np.ndarray:
        chance = Chance(f"people/{number}")
        type_weights = 0.2 + 1.8 * chance.uniform(len(by_type))
        others = (by_association, by_category, by_domain, by_form)
        other_weights = (0.5 + chance.uniform(len(others))) * (0.5, 0.3, 0.5, 0.6)
        goes_by = standardise(mix(by_type, type_weights)) + mix(others, other_weights)
        return to_rdm(standardise(goes_by) + _NOISE * chance.noise(len(IDS)))

    return RDMTarget(
        name=name,
        ids=IDS,
        hash=source_hash(),
        simulated=True,
        rdms=np.stack([person(number) for number in range(PEOPLE)]),
        subjects=tuple(f"simulated-person-{number + 1:02d}" for number in range(PEOPLE)),
        categories=CATEGORIES,
    )
