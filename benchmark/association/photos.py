"""From photos to association profiles, one photo at a time: a bad one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.association.profile import Profiles, profiles
from benchmark.common.errors import BenchError, DataError, NotPossible
from benchmark.common.files import sha256_of
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.datasets.types import Stimuli
from benchmark.model import OUTPUT, Associations, Model

#: Longest side of what is shown of a photo, pixels
THUMBNAIL = 160


@dataclass(frozen=True)
class Photo:
    """A photo that the model has seen.

    Attributes
    ----------
    path : Path
    name : str
        What it is called where it is shown: the file's name, the whole path where two share one.
    thumbnail : Image
        RGB, at most 160 pixels a side: what the model was given, before its own preprocessing.
    """

    path: Path
    name: str
    thumbnail: Image.Image


@dataclass(frozen=True)
class Associated:
    """What became of some photos.

    Attributes
    ----------
    photos : tuple of Photo
        Those with a profile, in the order asked for.
    profiles : Profiles or None
        Row by row the profiles of ``photos``; None: there is none.
    problems : tuple of str
        One line for each photo without a profile.
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
) -> Associated:
    """Ask a model what each photo brings to mind.

    Parameters
    ----------
    model : Model
        With an association head.
    paths : sequence of Path
        Image files; one that stands twice is asked once.
    device : {"cpu", "cuda", "mps"}
    fit : callable, optional
        Applied to each image before the model's own preprocessing.

    Raises
    ------
    NotPossible
        If the model has no association head.
    BenchError
        If the network cannot be made.
    """
    if OUTPUT not in model.layers:
        raise _no_head(model)
    distinct = list(dict.fromkeys(paths))
    asked = [
        _ask(model, path, name, device, fit) for path, name in zip(distinct, _names(distinct), strict=True)
    ]
    answered = [found for found in asked if not isinstance(found, str)]
    problems = tuple(problem for problem in asked if isinstance(problem, str))
    if not answered:
        return Associated((), None, problems)
    photos = tuple(photo for photo, _ in answered)
    strengths = np.concatenate([found.strengths for _, found in answered])
    vocabulary = answered[0][1].vocabulary
    return Associated(photos, Profiles(tuple(p.name for p in photos), vocabulary, strengths), problems)


def _ask(
    model: Model, path: Path, name: str, device: str, fit: Callable[[Image.Image], Image.Image] | None
) -> tuple[Photo, Profiles] | str:
    """The profile of one photo, or what is wrong with the photo."""
    try:
        image = _open(path)
        fitted = fit(image) if fit else image
        return Photo(path, name, _thumbnail(fitted)), _profile(model, path, fitted, device)
    except DataError as error:
        told = str(error)
        return told if str(path) in told else f"{path}: {told}"
    except BenchError:  # of the model, not of this photo
        raise
    except Exception as error:  # a plug-in may raise anything; the other photos are still asked
        return f"{path}: {type(error).__name__}: {error}"


def _open(path: Path) -> Image.Image:
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name the images in it")
    return open_rgb(path, upright=True)


def _profile(model: Model, path: Path, image: Image.Image, device: str) -> Profiles:
    """The profile of one image, checked."""
    stimuli = Stimuli("photos", (str(path),), (str(path),), sha256_of(path), lambda _: image)
    output = model.features(stimuli, [OUTPUT], device=device)[OUTPUT]
    found: Associations | None = model.associations(output)
    if found is None:
        raise _no_head(model)
    return profiles((str(path),), found)


def _no_head(model: Model) -> NotPossible:
    return NotPossible(
        f"model {model.spec.name!r} has no association head: it gives features, not words; "
        "ask one that has, such as swow_assoc"
    )


def _names(paths: Sequence[Path]) -> list[str]:
    names = [path.name for path in paths]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]


def _thumbnail(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small
