"""Meta-embeddings: one vector a stimulus, made from many layers of another model, and from words if asked."""

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

#: The one layer
LAYER = "meta_embedding"
#: Factors of the last layers, the very last one last
LAST = (5.0, 10.0)
#: Penalty of 1ToN, as a share of the greatest singular value of the layers side by side
PENALTY = 1e-3

Factor = Annotated[float, Field(gt=0)]


class MetaParams(BaseModel):
    """``params`` of a meta-embedding.

    Attributes
    ----------
    method : {"svd", "1ton"}
    size : int
        Length of the embedding.
    layers : tuple of str, optional
        Layers of the other model; absent: all of its entry but ``"output"``.
    weights : dict of str to float, optional
        Factor of a layer by its name, one where a layer is not named; absent: 5 and 10 for the last two. With
        "svd" it scales the features of the layer, with "1ton" its reconstruction error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["svd", "1ton"]
    size: int = Field(default=300, gt=0)
    layers: tuple[str, ...] | None = None
    weights: dict[str, Factor] | None = None


class MetaEmbedding(Model):
    """All layers of another model as one embedding (Derby, Miller & Devereux 2020).

    The methods are :func:`svd` and :func:`one_to_n`. Each layer's features of a stimulus are scaled to length
    one and to the layer's factor. The embedding is fitted on the concepts of the stimuli, each the mean over
    its images (those of the training split, where there is one) scaled to length one; then every stimulus is
    embedded by itself, without its concept being looked at. With one image a concept this is the paper's.
    Global max pooling is the other model's to do: ``built_from: {model: vgg16, params: {layers: convolutions,
    pooling: max}}``.

    With ``built_from: {target: glove}`` the embedding is multimodal: itself and the concept's word vector,
    both scaled to length one, side by side. Concepts without a vector are not covered, hence dropped and
    counted; the embedding is fitted on all.
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
        """The one layer."""
        return (LAYER,)

    @property
    def preprocessing(self) -> str:
        """That of the other model."""
        return self.parts.model.preprocessing

    def covered(self, stimuli: Stimuli) -> frozenset[str]:
        """All concepts, or those that have a word vector."""
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
        """Embedding of every stimulus, shape (n, size), with words (n, size + their dimensions).

        Raises
        ------
        NotPossible
            If there are fewer concepts, or fewer features in all, than the embedding is to be long, or a
            concept is not covered.
        """
        whole = stimuli.whole or stimuli
        found = self.parts.model.features(whole, self._sources, device=device, progress=progress)
        places = {name: i for i, name in enumerate(whole.ids)}
        embedded = self._embed(whole, found)[[places[name] for name in stimuli.ids]]
        if self.parts.target is not None:
            words = self._words(stimuli)
            missing = [concept for concept in stimuli.concept_ids if concept not in words]
            if missing:
                raise NotPossible(
                    f"{self.spec.name}: {len(missing)} of {len(stimuli.concept_ids)} concepts of "
                    f"{stimuli.name!r} have no vector in {self.parts.target.name!r} (first {missing[0]!r})"
                )
            beside = np.stack([words[concept] for concept in stimuli.concepts])
            embedded = np.hstack([unit(embedded), unit(beside)])
        return dict.fromkeys(layers, embedded.astype(np.float32))

    def _embed(self, stimuli: Stimuli, found: Mapping[str, np.ndarray]) -> np.ndarray:
        images: dict[str, list[int]] = {}
        for i, concept in enumerate(stimuli.concepts):
            if stimuli.splits is None or stimuli.splits[i] == "train":
                images.setdefault(concept, []).append(i)
        rows = [np.array(found_rows) for found_rows in images.values()]
        concepts = self._side_by_side({layer: concept_means(found[layer], rows) for layer in found})
        size = self.params.size
        if size > min(concepts.shape):
            raise NotPossible(
                f"{self.spec.name}: an embedding of {size} needs as many concepts and features; there are "
                f"{len(concepts)} concepts and {concepts.shape[1]} features: give params.size"
            )
        method = svd if self.params.method == "svd" else one_to_n
        embedded: np.ndarray = self._side_by_side(found) @ method(concepts, size)
        return embedded

    def _side_by_side(self, found: Mapping[str, np.ndarray]) -> np.ndarray:
        """Layers scaled to length one and by their factors, shape (n, sum of their d)."""
        # SVD: the factor scales the features. 1ToN: it scales the layer's squared error.
        power = 1.0 if self.params.method == "svd" else 0.5
        return np.hstack([self._factors[layer] ** power * unit(found[layer]) for layer in self._sources])

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        return self.params.layers or tuple(layer for layer in self.parts.model.layers if layer != OUTPUT)

    @cached_property
    def _factors(self) -> dict[str, float]:
        given = self.params.weights
        if given is None:
            given = dict(zip(self._sources[::-1], LAST[::-1], strict=False))
        unknown = [layer for layer in given if layer not in self._sources]
        if unknown:
            raise UsageError(
                f"{self.spec.name}: params.weights names {unknown[0]!r}, which is none of its layers "
                f"({', '.join(self._sources)})"
            )
        return {layer: given.get(layer, 1.0) for layer in self._sources}

    def _words(self, stimuli: Stimuli) -> dict[str, np.ndarray]:
        """Word vector of each concept that has one that is not zero."""
        target = self.parts.target
        if not isinstance(target, VectorTarget):
            return {}
        rows = {name: row for row, name in enumerate(target.ids) if target.vectors[row].any()}
        found = {}
        for concept in stimuli.concept_ids:
            name = next((c for c in stimuli.candidates(concept, self.parts.on) if c in rows), None)
            if name is not None:
                found[concept] = target.vectors[rows[name]]
        return found


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length one, float64; a row of zeros stays zero."""
    rows = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return scaled


def svd(concepts: np.ndarray, size: int) -> np.ndarray:
    r"""The map to the first ``size`` dimensions of a singular value decomposition.

    Of :math:`C = U S V^\top` the embedding of the concepts is :math:`C V_d = U_d S_d`, and that of any other
    row :math:`x V_d`. C is not centred.

    Parameters
    ----------
    concepts : ndarray, shape (k, p)
        The layers side by side.
    size : int
        d, at most min(k, p).

    Returns
    -------
    ndarray, shape (p, d)
        V_d; the greatest entry of each column is positive, so that the sign is not left to the library.
    """
    return _decompose(concepts, size)[1]


def one_to_n(concepts: np.ndarray, size: int) -> np.ndarray:
    r"""The map to an embedding from which one linear map for each layer gives that layer back.

    Shared embeddings M (k, d) and maps :math:`W_l` (d, p_l) that make least

    .. math:: \sum_l f_l \lVert X_l - M W_l \rVert_F^2
        + \lambda \Bigl(\lVert M \rVert_F^2 + \sum_l f_l \lVert W_l \rVert_F^2\Bigr)

    (1ToN of Yin & Schuetze 2016). Side by side, with :math:`\sqrt{f_l}` in the columns, the layers are one
    matrix :math:`C = U S V^\top` and the maps one matrix W. This loss has its least value in closed form
    (Srebro, Rennie & Jaakkola 2004: both penalties together are the nuclear norm of the product), so there is
    no training whose end would depend on its start: :math:`M = U_d (S_d - \lambda)^{1/2}` and
    :math:`W = (S_d - \lambda)^{1/2} V_d^\top`, up to a rotation. A row that was not among the concepts gets
    the embedding that is best for it under the same loss, given W.

    Parameters
    ----------
    concepts : ndarray, shape (k, p)
        The layers side by side, each times :math:`\sqrt{f_l}`.
    size : int
        d, at most min(k, p).

    Returns
    -------
    ndarray, shape (p, d)
        Maps a row to its embedding; the concepts themselves to M.
    """
    singular, vectors = _decompose(concepts, size)
    kept = np.maximum(singular - PENALTY * singular[0], 0)
    embed: np.ndarray = vectors * np.divide(np.sqrt(kept), singular, out=np.zeros(size), where=singular > 0)
    return embed


def _decompose(concepts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The greatest singular values (d,) and their right vectors (p, d), the sign of each settled."""
    _, singular, vectors = np.linalg.svd(concepts, full_matrices=False)
    vectors = vectors[:size].T
    greatest = vectors[np.abs(vectors).argmax(axis=0), np.arange(size)]
    return singular[:size], vectors * np.sign(greatest)
