"""The geometry of people's own associations, as a target for models."""

from __future__ import annotations

import inspect
from pathlib import Path

from benchmark.association.mapping import imagenet_cues
from benchmark.association.targets import association_targets
from benchmark.common.errors import UsageError
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.norms import read_associations
from benchmark.datasets.readers.things import IDS, unique_ids
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import RDMTarget
from benchmark.measures import associations as measure
from benchmark.measures import rdm
from benchmark.model import Associations
from benchmark.representation import associations as rules
from benchmark.representation.associations import DECAY, NEED_NORMS, RULES, AssociationRule

#: Which cues a target has
CUES = ("imagenet", "things")


def _people_hash(
    root: DataRoot, *, name: str, path: str, cues: str = CUES[0], rule: str = "spread", decay: float = DECAY
) -> str:
    files = [locate(root, name, path), *([locate(root, name, IDS)] if cues == "things" else [])]
    code = [Path(inspect.getfile(module)) for module in (measure, rules)]
    return hash_files([*files, *code, Path(__file__)], cues, rule, decay)


@hashed_by(_people_hash)
def people(
    root: DataRoot, *, name: str, path: str, cues: str = CUES[0], rule: str = "spread", decay: float = DECAY
) -> RDMTarget:
    """The RDM of cues by their association profiles, under the rule by which networks are compared.

    The vocabulary is that of a network trained on these cues
    (:func:`benchmark.association.targets.association_targets`). The dissimilarity is one minus Pearson's
    correlation.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The norms, under the data root.
    cues : {"imagenet", "things"}
        Which cues: those of the classes of ImageNet, or the names of the THINGS concepts that are cues.
    rule : str
        One of :data:`benchmark.representation.associations.RULES`, without "logits".
    decay : float
        Weight of each further step of "spread".

    Returns
    -------
    RDMTarget
        One RDM. Ids are the cues, in alphabetical order.

    Raises
    ------
    NotPossible
        If a file is not there.
    UsageError
        If ``cues`` or ``rule`` is unknown.
    """
    people_rules = tuple(known for known in RULES if known != "logits")
    for key, value, allowed in (("cues", cues, CUES), ("rule", rule, people_rules)):
        if value not in allowed:
            raise UsageError(f"dataset {name}: {key} is {value!r}: expected one of {', '.join(allowed)}")
    file = locate(root, name, path)
    norms = read_associations(file, name=name)
    profiles = association_targets(file, _cues(root, name, norms, cues))
    comparison = AssociationRule(rule, norms if rule in NEED_NORMS else None, decay)
    rows = comparison.rows(Associations(profiles.vocabulary, profiles.strengths))
    return RDMTarget(
        name=name,
        ids=profiles.cues,
        hash=_people_hash(root, name=name, path=path, cues=cues, rule=rule, decay=decay),
        rdms=rdm(rows)[None],
        subjects=(f"norms, {rule}",),
        source=str(file),
    )


def _cues(root: DataRoot, name: str, norms: AssociationTarget, cues: str) -> list[str]:
    known = frozenset(norms.ids)
    if cues == "imagenet":
        return [match.cue for match in imagenet_cues(known).values() if match.cue is not None]
    names = (concept.replace("_", " ") for concept in unique_ids(locate(root, name, IDS)))
    return [word for word in names if word in known]
