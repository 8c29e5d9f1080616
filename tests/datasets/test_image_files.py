"""Real files of every kind people have, decoded or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.common.errors import DataError
from benchmark.datasets.readers.image_files import is_turned, open_rgb

COLOUR = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_rgb_png_is_exact(tmp_path: Path) -> None:
    image = open_rgb(save(Image.fromarray(COLOUR), tmp_path / "a.png"))
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), COLOUR)


def test_greyscale_repeats_in_three_channels(tmp_path: Path) -> None:
    image = open_rgb(save(Image.fromarray(COLOUR[..., 0]), tmp_path / "grey.png"))
    assert np.array_equal(np.asarray(image), np.repeat(COLOUR[..., :1], 3, axis=2))


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    wide = COLOUR[..., 0].astype(np.uint16) * 257
    image = open_rgb(save(Image.fromarray(wide), tmp_path / "grey16.png"))
    assert np.array_equal(np.asarray(image)[..., 0], COLOUR[..., 0])


def test_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixel = np.asarray(open_rgb(save(red, tmp_path / "cmyk.jpg", quality=95))).mean((0, 1))
    assert pixel == pytest.approx([255, 0, 0], abs=6)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_composited_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 0, 255))
    image.putpixel((2, 2), (0, 0, 0, 51))
    pixels = np.asarray(open_rgb(save(image.convert(mode), tmp_path / "alpha.png")))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [0, 0, 0]
    assert pixels[2, 2].tolist() == [204, 204, 204]


def test_palette_is_looked_up(tmp_path: Path) -> None:
    two = Image.new("P", (2, 1))
    two.putpalette([10, 20, 30, 200, 100, 50])
    two.putpixel((1, 0), 1)
    assert np.asarray(open_rgb(save(two, tmp_path / "p.gif"))).tolist() == [[[10, 20, 30], [200, 100, 50]]]


def test_palette_with_a_transparent_entry_shows_white(tmp_path: Path) -> None:
    two = Image.new("P", (2, 1))
    two.putpalette([10, 20, 30, 200, 100, 50])
    two.putpixel((1, 0), 1)
    path = save(two, tmp_path / "p.png", transparency=0)
    assert np.asarray(open_rgb(path)).tolist() == [[[255, 255, 255], [200, 100, 50]]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_an_image_that_is_stored_turned_is_read_upright(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    """The eight orientations of the EXIF standard: each is undone, and only those that turn are counted."""
    stored = {
        1: COLOUR,
        2: COLOUR[:, ::-1],
        3: COLOUR[::-1, ::-1],
        4: COLOUR[::-1],
        5: COLOUR.transpose(1, 0, 2),
        6: np.rot90(COLOUR, 1),
        7: COLOUR[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(COLOUR, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if suffix == "webp" else {}
    image = Image.fromarray(np.ascontiguousarray(stored))
    path = save(image, tmp_path / f"a.{suffix}", exif=exif, **lossless)
    assert np.array_equal(np.asarray(open_rgb(path)), COLOUR)
    assert is_turned(path) == (orientation != 1)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp"])
def test_truncated_file_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = save(Image.fromarray(noise), tmp_path / f"whole.{suffix}")
    half = tmp_path / f"half.{suffix}"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"half\.{suffix}"):
        open_rgb(half)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"<html>not found</html>", "cannot identify")]
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"broken\.jpg.*{reason}"):
        open_rgb(path)


def test_missing_file_and_float_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_rgb(tmp_path / "nowhere.png")
    floats = save(Image.fromarray(COLOUR[..., 0].astype(np.float32)), tmp_path / "f.tiff")
    with pytest.raises(DataError, match="floating-point"):
        open_rgb(floats)
