"""Finding the layers of a network nobody described: its blocks, in depth order, and its classifier."""

from __future__ import annotations

from torch import nn

_CONTAINERS = (nn.Sequential, nn.ModuleList)
_STACKS = ("layers", "resblocks", "blocks", "stages")


def blocks(network: nn.Module) -> list[str]:
    """Dotted paths of the blocks of a network, in depth order.

    A block is a member of a container at the top of the network ("features.3", "layer1.0", "blocks.2"), a
    member of the stack inside a top module that holds one ("transformer.resblocks.4"), or a top module that
    is neither. Modules without weights (activations, pooling), auxiliary classifiers, and single
    convolutions, linear maps, normalisations and embeddings at the top are not blocks.
    """
    found = []
    for name, child in network.named_children():
        if name.lower().startswith("aux") or name == "patch_embed":
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
        found += [path for path, member in members if has_weights(member)]
    return found


def has_weights(module: nn.Module) -> bool:
    """Whether a module maps its input (a convolution, a linear map), and does not only scale or pool it."""
    return any(parameter.ndim > 1 for parameter in module.parameters())


def classifier_path(network: nn.Module) -> str | None:
    """Dotted path of the last linear map or convolution, auxiliary classifiers apart; None: there is none."""
    maps = [
        path
        for path, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and not path.lower().startswith("aux")
    ]
    return maps[-1] if maps else None


def feeds(network: nn.Module, block: str, classifier: str) -> bool:
    """Whether nothing that has parameters lies between ``block`` and ``classifier``.

    Then what the classifier reads is the pooled output of the block, and one of the two names is enough.
    A single convolution or linear map does not count: an activation follows it.
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
