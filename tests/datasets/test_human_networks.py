"""Local networks on real images: the figures that only the right weights and preprocessing give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.measures import rdm
from benchmark.runner.session import Options, Session

pytestmark = [pytest.mark.human_data, pytest.mark.slow]

#: top-1 on the 1000 images, and Spearman of the penultimate layer's RDM with mean hIT and mean Cichy IT
FIGURES = {
    "squeezenet1_0": (0.645, 0.386, 0.340),
    "mobilenetv2_100": (0.873, 0.251, 0.212),
    "mobilenetv1_100": (0.872, 0.326, 0.339),
}


@pytest.fixture(scope="module")
def session(human_data):
    return Session(Options(data=human_data))


@pytest.mark.parametrize("name", FIGURES)
def test_top_1_is_that_of_the_weights_with_their_own_preprocessing(session, name):
    stimuli = session.stimuli("imagenet_sample")
    model = session.model(name, "human").model
    output = model.features(stimuli, ["output"])["output"]
    classes = model.classify(output)
    said = [classes.class_ids[column] for column in classes.probabilities.argmax(axis=1)]
    right = np.mean([a == b for a, b in zip(said, stimuli.concepts, strict=True)])
    assert right == pytest.approx(FIGURES[name][0], abs=0.015)


@pytest.mark.parametrize("name", FIGURES)
def test_geometry_of_the_92_images(session, name):
    stimuli = session.stimuli("kriegeskorte92")
    features = session.model(name, "human").model.features(stimuli, ["pre_logits"])["pre_logits"]
    upper = np.triu_indices(92, 1)
    found = [
        spearmanr(rdm(features)[upper], session.target(area).rdms.mean(axis=0)[upper])[0]
        for area in ("hit", "cichy_it")
    ]
    assert found == pytest.approx(FIGURES[name][1:], abs=0.05)
