"""The authored and simulated targets of the miniature: what they are made of is known, so it must show."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.common.errors import NotPossible
from benchmark.datasets import DataRoot, RDMTarget, join
from benchmark.datasets.mini import (
    area_early,
    area_late,
    associations,
    images,
    people,
    properties,
    triplets,
    vectors,
    word_vectors,
)
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.triplets import kept_together
from benchmark.datasets.mini.vectors import sentences
from benchmark.measures import triplet_ceiling

NOWHERE = DataRoot(Path("/no/such/folder"))
CONCEPT_IDS = [c.id for c in CONCEPTS]
CATEGORY = np.array([c.category for c in CONCEPTS])
UPPER = np.triu_indices(48, 1)
MAKERS = (associations, properties, people, area_early, area_late, triplets, word_vectors)
RDM_MAKERS = (people, area_early, area_late)


@pytest.fixture(scope="module")
def targets() -> dict:
    return {make.__name__: make(NOWHERE, name=f"mini_{make.__name__}") for make in MAKERS}


def lower_noise_ceiling(target: RDMTarget) -> float:
    """Nili et al. 2014, written out: each subject's ranks with the mean ranks of the others."""
    ranks = np.array([spearman_ranks(rdm[UPPER]) for rdm in target.rdms])
    return float(
        np.mean([spearmanr(own, np.delete(ranks, i, axis=0).mean(axis=0))[0] for i, own in enumerate(ranks)])
    )


def spearman_ranks(values: np.ndarray) -> np.ndarray:
    return np.array([np.sum(values < v) + (np.sum(values == v) + 1) / 2 for v in values])


def mean_spearman(rdm: np.ndarray, target: RDMTarget) -> float:
    return float(np.mean([spearmanr(rdm[UPPER], own[UPPER])[0] for own in target.rdms]))


def different_category() -> np.ndarray:
    return (CATEGORY[:, None] != CATEGORY[None, :]).astype(float)


@pytest.fixture(scope="module")
def concept_images() -> list[list[np.ndarray]]:
    stimuli = images(NOWHERE, name="mini_images")
    by_concept: dict[str, list[np.ndarray]] = {concept: [] for concept in CONCEPT_IDS}
    for i, (concept, split) in enumerate(zip(stimuli.concepts, stimuli.splits, strict=True)):
        if split == "test":
            by_concept[concept].append(np.asarray(stimuli.image(i), dtype=float))
    return list(by_concept.values())


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_every_target_is_marked_simulated_and_joins_all_concepts(make, targets):
    target = targets[make.__name__]
    assert target.simulated
    assert target.name == f"mini_{make.__name__}"
    assert len(target.hash) == 64
    joined = join(images(NOWHERE, name="mini_images"), target)
    assert joined.counts == {"joined": 48, "missing": 0, "ambiguous": 0}


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_docstring_says_that_nobody_was_measured(make):
    said = " ".join((make.__doc__ or "").split())
    assert any(
        words in said for words in ("Authored, not measured", "Simulated, not", "not from anything people")
    )


def test_association_strengths_are_proportions(targets):
    norms = targets["associations"]
    strengths = norms.counts.toarray() / norms.respondents[:, None]
    assert strengths.sum(axis=1).max() <= 1
    assert strengths.sum(axis=1).min() > 0.9
    assert 250 <= len(norms.columns) <= 400
    responses = (strengths > 0).sum(axis=1)
    assert responses.min() >= 15
    assert responses.max() <= 30
    # skewed, as norms are: the strongest response is given by a tenth to a third of the respondents
    assert strengths.max(axis=1).min() >= 0.1
    assert strengths.max(axis=1).max() <= 1 / 3
    assert np.median(strengths[strengths > 0]) <= 0.05


@pytest.mark.parametrize(
    ("cue", "response"), [("dog", "cat"), ("cat", "dog"), ("banana", "yellow"), ("bed", "sleep")]
)
def test_strongest_response_is_the_obvious_one(targets, cue, response):
    norms = targets["associations"]
    row = norms.counts.toarray()[norms.ids.index(cue)]
    assert norms.columns[row.argmax()] == response


def test_no_cue_is_a_response_to_itself(targets):
    norms = targets["associations"]
    counts = norms.counts.toarray()
    own = [counts[i, norms.columns.index(cue)] for i, cue in enumerate(norms.ids) if cue in norms.columns]
    assert len(own) > 10
    assert not any(own)


def test_held_out_concepts_share_responses_with_the_others(targets):
    """Without shared responses nothing could be predicted for a concept that was not trained on."""
    norms = targets["associations"]
    strengths = norms.counts.toarray() / norms.respondents[:, None]
    held_out = np.array([c.held_out for c in CONCEPTS])
    known = strengths[~held_out].max(axis=0) > 0
    assert (strengths[held_out][:, known].sum(axis=1) / strengths[held_out].sum(axis=1)).min() > 0.3


def test_properties_have_five_types_and_frequencies_within_the_respondents(targets):
    norms = targets["properties"]
    assert set(norms.types) == {
        "visual perceptual",
        "other perceptual",
        "functional",
        "taxonomic",
        "encyclopaedic",
    }
    counts = norms.counts.toarray()
    assert counts.max() <= norms.respondents[0] == 30
    listed = (counts > 0).sum(axis=1)
    assert listed.min() >= 10
    assert listed.max() <= 20
    assert ((counts > 0).sum(axis=0) >= 2).sum() > 100  # shared across concepts
    dog, legs = norms.ids.index("dog"), norms.columns.index("has four legs")
    assert counts[dog, legs] > 0
    assert counts[norms.ids.index("duck"), legs] == 0


def test_people_have_a_noise_ceiling_between_a_half_and_seven_tenths(targets):
    assert targets["people"].rdms.shape == (16, 48, 48)
    assert 0.5 < lower_noise_ceiling(targets["people"]) < 0.7


@pytest.mark.parametrize("area", ["area_early", "area_late"])
def test_areas_have_a_noise_ceiling(targets, area):
    assert targets[area].rdms.shape == (8, 48, 48)
    assert 0.4 < lower_noise_ceiling(targets[area]) < 0.7


def test_people_differ_from_one_another(targets):
    flat = np.array([rdm[UPPER] for rdm in targets["people"].rdms])
    between = np.corrcoef(flat)[np.triu_indices(16, 1)]
    assert between.min() > 0.1
    assert between.max() < 0.8


def test_people_hold_members_of_a_category_alike(targets):
    mean = targets["people"].rdms.mean(axis=0)
    same = (different_category() == 0) & ~np.eye(48, dtype=bool)
    assert mean[same].mean() < mean[different_category() == 1].mean() - 0.2
    assert targets["people"].categories == tuple(CATEGORY)


def test_late_area_follows_category_and_early_area_does_not(targets):
    late = mean_spearman(different_category(), targets["area_late"])
    early = mean_spearman(different_category(), targets["area_early"])
    assert late > 0.3
    assert abs(early) < 0.1


def test_early_area_follows_image_energy_and_late_area_does_not(targets, concept_images):
    """Energy measured another way than the area measures it: gradients in 16 x 16 blocks."""

    def blocks(image: np.ndarray) -> np.ndarray:
        down, across = np.gradient(image.mean(axis=2))
        return np.array(
            [
                np.hypot(down, across)[y : y + 16, x : x + 16].std()
                for y in range(0, 64, 16)
                for x in range(0, 64, 16)
            ]
        )

    energy = np.array([np.mean([blocks(image) for image in drawn], axis=0) for drawn in concept_images])
    rdm = np.linalg.norm(energy[:, None] - energy[None, :], axis=-1)
    early, late = (mean_spearman(rdm, targets[area]) for area in ("area_early", "area_late"))
    assert early > 0.2
    assert late < 0.1


def test_pixels_predict_the_early_area_alone(targets, concept_images):
    rdm = 1 - np.corrcoef([np.mean(drawn, axis=0).ravel() for drawn in concept_images])
    scores = {name: mean_spearman(rdm, targets[name]) for name in ("area_early", "area_late", "people")}
    assert 0.2 < scores["area_early"] < lower_noise_ceiling(targets["area_early"])
    assert max(scores["area_late"], scores["people"]) < 0.1


def test_choices_follow_their_known_probabilities(targets):
    """The answers that are most probable come as often as their probabilities say, and so do the others."""
    answers = targets["triplets"].triplets
    assert answers.shape == (2000, 3)
    probability = kept_together(NOWHERE, answers)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    best = probability.max(axis=1)
    error = np.sqrt((best * (1 - best)).sum()) / len(answers)
    assert abs((probability.argmax(axis=1) == 0).mean() - best.mean()) < 4 * error
    certain = best > np.median(best)
    assert (probability[certain].argmax(axis=1) == 0).mean() > (
        probability[~certain].argmax(axis=1) == 0
    ).mean()


def test_repeated_choices_have_the_ceiling_that_their_probabilities_give(targets):
    """The most probable answer is right as often as its probability; the bounds lie on either side of it."""
    answers = targets["triplets"].triplets
    ceiling = triplet_ceiling(answers)
    known = kept_together(NOWHERE, answers[ceiling.repeated]).max(axis=1)
    error = np.sqrt((known * (1 - known)).sum()) / len(known)
    assert ceiling.repeated.sum() >= 500
    assert ceiling.lower - 4 * error < known.mean() < ceiling.upper + 4 * error


def test_nearest_word_is_of_the_same_category(targets):
    words = targets["word_vectors"]
    assert words.vectors.shape[1] == 50
    unit = words.vectors[:48] / np.linalg.norm(words.vectors[:48], axis=1, keepdims=True)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -1)
    assert (CATEGORY[alike.argmax(axis=1)] == CATEGORY).mean() > 0.8
    assert len(words.ids) > 300


def test_words_of_one_category_are_not_all_one(targets):
    """2 vs 2 within a category has to be possible."""
    alike = np.corrcoef(targets["word_vectors"].vectors[:48])
    same = (different_category() == 0) & ~np.eye(48, dtype=bool)
    assert alike[same].max() < 0.95


def test_sign_of_each_dimension_is_fixed(targets):
    vectors = targets["word_vectors"].vectors
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(50)]
    assert (largest > 0).all()


def test_corpus_speaks_of_every_concept():
    said = {word for line in sentences() for word in line.split()}
    assert set(CONCEPT_IDS) <= said


def test_word_vectors_are_made_once():
    word_vectors(NOWHERE, name="first")
    made = vectors._train.cache_info().misses
    word_vectors(NOWHERE, name="again")
    assert vectors._train.cache_info().misses == made == 1


def test_another_process_makes_the_same_targets(targets):
    code = (
        "from pathlib import Path; from benchmark.datasets import DataRoot; import hashlib; "
        "from benchmark.datasets.mini import area_early, people, word_vectors; r = DataRoot(Path()); "
        "a = [people(r, name='p').rdms, area_early(r, name='e').rdms, word_vectors(r, name='w').vectors]; "
        "print(*(hashlib.sha256(x.tobytes()).hexdigest() for x in a))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [targets["people"].rdms, targets["area_early"].rdms, targets["word_vectors"].vectors]
    assert made.stdout.split() == [hashlib.sha256(x.tobytes()).hexdigest() for x in here]


def test_a_caller_cannot_spoil_the_cached_vectors(targets):
    mine = word_vectors(NOWHERE, name="mine")
    mine.vectors[:] = 0
    np.testing.assert_array_equal(word_vectors(NOWHERE, name="w").vectors, targets["word_vectors"].vectors)


@pytest.mark.parametrize("make", RDM_MAKERS, ids=lambda make: make.__name__)
def test_rdms_are_dissimilarities(make, targets):
    rdms = targets[make.__name__].rdms
    pairs = rdms[:, UPPER[0], UPPER[1]]
    assert pairs.min() == pytest.approx(0.05)
    assert pairs.max() == pytest.approx(1.0)
    assert not np.diagonal(rdms, axis1=1, axis2=2).any()


def test_no_two_readers_of_the_miniature_share_a_hash():
    """An entry that is pointed to another reader must not get the scores of the first."""
    hashes = [maker.hash_of(NOWHERE, name="same") for maker in MAKERS]
    assert len(set(hashes)) == len(MAKERS)
    assert hashes == [maker(NOWHERE, name="same").hash for maker in MAKERS]


def test_what_is_not_there_is_said_with_the_root_that_was_used(tmp_path):
    with pytest.raises(NotPossible) as error:
        DataRoot(tmp_path).file("a.csv", "ask me")
    assert str(error.value) == (
        f"looked for {tmp_path / 'a.csv'}, which is not there: ask me; "
        f"or name another data root than {tmp_path} with --data"
    )
    with pytest.raises(NotPossible) as error:
        DataRoot(Path("elsewhere")).file(str(tmp_path / "a.csv"), "ask me")
    assert str(error.value) == f"looked for {tmp_path / 'a.csv'}, which is not there: ask me"
