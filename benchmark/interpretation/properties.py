"""From a photo to the properties that a linear classifier reads out of each layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmark.common.errors import BenchError, DataError, NotPossible, UsageError, plugin_border
from benchmark.common.files import sha256_of
from benchmark.datasets import PropertyTarget, Stimuli
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.measures import BalancedLogistic, LogisticFits
from benchmark.model import OUTPUT, Model
from benchmark.representation.concepts import concept_images, concept_means, normalised
from benchmark.runner import Cell, Session
from benchmark.runner.layers import choose_layers
from benchmark.runner.score import Parts, assemble, require, view

#: Longest side of a thumbnail in pixels
THUMBNAIL = 240


@dataclass(frozen=True)
class Prediction:
    """A property that a layer predicts for a photo.

    Attributes
    ----------
    name : str
        The property.
    kind : str
        Its type, as the norms give it.
    probability : float
        Of the property, by a regression whose two classes have the same weight: 0.5 means that nothing speaks
        for it or against it, however rare it is.
    """

    name: str
    kind: str
    probability: float


@dataclass(frozen=True)
class PhotoProperties:
    """What each layer predicts for a photo.

    Attributes
    ----------
    path : Path
        The image file.
    thumbnail : Image
        The image that the model got, before the model's own preprocessing. RGB.
    layers : dict of str to tuple of Prediction
        By layer, from the input to the output, the strongest predictions first.
    """

    path: Path
    thumbnail: Image.Image
    layers: dict[str, tuple[Prediction, ...]]


@dataclass(frozen=True)
class Interpretation:
    """The photos with their properties, and the photos that could not be read.

    Attributes
    ----------
    photos : tuple of PhotoProperties
        In the given order.
    about : tuple of str
        Lines that say what the regressions were fitted to.
    kinds : tuple of str
        The property types of the norms, in a fixed order: their number decides the colour.
    miniature : bool
        Whether the norms and images are those of the miniature.
    problems : tuple of str
        One line for each photo without properties.
    """

    photos: tuple[PhotoProperties, ...]
    about: tuple[str, ...]
    kinds: tuple[str, ...]
    miniature: bool
    problems: tuple[str, ...]


def interpret(session: Session, model: str, suite: str, paths: Sequence[Path], k: int) -> Interpretation:
    """Predict the properties of photos from the layers of a model.

    The regressions are those of the task ``property_decoding``, fitted to all concepts of its binding, with
    the pooling and the features of that binding. A photo of a concept of the norms is not left out.

    Parameters
    ----------
    session : Session
        Its options name the layers.
    model, suite : str
        Names. The binding is the first of the suite with the task ``property_decoding`` and images.
    paths : sequence of Path
        The photos.
    k : int
        Number of predictions of each layer.

    Returns
    -------
    Interpretation

    Raises
    ------
    NotPossible
        If the suite has no such binding, or the model has no features of one photo alone.
    BenchError
        If the model, the norms or the images cannot be used.
    """
    parts = assemble(session, Cell(model, _binding(session, suite), suite))
    if parts.model.inner is not None:
        raise NotPossible(
            f"model {model!r} is fitted to a whole set of images: name the network it is built from"
        )
    norms, fits = _fits(session, parts)
    answers = [_answer(parts, path, norms, fits, session.device, k) for path in dict.fromkeys(paths)]
    about = (
        f"{model} of suite {suite}: {parts.model.checkpoint.label}",
        f"{len(norms.columns)} properties of {parts.binding.target}, fitted to {len(norms.ids)} concepts of "
        f"{parts.binding.stimuli}",
    )
    kinds = tuple(sorted(set(norms.types)))
    photos = tuple(answer for answer in answers if not isinstance(answer, str))
    problems = tuple(answer for answer in answers if isinstance(answer, str))
    return Interpretation(photos, about, kinds, parts.stimuli.miniature, problems)


def _binding(session: Session, suite: str) -> str:
    for name, binding in session.registry.bindings(suite).items():
        if binding.task == "property_decoding" and session.stimuli(binding.stimuli).open_image is not None:
            return name
    raise NotPossible(
        f"suite {suite!r} has no binding of the task property_decoding to stimuli with images: name another "
        "with --suite"
    )


def _fits(session: Session, parts: Parts) -> tuple[PropertyTarget, dict[str, LogisticFits]]:
    """The norms of the concepts with images, and the regressions of each layer, fitted to all of them."""
    joined = require(session, parts)
    options = parts.task.read(parts.binding.params)
    norms = joined.target.cut(options["frequency"], options["concepts"])
    labels = norms.counts.toarray() > 0
    seen = view(session, parts, compared=joined.concepts)
    images = concept_images(seen.stimuli, joined.concepts)
    fits = {}
    for layer in _layers(parts, session.options.layers):
        rows = normalised(concept_means(seen.features(layer), images), options["normalise"])
        try:
            fits[layer] = BalancedLogistic(rows).fit(labels)
        except ValueError as error:
            raise NotPossible(f"layer {layer!r} of {parts.cell.model}: {error}") from error
    return norms, fits


def _layers(parts: Parts, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The layers that were asked for; without the profiles of an association head, which have a rule."""
    chosen = choose_layers(parts.model.model, asked)
    if not parts.model.model.has_associations:
        return chosen
    kept = tuple(layer for layer in chosen if layer != OUTPUT)
    if not kept:
        raise UsageError(f"layer {OUTPUT!r} of {parts.cell.model} holds associations: see bench associate")
    return kept


def _answer(
    parts: Parts, path: Path, norms: PropertyTarget, fits: dict[str, LogisticFits], device: str, k: int
) -> PhotoProperties | str:
    """The properties of a photo; or, as text, what is wrong with the file."""
    try:
        return _photo(parts, path, norms, fits, device, k)
    except DataError as error:
        return str(error) if str(path) in str(error) else f"{path}: {error}"


def _photo(
    parts: Parts, path: Path, norms: PropertyTarget, fits: dict[str, LogisticFits], device: str, k: int
) -> PhotoProperties:
    if path.is_dir():
        raise DataError(f"{path}: a folder, not an image; give the names of image files")
    image = open_rgb(path)
    if parts.stimuli.miniature:
        image = _as_drawn(image)
    features = _features(parts.model.model, path, image, tuple(fits), device)
    how = parts.task.read(parts.binding.params)["normalise"]
    layers = {}
    for layer, fit in fits.items():
        decisions = (normalised(features[layer], how) @ fit.coefficients + fit.intercepts)[0]
        strongest = np.argsort(-decisions, kind="stable")[:k]
        layers[layer] = tuple(
            Prediction(norms.columns[i], norms.types[i], float(1 / (1 + np.exp(-decisions[i]))))
            for i in strongest
        )
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return PhotoProperties(path, small, layers)


def _features(
    model: Model, path: Path, image: Image.Image, layers: tuple[str, ...], device: str
) -> dict[str, np.ndarray]:
    stimuli = Stimuli("photos", (str(path),), (str(path),), sha256_of(path), lambda _: image)
    try:
        with plugin_border():
            return model.features(stimuli, layers, device=device)
    except NotPossible as error:
        raise BenchError(f"model {model.spec.name!r} has no features of a photo: {error}") from error


def _as_drawn(image: Image.Image) -> Image.Image:
    """Middle square of an image, at the size of the drawings: the networks of the miniature take no other."""
    from benchmark.datasets.mini.drawing import SIZE

    return ImageOps.fit(image, (SIZE, SIZE), Image.Resampling.BICUBIC)
