"""Association targets: which responses are the vocabulary, and how strengths are normalised."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.association.mapping import imagenet_cues
from benchmark.association.targets import association_targets
from benchmark.common.errors import DataError
from benchmark.datasets.readers.norms import read_associations

Counts = dict[str, dict[str, int]]

DOGS: Counts = {
    "dog": {"cat": 6, "bone": 3, "null": 1},
    "cat": {"dog": 4, "mouse": 4, "true": 2},
    "ox": {"cow": 5},
}


def write(file: Path, counts: Counts, column: str = "R1", order: int = 1) -> Path:
    lines = [
        f"{cue}\t{response}\t{count}\t{sum(of_cue.values())}\t{count / sum(of_cue.values())!r}"
        for cue, of_cue in counts.items()
        for response, count in of_cue.items()
    ]
    header = f"cue\tresponse\t{column}\tN\t{column}.Strength"
    file.write_text("\n".join([header, *lines[::order]]) + "\n", encoding="utf-8")
    return file


def by_hand(counts: Counts, cues: set[str], size: int) -> tuple[list[str], dict[str, dict[str, Fraction]]]:
    """Vocabulary and strengths in exact fractions, from the definition."""
    totals: dict[str, Fraction] = {}
    for cue in cues:
        for response, count in counts[cue].items():
            totals[response] = totals.get(response, Fraction()) + Fraction(count, sum(counts[cue].values()))
    vocabulary = sorted(totals, key=lambda response: (-totals[response], response))[:size]
    strengths = {}
    for cue in cues:
        inside = sum(counts[cue].get(response, 0) for response in vocabulary)
        strengths[cue] = {r: Fraction(counts[cue].get(r, 0), inside or 1) for r in vocabulary}
    return vocabulary, strengths


def test_strengths_over_the_vocabulary(tmp_path):
    found = association_targets(write(tmp_path / "norms.csv", DOGS), ["dog", "cat", "dog"], 4)
    assert found.cues == ("cat", "dog")
    # bone and true: .3 and .2; cat .6; dog and mouse .4 each, a tie that goes by code point
    assert found.vocabulary == ("cat", "dog", "mouse", "bone")
    np.testing.assert_allclose(found.strengths, [[0, 1 / 2, 1 / 2, 0], [2 / 3, 0, 0, 1 / 3]])
    np.testing.assert_allclose(found.coverage, [0.8, 0.9])


def test_a_vocabulary_larger_than_all_responses_is_all_of_them(tmp_path):
    found = association_targets(write(tmp_path / "norms.csv", DOGS), ["dog", "cat"], 5000)
    assert set(found.vocabulary) == {"cat", "bone", "null", "dog", "mouse", "true"}
    np.testing.assert_array_equal(found.coverage, 1)


def test_where_the_strengths_are_from(tmp_path):
    file = write(tmp_path / "R123.csv", DOGS, "R123")
    source = association_targets(file, ["ox"], 9).source
    assert (source.file, source.column, source.cues, source.responses) == ("R123.csv", "R123", 3, 7)
    assert source.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_totals_that_are_equal_are_a_tie_although_their_floating_point_sums_differ(tmp_path):
    # 1/10 three times is 3/10, but .1 + .1 + .1 is more than .3 in floating point
    counts = {cue: {"b": 1, cue * 3: 9} for cue in ("x", "y", "z")} | {"w": {"a": 3, "www": 7}}
    found = association_targets(write(tmp_path / "norms.csv", counts), counts, 9)
    assert found.vocabulary[-2:] == ("a", "b")


words = st.sampled_from(["a", "A", "null", "nan", "NA", "true", "1", "é", "TV show", '"'])
norms = st.dictionaries(words, st.dictionaries(words, st.integers(1, 40), min_size=1), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=norms, size=st.integers(1, 12), data=st.data())
def test_it_is_as_by_hand_and_the_order_of_the_file_does_not_matter(tmp_path, counts, size, data):
    cues = data.draw(st.sets(st.sampled_from(sorted(counts)), min_size=1))
    vocabulary, strengths = by_hand(counts, cues, size)
    file = write(tmp_path / "norms.csv", counts)
    if any(not any(strengths[cue].values()) for cue in cues):
        with pytest.raises(DataError, match="use a larger vocabulary"):
            association_targets(file, cues, size)
        return
    found = association_targets(file, cues, size)
    assert found.cues == tuple(sorted(cues))
    assert list(found.vocabulary) == vocabulary
    expected = [[float(strengths[cue][response]) for response in vocabulary] for cue in sorted(cues)]
    np.testing.assert_allclose(found.strengths, expected, rtol=1e-12)
    np.testing.assert_allclose(found.strengths.sum(axis=1), 1)
    again = association_targets(
        write(tmp_path / "turned.csv", counts, order=-1), sorted(cues, reverse=True), size
    )
    assert again.vocabulary == found.vocabulary
    np.testing.assert_array_equal(again.strengths, found.strengths)


@pytest.mark.parametrize(
    "cues, said",
    [(["dog", "owl"], "1 of the 2 requested cues .*the first is 'owl'"), ([], "no cue is requested")],
)
def test_cues_that_are_not_there_are_named(tmp_path, cues, said):
    with pytest.raises(DataError, match=said) as error:
        association_targets(write(tmp_path / "norms.csv", DOGS), cues)
    assert "norms.csv" in str(error.value)


def test_a_file_that_is_not_there_and_a_size_of_nothing(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        association_targets(tmp_path / "norms.csv", ["dog"])
    with pytest.raises(ValueError, match="vocabulary_size is 0; expected at least 1"):
        association_targets(write(tmp_path / "norms.csv", DOGS), ["dog"], 0)


@pytest.mark.human_data
@pytest.mark.parametrize("file", ["swow-en/strength.SWOW-EN.R1.csv", "eat/strength.EAT.R1.csv"])
def test_the_norms_of_people(human_data, file):
    norms = read_associations(human_data / file, name="norms")
    cues = {match.cue for match in imagenet_cues(norms.ids).values()} - {None}
    found = association_targets(human_data / file, cues)
    assert found.strengths.shape == (len(cues), 5000)
    assert len(cues) > 450
    assert found.coverage.min() > 0.5
    assert found.coverage.mean() > 0.9
    np.testing.assert_allclose(found.strengths.sum(axis=1), 1)
    dog, cat = found.cues.index("dog"), found.vocabulary.index("cat")
    row = norms.ids.index("dog")
    share = norms.counts[row, norms.columns.index("cat")] / norms.respondents[row]
    assert found.strengths[dog, cat] * found.coverage[dog] == pytest.approx(share)
    assert found.strengths[dog].argmax() == cat
