"""The weights that were named are in the network, all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from benchmark.checks.check import Check, Status, Subject, said, some
from benchmark.common.errors import NotPossible
from benchmark.extraction import NetworkModel, read_state_dict, seeded

NAME = "weights"

#: Of a second network, to be told apart from the first where weights are random.
_OTHER_SEED = 1


def check(subject: Subject) -> tuple[list[Check], bool]:
    """Build the network, compare it with one built from another seed, with its file and with its entry.

    A tensor that depends on the seed was not read from weights: the fault of ``strict=False``, and of a key
    that is spelled otherwise. An untrained twin, which is asked for by seed, must depend on it.

    Returns
    -------
    checks : list of Check
    built : bool
        False: there is no network, and nothing more to look at.

    Raises
    ------
    NotPossible
        If the weights cannot be had at all.
    """
    model = subject.model
    if not isinstance(model, NetworkModel):
        why = "the plug-in is no torch network: its weights are its own matter"
        return [Check(NAME, Status.skipped, why)], True
    try:
        state = _state(model.network)
        with seeded((model.spec.untrained or 0) + _OTHER_SEED):
            other = _state(model.build())
    except NotPossible:
        raise
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, said(error))], False
    moved = [key for key, value in state.items() if key not in other or not torch.equal(value, other[key])]
    found = [_untrained(moved) if model.spec.untrained is not None else _read(subject, moved, len(state))]
    if model.spec.weights is not None:
        found += _left_over(read_state_dict(model.spec.weights), state)
    found.append(_size(subject, sum(p.numel() for p in model.network.parameters())))
    return found, True


def _state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.detach().cpu() for key, value in network.state_dict().items()}


def _read(subject: Subject, moved: list[str], n: int) -> Check:
    label = subject.loaded.checkpoint.label
    if moved:
        return Check(
            NAME,
            Status.failed,
            f"{len(moved)} of {n} tensors are random, not read from weights ({label}): {some(moved)}; load "
            "with strict=True",
        )
    return Check(NAME, Status.passed, f"{label}: all {n} tensors are the same each time it is built")


def _untrained(moved: list[str]) -> Check:
    if not moved:
        return Check(
            NAME, Status.failed, "the untrained twin does not depend on its seed: it is no random draw"
        )
    return Check(NAME, Status.passed, f"untrained; {len(moved)} tensors depend on the seed, as they must")


def _left_over(file: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> list[Check]:
    """What the file holds and the network does not, by value: a plug-in may rename what it reads."""
    there = {_digest(value) for value in state.values()}
    unused = [key for key, value in file.items() if _digest(value) not in there]
    if not unused:
        return []
    return [
        Check(
            "weights of the file",
            Status.note,
            f"{len(unused)} of {len(file)} tensors of the file are not in the network: {some(unused)}",
        )
    ]


def _digest(tensor: torch.Tensor) -> tuple[tuple[int, ...], bytes]:
    values = tensor.detach().to(torch.float32).contiguous().numpy()
    return tuple(tensor.shape), hashlib.sha256(values.tobytes()).digest()


def _size(subject: Subject, found: int) -> Check:
    said = subject.entry.parameters
    if said is None:
        return Check("parameters", Status.note, f"{found:,}; the entry does not say how many there should be")
    if said != found:
        return Check("parameters", Status.failed, f"{found:,}, but the entry says {said:,}: another network")
    return Check("parameters", Status.passed, f"{found:,}, as the entry says")
