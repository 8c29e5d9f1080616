"""The association network for real images: an encoder fine-tuned to give the words that an image evokes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import ValidationError
from torch import nn

from benchmark.association.checkpoint import Encoder, TrainingRecord, read_record, read_vocabulary
from benchmark.association.classes import ClassMixture, mixture_strengths
from benchmark.association.encoders import TASKONOMY, build_encoder_model, trained_preprocessing
from benchmark.association.network import AssociationNetwork, encoder_of
from benchmark.association.recipe import strengths_of
from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel, Preprocessing, blocks, load_strictly, read_state_dict
from benchmark.model import Associations, ModelSpec, StartedFrom


class SwowAssociation(NetworkModel):
    """An encoder fine-tuned so that its output is the profile of words that an image evokes.

    The checkpoint is a file that ``bench train swow_assoc`` writes: a safetensors file with keys
    ``encoder.*`` and ``head.*``. Its metadata hold the vocabulary, the encoder, the preprocessing and the
    loss. If they hold only a vocabulary, the encoder is Taskonomy's class_object.

    The layers are the blocks of the encoder, ``"features"`` (the input of the head) and ``"output"`` (the
    logits, one per response). The untrained twin (the same network with random weights) has no vocabulary, so
    it has no head and no associations. Its output is the features.

    ``params: {encoder: {plugin, params}}`` names the encoder if it is a user's own plug-in, and for the
    untrained twin.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        try:
            encoder = spec.params.get("encoder")
            self._encoder = None if encoder is None else Encoder.model_validate(encoder)
        except ValidationError as error:
            raise UsageError(f"{spec.name}: params.encoder: {error.errors()[0]['msg']}") from error

    @cached_property
    def record(self) -> TrainingRecord | None:
        """How the checkpoint was trained, as its metadata say; None: untrained, or no such metadata."""
        return None if self.spec.untrained is not None else read_record(self._checkpoint())

    @property
    def started_from(self) -> StartedFrom | None:
        """What the metadata of the checkpoint say; None: untrained, or they say nothing."""
        record = self.record
        return None if record is None else StartedFrom(record.started_from, record.encoder.plugin)

    @cached_property
    def vocabulary(self) -> tuple[str, ...] | None:
        """The responses in the order of the outputs; None: untrained."""
        return None if self.spec.untrained is not None else read_vocabulary(self._checkpoint())

    @cached_property
    def transform(self) -> Preprocessing:
        """The preprocessing that is used: that of the checkpoint, else the encoder's own."""
        return (
            self.record.preprocessing if self.record else trained_preprocessing(self._encoder_model(), None)
        )

    @property
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer."""
        return repr(self.transform)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, with the preprocessing of the training."""
        return self.transform(image)

    def build(self) -> nn.Module:
        """Make the network with the weights of the checkpoint, or random ones."""
        if self.vocabulary is None:
            encoder = encoder_of(self._encoder_model())
            return AssociationNetwork(encoder, None)
        path = self._checkpoint()
        state = read_state_dict(path)
        head: nn.Module
        if self.record is not None and self.record.classes == "mixture":
            weight = state.get("head.known.weight", torch.empty(0, 1))
            classifier = nn.Linear(weight.shape[-1], len(weight))
            head = ClassMixture(classifier, torch.empty(len(weight), len(self.vocabulary)), self.record.loss)
        else:
            # The shape in the file says how many features the head reads. To count them in the encoder would
            # take as long as the answer for an image.
            weight = state.get("head.weight", torch.empty(0, 1))
            head = nn.Linear(weight.shape[-1], len(self.vocabulary))
        network = AssociationNetwork(encoder_of(self._encoder_model()), head)
        load_strictly(network, state, path)
        return network

    def modules(self) -> dict[str, str]:
        """Blocks of the encoder, then the input of the head."""
        paths = [f"encoder.{path}" for path in blocks(self.network.get_submodule("encoder"))]
        head = {} if self.vocabulary is None else {"features": "head:input"}
        return {path: path for path in paths} | head

    def associations(self, output: np.ndarray) -> Associations | None:
        """Association strengths: the sigmoid or the softmax of the logits, as in the training.

        A network that mixes classes gives the strengths that it mixed, zero included.
        """
        if self.vocabulary is None:
            return None
        loss = self.record.loss if self.record else "softmax"
        mixture = self.record is not None and self.record.classes == "mixture"
        strengths = (mixture_strengths if mixture else strengths_of)(
            loss, torch.tensor(output, dtype=torch.float64)
        )
        return Associations(self.vocabulary, strengths.numpy())

    def _encoder_model(self) -> NetworkModel:
        """The plug-in of the encoder, with random weights from torch's present seed; a new one each time."""
        encoder = self._encoder or (self.record.encoder if self.record else TASKONOMY)
        return build_encoder_model(encoder, torch.initial_seed() % 2**31)

    def _checkpoint(self) -> Path:
        path = self.spec.weights
        if path is None or path.suffix != ".safetensors":
            raise UsageError(f"{self.spec.name}: needs a checkpoint file that is a .safetensors, not {path}")
        return path
