"""Which images are trained on and which are set apart: shares, balance, and the same everywhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.association.mapping import Match
from benchmark.association.sampling import Sample, Shares, draw_sample, read_manifest, write_manifest
from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.norms import read_associations

CUES = ("cat", "dog", "cup", "car", "sun")


def folder_of(path: Path, counts: dict[str, int]) -> Path:
    """A folder a class, with so many images."""
    for name, count in counts.items():
        for i in range(count):
            file = path / name / f"{i:03d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), (i % 256, 0, 0)).save(file)
    return path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("drawn"), {"cat": 20, "dog": 10, "cup": 3, "car": 1, "sun": 10})


def roles(sample: Sample, cue: str) -> dict[str, int]:
    return dict(Counter(image.role for image in sample.images if image.cue == cue))


def test_shares_are_rounded_down_so_that_few_images_are_all_trained_on(drawn: Path) -> None:
    sample = draw_sample([drawn], CUES, Shares(held_out=0))
    assert roles(sample, "cat") == {"test": 4, "validation": 2, "train": 14}
    assert roles(sample, "dog") == {"test": 2, "validation": 1, "train": 7}
    assert roles(sample, "cup") == {"train": 3}
    assert roles(sample, "car") == {"train": 1}
    assert not any(image.held_out for image in sample.images)


def test_no_image_of_a_held_out_cue_is_trained_on(drawn: Path) -> None:
    seen = set()
    for seed in range(20):
        sample = draw_sample([drawn], CUES, Shares(held_out=0.4, seed=seed))
        held = {image.cue for image in sample.images if image.held_out}
        assert not held & {image.cue for image in sample.images if image.role != "test"}
        seen |= held
    assert seen == set(CUES)


def test_the_sample_is_the_same_for_another_place_order_and_company(drawn: Path, tmp_path: Path) -> None:
    copy = folder_of(tmp_path / "elsewhere", {"sun": 10, "dog": 10, "cat": 20, "zebra": 4})
    one = draw_sample([drawn], CUES, Shares(seed=3))
    two = draw_sample([copy], reversed((*CUES, "zebra")), Shares(seed=3))
    shared = {image.id for image in two.images} & {image.id for image in one.images}
    assert len(shared) == 40

    def chosen(sample: Sample) -> dict[str, tuple]:
        return {i.id: (i.cue, i.role, i.held_out) for i in sample.images if i.id in shared}

    assert chosen(one) == chosen(two)
    assert chosen(one) != chosen(draw_sample([drawn], CUES, Shares(seed=4)))
    assert one.hash == draw_sample([drawn], CUES, Shares(seed=3)).hash


def test_classes_that_share_a_cue_share_its_images_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path, {"terrier": 30, "poodle": 30, "pug": 2, "cat": 30})

    def to_dog(names: dict[str, object], cues: object) -> dict[str, Match]:
        return {name: Match(name if name == "cat" else "dog", "curated", "hypernym") for name in names}

    monkeypatch.setattr("benchmark.association.sampling.class_cues", to_dog)
    sample = draw_sample([folder], CUES, Shares(per_cue=12, held_out=0))
    assert Counter(image.class_id for image in sample.images) == {
        "terrier": 5,
        "poodle": 5,
        "pug": 2,
        "cat": 12,
    }


def test_images_to_set_apart_are_tested_and_their_cue_is_trained_on(drawn: Path) -> None:
    for seed in range(10):
        shares = Shares(held_out=0.6, set_apart=("dog/003", "car/000"), seed=seed)
        sample = draw_sample([drawn], CUES, shares)
        apart = {image.id: image for image in sample.images if image.id in ("0/dog/003", "0/car/000")}
        assert {image.role for image in apart.values()} == {"test"}
        assert not apart["0/dog/003"].held_out
        assert roles(sample, "dog")["train"] == 8
        # the only image of its cue: nothing is left of it to train on
        assert apart["0/car/000"].held_out
    with pytest.raises(UsageError, match="dog/999"):
        draw_sample([drawn], CUES, Shares(set_apart=("dog/999",)))


def test_flat_folders_and_several_folders_at_once(drawn: Path, tmp_path: Path) -> None:
    for name in ("cat", "n02099601"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.jpg")
    sample = draw_sample([drawn, tmp_path], (*CUES, "golden retriever"), Shares(held_out=0))
    by_id = {image.id: image for image in sample.images}
    assert by_id["1/cat"].cue == "cat"
    assert by_id["1/n02099601"].class_id == "n02099601"
    assert len(by_id) == 46


def test_classes_without_a_cue_are_named_with_the_reason(drawn: Path) -> None:
    sample = draw_sample([drawn], ("cat", "dog"), Shares(held_out=0))
    assert set(sample.unmatched) == {"cup", "car", "sun"}
    assert all(reason.startswith("none") for reason in sample.unmatched.values())
    with pytest.raises(DataError, match="none of the 5 classes has a cue"):
        draw_sample([drawn], ("zebra",), Shares())
    with pytest.raises(UsageError, match="no image is left to train on"):
        draw_sample([drawn], CUES, Shares(held_out=1.0))


def test_a_manifest_is_read_as_it_was_written(drawn: Path, tmp_path: Path) -> None:
    sample = draw_sample([drawn], CUES, Shares(held_out=0.3)).without(["0/cat/001"])
    write_manifest(sample, tmp_path / "manifest.csv")
    again = read_manifest(tmp_path / "manifest.csv")
    assert again.images == sample.images
    assert again.hash == sample.hash
    assert [image.id for image in again.with_role("unreadable")] == ["0/cat/001"]
    text = (tmp_path / "manifest.csv").read_text()
    (tmp_path / "manifest.csv").write_text(text.replace(",test,", ",tests,", 1))
    with pytest.raises(DataError, match=r"line \d+: role 'tests'"):
        read_manifest(tmp_path / "manifest.csv")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 0.5), st.floats(0, 0.4), st.integers(1, 25))
def test_every_image_has_one_role_and_caps_hold(
    drawn: Path, seed: int, test: float, validation: float, per_cue: int
) -> None:
    shares = Shares(per_cue=per_cue, test=test, validation=validation, held_out=0.0, seed=seed)
    sample = draw_sample([drawn], CUES, shares)
    assert len({image.id for image in sample.images}) == len(sample.images)
    for cue, count in {"cat": 20, "dog": 10, "cup": 3, "car": 1, "sun": 10}.items():
        kept = min(count, per_cue)
        found = roles(sample, cue)
        assert sum(found.values()) == kept
        assert found.get("test", 0) == int(kept * test)
        assert found.get("train", 0) >= 1


def test_held_out_cues_come_at_the_rate_asked_for(tmp_path: Path) -> None:
    names = [f"word{i}" for i in range(300)]
    folder = folder_of(tmp_path, dict.fromkeys(names, 1))
    held = sum(i.held_out for i in draw_sample([folder], names, Shares(held_out=0.2)).images)
    # binomial with n = 300, p = .2: five standard deviations on either side
    assert abs(held - 60) < 5 * np.sqrt(300 * 0.2 * 0.8)


@pytest.mark.human_data
def test_the_five_photos_of_real_images_are_never_trained_on(human_data: Path) -> None:
    folders = [human_data / name for name in ("imagenet-sample/images", "tiny-imagenet-val", "caltech101-15")]
    norms = human_data / "swow-en" / "strength.SWOW-EN.R1.csv"
    photos = ("n02099601", "n07753592", "n03452741", "n04099969", "n01484850")
    cues = read_associations(norms, name="swow").ids
    sample = draw_sample(folders, cues, Shares(per_cue=20, set_apart=photos))
    apart = {image.id: image for image in sample.images if image.path.stem in photos}
    assert len(apart) == 5
    assert {image.role for image in apart.values()} == {"test"}
    trained = {image.cue for image in sample.with_role("train")}
    assert {image.cue for image in apart.values()} <= trained
    held = {image.cue for image in sample.images if image.held_out}
    assert held
    assert not held & trained
    assert max(Counter(image.cue for image in sample.images).values()) <= 20 + len(photos)
