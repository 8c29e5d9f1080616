"""The small networks of the drawn world: their architectures, and the plug-ins that load their weights.

``models/train_miniature.py`` trains all of them and writes the checkpoints to ``models/weights``. They take
part only in the embedded suite. There they replace the real networks: Taskonomy's object classifier,
``swow_assoc`` that was fine-tuned from it, an ImageNet classifier, and CLIP. Their scores say nothing about
the real networks.
"""

from __future__ import annotations

import itertools
import json
from abc import abstractmethod
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from scipy.special import expit, softmax
from torch import nn
from torch.nn import functional

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import AssociationTarget, DataRoot, PropertyTarget, mini
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.extraction import NetworkModel, load_strictly, read_state_dict
from benchmark.model import Associations, ClassProbabilities

#: width and height of an image in pixels
SIZE = 64
CONCEPT_IDS = tuple(concept.id for concept in CONCEPTS)
#: key of the safetensors metadata that holds the response vocabulary of ``swow_assoc``
VOCABULARY = "vocabulary"
#: dimensions of the space that images and captions share
CLIP_DIMENSIONS = 64

#: templates of captions; CLIP classifies with the first one
CAPTIONS = (
    "a photo of a {name}",
    "a drawing of a {name}",
    "a picture of one {name}",
    "a {name}",
    "a photo of a {name} , a {category}",
    "a drawing of a {name} , a kind of {category}",
    "a {name} , a {category}",
)


def caption(concept: int, template: int) -> str:
    """Caption of concept number ``concept`` from template number ``template``, with spaces between words."""
    named = CONCEPTS[concept]
    return CAPTIONS[template].format(name=named.id, category=named.category.replace("_", " "))


def property_caption(text: str) -> str:
    """Caption that does not name the object, but one of its properties: ``text``, a column of the norms."""
    return f"something that {text}"


@cache
def property_norms() -> PropertyTarget:
    """The property norms of the drawn world, one row per concept in the order of ``CONCEPT_IDS``."""
    return mini.properties(DataRoot(Path()), name="mini_properties").select(CONCEPT_IDS)


#: words for the form of a drawing, and their ratings for each concept, from 0 to 10
FORMS, FORM_RATINGS = mini.form_ratings()


def form_caption(form: str) -> str:
    """Caption that names only the form of an object: ``form``, one of :data:`FORMS`."""
    return f"a drawing of something {form}"


def _words() -> tuple[str, ...]:
    """Every word that a caption may hold."""
    captions = [caption(c, t) for c in range(len(CONCEPTS)) for t in range(len(CAPTIONS))]
    captions += [property_caption(text) for text in property_norms().columns]
    captions += [form_caption(form) for form in FORMS]
    return tuple(sorted({word for text in captions for word in text.split()}))


WORDS = _words()


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


class Residual(nn.Module):
    """Two 3 x 3 convolutions with a shortcut around them. It halves each side of the map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inputs, outputs, stride=2), nn.ReLU(), *_convolution(outputs, outputs)
        )
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps (n, inputs, h, w) to maps (n, outputs, h / 2, w / 2)."""
        return functional.relu(self.body(x) + self.shortcut(x))


class ResidualEncoder(nn.Sequential):
    """From an image to a small flattened map of few channels, like the Taskonomy encoders."""

    #: length of the flattened map: 24 channels, 4 x 4
    dimensions: ClassVar[int] = 24 * 4 * 4

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 20, 5, 2, 2, bias=False), nn.BatchNorm2d(20), nn.ReLU())
        self.stage1 = Residual(20, 32)
        self.stage2 = Residual(32, 64)
        self.stage3 = Residual(64, 96)
        self.projection = nn.Sequential(nn.Conv2d(96, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        self.flatten = nn.Flatten()


class EncoderWithHead(nn.Module):
    """The encoder, and one linear head on its flattened features."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.encoder = ResidualEncoder()
        self.head = nn.Linear(ResidualEncoder.dimensions, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, 64, 64) to logits (n, outputs)."""
        logits: torch.Tensor = self.head(self.encoder(x))
        return logits


class PlainNetwork(nn.Module):
    """Convolutions and max pooling in sequence, then two linear layers, like AlexNet."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
                *(
                    nn.Sequential(*_convolution(inputs, outputs), nn.ReLU(), nn.MaxPool2d(2))
                    for inputs, outputs in itertools.pairwise((16, 32, 64, 80))
                ),
            ]
        )
        self.hidden = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(80 * 4 * 4, 128), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(128, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, 64, 64) to logits (n, outputs)."""
        for stage in self.stages:
            x = stage(x)
        logits: torch.Tensor = self.head(self.hidden(x))
        return logits


class TwoTowers(nn.Module):
    """An image tower and a text tower (mean of word embeddings) with outputs in one space."""

    def __init__(self) -> None:
        super().__init__()
        self.image = EncoderWithHead(CLIP_DIMENSIONS)
        self.words = nn.EmbeddingBag(len(WORDS), CLIP_DIMENSIONS, mode="mean")
        self.text = nn.Sequential(
            nn.Linear(CLIP_DIMENSIONS, CLIP_DIMENSIONS),
            nn.ReLU(),
            nn.Linear(CLIP_DIMENSIONS, CLIP_DIMENSIONS),
        )
        #: logarithm of the factor by which cosines are multiplied, and the number that is added to them
        self.scale = nn.Parameter(torch.tensor(2.5))
        self.bias = nn.Parameter(torch.tensor(-3.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, 64, 64) to embeddings (n, 64) of length one."""
        return functional.normalize(self.image(x), dim=-1)

    def encode_text(self, captions: list[str]) -> torch.Tensor:
        """From n ``captions`` to embeddings (n, 64) of length one; their words must be in :data:`WORDS`."""
        rows = [[WORDS.index(word) for word in text.split()] for text in captions]
        offsets = np.cumsum([0] + [len(row) for row in rows[:-1]]).tolist()
        device = self.scale.device
        words = torch.tensor([i for row in rows for i in row], device=device)
        embedded = self.words(words, torch.tensor(offsets, device=device))
        return functional.normalize(self.text(embedded), dim=-1)


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """From ``pixels``, uint8 (..., 64, 64, 3), to a float32 tensor (..., 3, 64, 64) from -1 to 1."""
    return torch.from_numpy(np.array(pixels)).movedim(-1, -3).float() / 127.5 - 1


class Miniature(NetworkModel):
    """Base of the small networks: their preprocessing, and how their weights are read."""

    preprocessing = "RGB, 64 x 64 not resized, [0, 255] scaled to [-1, 1]"

    @abstractmethod
    def architecture(self) -> nn.Module:
        """The network with random weights."""

    @abstractmethod
    def classify(self, output: np.ndarray) -> ClassProbabilities:
        """Probabilities of the 48 concepts, computed from the output (n, d)."""

    def build(self) -> nn.Module:
        """The network with the weights of the checkpoint, or untrained, with the seed of the caller.

        Raises
        ------
        NotPossible
            If the entry names no checkpoint.
        BenchError
            If the checkpoint is of another architecture. The message names the keys.
        """
        module = self.architecture()
        if self.spec.untrained is not None:
            return module
        path = self.spec.weights
        if path is None:
            raise NotPossible(
                f"model {self.spec.name!r} needs a checkpoint: `python models/train_miniature.py` makes it"
            )
        load_strictly(module, read_state_dict(path), path)
        return module

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """An image of 64 x 64 pixels as a tensor (3, 64, 64).

        Raises
        ------
        DataError
            If the image has another size.
        """
        if image.size != (SIZE, SIZE):
            raise DataError(
                f"model {self.spec.name!r} takes images of {SIZE} x {SIZE} pixels, not {image.size[0]} x "
                f"{image.size[1]}: it belongs to the embedded suite (--suite mini)"
            )
        return to_tensor(np.asarray(image.convert("RGB")))


class ObjectEncoder(Miniature):
    """Residual encoder, trained on the 48 concepts with soft labels; it replaces Taskonomy's class_object."""

    def architecture(self) -> nn.Module:
        """The network with random weights."""
        return EncoderWithHead(len(CONCEPT_IDS))

    def modules(self) -> dict[str, str]:
        """Layer names and the paths of their modules in the network."""
        return _encoder_layers("encoder")

    def classify(self, output: np.ndarray) -> ClassProbabilities:
        """Softmax over the 48 concepts."""
        return ClassProbabilities(CONCEPT_IDS, softmax(output.astype(np.float64), axis=1))


class SwowAssociation(Miniature):
    """The encoder with a linear head, fine-tuned end to end to give the association profile of a concept."""

    @cached_property
    def norms(self) -> AssociationTarget:
        """The association norms of the drawn world. Their responses are the outputs of the head."""
        return mini.associations(DataRoot(self.spec.data), name="mini_associations")

    def architecture(self) -> nn.Module:
        """The network with random weights."""
        return EncoderWithHead(len(self.norms.columns))

    def build(self) -> nn.Module:
        """The network with its weights; see :meth:`Miniature.build`.

        Raises
        ------
        DataError
            Also if the checkpoint was trained on another vocabulary than that of the norms. Its outputs would
            be taken for the wrong words.
        """
        if self.spec.weights is not None and self.spec.untrained is None:
            vocabulary = read_vocabulary(self.spec.weights)
            if vocabulary != self.norms.columns:
                raise DataError(
                    f"{self.spec.weights}: its {len(vocabulary)} responses are not the "
                    f"{len(self.norms.columns)} of {self.norms.name}: train it again with "
                    "`python models/train_miniature.py`"
                )
        return super().build()

    def modules(self) -> dict[str, str]:
        """Layer names and the paths of their modules in the network."""
        return _encoder_layers("encoder")

    def associations(self, output: np.ndarray) -> Associations:
        """Sigmoid of the logits: the predicted share of people who give each response."""
        return Associations(self.norms.columns, expit(output.astype(np.float64)))

    def classify(self, output: np.ndarray) -> ClassProbabilities:
        """Probability of each concept, from the agreement of the predicted profile with its norms.

        The head predicts words, not classes. Each word is a yes-or-no answer, and a share of people says yes.
        The score of a concept is minus the Kullback-Leibler divergence of the predicted shares from the
        shares in its norms, summed over the vocabulary. The probabilities are the softmax of the scores, as
        if one person had answered.

        The norms of held-out concepts are used here, but no network was trained on them. The images of
        held-out concepts are classified as trained concepts; half of the time as one of the same category.
        """
        strengths = association_strengths(self.norms)
        shares = strengths[self.norms.rows(CONCEPT_IDS)]
        logits = output.astype(np.float64)
        # KL(p || q) = sum p log p + (1 - p) log(1 - p) - p z + log(1 + e^z), with q = sigmoid(z). The last
        # term is the same for every concept, so it is left out.
        return ClassProbabilities(CONCEPT_IDS, softmax(logits @ shares.T + _entropy(shares), axis=1))


class Classifier(Miniature):
    """Plain convolutional classifier, trained with soft labels; it replaces an ImageNet network."""

    def architecture(self) -> nn.Module:
        """The network with random weights."""
        return PlainNetwork(len(CONCEPT_IDS))

    def modules(self) -> dict[str, str]:
        """Layer names and the paths of their modules in the network."""
        return {f"conv{i + 1}": f"stages.{i}" for i in range(4)} | {"hidden": "hidden"}

    def classify(self, output: np.ndarray) -> ClassProbabilities:
        """Softmax over the 48 concepts."""
        return ClassProbabilities(CONCEPT_IDS, softmax(output.astype(np.float64), axis=1))


class Clip(Miniature):
    """Image and text tower, trained contrastively; captions say a name, a property or a form."""

    def architecture(self) -> nn.Module:
        """The network with random weights."""
        return TwoTowers()

    def modules(self) -> dict[str, str]:
        """Layer names and the paths of their modules in the image tower."""
        return _encoder_layers("image.encoder")

    def classify(self, output: np.ndarray) -> ClassProbabilities:
        """Softmax of the scaled cosines with the captions of the 48 names."""
        towers = cast("TwoTowers", self.network)
        prompts = [caption(concept, 0) for concept in range(len(CONCEPTS))]
        with torch.inference_mode():
            texts = towers.encode_text(prompts) * towers.scale.exp()
        cosines = output.astype(np.float64) @ texts.cpu().numpy().T
        return ClassProbabilities(CONCEPT_IDS, softmax(cosines, axis=1))


def _encoder_layers(path: str) -> dict[str, str]:
    stages = ("stem", "stage1", "stage2", "stage3")
    return {stage: f"{path}.{stage}" for stage in stages} | {"encoder": path}


def association_strengths(norms: AssociationTarget) -> np.ndarray:
    """Share of people who gave each response, shape (n, v): counts over respondents of the ``norms``."""
    strengths: np.ndarray = norms.counts.toarray() / norms.respondents[:, None]
    return strengths


def _entropy(shares: np.ndarray) -> np.ndarray:
    """Entropy in nats of the yes-or-no answers in each row, summed over the words."""
    p = np.clip(shares, 1e-12, 1 - 1e-12)
    entropy: np.ndarray = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(axis=1)
    return entropy


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """The responses to which the outputs of a checkpoint of ``swow_assoc`` belong, in order.

    Parameters
    ----------
    path : Path
        The checkpoint, a safetensors file.

    Raises
    ------
    DataError
        If the file is not a safetensors file, or its metadata have no vocabulary.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not a safetensors file ({error})") from error
    if VOCABULARY not in metadata:
        raise DataError(
            f"{path}: its metadata have no {VOCABULARY!r}; it is no checkpoint of SwowAssociation"
        )
    return tuple(json.loads(metadata[VOCABULARY]))
