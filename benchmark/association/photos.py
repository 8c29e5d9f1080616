"""From photos to association profiles, one photo at a time, so that a bad photo does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.association.profile import Profiles, profiles
from benchmark.common.errors import BenchError, DataError, NotPossible, error_summary, plugin_border
from benchmark.common.files import sha256_of
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.datasets.stimuli import Stimuli
from benchmark.model import OUTPUT, Associations, Model

#: Longest side of a thumbnail in pixels
THUMBNAIL = 160


@dataclass(frozen=True)
class Photo:
    """A photo for which the model gave a profile.

    Attributes
    ----------
    path : Path
        The image file.
    name : str
        Name to show: the name of the file, with as many of its folders as tell it from files of that name.
    thumbnail : Image
        The image that the model got, before the model's own preprocessing. RGB, at most 160 pixels a side.
    """

    path: Path
    name: str
    thumbnail: Image.Image


@dataclass(frozen=True)
class PhotoAssociations:
    """The profiles of some photos, and the photos that have none.

    Attributes
    ----------
    photos : tuple of Photo
        The photos that have a profile, in the given order.
    profiles : Profiles or None
        The profiles of ``photos``, row by row; None: no photo has one.
    problems : tuple of str
        For each photo without a profile, one line with the reason.
    """

    photos: tuple[Photo, ...]
    profiles: Profiles | None
    problems: tuple[str, ...]


def associate(
    model: Model,
    paths: Sequence[Path],
    *,
    device: str = "cpu",
    fit: Callable[[Image.Image], Image.Image] | None = None,
) -> PhotoAssociations:
    """Run a model on photos, to get the words that each photo brings to mind.

    Parameters
    ----------
    model : Model
        A model with an association head.
    paths : sequence of Path
        Image files. A file that is given twice is used once.
    device : {"cpu", "cuda", "mps"}
        Where the model runs.
    fit : callable, optional
        Function that changes each image before the model's own preprocessing.

    Raises
    ------
    NotPossible
        If the model has no association head.
    BenchError
        If the network cannot be built.
    """
    if OUTPUT not in model.layers:
        raise _no_head(model)
    distinct = list(dict.fromkeys(paths))
    answers = [
        _associate_photo(model, path, name, device, fit)
        for path, name in zip(distinct, _names(distinct), strict=True)
    ]
    pairs = [answer for answer in answers if not isinstance(answer, str)]
    problems = tuple(answer for answer in answers if isinstance(answer, str))
    if not pairs:
        return PhotoAssociations((), None, problems)
    photos = tuple(photo for photo, _ in pairs)
    strengths = np.concatenate([profile.strengths for _, profile in pairs])
    vocabulary = pairs[0][1].vocabulary
    names = tuple(photo.name for photo in photos)
    return PhotoAssociations(photos, Profiles(names, vocabulary, strengths), problems)


def _associate_photo(
    model: Model, path: Path, name: str, device: str, fit: Callable[[Image.Image], Image.Image] | None
) -> tuple[Photo, Profiles] | str:
    """The photo with its profile; or, as text, what is wrong with the photo."""
    try:
        image = _open(path)
        fitted = fit(image) if fit else image
        with plugin_border():
            profile = _profile(model, path, fitted, device)
        return Photo(path, name, _thumbnail(fitted)), profile
    except DataError as error:
        message = str(error)
        return message if str(path) in message else f"{path}: {message}"
    except BenchError:  # an error of the model, not of this photo
        raise
    except Exception as error:  # a plug-in may raise anything; the other photos still get their profiles
        return f"{path}: {error_summary(error)}"


def _open(path: Path) -> Image.Image:
    if path.is_dir():
        raise DataError(f"{path}: a folder, not an image; give the names of image files")
    return open_rgb(path)


def _profile(model: Model, path: Path, image: Image.Image, device: str) -> Profiles:
    """Checked profile of one image."""
    stimuli = Stimuli("photos", (str(path),), (str(path),), sha256_of(path), lambda _: image)
    output = model.features(stimuli, [OUTPUT], device=device)[OUTPUT]
    associations: Associations | None = model.associations(output)
    if associations is None:
        raise _no_head(model)
    return profiles((str(path),), associations)


def _no_head(model: Model) -> NotPossible:
    return NotPossible(
        f"model {model.spec.name!r} has no association head: it gives features, not words; "
        "choose a model that has one, such as swow_assoc"
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each of different paths: its last parts, as few as no other file of its name has."""

    def name(path: Path) -> str:
        alike = [other for other in paths if other.name == path.name and other != path]
        for parts in range(1, len(path.parts)):
            tail = path.parts[-parts:]
            if all(other.parts[-parts:] != tail for other in alike):
                return str(Path(*tail))
        return str(path)

    return [name(path) for path in paths]


def _thumbnail(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small
