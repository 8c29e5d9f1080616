"""Local networks on real images: the figures that only the right weights and preprocessing give."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.common.errors import NotPossible
from benchmark.datasets import join
from benchmark.measures import rdm
from benchmark.registry import load_registry
from benchmark.runner.session import Options, Session

pytestmark = pytest.mark.human_data

#: top-1 on the 1000 images
TOP_1 = {"squeezenet1_0": 0.645, "mobilenetv2_100": 0.873, "mobilenetv1_100": 0.872}
#: The same of networks whose weights are in packages
TOP_1_IN_PACKAGES = {"efficientnet_lite0": 0.878, "efficientnet_lite1": 0.893, "efficientnet_lite2": 0.895}
#: A layer, and Spearman of its RDM with mean hIT and mean Cichy IT
GEOMETRY = {
    "squeezenet1_0": ("pre_logits", 0.386, 0.340),
    "mobilenetv2_100": ("pre_logits", 0.251, 0.212),
    "mobilenetv1_100": ("pre_logits", 0.326, 0.339),
    "mobilenetv2_100_inat_birds": ("pre_logits", 0.196, 0.190),
    "mobilenetv2_100_deeplab": ("output", 0.362, 0.317),
}
#: Trunks without dense layers: Spearman with hIT, mean over subjects, by convolution after its ReLU
HIT_BY_CONVOLUTION = {
    "alexnet_conv": [0.115, 0.187, 0.198, 0.232, 0.202],
    "vgg16_conv": [0.107, 0.111, 0.137, 0.171, 0.189, 0.161, 0.188, 0.204, 0.214, 0.268, 0.302, 0.274, 0.218],
}
#: Spearman with SPoSE 66 on the 334 concepts of THINGS that ImageNet has
THINGS_BY_CONVOLUTION = {"alexnet_conv": [0.083, 0.133, 0.247, 0.303, 0.291]}


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
        measured = model.get("measured")
        assert placed.entry.top1 == (measured and measured["bundled_288px"]["top1"])
        recorded[name] = placed.entry.top1
    assert {name: top1 for name, top1 in recorded.items() if top1 is not None} == TOP_1
    assert set(recorded) == {*GEOMETRY, *HIT_BY_CONVOLUTION}


@pytest.mark.slow
def test_check_model_finds_the_recorded_top_1_again(bench, human_data):
    done = bench(
        "check-model", "mobilenetv1_100", "--suite", "human", "--data", human_data, "--device", "cpu"
    )
    assert done.status == 0, done.out
    said = " ".join(done.out.split())
    assert "known answers pass top-1 0.87" in said
    assert "on the 1000 images of imagenet_sample; the entry records 0.872" in said


def top_1(session, name):
    stimuli = session.stimuli("imagenet_sample")
    model = session.model(name, "human").model
    output = model.features(stimuli, ["output"])["output"]
    classes = model.classify(output)
    said = [classes.class_ids[column] for column in classes.probabilities.argmax(axis=1)]
    return np.mean([a == b for a, b in zip(said, stimuli.concepts, strict=True)])


@pytest.mark.slow
@pytest.mark.parametrize("name", TOP_1)
def test_top_1_is_that_of_the_weights_with_their_own_preprocessing(session, name):
    assert top_1(session, name) == pytest.approx(TOP_1[name], abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOP_1_IN_PACKAGES)
def test_top_1_of_weights_in_packages(session, name):
    try:
        found = top_1(session, name)
    except NotPossible as error:
        pytest.skip(str(error))
    assert found == pytest.approx(TOP_1_IN_PACKAGES[name], abs=0.005)


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


def by_convolution(session, name, stimuli, rdms):
    """Spearman of each convolution with the RDMs, mean over subjects; the output, which is one map more."""
    model = session.model(name, "human").model
    features = model.features(stimuli, model.layers)
    upper = np.triu_indices(len(stimuli), 1)
    *found, output = (
        np.mean([spearmanr(rdm(features[layer])[upper], subject[upper])[0] for subject in rdms])
        for layer in model.layers
    )
    return found, output


@pytest.mark.slow
@pytest.mark.parametrize("name", HIT_BY_CONVOLUTION)
def test_each_convolution_of_a_trunk_and_the_92_images(session, name):
    found, output = by_convolution(
        session, name, session.stimuli("kriegeskorte92"), session.target("hit").rdms
    )
    # the figures are of images that were squeezed to 224 pixels and not cropped
    assert found == pytest.approx(HIT_BY_CONVOLUTION[name], abs=0.02)
    assert output == pytest.approx(found[-1], abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", THINGS_BY_CONVOLUTION)
def test_each_convolution_of_a_trunk_and_people(session, name):
    stimuli, target = session.stimuli("imagenet_sample"), session.target("things_spose66")
    joined = join(stimuli, target, "things")
    shown = stimuli.of_concepts(set(joined.concepts))
    assert shown.concepts == joined.concepts
    assert len(shown) == 334
    found, _ = by_convolution(session, name, shown, joined.target.rdms)
    assert found == pytest.approx(THINGS_BY_CONVOLUTION[name], abs=0.01)


@pytest.mark.parametrize("name", HIT_BY_CONVOLUTION)
def test_a_trunk_has_no_classes_and_no_dense_layers(session, name):
    model = session.model(name, "human").model
    assert model.layers[-1] == "output"
    assert all(layer.startswith("B") for layer in model.layers[:-1])
    assert len(model.layers) == 1 + len(HIT_BY_CONVOLUTION[name])
    assert model.classifier() is None
    assert model.classify(np.zeros((1, 1000), np.float32)) is None
