"""2 vs 2 of early layers under three ways to make one vector of a map: average, maximum, projection.

``python tests/benchmarks/pooling.py DATA [--model A,B]``

DATA is a data root with the ImageNet sample, GloVe, and the weights of the models. Takes the first layers of
each model on the images of the binding ``two_vs_two_glove``. Writes docs/explanation/pooling.csv: accuracies
with 95 % bootstrap intervals over concepts.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets import join
from benchmark.inference import bootstrap_weights, estimate, pair_statistic
from benchmark.measures.two_vs_two import two_vs_two
from benchmark.model import ModelSpec
from benchmark.representation.concepts import concept_images, concept_means
from benchmark.runner import Options, Session

BINDING, SUITE = "two_vs_two_glove", "human"
#: A projection has the length that the suite recommends for maps that are kept whole
POOLINGS = ("average", "max", "projection:4096")
#: Number of layers, from the first on
LAYERS = 4
OUTPUT = Path(__file__).parents[2] / "docs" / "explanation" / "pooling.csv"
COLUMNS = ("model", "layer", "pooling", "n", "score", "low", "high")


def scored(session: Session, name: str) -> Iterator[dict[str, object]]:
    """The accuracy of each early layer of a model, under each pooling."""
    binding = session.registry.binding(SUITE, BINDING)
    stimuli = session.stimuli(binding.stimuli)
    joined = join(stimuli, session.target_of(binding), binding.on)
    shown = stimuli.of_concepts(frozenset(joined.concepts))
    images = concept_images(shown, joined.concepts)
    words = np.asarray(joined.target.vectors, dtype=np.float64)
    weights = bootstrap_weights(len(words), 1000, np.random.default_rng(0))
    loaded = session.model(name, SUITE)
    for pooling in POOLINGS:
        spec: ModelSpec = loaded.model.spec
        model = loaded.placed.load()(replace(spec, params={**spec.params, "pooling": pooling}))
        layers = model.layers[:LAYERS]
        features = model.features(shown, layers)
        for layer in layers:
            result = two_vs_two(words, concept_means(features[layer], images), margins=True)
            found = estimate(pair_statistic(result.outcomes), weights)
            yield {
                "model": name,
                "layer": layer,
                "pooling": pooling,
                "n": len(words),
                "score": round(found.score, 3),
                "low": round(found.low, 3),
                "high": round(found.high, 3),
            }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="alexnet_conv,squeezenet1_0,mobilenetv1_100")
    asked = parser.parse_args()
    session = Session(Options(data=asked.data))
    lines = [line for model in asked.model.split(",") for line in scored(session, model)]
    with OUTPUT.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    main()
