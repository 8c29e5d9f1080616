"""Meta-embeddings: the mathematics, what they are built from, and the cells they give."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import RDMTarget, Stimuli, VectorTarget
from benchmark.model import BuiltFrom, Model, ModelSpec
from benchmark.registry import load_plugin, load_registry
from benchmark.representation.concepts import normalised
from benchmark.results import representation_version

ROOT = Path(__file__).parents[2]
MetaEmbedding = load_plugin("models/meta_embedding.py:MetaEmbedding", ROOT)
svd = load_plugin("models/meta_embedding.py:svd", ROOT)
one_to_n = load_plugin("models/meta_embedding.py:one_to_n", ROOT)
unit = partial(normalised, normalise="l2")

K, IMAGES = 30, 3


class Source(Model):
    """Features that are given; row i is that of the stimulus called ``str(i)``."""

    layers = ("early", "middle", "late", "output")
    preprocessing = "as given"

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__(ModelSpec("source"))
        rng = np.random.default_rng(0)
        sizes = {"early": 6, "middle": 8, "late": 10, "output": 4}
        concepts = rng.normal(size=(K, 12))
        self.table = {
            layer: scale
            * (
                np.repeat(concepts, IMAGES, axis=0) @ rng.normal(size=(12, d))
                + 0.1 * rng.normal(size=(K * IMAGES, d))
            )
            for layer, d in sizes.items()
        }

    def features(self, stimuli: Stimuli, layers, *, device="cpu", progress=None) -> dict[str, np.ndarray]:
        rows = [int(name) for name in stimuli.ids]
        return {layer: self.table[layer][rows].astype(np.float32) for layer in layers}


def stimuli(images: int = IMAGES, **more: Any) -> Stimuli:
    rows = [i for i in range(K * IMAGES) if i % IMAGES < images]
    concepts = tuple(f"c{i // IMAGES}" for i in rows)
    return Stimuli("s", tuple(map(str, rows)), concepts, "m", **more)


def model(source: Source | None = None, target: Any = None, on: str | None = None, **params: Any) -> Model:
    parts = BuiltFrom(source or Source(), target, on)
    return MetaEmbedding(ModelSpec("meta", {"method": "svd", "size": 5, **params}, built_from=parts))


def embed(made: Model, shown: Stimuli) -> np.ndarray:
    return made.features(shown, made.layers)["meta_embedding"]


def test_svd_of_one_image_a_concept_is_the_papers() -> None:
    source, shown = Source(), stimuli(1)
    found = embed(model(source), shown)
    rows = [int(name) for name in shown.ids]
    layers = [unit(source.table[layer][rows].astype(np.float32)) for layer in ("early", "middle", "late")]
    c = np.hstack([layers[0], 5 * layers[1], 10 * layers[2]])
    u, s, _ = np.linalg.svd(c, full_matrices=False)
    expected = u[:, :5] * s[:5]
    # each column up to its sign
    assert np.allclose(np.abs(found), np.abs(expected), atol=1e-5)
    assert np.allclose(found @ found.T, expected @ expected.T, atol=1e-4)


def test_weights_and_layers_may_be_given() -> None:
    source, shown = Source(), stimuli(1)
    plain = embed(model(source, layers=["early", "output"], weights={}, size=9), shown)
    rows = [int(name) for name in shown.ids]
    c = np.hstack([unit(source.table[layer][rows].astype(np.float32)) for layer in ("early", "output")])
    u, s, vt = np.linalg.svd(c, full_matrices=False)
    best = (u[:, :9] * s[:9]) @ vt[:9]
    assert np.allclose(plain @ plain.T, best @ best.T, atol=1e-5)
    heavy = embed(model(source, layers=["early", "output"], weights={"early": 3.0}, size=9), shown)
    assert not np.allclose(plain @ plain.T, heavy @ heavy.T, atol=1e-3)


def test_scale_of_a_layer_does_not_matter() -> None:
    for method in ("svd", "1ton"):
        one = embed(model(Source(), method=method), stimuli())
        ten = embed(model(Source(scale=10), method=method), stimuli())
        assert np.allclose(one, ten, atol=1e-4), method


def test_an_image_is_embedded_without_its_concept_being_looked_at() -> None:
    source = Source()
    splits = tuple("test" if i % IMAGES == 2 else "train" for i in range(K * IMAGES))
    right = stimuli(splits=splits)
    wrong = list(right.concepts)
    tested = [i for i in range(len(right)) if splits[i] == "test"]
    for i, other in zip(tested, tested[1:] + tested[:1], strict=True):
        wrong[i] = right.concepts[other]
    mislabelled = Stimuli("s", right.ids, tuple(wrong), "m", splits=splits)
    for method in ("svd", "1ton"):
        made = model(source, method=method)
        assert np.array_equal(embed(made, right), embed(made, mislabelled)), method


def test_the_same_twice_and_in_any_order() -> None:
    shown = stimuli()
    order = np.random.default_rng(3).permutation(len(shown))
    shuffled = Stimuli("s", *(tuple(np.array(x)[order]) for x in (shown.ids, shown.concepts)), "m")
    for method in ("svd", "1ton"):
        made = model(method=method)
        first = embed(made, shown)
        assert np.array_equal(first, embed(model(method=method), shown)), method
        again = embed(made, shuffled)
        assert np.allclose(first[order], again, atol=1e-4), method


def plugin() -> ModuleType:
    import sys

    return sys.modules[one_to_n.__module__]


def loss(c: torch.Tensor, m: torch.Tensor, w: torch.Tensor, penalty: float) -> torch.Tensor:
    return ((c - m @ w) ** 2).sum() + penalty * ((m**2).sum() + (w**2).sum())


@pytest.mark.parametrize("shape", [(40, 90), (90, 40)])
def test_no_training_reaches_a_lower_loss_than_1ton(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=shape) * 0.9 ** np.arange(shape[1])
    penalty = float(plugin().PENALTY * np.linalg.norm(rows, 2))
    c = torch.from_numpy(rows)
    m = c @ torch.from_numpy(one_to_n(rows, 8))
    w = torch.linalg.solve(m.T @ m + penalty * torch.eye(8, dtype=torch.float64), m.T @ c)
    ours = loss(c, m, w, penalty).item()

    generator = torch.Generator().manual_seed(0)
    trained = [
        torch.randn(size, generator=generator, dtype=torch.float64).mul(0.3).requires_grad_()
        for size in ((shape[0], 8), (8, shape[1]))
    ]
    optimiser = torch.optim.LBFGS(trained, max_iter=2000, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss(c, *trained, penalty)
        value.backward()
        return value

    optimiser.step(step)
    theirs = loss(c, *trained, penalty).item()
    assert ours <= theirs * (1 + 1e-9)
    assert theirs == pytest.approx(ours, rel=1e-3)
    # and a row that was trained on gets the embedding that it was given
    assert torch.allclose(
        torch.linalg.solve(w @ w.T + penalty * torch.eye(8, dtype=torch.float64), w @ c.T).T, m, atol=1e-8
    )


def test_1ton_reconstructs_each_layer_by_one_linear_map() -> None:
    source, shown = Source(), stimuli(1)
    m = embed(model(source, method="1ton", size=12), shown)
    rows = [int(name) for name in shown.ids]
    for layer in ("early", "middle", "late"):
        x = unit(source.table[layer][rows].astype(np.float32))
        w, *_ = np.linalg.lstsq(m, x, rcond=None)
        # twelve dimensions made the layers, lengths apart
        assert ((x - m @ w) ** 2).sum() < 0.05 * (x**2).sum(), layer


def words(names: list[str]) -> VectorTarget:
    vectors = np.random.default_rng(1).normal(size=(len(names), 7))
    return VectorTarget("words", tuple(names), "h", vectors=vectors)


def test_1ton_trained_multiplies_the_features_of_the_last_layers() -> None:
    source, shown = Source(), stimuli(1)
    plain = embed(model(source, method="1ton_trained"), shown)
    rows = [int(name) for name in shown.ids]
    layers = [unit(source.table[layer][rows].astype(np.float32)) for layer in ("early", "middle", "late")]
    c = np.hstack([layers[0], 5 * layers[1], 10 * layers[2]])
    w, *_ = np.linalg.lstsq(plain, c, rcond=None)
    u, s, vt = np.linalg.svd(c, full_matrices=False)
    best = ((c - (u[:, :5] * s[:5]) @ vt[:5]) ** 2).sum()
    assert best <= ((c - plain @ w) ** 2).sum() < 1.02 * best
    assert not np.allclose(plain @ plain.T, embed(model(source, method="1ton"), shown) @ plain.T, atol=0.1)


def test_average_gives_all_images_of_a_concept_the_embedding_of_their_mean() -> None:
    source = Source()
    splits = tuple("test" if i % IMAGES == 2 else "train" for i in range(K * IMAGES))
    for split in (None, splits):
        shown = stimuli(splits=split)
        found = embed(model(source, average=True), shown).reshape(K, IMAGES, -1)
        assert np.allclose(found[:, 0], found[:, 1])
        assert np.allclose(found[:, 0], found[:, 2]) is (split is None)
    means = Source()
    means.table = {
        layer: np.repeat(values.reshape(K, IMAGES, -1).mean(axis=1), IMAGES, axis=0)
        for layer, values in source.table.items()
    }
    assert np.allclose(
        embed(model(source, average=True), stimuli()), embed(model(means), stimuli()), atol=1e-5
    )


def test_the_last_layer_is_the_baseline() -> None:
    source, shown = Source(), stimuli()
    found = embed(model(source, method="last"), shown)
    assert np.allclose(found, unit(source.table["late"].astype(np.float32)), atol=1e-6)
    target = words([f"c{i}" for i in range(K)])
    both = embed(model(source, target=target, method="last"), shown)
    assert both.shape == (len(shown), 10 + 7)
    assert np.allclose(both[:, :10], found, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["svd", "1ton"])
def test_densenet_169_with_random_weights_has_a_meta_embedding(method: str) -> None:
    params = {"architecture": "densenet169", "layers": "convolutions", "pooling": "max"}
    torchvision = load_plugin("models/torchvision_models.py:Torchvision", ROOT)
    network = torchvision(ModelSpec("densenet169", params, untrained=0))
    noise = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    names = tuple("abcdef")
    shown = Stimuli("s", names, names, "m", open_image=lambda i: Image.fromarray(noise[i]))
    found = embed(model(network, method=method, size=4), shown)
    assert found.shape == (6, 4)
    assert np.linalg.matrix_rank(found) == 4


def test_the_entries_of_the_papers_tables_are_there_and_densenet_has_its_convolutions() -> None:
    names = load_registry().models
    assert {
        *("svd_densenet169", "1ton_densenet169", "1ton_trained_densenet169"),
        *("svd_glove_vgg16", "1ton_glove_vgg16", "last_glove_vgg16"),
        *("1ton_glove_840b_vgg16", "last_glove_840b_vgg16"),
    } <= set(names)


def test_multimodal_is_both_sides_of_length_one() -> None:
    target = words([f"c{i}" for i in range(K)][::-1])
    shown = stimuli()
    both = embed(model(target=target), shown)
    assert both.shape == (len(shown), 5 + 7)
    assert np.allclose(both[:, :5], unit(embed(model(), shown)), atol=1e-5)
    row = target.ids.index(shown.concepts[10])
    assert np.allclose(both[10, 5:], target.vectors[row] / np.linalg.norm(target.vectors[row]), atol=1e-6)


def test_a_part_of_the_stimuli_is_embedded_as_in_the_whole() -> None:
    shown = stimuli()
    some = shown.of_concepts({"c3", "c7"})
    assert set(some.concepts) == {"c3", "c7"}
    assert some.manifest != shown.manifest
    rows = [shown.ids.index(name) for name in some.ids]
    assert np.array_equal(embed(model(), some), embed(model(), shown)[rows])


def test_concepts_without_a_vector_are_not_covered() -> None:
    target = words(["zero", "w0", "w1"])
    target.vectors[0] = 0
    keys = {"word": {"c0": ("none", "w1"), "c1": ("w0",), "c2": ("zero",), "c3": ("none",)}}
    made = model(target=target, on="word")
    assert made.covered(stimuli(keys=keys)) == {"c0", "c1"}
    assert model().covered(stimuli()) == set(stimuli().concepts)
    with pytest.raises(
        NotPossible, match=r"28 of 30 concepts of 's' have no vector in 'words' \(first 'c2'\)"
    ):
        embed(made, stimuli(keys=keys))


@pytest.mark.parametrize(
    "params, says",
    [
        ({"method": "pca"}, r"params\.method"),
        ({"size": 0}, r"params\.size"),
        ({"weights": {"lat": 2.0}}, "names 'lat', which is not one of its layers"),
        ({"weights": {"late": -1.0}}, r"params\.weights\.late"),
        ({"sise": 3}, r"params\.sise"),
    ],
)
def test_unusable_params_say_what_is_wrong(params: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        embed(model(**params), stimuli())


def test_more_dimensions_than_concepts_are_refused() -> None:
    with pytest.raises(NotPossible, match="needs as many concepts and features; there are 30 concepts"):
        embed(model(size=31, layers=["late", "middle", "early", "output"]), stimuli())


def test_without_another_model_or_with_another_kind_of_target_it_is_refused() -> None:
    with pytest.raises(UsageError, match="built_from"):
        MetaEmbedding(ModelSpec("meta", {"method": "svd"}))
    people = RDMTarget("people", ("a",), "h", rdms=np.zeros((1, 1, 1)), subjects=("x",))
    with pytest.raises(UsageError, match="'people' holds no word vectors"):
        model(target=people)


def entry(folder: Path, **more: str) -> Path:
    """A user's registry: a meta-embedding of the miniature classifier."""
    keys = {
        "plugin": "models/meta_embedding.py:MetaEmbedding",
        "params": "{method: svd, size: 10}",
        "built_from": "{model: mini_classifier, params: {pooling: max}}",
        **more,
    }
    path = folder / "mine.yaml"
    lines = [f"    {key}: {value}" for key, value in keys.items()]
    path.write_text("\n".join(["models:", "  mine:", *lines]) + "\n")
    return path


def run(bench, registry: Path, model: str = "mine", task: str = "people_rdm"):
    output = registry.parent / "results"
    return bench(
        "run", "-m", model, "-t", task, "--registry", registry, "--output", output, "--format", "json"
    )


def stored(cell: dict) -> dict:
    return json.loads(Path(cell["result_file"]).read_text())


def test_a_users_entry_is_scored_and_the_inner_model_is_in_its_key(bench, tmp_path) -> None:
    registry = entry(tmp_path)
    cell = run(bench, registry).cells[0]
    assert cell["status"] == "scored"
    assert list(cell["layers"]) == ["meta_embedding"]
    built_from = stored(cell)["key"]["features"]["built_from"]
    assert built_from["code"] == representation_version()
    key = built_from["model"]
    assert len(key["weights"]) == 64
    assert key["params"] == {"pooling": "max"}
    assert run(bench, registry).cells[0]["cached"]
    entry(tmp_path, built_from="{model: mini_classifier}")
    averaged = run(bench, registry).cells[0]
    assert not averaged["cached"]
    assert averaged["score"] != cell["score"]


def test_its_untrained_twin_is_built_from_the_others_twin(bench, tmp_path) -> None:
    registry = entry(tmp_path)
    cells = run(bench, registry, "mine@untrained:3").cells
    saved = stored(cells[0])
    assert saved["untrained"]
    assert saved["key"]["features"]["built_from"]["model"]["weights"] == "untrained:3"
    assert cells[0]["score"] < run(bench, registry).cells[0]["score"] - 0.1


def test_what_it_was_built_from_counts_as_trained_on(bench, tmp_path) -> None:
    built = "{model: mini_classifier, params: {pooling: max}, target: mini_word_vectors}"
    registry = entry(tmp_path, built_from=built)
    cells = run(bench, registry, task="people_rdm,words_two_vs_two").cells
    assert {cell["binding"]: cell["trained_on"] for cell in cells} == {
        "people_rdm": False,
        "words_two_vs_two": True,
    }


def test_concepts_that_are_not_covered_are_dropped_and_counted(bench, tmp_path) -> None:
    (tmp_path / "few.py").write_text(
        "from benchmark.datasets import mini\n"
        "def few(root, *, name):\n"
        "    every = mini.word_vectors(root, name=name)\n"
        "    return every.select(every.ids[:20])\n"
    )
    built = "{model: mini_classifier, params: {pooling: max}, target: few}"
    registry = entry(tmp_path, built_from=built)
    registry.write_text(registry.read_text() + 'datasets:\n  few: {kind: target, plugin: "few.py:few"}\n')
    (cell,) = run(bench, registry).cells
    assert cell["status"] == "scored", cell["reason"]
    saved = stored(cell)
    assert (saved["n"], saved["counts"]["uncovered"]) == (20, 28)
    assert any("28 concepts" in note for note in saved["notes"])


@pytest.mark.parametrize(
    "built, says",
    [
        ("{model: mini_clasifier}", "mine.yaml:5: models.mine.built_from.model: unknown model"),
        ("{model: mini_classifier_svd}", "itself built from another model"),
        ("{model: pixels, target: mini_words}", "models.mine.built_from.target: unknown dataset"),
        ("{model: pixels, target: mini_images}", "is of kind stimuli, not target"),
        ("{modle: pixels}", "did you mean model?"),
        ("{model: pixels}\n    checkpoint: {untrained: 0}", "one of the two"),
    ],
)
def test_entries_that_cannot_be_built_say_where(bench, tmp_path, built: str, says: str) -> None:
    done = run(bench, entry(tmp_path, built_from=built))
    assert done.status == 2
    assert says in done.err
