"""A model as a task sees it: features from the store, extracted at their first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.common.cost import Cost
from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import Stimuli
from benchmark.extraction.store import FeatureStore
from benchmark.model import OUTPUT, Announcing, Associations, ClassProbabilities, Model, Progress
from benchmark.runner.layers import choose_layers
from benchmark.task import LongWork, ModelView

if TYPE_CHECKING:
    from benchmark.representation.associations import AssociationRule

#: With this many stimuli or more, the cost of an extraction is estimated (from one batch) and shown
LONG = 256


class StoredView:
    """A model's features for one stimulus set.

    The first use of a layer that is not stored extracts all missing layers in one forward pass.

    Parameters
    ----------
    model : Model
    stimuli : Stimuli
    store : FeatureStore
    key : mapping
        Everything that can change a feature, except the layer (:func:`benchmark.runner.loaded.feature_key`).
    layers : tuple of str or None
        The layers to score (:func:`benchmark.runner.layers.choose_layers`).
    device : str
        "cpu", "cuda" or "mps".
    progress : callable, optional
        Called as stimuli are done.
    work : LongWork, optional
        How a task with long work shows progress and keeps unfinished parts.
    references : mapping of str to ModelView, optional
        The other models that the task needs.
    rule : callable, optional
        Gives the rule under which association profiles are compared. It is called for a model that has an
        association head; its layer "output" is then the rows under this rule. None: logits.
    compared : sequence of str, optional
        The concepts that are compared, for a rule that takes the mean over them. None: all.
    """

    def __init__(
        self,
        model: Model,
        stimuli: Stimuli,
        store: FeatureStore,
        key: Mapping[str, Any],
        layers: tuple[str, ...] | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
        work: LongWork | None = None,
        references: Mapping[str, ModelView] | None = None,
        rule: Callable[[], AssociationRule] | None = None,
        compared: Sequence[str] | None = None,
    ) -> None:
        self.name = model.spec.name
        self.stimuli = stimuli
        self.layers = choose_layers(model, layers)
        self.work = work or LongWork()
        self.references = references or {}
        self._model = model
        self._store = store
        self._key = dict(key)
        self._device = device
        self._progress = progress
        self._rule = rule
        self._concepts = None if compared is None else frozenset(compared)
        self._profiles: np.ndarray | None = None
        #: The rule under which the layer "output" was compared; None: as it is, or not used so far
        self.rule_used: AssociationRule | None = None
        #: How classes were found for a model without a classifier; None: not needed so far
        self.classified_by: str | None = None

    def features(self, layer: str) -> np.ndarray:
        """Features of ``layer``: float32, shape (n stimuli, d), in stimulus order.

        Those of ``"output"`` are association profiles under a rule, if the model has an association head.

        Raises
        ------
        NotPossible
            If the rule needs norms that are not there, or that share no word with the model.
        """
        features = self._stored(layer)
        return features if layer != OUTPUT else self._compared(features)

    def _stored(self, layer: str) -> np.ndarray:
        stored = self._store.get(self._key, layer)
        return self._extract_missing(layer)[layer] if stored is None else stored

    def _compared(self, output: np.ndarray) -> np.ndarray:
        """The layer "output" as it is compared."""
        if self._rule is None:
            return output
        if self._profiles is None:
            head = self._model.associations(output)
            rule = None if head is None else self._rule()
            if head is None or rule is None or rule.name == "logits":
                self._profiles = output
            else:
                self._profiles = rule.rows(head, self._counted()).astype(np.float32)
                self.rule_used = rule
        return self._profiles

    def _counted(self) -> np.ndarray | None:
        """The stimuli that are compared: the scored images of the concepts that joined; None: all."""
        if self._concepts is None:
            return None
        splits = self.stimuli.splits or ("test",) * len(self.stimuli)
        pairs = zip(self.stimuli.concepts, splits, strict=True)
        return np.array([concept in self._concepts and split == "test" for concept, split in pairs])

    def missing(self, *asked: str) -> list[str]:
        """The layers that are not stored yet: of ``asked``, of the layers to score, and of ``"output"``."""
        wanted = dict.fromkeys([*asked, *self.layers, *([OUTPUT] if OUTPUT in self._model.layers else [])])
        return [layer for layer in wanted if self._store.get(self._key, layer) is None]

    def cost(self, layers: Sequence[str]) -> Cost | None:
        """What it will cost to extract ``layers``; None: not known, or close to nothing."""
        return self._model.estimate(self.stimuli, layers, device=self._device)

    def _extract_missing(self, asked: str) -> dict[str, np.ndarray]:
        """Extract ``asked`` and every other layer that is not stored yet, in one pass.

        Another process that extracts features of this model is waited for, and its features are used.
        """
        waiting = f"another run extracts features of {self.name}: waiting for them"
        with self._store.claim(self._key, waiting):
            stored = self._store.get(self._key, asked)
            return self._extract(self.missing(asked)) if stored is None else {asked: stored}

    def _extract(self, layers: Sequence[str]) -> dict[str, np.ndarray]:
        if isinstance(self._progress, Announcing) and len(self.stimuli) >= LONG:
            cost = self.cost(layers)
            if cost is not None:
                self._progress.expect(cost)
        extracted = self._model.features(self.stimuli, layers, device=self._device, progress=self._progress)
        features = {
            layer: checked_features(self.name, layer, extracted.get(layer), self.stimuli) for layer in layers
        }
        self._store.put(self._key, features, {"model": self.name, "stimuli": self.stimuli.name})
        return features

    def associations(self) -> Associations | None:
        """Association strengths of every stimulus, or None."""
        if OUTPUT not in self._model.layers:
            return None
        return self._model.associations(self._stored(OUTPUT))

    def classify(self) -> ClassProbabilities | None:
        """Class probabilities of every stimulus, or None.

        A network with an association head and no classifier takes a stimulus for the concept whose profile in
        the norms of the rule is nearest to its associations. A network whose weights lack its classifier has
        a readout of its output, cross-validated over images, if each concept has two test images at least.

        Raises
        ------
        NotPossible
            If the norms share too few concepts with the stimuli, or no word with the model; or if the output
            does not vary.
        """
        if OUTPUT not in self._model.layers:
            return None
        output = self._stored(OUTPUT)
        classes = self._model.classify(output)
        if classes is not None:
            return classes
        head = self._model.associations(output)
        return self._read_out(output) if head is None else self._nearest(head)

    def _nearest(self, head: Associations) -> ClassProbabilities | None:
        """The concept whose profile in the norms of the rule is nearest to the associations."""
        norms = None if self._rule is None else self._rule().norms
        if norms is None:
            return None
        from benchmark.representation.associations import nearest_concepts  # imports the measures

        self.classified_by = (
            f"an image is taken for the concept whose profile in norms {norms.name} is nearest to its "
            "associations (cosine of strengths)"
        )
        return nearest_concepts(head, norms, self.stimuli)

    def _read_out(self, output: np.ndarray) -> ClassProbabilities | None:
        """The concept that a readout of the output predicts from other images."""
        # imports the measures
        from benchmark.representation.readout import IMAGE_FOLDS, can_read_classes, read_classes

        if not (self._model.classes_read_out and can_read_classes(self.stimuli)):
            return None
        self.classified_by = (
            f"an image is taken for the concept that a ridge readout of layer {OUTPUT} predicts, "
            f"cross-validated over images in {IMAGE_FOLDS} folds"
        )
        try:
            return read_classes(output, self.stimuli)
        except ValueError as error:
            raise NotPossible(f"model {self.name!r}, readout of layer {OUTPUT!r}: {error}") from error


def checked_features(model: str, layer: str, features: np.ndarray | None, stimuli: Stimuli) -> np.ndarray:
    """Check the features that a plug-in gives, and convert them to float32.

    Parameters
    ----------
    model, layer : str
        Names, for messages.
    features : ndarray or None
        What the plug-in gave.
    stimuli : Stimuli

    Returns
    -------
    ndarray, shape (n stimuli, d), float32

    Raises
    ------
    DataError
        If there are no features, the shape is another, or a value is NaN or infinite.
    """
    where = f"model {model!r}, layer {layer!r}"
    if features is None:
        raise DataError(f"{where}: the plug-in gave no features for it")
    array = np.asanyarray(features, dtype=np.float32)
    if array.ndim != 2 or len(array) != len(stimuli) or array.shape[1] == 0:
        raise DataError(f"{where}: features of shape {array.shape}; expected ({len(stimuli)}, d)")
    for stimulus, row in zip(
        stimuli.ids, array, strict=True
    ):  # row by row: features may be larger than memory
        if not np.isfinite(row).all():
            raise DataError(f"{where}: NaN or infinite features, first for stimulus {stimulus!r}")
    return array
