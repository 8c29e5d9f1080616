"""The base of networks that a library builds by name: torchvision, timm, open_clip."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError
from benchmark.extraction.network import NetworkModel
from benchmark.extraction.preprocess import Preprocessing
from benchmark.extraction.structure import blocks, classifier_path, feeds
from benchmark.extraction.tokens import Tokens, read_tokens
from benchmark.extraction.weights import load_strictly, read_state_dict
from benchmark.model import ClassProbabilities, ModelSpec

Transform = Callable[[Image.Image], torch.Tensor]

#: The last layer before the classifier: the input of the classifier.
PENULTIMATE = "pre_logits"

#: Ending of the name of a layer that is the mean of a block's patch tokens, without class token and
#: registers.
PATCHES = ".patches"


class LibraryParams(BaseModel):
    """``params`` of a network that a library builds.

    Attributes
    ----------
    architecture : str
        Name of the architecture in the library.
    kwargs : dict
        Further arguments for the library's factory (``pad_type: same``).
    preprocessing : Preprocessing or str, optional
        The preprocessing in full, or the name of the library's weights that it belongs to. It is required
        with a checkpoint file. Default: that of the hub weights, or of the first weights that the library
        lists for the architecture.
    part : str, optional
        Where the weights are in a checkpoint file (:func:`benchmark.extraction.read_state_dict`). It is
        required where the file has weights at several places.
    classes : {"imagenet-1k"}, optional
        The classes to which the outputs belong, in order. Default: the model has no classes.
    layers, pooling, precision
        See :class:`benchmark.extraction.NetworkModel`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    kwargs: dict[str, Any] = {}
    preprocessing: Preprocessing | str | None = None
    part: str | None = None
    classes: Literal["imagenet-1k"] | None = None
    layers: tuple[str, ...] | str | None = None
    pooling: str | dict[str, str] | None = None
    precision: Literal["float32", "bfloat16"] = "float32"


@cache
def imagenet_ids() -> tuple[str, ...]:
    """WordNet ids of the 1000 ILSVRC-2012 classes, in the order of the outputs of all networks."""
    from timm.data.imagenet_info import ImageNetInfo

    return tuple(ImageNetInfo("imagenet-1k").label_names())  # type: ignore[no-untyped-call]


class LibraryNetwork(NetworkModel):
    """A network that a library builds by name. Its layers are found in its modules.

    The layers are the blocks of the network (:func:`benchmark.extraction.structure.blocks`), ``"pre_logits"``
    (the input of the classifier) and ``"output"``. If only pooling lies between the last block and the
    classifier, ``"pre_logits"`` replaces the last block.

    A sequence of tokens becomes the mean of the patches. A block that holds a class token gives two layers:
    ``"blocks.3"`` (the class token) and ``"blocks.3.patches"`` (the mean of the patches). Which tokens are
    patches is read off the network (:mod:`benchmark.extraction.tokens`); a layer where it cannot be read off
    is refused, unless the entry names a pooling of all tokens.
    """

    library: str

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        try:
            self.params = LibraryParams(**spec.params)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise UsageError(f"{spec.name}: params.{place}: {first['msg']}") from error
        if spec.weights is not None and self.params.preprocessing is None:
            raise UsageError(
                f"{spec.name}: give params.preprocessing (resize, crop, mean, std, interpolation): the "
                "library does not know what the weights in a file were trained with"
            )
        names = self.architectures()
        if self.params.architecture.partition(".")[0] not in names:
            raise UsageError(
                f"{spec.name}: {self.library} has no architecture {self.params.architecture!r}; "
                f"{did_you_mean(self.params.architecture, names, most=3)}"
            )

    @abstractmethod
    def architectures(self) -> Sequence[str]:
        """Names of all architectures that the library can build."""

    @abstractmethod
    def construct(self) -> torch.nn.Module:
        """The network with random weights."""

    @abstractmethod
    def fetch(self, hub: str) -> torch.nn.Module:
        """The network with the library's weights ``hub``, loaded strictly."""

    @abstractmethod
    def own_transform(self, weights: str | None) -> Transform:
        """The library's preprocessing for its ``weights`` of that name.

        None: for the first weights that the library lists for the architecture.
        """

    def build(self) -> torch.nn.Module:
        """Make the network with the library's weights, those of a file, or random ones."""
        if self.spec.hub is not None:
            return self.fetch(self.spec.hub)
        network = self.construct()
        if self.spec.weights is not None:
            state = self.renamed(read_state_dict(self.spec.weights, self.params.part), network)
            load_strictly(network, state, self.spec.weights)
        elif self.spec.untrained is None:
            raise UsageError(
                f"{self.spec.name}: no weights; give a checkpoint, or name the untrained twin "
                f"({self.spec.name}@untrained:0)"
            )
        return network

    def renamed(self, state: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
        """The weights of a file, under the names that they have in the network: as they are.

        Parameters
        ----------
        state : dict of str to Tensor
            The weights by their name in the file.
        network : Module
            The network that will get them.
        """
        del network
        return state

    @property
    def named_weights(self) -> str | None:
        """The library's weights whose settings and preprocessing the network has; None: none are named.

        Those of the entry; for an untrained twin, those of the trained network; else those that
        ``params.preprocessing`` names.
        """
        named = self.params.preprocessing
        return self.spec.hub or self.spec.settings_of or (named if isinstance(named, str) else None)

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments for the library's factory that belong to the weights; ``params.kwargs`` goes before."""
        return {}

    @property
    def factory_kwargs(self) -> dict[str, Any]:
        """Arguments for the library's factory: the settings, and ``params.kwargs`` before them."""
        return {**self.settings, **self.params.kwargs}

    @property
    def assumed(self) -> str | None:
        """The settings that neither the entry nor its weights say, in words; None: there are none."""
        assumed = {key: value for key, value in self.settings.items() if key not in self.params.kwargs}
        if not assumed or self.named_weights is not None or self.spec.untrained is not None:
            return None
        return ", ".join(f"{key}: {value}" for key, value in assumed.items())

    @property
    def own_params(self) -> dict[str, Any]:
        """Params with which the same network is built without naming its weights."""
        kwargs = self.factory_kwargs
        named = self.params.preprocessing or self.named_weights
        return {
            **self.spec.params,
            **({"kwargs": kwargs} if kwargs else {}),
            **({"preprocessing": named} if isinstance(named, str) else {}),
        }

    @cached_property
    def transform(self) -> Transform:
        """The preprocessing that is used: that of ``params``, else the library's."""
        preprocessing = self.params.preprocessing
        if isinstance(preprocessing, Preprocessing):
            return preprocessing
        return self.own_transform(preprocessing or self.named_weights)

    @property
    def gives_one_shape(self) -> bool:
        """Whether the preprocessing gives one shape for images of any shape."""
        transform = self.transform
        if not isinstance(transform, Preprocessing):
            return True
        return transform.crop is not None or not isinstance(transform.resize, int)

    @property
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer, and the settings of the network."""
        settings = self.factory_kwargs
        words = [f"{key}={settings[key]}" for key in self.settings]
        return " ".join([*repr(self.transform).split(), *(["with", *words] if words else [])])

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, with the preprocessing of the weights."""
        return self.transform(image)

    def modules(self) -> dict[str, str]:
        """Blocks in depth order, then the input of the classifier."""
        paths = blocks(self.network)
        classifier = self.classifier()
        if classifier is None:
            return self.with_patches(paths)
        paths = [path for path in paths if not f"{classifier}.".startswith(f"{path}.")]
        if paths and feeds(self.network, paths[-1], classifier):
            paths.pop()
        return self.with_patches(paths) | {PENULTIMATE: f"{classifier}:input"}

    def with_patches(self, paths: Sequence[str]) -> dict[str, str]:
        """Layers for the modules at ``paths``.

        A block of tokens with a class token gives a second layer: the mean of its patches.
        """
        modules = {}
        for path in paths:
            modules[path] = path
            if self._has_class_token(self._tokens.lengths.get(path)):
                modules[path + PATCHES] = path
        return modules

    def classifier(self) -> str | None:
        """Dotted path of the map from the last features to the logits; None: there is none."""
        return classifier_path(self.network)

    @cached_property
    def _tokens(self) -> Tokens:
        """Which tokens are patches, read off with two images of noise.

        Of a network without values (on torch's meta device) nothing can be read off.
        """
        if any(parameter.is_meta for parameter in self.network.parameters()):
            return Tokens(has_class_token=False)
        noise = torch.randn((2, *self._shape_of_square), generator=torch.Generator().manual_seed(0))
        device = next((parameter.device for parameter in self.network.parameters()), torch.device("cpu"))
        return read_tokens(self.network, self.forward, blocks(self.network), noise.to(device))

    def _has_class_token(self, length: int | None) -> bool:
        """Whether so many tokens begin with a class token; None stands for no tokens."""
        return self._tokens.has_class_token and bool(length and self._tokens.leading.get(length))

    @cached_property
    def _shape_of_square(self) -> torch.Size:
        """Shape of a square image after the preprocessing."""
        return self.preprocess(Image.new("RGB", (256, 256))).shape

    @cached_property
    def _takes_squares(self) -> bool:
        """Whether every image is square after the preprocessing."""
        return self.gives_one_shape and self._shape_of_square[-1] == self._shape_of_square[-2]

    @cached_property
    def maps_end_in_channels(self) -> bool:
        """Whether the library says that maps have shape (n, h, w, c), as in Swin transformers."""
        trunk = getattr(self.network, "trunk", self.network)
        return str(getattr(trunk, "output_fmt", "")) == "NHWC" or type(trunk).__name__ == "SwinTransformer"

    def _ends_in_channels(self, maps: torch.Tensor) -> bool:
        """Whether maps have shape (n, h, w, c): two equal sides show it, and libraries do not always say it.

        The first convolution of a Swin transformer gives (n, c, h, w), and a VOLO has (n, h, w, c) unsaid.
        """
        _, first, second, third = maps.shape
        if self._takes_squares and (first == second) != (second == third):
            return first == second
        return self.maps_end_in_channels

    def default_pooling(self, layer: str, activation: torch.Tensor) -> str:
        """The class token if there is one, else the mean of the patches; for ``*.patches`` the mean."""
        if activation.ndim != 3 or self.pooling != "average":
            return super().default_pooling(layer, activation)
        takes_class_token = self._has_class_token(activation.shape[1]) and not layer.endswith(PATCHES)
        return "cls" if takes_class_token else "patches"

    def pool_layer(self, layer: str, activation: torch.Tensor) -> torch.Tensor:
        """Activation of ``layer`` to vectors, shape (n, d); for ``*.patches`` only the patches are pooled.

        Raises
        ------
        UsageError
            If the pooling needs the class token or the patches, and they are not there or cannot be told.
        """
        if activation.ndim == 4 and self._ends_in_channels(activation):
            activation = activation.movedim(-1, 1)
        leading = None
        if activation.ndim == 3:
            leading = self._tokens.leading.get(activation.shape[1])
            self._require_tokens(layer, activation, leading)
        if leading is not None and layer.endswith(PATCHES):
            activation, leading = activation[:, leading:], 0
        return self._pooled(layer, activation, leading)

    def _require_tokens(self, layer: str, activation: torch.Tensor, leading: int | None) -> None:
        how, length = self.pooling_of(layer, activation), activation.shape[1]
        if how not in ("cls", "patches") or length == 1:
            return
        if leading is None:
            raise UsageError(
                f"{self.spec.name}: layer {layer!r} gives {length} tokens, and it cannot be read off "
                f"{self.params.architecture} which of them are patches; name other layers, or a pooling of "
                "all tokens, such as params: {pooling: average}"
            )
        if how == "cls" and not self._has_class_token(length):
            raise UsageError(
                f"{self.spec.name}: layer {layer!r} gives {length} tokens and no class token, which the "
                "pooling cls would take; use patches or average"
            )

    def classify(self, output: np.ndarray) -> ClassProbabilities | None:
        """Class probabilities: the softmax of the logits."""
        from scipy.special import softmax  # slow to import; an answer for a photo does not need it

        if self.params.classes is None:
            return None
        ids = imagenet_ids()
        if output.shape[1] != len(ids):
            raise UsageError(
                f"{self.spec.name}: {output.shape[1]} outputs for the {len(ids)} classes of "
                f"{self.params.classes!r}"
            )
        return ClassProbabilities(ids, softmax(output.astype(np.float64), axis=1))
