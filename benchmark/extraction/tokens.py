"""Which tokens of a transformer are patches: read off what enters its blocks, since no library says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

#: Names of the parameter that holds the class token
_CLASS_TOKEN = re.compile(r"(?:^|\.)(?:cls|class)_(?:token|embedding)s?\d*$")


@dataclass
class Tokens:
    """The tokens of a network, for images of one size.

    Attributes
    ----------
    lengths : dict of str to int
        Number of tokens that a module gives, by its path. Modules that give no tokens are absent.
    leading : dict of int to (int or None)
        For each number of tokens, how many of them come before the patches: the class token and registers.
        None: it cannot be read off.
    has_class_token : bool
        Whether the first of the leading tokens, if there are any, is a class token.
    """

    has_class_token: bool
    lengths: dict[str, int] = field(default_factory=dict)
    leading: dict[int, int | None] = field(default_factory=dict)

    def _note(self, length: int, leading: int | None) -> None:
        self.leading[length] = leading if self.leading.get(length, leading) == leading else None


def read_tokens(
    network: nn.Module, forward: Callable[[torch.Tensor], object], paths: Iterable[str], images: torch.Tensor
) -> Tokens:
    """Read off which tokens are patches.

    Tokens that are equal for two images where a block takes them have just entered: the class token and
    registers. They stay at the start while the number of tokens stays. If the number changes, it is known
    again only where all tokens are patches, where one token is left, or where such tokens enter anew.

    Parameters
    ----------
    network : Module
        In eval mode.
    forward : callable
        One forward pass of the network.
    paths : iterable of str
        Dotted paths of its blocks.
    images : Tensor, shape (2, c, h, w)
        Two preprocessed images that differ in every patch.
    """
    tokens = Tokens(any(_CLASS_TOKEN.search(name) for name, _ in network.named_parameters()))
    reader = _Reader(tokens)
    with ExitStack() as hooks, torch.inference_mode():
        for path in paths:
            module = network.get_submodule(path)
            hook = module.register_forward_hook(partial(reader.read, path), with_kwargs=True)
            hooks.callback(hook.remove)
        forward(images)
    return tokens


@dataclass
class _Reader:
    tokens: Tokens
    length: int | None = None  # what the block before gave
    leading: int | None = 0

    def read(self, path: str, _module: nn.Module, inputs: Any, named: dict[str, Any], output: Any) -> None:
        """Follow the tokens through one block."""
        taken = next((x for x in (*inputs, *named.values()) if isinstance(x, torch.Tensor)), None)
        if taken is not None and taken.ndim == 3:
            self._enter(taken.shape[1], leading_alike(taken))
        if not isinstance(output, torch.Tensor) or output.ndim != 3:
            return
        length = output.shape[1]
        if length == 1:
            self.leading = 0  # one token is the whole layer, whatever it is
        elif length != self.length and self.leading != 0:
            self.leading = None
        self.length = self.tokens.lengths[path] = length
        self.tokens._note(length, self.leading)

    def _enter(self, length: int, alike: int) -> None:
        if alike and length == (self.length or 0) + alike:
            self.leading = None if self.leading is None else self.leading + alike
        elif alike:
            self.leading = alike
        elif length != self.length and self.leading != 0:
            self.leading = None
        self.length = length


def leading_alike(tokens: torch.Tensor) -> int:
    """How many of the ``tokens``, shape (n, t, d), from the first, are equal for all n images."""
    equal = (tokens == tokens[:1]).all(dim=2).all(dim=0).tolist()
    return equal.index(False) if False in equal else len(equal)
