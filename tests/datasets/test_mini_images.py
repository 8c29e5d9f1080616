"""The drawn world: the same pixels everywhere, every concept there, and no solving it by pixels."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.common.errors import UsageError
from benchmark.datasets import DataRoot, Stimuli
from benchmark.datasets.mini import draw, images
from benchmark.datasets.mini.canvas import Canvas, Light, Pose
from benchmark.datasets.mini.concepts import BY_ID, CONCEPTS
from benchmark.datasets.mini.drawing import SHAPES, SIZE
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import palette

ROOT = DataRoot(Path("nowhere"))

#: sha256 over the pixels of the scored set, in order. It changes only when the drawings are meant to change:
#: then the miniature networks must be trained again and every result of the suite "mini" is new.
GOLDEN = "cf9bcc0528644f5f00a098f170f248cc9ed16bd65e2eb72956098d10ada58998"


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return images(ROOT, name="mini_images")


@pytest.fixture(scope="module")
def pixels(stimuli: Stimuli) -> np.ndarray:
    return np.stack([np.asarray(stimuli.image(i)) for i in range(len(stimuli))])


def test_pixels_of_the_scored_set_are_the_committed_ones(pixels: np.ndarray) -> None:
    assert pixels.shape == (48 * 24, SIZE, SIZE, 3)
    assert pixels.dtype == np.uint8
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == GOLDEN


def test_another_process_draws_the_same_pixels() -> None:
    program = (
        "import hashlib; from benchmark.datasets.mini import draw; "
        "print(hashlib.sha256(draw('harp', 'train', 7).tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "123"}
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()
    assert printed == hashlib.sha256(draw("harp", "train", 7).tobytes()).hexdigest()


def test_every_concept_has_a_shape() -> None:
    assert set(SHAPES) == set(BY_ID)


def test_ids_concepts_and_splits(stimuli: Stimuli) -> None:
    assert "dog-readout-00" in stimuli.ids
    assert "scissors-test-05" in stimuli.ids
    for name, concept, split in zip(stimuli.ids, stimuli.concepts, stimuli.splits or (), strict=True):
        word, stream, number = name.split("-")
        assert word == concept
        assert split == {"readout": "train", "test": "test"}[stream]
        assert len(number) == 2
    assert set(Counter(zip(stimuli.concepts, stimuli.splits or (), strict=True)).values()) == {12}
    assert stimuli.concept_ids == tuple(c.id for c in CONCEPTS)
    assert stimuli.miniature


def test_an_image_is_the_drawing_its_id_names(stimuli: Stimuli) -> None:
    i = stimuli.ids.index("violin-test-03")
    np.testing.assert_array_equal(np.asarray(stimuli.image(i)), draw("violin", "test", 3))


def test_two_concepts_of_each_category_are_held_out(stimuli: Stimuli) -> None:
    held_out = Counter(BY_ID[concept].category for concept in stimuli.held_out)
    assert len(held_out) == 8
    assert set(held_out.values()) == {2}


def test_no_two_images_are_alike(pixels: np.ndarray) -> None:
    assert len({image.tobytes() for image in pixels}) == len(pixels)
    train = {draw("sock", "train", i).tobytes() for i in range(12)}
    assert len(train) == 12
    assert not train & {image.tobytes() for image in pixels}


def test_every_image_has_contrast(pixels: np.ndarray) -> None:
    assert pixels.reshape(len(pixels), -1).std(axis=1).min() > 4


def test_manifest_tells_the_number_of_images(stimuli: Stimuli) -> None:
    few = images(ROOT, name="few", per_concept=2)
    assert len(few) == 48 * 4
    assert few.manifest != stimuli.manifest
    assert images(ROOT, name="again").manifest == stimuli.manifest


@pytest.mark.parametrize("per_concept", [0, -1, 1.5, "six", True])
def test_a_senseless_number_of_images_is_refused(per_concept: object) -> None:
    with pytest.raises(UsageError, match="per_concept"):
        images(ROOT, name="mini_images", per_concept=per_concept)  # type: ignore[arg-type]


def test_pixels_alone_do_not_solve_it(stimuli: Stimuli, pixels: np.ndarray) -> None:
    flat = pixels.reshape(len(pixels), -1).astype(np.float64) / 255
    concepts = np.array(stimuli.concepts)
    train = np.array(stimuli.splits) == "train"
    distances = (flat[train] ** 2).sum(1)[None] - 2 * flat[~train] @ flat[train].T
    accuracy = (concepts[train][distances.argmin(1)] == concepts[~train]).mean()
    assert 1 / 48 < accuracy < 0.2


def on_white(concept: str, index: int) -> np.ndarray:
    """The object alone, upright, in grey on white: shape (64, 64), 0 to 1."""
    draws = Draws(f"{concept}/plain/{index}")
    canvas = Canvas(SIZE, Light(0.0, 0.0, 0.3, 2.0))
    canvas.pixels[:] = 1.0
    canvas.paint(SHAPES[concept](draws, palette(draws, concept)), Pose(SIZE / 2, SIZE / 2, SIZE * 0.44))
    grey: np.ndarray = canvas.pixels.mean(axis=0)
    return grey


@pytest.mark.parametrize("concept", sorted(BY_ID))
def test_an_object_fills_its_place_and_stays_in_it(concept: str) -> None:
    drawn = on_white(concept, 0) < 0.97
    assert 0.06 < drawn.mean() < 0.7
    border = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert border.mean() < 0.05


def test_forms_differ_where_nothing_is_in_the_way() -> None:
    first, second = (
        np.stack([(on_white(concept, index) < 0.97).ravel() for concept in BY_ID]).astype(float)
        for index in (0, 1)
    )
    distances = (first**2).sum(1)[None] - 2 * second @ first.T
    assert (distances.argmin(1) == np.arange(48)).mean() > 0.9


def test_a_mirrored_object_is_the_mirror_image() -> None:
    canvases = []
    for mirrored in (False, True):
        canvas = Canvas(SIZE, Light(0.0, 0.0, 0.3, 2.0))
        draws = Draws("mirror")
        canvas.paint(SHAPES["dog"](draws, palette(draws, "dog")), Pose(32.0, 30.0, 25.0, mirrored=mirrored))
        canvases.append(canvas.pixels)
    assert canvases[0].max() > 0.3
    np.testing.assert_allclose(canvases[1][:, :, ::-1], canvases[0], atol=1e-4)


def test_draws_are_uniform_and_stable() -> None:
    draws = Draws("a key")
    values = np.array([draws.unit() for _ in range(4000)])
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() < 1
    assert abs(values.mean() - 0.5) < 0.02
    assert {draws.integer(2, 5) for _ in range(200)} == {2, 3, 4, 5}
    assert draws.octets((3, 5)).shape == (3, 5)
    assert Draws("a key").unit() == values[0]
    assert Draws("another key").unit() != values[0]
