"""Local networks on real images: the figures that only the right weights and preprocessing give."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.measures import rdm
from benchmark.registry import load_registry
from benchmark.runner.session import Options, Session

pytestmark = pytest.mark.human_data

#: top-1 on the 1000 images
TOP_1 = {"squeezenet1_0": 0.645, "mobilenetv2_100": 0.873, "mobilenetv1_100": 0.872}
#: A layer, and Spearman of its RDM with mean hIT and mean Cichy IT
GEOMETRY = {
    "squeezenet1_0": ("pre_logits", 0.386, 0.340),
    "mobilenetv2_100": ("pre_logits", 0.251, 0.212),
    "mobilenetv1_100": ("pre_logits", 0.326, 0.339),
    "mobilenetv2_100_inat_birds": ("pre_logits", 0.196, 0.190),
    "mobilenetv2_100_deeplab": ("output", 0.362, 0.317),
}


@pytest.fixture(scope="module")
def session(human_data):
    return Session(Options(data=human_data))


def test_every_entry_of_local_weights_has_its_recorded_hash_and_top_1(human_data):
    weights = json.loads((human_data / "weights" / "weights.json").read_text())["models"]
    by_file = {f"weights/{model['file']}": model for model in weights}
    recorded = {}
    for name, placed in load_registry().models.items():
        checkpoint = placed.entry.checkpoint
        if checkpoint is None or checkpoint.file not in by_file:
            continue
        model = by_file[checkpoint.file]
        assert checkpoint.sha256 == model["sha256"]
        measured = model["measured"]
        assert placed.entry.top1 == (measured and measured["bundled_288px"]["top1"])
        recorded[name] = placed.entry.top1
    assert {name: top1 for name, top1 in recorded.items() if top1 is not None} == TOP_1
    assert set(recorded) == set(GEOMETRY)


@pytest.mark.slow
def test_check_model_finds_the_recorded_top_1_again(bench, human_data):
    done = bench(
        "check-model", "mobilenetv1_100", "--suite", "human", "--data", human_data, "--device", "cpu"
    )
    assert done.status == 0, done.out
    said = " ".join(done.out.split())
    assert "known answers pass top-1 0.87" in said
    assert "on the 1000 images of imagenet_sample; the entry records 0.872" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", TOP_1)
def test_top_1_is_that_of_the_weights_with_their_own_preprocessing(session, name):
    stimuli = session.stimuli("imagenet_sample")
    model = session.model(name, "human").model
    output = model.features(stimuli, ["output"])["output"]
    classes = model.classify(output)
    said = [classes.class_ids[column] for column in classes.probabilities.argmax(axis=1)]
    right = np.mean([a == b for a, b in zip(said, stimuli.concepts, strict=True)])
    assert right == pytest.approx(TOP_1[name], abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("name", GEOMETRY)
def test_geometry_of_the_92_images(session, name):
    stimuli = session.stimuli("kriegeskorte92")
    layer, *figures = GEOMETRY[name]
    features = session.model(name, "human").model.features(stimuli, [layer])[layer]
    upper = np.triu_indices(92, 1)
    found = [
        spearmanr(rdm(features)[upper], session.target(area).rdms.mean(axis=0)[upper])[0]
        for area in ("hit", "cichy_it")
    ]
    assert found == pytest.approx(figures, abs=0.05)
