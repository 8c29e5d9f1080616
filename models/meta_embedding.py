"""Meta-embeddings: one vector per stimulus from many layers of another model, and word vectors if wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import Stimuli, VectorTarget
from benchmark.model import OUTPUT, BuiltFrom, Model, ModelSpec, Progress
from benchmark.representation.concepts import concept_means

#: Name of the only layer
LAYER = "meta_embedding"
#: Factors of the last two layers, in depth order
LAST = (5.0, 10.0)
#: Penalty of 1ToN, as a share of the greatest singular value of the layers side by side
PENALTY = 1e-3

Factor = Annotated[float, Field(gt=0)]


class MetaParams(BaseModel):
    """``params`` of a meta-embedding.

    Attributes
    ----------
    method : {"svd", "1ton"}
        :func:`svd` or :func:`one_to_n`.
    size : int
        Length of the embedding.
    layers : tuple of str, optional
        Layers of the other model. Default: all layers of its entry except ``"output"``.
    weights : dict of str to float, optional
        Factor of each layer, by name; 1 for a layer that is not named. Default: 5 and 10 for the last two
        layers. With "svd" the factor scales the features of the layer, with "1ton" its reconstruction error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["svd", "1ton"]
    size: int = Field(default=300, gt=0)
    layers: tuple[str, ...] | None = None
    weights: dict[str, Factor] | None = None


class MetaEmbedding(Model):
    """All layers of another model as one embedding (Derby, Miller & Devereux 2020).

    The methods are :func:`svd` and :func:`one_to_n`. The features of a stimulus in a layer are scaled to
    length one and then multiplied by the factor of the layer. The embedding is fitted to the concepts of the
    stimuli. A concept is the mean over its images, scaled to length one; if the set has a training split,
    only images of this split count. Then each stimulus is embedded by itself, and its concept is not used.
    With one image per concept, this is the method of the paper. The other model does the global max pooling:
    ``built_from: {model: vgg16, params: {layers: convolutions, pooling: max}}``.

    With ``built_from: {target: glove}`` the embedding is multimodal. The embedding of the images and the word
    vector of the concept, both scaled to length one, are put side by side. Concepts without a word vector are
    not covered, so they are left out of the scores and counted. The embedding is fitted to all concepts.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        if spec.built_from is None:
            raise UsageError(f"{spec.name}: say which model it is built from: built_from: {{model: NAME}}")
        self.parts: BuiltFrom = spec.built_from
        if self.parts.target is not None and not isinstance(self.parts.target, VectorTarget):
            raise UsageError(f"{spec.name}: target {self.parts.target.name!r} holds no word vectors")
        try:
            self.params = MetaParams(**spec.params)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise UsageError(f"{spec.name}: params.{place}: {first['msg']}") from error

    @property
    def layers(self) -> tuple[str, ...]:
        """The only layer."""
        return (LAYER,)

    @property
    def preprocessing(self) -> str:
        """The preprocessing of the other model."""
        return self.parts.model.preprocessing

    def covered(self, stimuli: Stimuli) -> frozenset[str]:
        """All concepts; with a target of word vectors, those that have a vector."""
        if self.parts.target is None:
            return super().covered(stimuli)
        return frozenset(self._words(stimuli))

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Embedding of every stimulus, shape (n, size); with word vectors (n, size + their dimensions).

        Raises
        ------
        NotPossible
            If there are fewer concepts, or fewer features in all layers together, than ``size``. If a concept
            is not covered.
        """
        whole = stimuli.whole or stimuli
        by_layer = self.parts.model.features(whole, self._sources, device=device, progress=progress)
        places = {name: i for i, name in enumerate(whole.ids)}
        embedded = self._embed(whole, by_layer)[[places[name] for name in stimuli.ids]]
        if self.parts.target is not None:
            words = self._words(stimuli)
            missing = [concept for concept in stimuli.concept_ids if concept not in words]
            if missing:
                raise NotPossible(
                    f"{self.spec.name}: {len(missing)} of {len(stimuli.concept_ids)} concepts of "
                    f"{stimuli.name!r} have no vector in {self.parts.target.name!r} (first {missing[0]!r})"
                )
            word_vectors = np.stack([words[concept] for concept in stimuli.concepts])
            embedded = np.hstack([unit(embedded), unit(word_vectors)])
        return dict.fromkeys(layers, embedded.astype(np.float32))

    def _embed(self, stimuli: Stimuli, by_layer: Mapping[str, np.ndarray]) -> np.ndarray:
        images: dict[str, list[int]] = {}
        for i, concept in enumerate(stimuli.concepts):
            if stimuli.splits is None or stimuli.splits[i] == "train":
                images.setdefault(concept, []).append(i)
        rows = [np.array(image_rows) for image_rows in images.values()]
        concepts = self._side_by_side({layer: concept_means(by_layer[layer], rows) for layer in by_layer})
        size = self.params.size
        if size > min(concepts.shape):
            raise NotPossible(
                f"{self.spec.name}: an embedding of {size} needs as many concepts and features; there are "
                f"{len(concepts)} concepts and {concepts.shape[1]} features: give params.size"
            )
        method = svd if self.params.method == "svd" else one_to_n
        embedded: np.ndarray = self._side_by_side(by_layer) @ method(concepts, size)
        return embedded

    def _side_by_side(self, by_layer: Mapping[str, np.ndarray]) -> np.ndarray:
        """All layers, scaled to length one and by their factors, shape (n, sum of their d)."""
        # With SVD the factor scales the features. With 1ToN it scales the squared error of the layer.
        power = 1.0 if self.params.method == "svd" else 0.5
        return np.hstack([self._factors[layer] ** power * unit(by_layer[layer]) for layer in self._sources])

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        return self.params.layers or tuple(layer for layer in self.parts.model.layers if layer != OUTPUT)

    @cached_property
    def _factors(self) -> dict[str, float]:
        factors = self.params.weights
        if factors is None:
            factors = dict(zip(self._sources[::-1], LAST[::-1], strict=False))
        unknown = [layer for layer in factors if layer not in self._sources]
        if unknown:
            raise UsageError(
                f"{self.spec.name}: params.weights names {unknown[0]!r}, which is not one of its layers "
                f"({', '.join(self._sources)})"
            )
        return {layer: factors.get(layer, 1.0) for layer in self._sources}

    def _words(self, stimuli: Stimuli) -> dict[str, np.ndarray]:
        """Word vector of each concept that has one; a vector of zeros counts as none."""
        target = self.parts.target
        if not isinstance(target, VectorTarget):
            return {}
        rows = {name: row for row, name in enumerate(target.ids) if target.vectors[row].any()}
        vectors = {}
        for concept in stimuli.concept_ids:
            name = next((c for c in stimuli.candidates(concept, self.parts.on) if c in rows), None)
            if name is not None:
                vectors[concept] = target.vectors[rows[name]]
        return vectors


def unit(rows: np.ndarray) -> np.ndarray:
    """The ``rows`` of a matrix, shape (n, d), scaled to length one, float64. A row of zeros stays zero."""
    rows = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return scaled


def svd(concepts: np.ndarray, size: int) -> np.ndarray:
    r"""The map to the first ``size`` dimensions of a singular value decomposition.

    With :math:`C = U S V^\top`, the embedding of the concepts is :math:`C V_d = U_d S_d`. The embedding of
    any other row x is :math:`x V_d`. C is not centred.

    Parameters
    ----------
    concepts : ndarray, shape (k, p)
        C: k concepts, and all layers side by side.
    size : int
        d, at most min(k, p).

    Returns
    -------
    ndarray, shape (p, d)
        V_d. The entry of greatest size in each column is positive, so that the library does not decide the
        sign.
    """
    return _decompose(concepts, size)[1]


def one_to_n(concepts: np.ndarray, size: int) -> np.ndarray:
    r"""The map to an embedding from which one linear map per layer reconstructs that layer.

    The shared embeddings M (k, d) and the maps :math:`W_l` (d, p_l) minimise

    .. math:: \sum_l f_l \lVert X_l - M W_l \rVert_F^2
        + \lambda \Bigl(\lVert M \rVert_F^2 + \sum_l f_l \lVert W_l \rVert_F^2\Bigr)

    (1ToN of Yin & Schuetze 2016). Here :math:`f_l` is the factor of layer l. Put the layers side by side,
    with their columns multiplied by :math:`\sqrt{f_l}`. They are then one matrix :math:`C = U S V^\top`, and
    the maps are one matrix W. The minimum of this loss has a closed form (Srebro, Rennie & Jaakkola 2004:
    both penalties together are the nuclear norm of the product): :math:`M = U_d (S_d - \lambda)^{1/2}` and
    :math:`W = (S_d - \lambda)^{1/2} V_d^\top`, up to a rotation. So there is no training whose result would
    depend on its start. A row that is not one of the concepts gets the embedding that minimises the same loss
    for this row, given W.

    Parameters
    ----------
    concepts : ndarray, shape (k, p)
        C: k concepts, and all layers side by side, each multiplied by :math:`\sqrt{f_l}`.
    size : int
        d, at most min(k, p).

    Returns
    -------
    ndarray, shape (p, d)
        Maps a row to its embedding, and the concepts themselves to M.
    """
    singular, vectors = _decompose(concepts, size)
    kept = np.maximum(singular - PENALTY * singular[0], 0)
    embed: np.ndarray = vectors * np.divide(np.sqrt(kept), singular, out=np.zeros(size), where=singular > 0)
    return embed


def _decompose(concepts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The greatest singular values (d,) and their right vectors (p, d), each with a defined sign."""
    _, singular, vectors = np.linalg.svd(concepts, full_matrices=False)
    vectors = vectors[:size].T
    greatest = vectors[np.abs(vectors).argmax(axis=0), np.arange(size)]
    return singular[:size], vectors * np.sign(greatest)
