"""Layers as papers name them: sets that ``params: {layers: SET}`` asks for, and all layers there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from benchmark.extraction.capture import INPUT


def convolutions(network: nn.Module) -> dict[str, str]:
    """Every convolution, shortcuts included, auxiliary classifiers apart: what it returns, no activation.

    The layers of Derby, Miller & Devereux (2020) for AlexNet, VGG16 and ResNet-34.
    """
    return {
        path: path
        for path, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and not path.lower().startswith("aux")
    }


def activations(network: nn.Module) -> dict[str, str]:
    """Of a ResNet: the activations of the stem (``relu``), within each block and at its end.

    ``layer1.0.relu1`` is what the second convolution of the block is given, ``layer1.0.relu2`` what the third
    is given, and ``layer1.0`` what the block returns, as in Dharmaretnam & Fyshe (2018).
    """
    found = {"relu": f"maxpool{INPUT}"} if hasattr(network, "maxpool") else {}
    for path, module in network.named_modules():
        inner = [name for name, child in module.named_children() if isinstance(child, nn.Conv2d)]
        if "conv1" not in inner or "conv2" not in inner or not path:
            continue
        found |= {f"{path}.relu{i}": f"{path}.{name}{INPUT}" for i, name in enumerate(inner[1:], start=1)}
        found[path] = path
    return found


def vgg(network: nn.Module) -> dict[str, str]:
    """Of a VGG (or AlexNet): ``BnCm``, convolution m of block n, and ``fc6``, ``fc7``; all after their ReLU.

    Blocks end at a max pooling. The last dense layer, ``fc8``, is the layer ``"output"``. Dharmaretnam &
    Fyshe (2018), after Simonyan & Zisserman (2015).
    """
    found: dict[str, str] = {}
    block, convolution, name = 1, 0, ""
    for key, module in network.get_submodule("features").named_children():
        if isinstance(module, nn.Conv2d):
            convolution += 1
            name = f"B{block}C{convolution}"
        elif isinstance(module, nn.ReLU):
            found[name] = f"features.{key}"
        elif isinstance(module, nn.MaxPool2d):
            block, convolution = block + 1, 0
    relus = [k for k, m in network.get_submodule("classifier").named_children() if isinstance(m, nn.ReLU)]
    return found | {f"fc{6 + i}": f"classifier.{key}" for i, key in enumerate(relus)}


LAYER_SETS: dict[str, Callable[[nn.Module], dict[str, str]]] = {
    "convolutions": convolutions,
    "activations": activations,
    "vgg": vgg,
}


def layer_set(network: nn.Module, name: str) -> dict[str, str]:
    """The layers of the set ``name``, by name, with their paths.

    Raises
    ------
    ValueError
        If there is no such set, or the network has none of its layers.
    """
    if name not in LAYER_SETS:
        raise ValueError(
            f"unknown set of layers {name!r}; known: {', '.join(LAYER_SETS)}, or a list of names"
        )
    try:
        found = LAYER_SETS[name](network)
    except AttributeError:
        found = {}
    if not found:
        raise ValueError(f"{type(network).__name__} has no layers of the set {name!r}")
    return found


def by_depth(network: nn.Module, layers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Layers in the order in which their modules are defined; a block comes after what is in it."""
    names = [path for path, _ in network.named_modules()]

    def depth(layer: tuple[str, str]) -> float:
        path = layer[1].removesuffix(INPUT)
        places = [i for i, name in enumerate(names) if name == path or name.startswith(f"{path}.")]
        if not places:
            return float(len(names))
        return places[0] - 0.5 if layer[1].endswith(INPUT) else places[-1]

    return dict(sorted(layers, key=depth))
