"""What the miniature suite must show, of the networks as they are shipped: the calibration of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.inference import fdr
from benchmark.results import CellResult
from benchmark.runner import Options, Session, execute, plan

pytestmark = pytest.mark.slow

TRAINED = ("swow_assoc", "mini_encoder", "mini_classifier", "mini_clip")
#: those of them that learnt to tell concepts apart, and not what concepts share
NAMING = ("mini_encoder", "mini_classifier", "mini_clip")
#: what a network trained to tell concepts apart must do better than chance
MEANING = ("association_images", "association_classes", "people_rdm", "area_late_rdm", "words_two_vs_two")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], CellResult]:
    """Cells of the suite, by model and binding."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        session = Session(Options(output=Path(tmp_path_factory.mktemp("results"))))
        everything = plan(session.registry, ["all"], ["all"], "mini")
        # of pixels and of the untrained little is asked here
        compared = {*MEANING, "area_early_rdm"}
        asked = [cell for cell in everything if cell.model in TRAINED or cell.binding in compared]
        done = [outcome.cell for outcome in execute(asked, session)]
    return {(cell.model, cell.binding): cell for cell in done}


def layers(cell: CellResult) -> dict[str, float]:
    return {layer.name: layer.metrics[cell.metric].score for layer in cell.layers if not layer.undefined}


@pytest.mark.parametrize("model", TRAINED)
def test_every_task_applies_to_every_trained_network(cells, model):
    of_model = {binding: cell for (name, binding), cell in cells.items() if name == model}
    assert {binding: cell.reason for binding, cell in of_model.items() if cell.status != "scored"} == {}
    assert all(cell.miniature and not cell.untrained for cell in of_model.values())


@pytest.mark.parametrize("binding", MEANING)
@pytest.mark.parametrize("model", TRAINED)
def test_trained_networks_are_above_chance(cells, model, binding):
    cell = cells[model, binding]
    assert cell.ci_low > cell.chance


@pytest.mark.parametrize("model", NAMING)
def test_some_layer_of_a_network_that_names_is_matched_concept_by_concept(cells, model):
    """GWOT is told no labels: by the permutation test, corrected over layers."""
    cell = cells[model, "people_gwot"]
    best = min(cell.layers, key=lambda layer: layer.p)
    assert best.p_fdr < 0.05
    assert best.metrics["top1"].score > cell.chance


@pytest.mark.parametrize("model", TRAINED)
def test_some_layer_of_a_trained_network_is_matched_by_category(cells, model):
    """Also of the network that learnt associations, which concepts of a category share."""
    of_layers = cells[model, "people_gwot"].layers
    adjusted = fdr(np.array([layer.values["category_p"] for layer in of_layers]))
    best = of_layers[int(adjusted.argmin())].metrics["category"]
    assert adjusted.min() < 0.05
    assert best.score > best.chance_high


@pytest.mark.parametrize("model", TRAINED)
def test_a_mistake_ends_as_what_it_was_taken_for(cells, model):
    """In the drawn world early layers do not know, and the output holds the concept that was named."""
    by_layer = layers(cells[model, "words_one_vs_two"])
    early, *_, output = by_layer.values()
    assert output < 0.5
    assert output < early


def test_swow_assoc_is_above_its_starting_encoder_and_above_popularity(cells):
    network = cells["swow_assoc", "association_images"]
    encoder = cells["mini_encoder", "association_images"]
    assert network.best_layer == "associations"
    assert network.score > encoder.score
    assert network.score > max(layers(encoder).values())
    assert network.ci_low > network.chance
    assert (network.trained_on, encoder.trained_on) == (True, False)


@pytest.mark.parametrize("binding", MEANING)
@pytest.mark.parametrize("model", TRAINED)
def test_late_layers_of_untrained_twins_are_far_below(cells, model, binding):
    """A late layer of random weights keeps little: it stays in the lower half of what training reaches."""
    twin, trained = cells[f"{model}@untrained:0", binding], cells[model, binding]
    late = layers(twin)["output"]
    reached = max(layers(trained).values())
    assert twin.untrained
    assert late - twin.chance < (reached - twin.chance) / 2


@pytest.mark.parametrize("binding", ["people_rdm", "area_late_rdm", "words_two_vs_two", "association_images"])
def test_pixels_know_no_meaning_and_some_energy(cells, binding):
    meaning, energy = cells["pixels", binding], cells["pixels", "area_early_rdm"]
    assert meaning.ci_low <= meaning.chance
    assert energy.ci_low > energy.chance


def test_nobody_is_above_the_ceiling_of_the_simulated_people(cells):
    for (_, binding), cell in cells.items():
        if binding == "people_rdm" and cell.status == "scored":
            assert cell.score < cell.ceiling_high
