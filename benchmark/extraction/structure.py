"""The layers of a network for which nobody listed them: its blocks, in depth order, and its classifier."""

from __future__ import annotations

from torch import nn

_CONTAINERS = (nn.Sequential, nn.ModuleList)
_STACKS = ("layers", "resblocks", "blocks", "stages")


def blocks(network: nn.Module) -> list[str]:
    """Dotted paths of the blocks of a network, in depth order.

    There are three kinds of blocks:

    - a member of a container at the top of the network ("features.3", "layer1.0", "blocks.2");
    - a member of the stack inside a top module that has one ("transformer.resblocks.4");
    - a top module that is neither a container nor has a stack.

    These are not blocks: modules without weights (activations, pooling), auxiliary classifiers, embeddings of
    patches and positions, and single convolutions, linear maps, normalisations and embeddings at the top.

    Parameters
    ----------
    network : Module
        The network.

    Returns
    -------
    list of str
        Paths for ``network.get_submodule``.
    """
    paths = []
    for name, child in network.named_children():
        if name.lower().startswith("aux") or name in ("patch_embed", "pos_embed"):
            continue
        stack = next((s for s in _STACKS if isinstance(getattr(child, s, None), _CONTAINERS)), None)
        if isinstance(child, _CONTAINERS) and type(child) in _CONTAINERS:
            members = [(f"{name}.{key}", member) for key, member in child.named_children()]
        elif stack is not None:
            members = [
                (f"{name}.{stack}.{key}", member)
                for key, member in child.get_submodule(stack).named_children()
            ]
        elif any(True for _ in child.children()):
            members = [(name, child)]
        else:
            members = []
        paths += [path for path, member in members if has_weights(member)]
    return paths


def has_weights(module: nn.Module) -> bool:
    """Whether ``module`` has a convolution or a linear map, and does more than scale or pool its input."""
    return any(parameter.ndim > 1 for parameter in module.parameters())


def classifier_path(network: nn.Module) -> str | None:
    """Dotted path of the last linear map or convolution of ``network``; None: there is none.

    Auxiliary classifiers are left out.
    """
    maps = [
        path
        for path, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and not path.lower().startswith("aux")
    ]
    return maps[-1] if maps else None


def feeds(network: nn.Module, block: str, classifier: str) -> bool:
    """Whether the classifier reads the output of a block directly, or after pooling only.

    Then the input of the classifier is the pooled output of the block, and one layer is enough for both.

    Parameters
    ----------
    network : Module
        The network.
    block, classifier : str
        Dotted paths of the last block and of the classifier.

    Returns
    -------
    bool
        True if no module with parameters is between the two. False for a block that is a single convolution
        or linear map, since an activation follows it.
    """
    if not any(True for _ in network.get_submodule(block).children()):
        return False
    owners = [
        path
        for path, module in network.named_modules()
        if any(True for _ in module.parameters(recurse=False)) and not path.lower().startswith("aux")
    ]
    last = max((i for i, path in enumerate(owners) if path.startswith(f"{block}.")), default=-1)
    return last >= 0 and owners[last + 1 : last + 2] == [classifier]
