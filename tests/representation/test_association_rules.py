"""The rules under which a network with an association head is compared."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cosine

from benchmark.calibration import synthetic_stimuli
from benchmark.cli.choices import RuleName
from benchmark.common.errors import NotPossible
from benchmark.datasets import AssociationTarget
from benchmark.measures.associations import (
    association_graph,
    hellinger,
    normalised,
    positive_pmi,
    spread_geometry,
)
from benchmark.model import Associations
from benchmark.registry import AssociationRuleEntry
from benchmark.representation.associations import NEED_NORMS, RULES, AssociationRule, nearest_concepts

CUES, RESPONSES = ("cat", "dog", "car"), ("dog", "cat", "wheel", "pet")
COUNTS = np.array([[8.0, 0, 0, 2], [0, 6, 0, 4], [0, 0, 9, 0]])
NORMS = AssociationTarget(
    name="norms",
    ids=CUES,
    hash="made",
    columns=RESPONSES,
    counts=sparse.csr_array(COUNTS),
    respondents=np.array([10.0, 10.0, 10.0]),
)
#: Words in another order than those of the norms, and one that the norms do not have
VOCABULARY = ("pet", "dog", "sky", "cat")
STRENGTHS = np.array([[0.1, 0.6, 0.1, 0.2], [0.5, 0.1, 0.0, 0.4], [0.2, 0.2, 0.5, 0.1]])
HEAD = Associations(VOCABULARY, STRENGTHS)
BASE = np.array([0.6, 0.8, 0.0, 0.6]) / 3
#: pet and sky are no cue; of cat people say dog and pet, of dog cat and pet
WORDS = np.array([[0, 0, 0, 0], [0.4, 0, 0, 0.6], [0, 0, 0, 0], [0.2, 0.8, 0, 0]])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (AssociationRule("strengths"), normalised(STRENGTHS)),
        (AssociationRule("hellinger"), hellinger(STRENGTHS)),
        (AssociationRule("ppmi", NORMS), positive_pmi(STRENGTHS, BASE)),
        (
            AssociationRule("spread", NORMS, 0.3),
            spread_geometry(STRENGTHS, association_graph(sparse.csr_array(WORDS), BASE), 0.3),
        ),
    ],
    ids=str,
)
def test_words_are_matched_by_name(rule, expected):
    np.testing.assert_allclose(rule.rows(HEAD), expected, atol=1e-12)


@pytest.mark.parametrize("rule", ["ppmi", "spread"])
def test_a_vocabulary_that_shares_no_word_with_the_norms(rule):
    with pytest.raises(NotPossible, match=r"none of the 2 words .*'Hund'.*norms 'norms'"):
        AssociationRule(rule, NORMS).rows(Associations(("Hund", "Katze"), np.ones((2, 2))))


def test_a_graph_with_words_that_no_walk_leaves():
    with pytest.raises(NotPossible, match=r"no word .*'pet'.* is a cue"):
        AssociationRule("spread", NORMS).rows(Associations(("pet", "wheel"), np.ones((2, 2))))
    # information needs responses alone
    assert AssociationRule("ppmi", NORMS).rows(Associations(("pet", "wheel"), np.ones((2, 2)))).any()


def test_a_rule_in_words():
    assert str(AssociationRule("spread", NORMS, 0.75)) == "spread by norms, decay 0.75"
    assert str(AssociationRule("hellinger")) == "hellinger"


def test_a_registry_and_the_command_line_know_every_rule():
    # the rooms may not import one another, and the command line imports nothing heavy
    written = get_args(AssociationRuleEntry.model_fields["rule"].annotation)
    assert written == RULES == tuple(rule.value for rule in RuleName)
    for name in RULES:
        fields = {"rule": name, **({"norms": "norms"} if name in NEED_NORMS else {})}
        assert AssociationRuleEntry(**fields).rule == name


SHOWN = synthetic_stimuli(CUES, test=2)


@given(st.integers(0, 2**32 - 1))
def test_the_nearest_concept_has_the_greatest_cosine(seed):
    """Against scipy, profile by profile; words are matched by name."""
    rng = np.random.default_rng(seed)
    seen = Associations(VOCABULARY, rng.dirichlet(np.ones(4), size=len(SHOWN)))
    found = nearest_concepts(seen, NORMS, SHOWN)
    people = np.zeros((3, 4))
    for i, word in enumerate(VOCABULARY):
        if word in RESPONSES:
            people[:, i] = COUNTS[:, RESPONSES.index(word)] / 10
    # of "car" people say only what the network cannot
    assert found.class_ids == CUES
    expected = [
        CUES[int(np.argmin([cosine(row, profile) for profile in people[:2]]))] for row in seen.strengths
    ]
    assert found.predicted.tolist() == expected
    assert found.probabilities.sum(axis=1).tolist() == [1] * len(SHOWN)


def test_norms_that_cannot_name_a_concept_are_told_in_one_line():
    seen = Associations(("sky", "sea"), np.full((len(SHOWN), 2), 0.5))
    with pytest.raises(NotPossible, match="nobody answered the cues of 3 concepts in norms 'norms'") as error:
        nearest_concepts(seen, NORMS, SHOWN)
    assert "\n" not in str(error.value)
    other = synthetic_stimuli(("cat", "sun", "sky"))
    with pytest.raises(NotPossible, match="only 1 concepts of 'synthetic' join target 'norms'"):
        nearest_concepts(Associations(VOCABULARY, np.ones((3, 4))), NORMS, other)
