"""The small trained networks: their files load, and they are as good, and as untrained, as they say."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from benchmark.common.errors import BenchError, DataError, NotPossible
from benchmark.datasets import AssociationTarget, DataRoot, Stimuli, mini
from benchmark.model import Model, ModelSpec

MODELS = Path(__file__).parents[2] / "models"
PLUGINS = {
    "mini_encoder": "ObjectEncoder",
    "mini_swow_assoc": "SwowAssociation",
    "mini_classifier": "Classifier",
    "mini_clip": "Clip",
}


@pytest.fixture(scope="module")
def miniature() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plugin_miniature", MODELS / "miniature.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights(name: str) -> Path:
    return MODELS / "weights" / f"{name}.safetensors"


def trained(miniature: ModuleType, name: str) -> Model:
    return getattr(miniature, PLUGINS[name])(ModelSpec(name, weights=weights(name)))


def untrained(miniature: ModuleType, name: str, seed: int = 0) -> Model:
    return getattr(miniature, PLUGINS[name])(ModelSpec(f"{name}@untrained:{seed}", untrained=seed))


@pytest.fixture(scope="module")
def tests() -> Stimuli:
    """The scored images: the test split, six of each concept."""
    images = mini.images(DataRoot(Path()), name="mini_images")
    assert images.splits is not None
    chosen = [i for i, split in enumerate(images.splits) if split == "test"]
    kept = [images.image(i) for i in chosen]
    return Stimuli(
        "mini_images",
        tuple(images.ids[i] for i in chosen),
        tuple(images.concepts[i] for i in chosen),
        images.manifest,
        kept.__getitem__,
        held_out=images.held_out,
    )


@pytest.fixture(scope="module")
def norms() -> AssociationTarget:
    return mini.associations(DataRoot(Path()), name="mini_associations")


def accuracy(model: Model, stimuli: Stimuli) -> float:
    classes = model.classify(model.features(stimuli, ["output"])["output"])
    assert classes is not None
    np.testing.assert_allclose(classes.probabilities.sum(axis=1), 1)
    named = [classes.class_ids[i] for i in classes.probabilities.argmax(axis=1)]
    return float(np.mean([a == b for a, b in zip(named, stimuli.concepts, strict=True)]))


@pytest.mark.parametrize("name", PLUGINS)
def test_weights_are_float16_and_small(name: str) -> None:
    assert weights(name).stat().st_size < 1_000_000
    kinds = {value.dtype for value in load_file(weights(name)).values() if value.is_floating_point()}
    assert kinds == {torch.float16}


@pytest.mark.parametrize("name", PLUGINS)
def test_every_layer_gives_finite_features(miniature: ModuleType, tests: Stimuli, name: str) -> None:
    model = trained(miniature, name)
    assert model.layers[-1] == "output"
    features = model.features(tests, model.layers)
    for layer in model.layers:
        assert features[layer].dtype == np.float32
        assert features[layer].shape[0] == len(tests)
        assert np.isfinite(features[layer]).all()
        assert (features[layer].std(axis=0) > 0).any()
    if name != "mini_classifier":
        assert features["encoder"].shape[1] == miniature.ResidualEncoder.dimensions


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("mini_encoder", 0.6, 0.97),
        ("mini_classifier", 0.6, 0.97),
        ("mini_clip", 0.5, 0.99),
        ("mini_swow_assoc", 0.5, 0.99),
    ],
)
def test_trained_networks_name_most_images_and_err_on_some(
    miniature: ModuleType, tests: Stimuli, name: str, least: float, most: float
) -> None:
    assert least < accuracy(trained(miniature, name), tests) < most


@pytest.mark.parametrize("name", PLUGINS)
def test_untrained_twins_are_at_chance(miniature: ModuleType, tests: Stimuli, name: str) -> None:
    assert accuracy(untrained(miniature, name), tests) < 0.12


def test_untrained_twin_follows_its_seed_alone(miniature: ModuleType, tests: Stimuli) -> None:
    torch.manual_seed(1)
    first = untrained(miniature, "mini_clip", 3).features(tests, ["output"])["output"]
    torch.manual_seed(2)
    again = untrained(miniature, "mini_clip", 3).features(tests, ["output"])["output"]
    other = untrained(miniature, "mini_clip", 4).features(tests, ["output"])["output"]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


@pytest.mark.parametrize("name", PLUGINS)
def test_features_do_not_depend_on_the_batch(miniature: ModuleType, tests: Stimuli, name: str) -> None:
    model = trained(miniature, name)
    alone = Stimuli("one", tests.ids[5:6], tests.concepts[5:6], "", lambda _: tests.image(5))
    together = model.features(tests, model.layers)
    for layer, rows in model.features(alone, model.layers).items():
        np.testing.assert_allclose(rows[0], together[layer][5], rtol=1e-3, atol=1e-4)


def test_clip_embeddings_have_length_one(miniature: ModuleType, tests: Stimuli) -> None:
    output = trained(miniature, "mini_clip").features(tests, ["output"])["output"]
    np.testing.assert_allclose(np.linalg.norm(output, axis=1), 1, rtol=1e-5)


def test_association_strengths_follow_the_norms(
    miniature: ModuleType, tests: Stimuli, norms: AssociationTarget
) -> None:
    """On new images of concepts it was trained on, the head beats the mean profile of those concepts."""
    model = trained(miniature, "mini_swow_assoc")
    predicted = model.associations(model.features(tests, ["output"])["output"])
    assert predicted is not None
    assert predicted.vocabulary == norms.columns
    assert predicted.strengths.shape == (len(tests), len(norms.columns))
    assert (predicted.strengths >= 0).all()
    assert (predicted.strengths <= 1).all()
    known = [c for c in tests.concept_ids if c not in tests.held_out]
    truth = norms.counts.toarray()[norms.rows(known)]
    by_concept = np.array([predicted.strengths[np.array(tests.concepts) == c].mean(axis=0) for c in known])
    popular = np.tile(truth.mean(axis=0), (len(known), 1))
    assert precision_at_5(by_concept, truth) > precision_at_5(popular, truth) + 0.3


def precision_at_5(predicted: np.ndarray, truth: np.ndarray) -> float:
    top = [set(np.argsort(-row, kind="stable")[:5]) for row in predicted]
    true = [set(np.argsort(-row, kind="stable")[:5]) for row in truth]
    return float(np.mean([len(a & b) / 5 for a, b in zip(top, true, strict=True)]))


def test_profile_read_as_a_class_is_the_concept_of_the_norms(
    miniature: ModuleType, norms: AssociationTarget
) -> None:
    """A head that predicts a concept's norms exactly is read as that concept, held out or not."""
    model = trained(miniature, "mini_swow_assoc")
    share = norms.counts.toarray() / norms.respondents[:, None]
    share = np.clip(share, 1e-6, 1 - 1e-6)
    classes = model.classify(np.log(share / (1 - share)))
    assert classes is not None
    assert tuple(classes.class_ids[i] for i in classes.probabilities.argmax(axis=1)) == norms.ids


def test_checkpoint_of_another_architecture_is_refused(miniature: ModuleType) -> None:
    model = miniature.Classifier(ModelSpec("mine", weights=weights("mini_encoder")))
    with pytest.raises(BenchError, match=r"mini_encoder\.safetensors.*stages\.0"):
        _ = model.network


def test_checkpoint_of_another_vocabulary_is_refused(
    miniature: ModuleType, norms: AssociationTarget, tmp_path: Path
) -> None:
    swapped = tmp_path / "swapped.safetensors"
    columns = [norms.columns[1], norms.columns[0], *norms.columns[2:]]
    save_file(load_file(weights("mini_swow_assoc")), swapped, {"vocabulary": json.dumps(columns)})
    with pytest.raises(DataError, match="responses"):
        _ = miniature.SwowAssociation(ModelSpec("swow_assoc", weights=swapped)).network


def test_file_that_is_no_checkpoint_is_refused(miniature: ModuleType, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    shutil.copy(weights("mini_swow_assoc"), cut)
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"cut\.safetensors"):
        _ = miniature.SwowAssociation(ModelSpec("swow_assoc", weights=cut)).network


def test_entry_without_a_checkpoint_says_how_to_make_one(miniature: ModuleType) -> None:
    with pytest.raises(NotPossible, match="train_miniature"):
        _ = miniature.Clip(ModelSpec("mini_clip")).network


def test_image_of_another_size_is_refused(miniature: ModuleType) -> None:
    with pytest.raises(DataError, match="64 x 64 pixels, not 32 x 64"):
        untrained(miniature, "mini_clip").preprocess(Image.new("RGB", (32, 64)))


def test_preprocessing_scales_to_plus_and_minus_one(miniature: ModuleType) -> None:
    model = untrained(miniature, "mini_clip")
    white = model.preprocess(Image.new("L", (64, 64), 255))
    black = model.preprocess(Image.new("RGB", (64, 64)))
    assert white.shape == (3, 64, 64)
    assert (white == 1).all()
    assert (black == -1).all()
