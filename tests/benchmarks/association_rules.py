"""RDMs of people and neurons, by association profiles under every rule: which rule, which decay?

``python tests/benchmarks/association_rules.py DATA [--registry FILE --model A,B --neurons C]``

DATA is a data root with THINGS, Small World of Words, the Edinburgh norms, and for ``--neurons`` V4. The rule
and its decay are chosen on people's own profiles of the concepts that are no classes of ImageNet ("others"),
by human similarity. The concepts that the suite scores ("classes"), the networks A and B, and network C
beside neurons ("images") are reported, and nothing is chosen on them. Writes
docs/explanation/association-rules.csv: Spearman correlations with 95 % bootstrap intervals over concepts.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.association.targets import association_targets
from benchmark.datasets import AssociationTarget, DataRoot, RDMTarget
from benchmark.datasets.join import join
from benchmark.datasets.readers import things
from benchmark.datasets.readers.files import read_table
from benchmark.datasets.readers.norms import read_associations
from benchmark.inference import bootstrap_weights, estimate, rdm_statistic
from benchmark.measures import rdm
from benchmark.model import Associations
from benchmark.representation.associations import AssociationRule
from benchmark.representation.concepts import standardised
from benchmark.runner import Options, Session
from benchmark.runner.loaded import feature_key
from benchmark.runner.view import StoredView

NORMS = {"swow": "swow-en/strength.SWOW-EN.R1.csv", "eat": "eat/strength.EAT.R1.csv"}
DECAYS = (0.25, 0.5, 0.75, 0.9)
OUTPUT = Path(__file__).parents[2] / "docs" / "explanation" / "association-rules.csv"
#: Suite and binding of each kind of stimuli that networks are shown
BINDINGS = {"classes": ("human", "things_rdm_334"), "images": ("macaque", "v4_210325_rdm")}
COLUMNS = ("profiles", "concepts", "n", "rule", "norms", "decay", "standardise", "spearman", "low", "high")


def rules(norms: AssociationTarget) -> Iterator[tuple[AssociationRule, str]]:
    """Every rule, and what is done to each word over the concepts after it."""
    for name in ("strengths", "hellinger"):
        for standardise in ("none", "centre"):
            yield AssociationRule(name), standardise
    yield AssociationRule("ppmi", norms), "none"
    for decay in DECAYS:
        yield AssociationRule("spread", norms, decay), "none"


def scored(
    profiles: Associations, target: np.ndarray, norms: AssociationTarget
) -> Iterator[dict[str, object]]:
    """The correlation of the RDMs ``target`` (s, n, n) with profiles of their rows, under every rule."""
    n = target.shape[-1]
    weights = bootstrap_weights(n, 1000, np.random.default_rng(0))
    for rule, standardise in rules(norms):
        rows = standardised(rule.rows(profiles), standardise)
        found = estimate(rdm_statistic(rdm(rows), target, "spearman"), weights)
        yield {
            "n": n,
            "rule": rule.name,
            "norms": rule.norms.name if rule.norms else "",
            "decay": rule.decay if rule.name == "spread" else "",
            "standardise": standardise,
            "spearman": round(found.score, 3),
            "low": round(found.low, 3),
            "high": round(found.high, 3),
        }


def of_people(root: DataRoot, people: RDMTarget, norms: AssociationTarget) -> Iterator[dict[str, object]]:
    """What people say to the names of the concepts."""
    classes = set(read_table(root.path / "things/imagenet_overlap.csv", ("unique_id",))["unique_id"])
    joined = join(things.concepts(root, name="things"), norms, on="swow")
    cue_of = dict(zip(joined.concepts, joined.target.ids, strict=True))
    targets = association_targets(root.path / NORMS[norms.name], cue_of.values())
    row = {cue: i for i, cue in enumerate(targets.cues)}
    for label, chosen in (
        ("others", [c for c in cue_of if c not in classes]),
        ("classes", [c for c in cue_of if c in classes]),
    ):
        strengths = targets.strengths[[row[cue_of[c]] for c in chosen]]
        for line in scored(Associations(targets.vocabulary, strengths), people.select(chosen).rdms, norms):
            yield {"profiles": f"people, {norms.name}", "concepts": label, **line}


def of_network(
    session: Session, model: str, shown_as: str, norms: AssociationTarget
) -> Iterator[dict[str, object]]:
    """What a network says to one image of each class, or to the images of neurons."""
    suite, name = BINDINGS[shown_as]
    binding = session.registry.binding(suite, name)
    stimuli = session.stimuli(binding.stimuli)
    joined = join(stimuli, session.target_of(binding), on=binding.on)
    shown = stimuli.of_concepts(frozenset(joined.concepts))
    loaded = session.model(model, suite)
    key = feature_key(loaded, shown, "cpu")
    head = StoredView(loaded.model, shown, session.features, key, ("output",)).associations()
    if head is None:
        raise SystemExit(f"model {model} has no association head")
    order = [shown.concepts.index(concept) for concept in joined.concepts]
    profiles = Associations(head.vocabulary, head.strengths[order])
    for line in scored(profiles, joined.target.rdms, norms):
        yield {"profiles": model, "concepts": shown_as, **line}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--registry", type=Path, default=None)
    parser.add_argument("--model", default="", help="networks beside people")
    parser.add_argument("--neurons", default="", help="networks beside neurons")
    asked = parser.parse_args()
    root = DataRoot(asked.data)
    people = things.spose(root, name="things_spose66")
    norms = {name: read_associations(asked.data / path, name=name) for name, path in NORMS.items()}
    lines = [line for target in norms.values() for line in of_people(root, people, target)]
    session = Session(Options((asked.registry,) if asked.registry else (), data=asked.data))
    for shown_as, models in (("classes", asked.model), ("images", asked.neurons)):
        for model in filter(None, models.split(",")):
            for target in norms.values():
                lines += of_network(session, model, shown_as, target)
    unique = list({tuple(line.values())[:7]: line for line in lines}.values())
    with OUTPUT.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(unique)


if __name__ == "__main__":
    main()
