"""Capture of activations: hooks that pool as activations arrive and are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch.utils.hooks import RemovableHandle

from benchmark.common.errors import BenchError, UsageError

#: Ends a module path when what the module is given is meant, not what it returns.
INPUT = ":input"


class Captured:
    """What the layers give in the batch that is passing through; each is pooled and handed on at once.

    Parameters
    ----------
    pool : callable
        Layer name and its activation to vectors, shape (b, d).
    keep : callable
        Takes the layer name and these vectors. It must copy what it keeps, before it returns: a later
        operation in place (ReLU) changes an activation that was not pooled.
    """

    def __init__(
        self, pool: Callable[[str, torch.Tensor], torch.Tensor], keep: Callable[[str, torch.Tensor], None]
    ) -> None:
        self._batch_size = 0
        self._seen: set[str] = set()
        self._pool = pool
        self._keep = keep

    def start(self, batch_size: int) -> None:
        """Begin a forward pass of ``batch_size`` stimuli."""
        self._batch_size = batch_size
        self._seen.clear()

    def record(self, layer: str, activation: object) -> None:
        """Pool what ``layer`` gave and hand it on.

        Raises
        ------
        BenchError
            If it is no tensor with one row a stimulus, or the layer was called before in this pass.
        """
        if not isinstance(activation, torch.Tensor):
            raise BenchError(
                f"layer {layer!r} gives a {type(activation).__name__}, not a tensor; name another"
            )
        if layer in self._seen:
            raise BenchError(
                f"layer {layer!r} is called more than once in a forward pass, so that its name does "
                "not say which activation is meant; name a module that is called once"
            )
        if activation.ndim < 2 or len(activation) != self._batch_size:
            raise BenchError(
                f"layer {layer!r} gives shape {tuple(activation.shape)} for {self._batch_size} stimuli; "
                "the first axis must be the stimuli"
            )
        try:
            pooled = self._pool(layer, activation)
        except ValueError as error:
            raise BenchError(f"layer {layer!r}: {error}; set pooling: none to take it whole") from error
        self._seen.add(layer)
        self._keep(layer, pooled)


@contextmanager
def capture(
    network: torch.nn.Module,
    paths: Mapping[str, str],
    pool: Callable[[str, torch.Tensor], torch.Tensor],
    keep: Callable[[str, torch.Tensor], None],
) -> Iterator[Captured]:
    """Hook the modules ``paths`` while inside.

    Parameters
    ----------
    network : Module
    paths : mapping of str to str
        Layer name to dotted module path, for what the module returns; ``PATH:input`` for what it is given.
    pool, keep : callable
        See :class:`Captured`.

    Raises
    ------
    UsageError
        If the network has no such module.
    """
    captured = Captured(pool, keep)
    handles = []
    try:
        for layer, path in paths.items():
            try:
                module = network.get_submodule(path.removesuffix(INPUT))
            except AttributeError as error:
                raise UsageError(f"layer {layer!r}: the network has no module {path!r}") from error

            handles.append(_hook(module, partial(captured.record, layer), of_input=path.endswith(INPUT)))
        yield captured
    finally:
        for handle in handles:
            handle.remove()


def _hook(module: torch.nn.Module, record: Callable[[object], None], *, of_input: bool) -> RemovableHandle:
    if of_input:
        # Before the call: a module may work in place on what it is given.
        return module.register_forward_pre_hook(lambda _module, inputs: record(inputs[0]))
    return module.register_forward_hook(lambda _module, _inputs, output: record(output))
