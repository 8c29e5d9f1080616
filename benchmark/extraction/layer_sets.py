"""Layers as papers name them: the sets that ``params: {layers: SET}`` names, and the order of layers.

``network`` is the torch module whose layers are listed. A set maps the names of layers to the dotted paths of
their modules. A path that ends in ``:input`` means the input of the module, not its output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from benchmark.extraction.capture import INPUT


def convolutions(network: nn.Module) -> dict[str, str]:
    """The output of every convolution, before the activation.

    Shortcuts are included; auxiliary classifiers are not. These are the layers of Derby, Miller & Devereux
    (2020) for AlexNet, VGG16 and ResNet-34.
    """
    return {
        path: path
        for path, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and not path.lower().startswith("aux")
    }


def activations(network: nn.Module) -> dict[str, str]:
    """The activations of a ResNet: of the stem (``relu``), within each block and at its end.

    ``layer1.0.relu1`` is the input of the second convolution of the block, ``layer1.0.relu2`` the input of
    the third, and ``layer1.0`` the output of the block, as in Dharmaretnam & Fyshe (2018).
    """
    paths = {"relu": f"maxpool{INPUT}"} if hasattr(network, "maxpool") else {}
    for path, module in network.named_modules():
        inner = [name for name, child in module.named_children() if isinstance(child, nn.Conv2d)]
        if "conv1" not in inner or "conv2" not in inner or not path:
            continue
        paths |= {f"{path}.relu{i}": f"{path}.{name}{INPUT}" for i, name in enumerate(inner[1:], start=1)}
        paths[path] = path
    return paths


def vgg(network: nn.Module) -> dict[str, str]:
    """The layers of a VGG (or AlexNet), each after its ReLU.

    They are ``BnCm``, convolution m of block n, and ``fc6`` and ``fc7``. A block ends at a max pooling. The
    last dense layer, ``fc8``, is the layer ``"output"``. A network without its dense layers has the
    convolutions alone. Dharmaretnam & Fyshe (2018), after Simonyan & Zisserman (2015).
    """
    paths: dict[str, str] = {}
    block, convolution, name = 1, 0, ""
    for key, module in network.get_submodule("features").named_children():
        if isinstance(module, nn.Conv2d):
            convolution += 1
            name = f"B{block}C{convolution}"
        elif isinstance(module, nn.ReLU):
            paths[name] = f"features.{key}"
        elif isinstance(module, nn.MaxPool2d):
            block, convolution = block + 1, 0
    relus = [k for k, m in network.get_submodule("classifier").named_children() if isinstance(m, nn.ReLU)]
    return paths | {f"fc{6 + i}": f"classifier.{key}" for i, key in enumerate(relus)}


LAYER_SETS: dict[str, Callable[[nn.Module], dict[str, str]]] = {
    "convolutions": convolutions,
    "activations": activations,
    "vgg": vgg,
}


def layer_set(network: nn.Module, name: str) -> dict[str, str]:
    """The layers of the set ``name``: "convolutions", "activations" or "vgg".

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
        paths = LAYER_SETS[name](network)
    except AttributeError:
        paths = {}
    if not paths:
        raise ValueError(f"{type(network).__name__} has no layers of the set {name!r}")
    return paths


def by_depth(network: nn.Module, layers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Layers in the order in which their modules are defined; a block comes after the layers inside it.

    Parameters
    ----------
    network : Module
        The network.
    layers : iterable of (str, str)
        Name and path of each layer.

    Returns
    -------
    dict of str to str
        Path of each layer by name, in depth order.
    """
    names = [path for path, _ in network.named_modules()]

    def depth(layer: tuple[str, str]) -> float:
        path = layer[1].removesuffix(INPUT)
        places = [i for i, name in enumerate(names) if name == path or name.startswith(f"{path}.")]
        if not places:
            return float(len(names))
        return places[0] - 0.5 if layer[1].endswith(INPUT) else places[-1]

    return dict(sorted(layers, key=depth))
