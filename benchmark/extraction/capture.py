"""Capture of activations: hooks that pool each activation as it arrives, and are removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch.utils.hooks import RemovableHandle

from benchmark.common.errors import BenchError, UsageError

#: Ending of a module path that means the input of the module, not its output.
INPUT = ":input"


class Captured:
    """The activations of the batch that is in the network; each is pooled and passed on at once.

    Parameters
    ----------
    pool : callable
        ``pool(layer, activation)`` gives vectors, shape (b, d).
    keep : callable
        ``keep(layer, vectors)`` takes these vectors. It must copy what it keeps, before it returns: a later
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
        """Pool the ``activation`` of a ``layer`` and pass the vectors on.

        Raises
        ------
        BenchError
            If the activation is not a tensor with one row per stimulus, if it cannot be pooled, or if the
            layer was called before in this pass.
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
    """A context in which the modules at ``paths`` have hooks.

    Parameters
    ----------
    network : Module
        The network.
    paths : mapping of str to str
        Layer name to dotted module path. The layer is the output of the module, or its input if the path is
        ``PATH:input``.
    pool, keep : callable
        See :class:`Captured`.

    Yields
    ------
    Captured
        Its :meth:`Captured.start` must be called before each forward pass.

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
        # Before the call: a module may change its input in place.
        return module.register_forward_pre_hook(lambda _module, inputs: record(inputs[0]))
    return module.register_forward_hook(lambda _module, _inputs, output: record(output))
