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
from benchmark.representation.concepts import concept_means, normalised

#: Name of the only layer
LAYER = "meta_embedding"
#: Factors of the last two layers, in depth order
LAST = (5.0, 10.0)
#: Penalty of 1ToN, as a share of the greatest singular value of the layers side by side
PENALTY = 1e-3
#: Steps of Adam in the training of 1ToN, their rate, and the seed of its start
STEPS, RATE, SEED = 1000, 0.01, 0
#: Penalty on the maps in that training, for a layer of unit rows
MAPS_PENALTY = 1e-4

Factor = Annotated[float, Field(gt=0)]


class MetaParams(BaseModel):
    """``params`` of a meta-embedding.

    Attributes
    ----------
    method : {"svd", "1ton", "1ton_trained", "last"}
        :func:`svd`, :func:`one_to_n` or :func:`trained_one_to_n`. "last": the last layer as it is, which is
        the baseline of the others.
    size : int
        Length of the embedding. "last" has that of its layer.
    layers : tuple of str, optional
        Layers of the other model. Default: all layers of its entry except ``"output"``.
    weights : dict of str to float, optional
        Factor of each layer, by name; 1 for a layer that is not named. Default: 5 and 10 for the last two
        layers. With "1ton" the factor scales the reconstruction error of the layer, else its features.
    average : bool
        Whether the features of a stimulus are replaced by their mean over all stimuli of its concept (in its
        split), before they are scaled to length one, as in the paper. Then all images of a concept have one
        embedding.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["svd", "1ton", "1ton_trained", "last"]
    size: int = Field(default=300, gt=0)
    layers: tuple[str, ...] | None = None
    weights: dict[str, Factor] | None = None
    average: bool = False


class MetaEmbedding(Model):
    """All layers of another model as one embedding (Derby, Miller & Devereux 2020).

    The methods are :func:`svd`, :func:`one_to_n` and :func:`trained_one_to_n`. The features of a stimulus in
    a layer are scaled to length one and then multiplied by the factor of the layer. The embedding is fitted
    to the concepts of the stimuli. A concept is the mean over its images, scaled to length one; if the set
    has a training split, only images of this split count. Then each stimulus is embedded by itself, and its
    concept is not used, unless ``average`` says so. With one image per concept, or with ``average``, this is
    the method of the paper. The other model does the global max pooling:
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
            embedded = np.hstack([normalised(embedded, "l2"), normalised(word_vectors, "l2")])
        return dict.fromkeys(layers, embedded.astype(np.float32))

    def _embed(self, stimuli: Stimuli, by_layer: Mapping[str, np.ndarray]) -> np.ndarray:
        if self.params.average:
            by_layer = {layer: _averaged(features, stimuli) for layer, features in by_layer.items()}
        if self.params.method == "last":
            return normalised(by_layer[self._sources[-1]], "l2")
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
        method = _METHODS[self.params.method]
        embedded: np.ndarray = self._side_by_side(by_layer) @ method(concepts, size)
        return embedded

    def _side_by_side(self, by_layer: Mapping[str, np.ndarray]) -> np.ndarray:
        """All layers, scaled to length one and by their factors, shape (n, sum of their d)."""
        # In the closed form of 1ToN the factor scales the squared error of the layer.
        power = 0.5 if self.params.method == "1ton" else 1.0
        return np.hstack(
            [self._factors[layer] ** power * normalised(by_layer[layer], "l2") for layer in self._sources]
        )

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        layers = self.params.layers or tuple(layer for layer in self.parts.model.layers if layer != OUTPUT)
        return layers[-1:] if self.params.method == "last" else layers

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


def trained_one_to_n(concepts: np.ndarray, size: int) -> np.ndarray:
    r"""The map to an embedding by 1ToN as Derby, Miller & Devereux 2020 have it: only maps are penalised.

    The shared embeddings M (k, d) and the maps W (d, p) of all layers side by side are trained to minimise

    .. math:: \frac{1}{k} \lVert C - M W \rVert_F^2 + \lambda \lVert W \rVert_F^2

    This loss has no minimum: M may grow while W shrinks. So what training gives depends on its start and on
    its length. Here these are 1000 steps of Adam (rate .01) on all concepts from a seeded normal start, in
    the coordinates of the singular vectors of C, outside of which there is nothing to fit. Any row gets the
    embedding that minimises its own error, given W.

    Parameters
    ----------
    concepts : ndarray, shape (k, p)
        C: k concepts, and all layers side by side, each multiplied by its factor.
    size : int
        d, at most min(k, p).

    Returns
    -------
    ndarray, shape (p, d)
    """
    import torch  # slow to import

    singular, vectors = _decompose(concepts, min(concepts.shape))
    coordinates = torch.as_tensor(concepts @ vectors)
    k, q = coordinates.shape
    generator = torch.Generator().manual_seed(SEED)
    # entries of a product of the two are then of the size of the entries that they are to reproduce
    scale = float(np.sqrt((singular**2).sum() / (k * q) / size) ** 0.5)
    embeddings, maps = (
        (scale * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        for shape in ((k, size), (size, q))
    )
    optimiser = torch.optim.Adam([embeddings, maps], lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = ((coordinates - embeddings @ maps) ** 2).sum() / k + MAPS_PENALTY * (maps**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    embed: np.ndarray = vectors @ np.linalg.pinv(maps.detach().numpy())
    return embed


_METHODS = {"svd": svd, "1ton": one_to_n, "1ton_trained": trained_one_to_n}


def _averaged(features: np.ndarray, stimuli: Stimuli) -> np.ndarray:
    """The mean over the stimuli of the concept, of the same split, for each stimulus, (n, d)."""
    splits = stimuli.splits or ("",) * len(stimuli)
    rows: dict[tuple[str, str], list[int]] = {}
    for i, place in enumerate(zip(stimuli.concepts, splits, strict=True)):
        rows.setdefault(place, []).append(i)
    means = concept_means(features, [np.array(numbers) for numbers in rows.values()])
    averaged = np.empty(features.shape)
    for mean, numbers in zip(means, rows.values(), strict=True):
        averaged[numbers] = mean
    return averaged


def _decompose(concepts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The greatest singular values (d,) and their right vectors (p, d), each with a defined sign."""
    _, singular, vectors = np.linalg.svd(concepts, full_matrices=False)
    vectors = vectors[:size].T
    greatest = vectors[np.abs(vectors).argmax(axis=0), np.arange(size)]
    return singular[:size], vectors * np.sign(greatest)
