"""All weights that the entry names must be in the network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from benchmark.checks.check import Candidate, Check, Status, error_line, first_few
from benchmark.common.errors import NotPossible, plugin_border
from benchmark.extraction import LibraryNetwork, NetworkModel, read_state_dict, seeded

NAME = "weights"

#: Added to the seed of a second network: random weights then differ from those of the first network.
_OTHER_SEED = 1


def check(candidate: Candidate) -> tuple[list[Check], bool]:
    """Build the network, and compare it with one built from another seed, with its file and its entry.

    A tensor that depends on the seed was not read from weights. ``strict=False`` and a key of another
    spelling lead to this fault. The tensors of an untrained twin must depend on the seed.

    Parameters
    ----------
    candidate : Candidate

    Returns
    -------
    checks : list of Check
    built : bool
        False: there is no network, so that no other check is possible.

    Raises
    ------
    NotPossible
        If the weights are missing.
    """
    model = candidate.model
    if not isinstance(model, NetworkModel):
        why = "the plug-in is no torch network: its weights cannot be checked"
        return [Check(NAME, Status.skipped, why)], True
    try:
        with plugin_border():
            return _check(candidate, model), True
    except NotPossible:
        raise
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, error_line(error))], False


def _check(candidate: Candidate, model: NetworkModel) -> list[Check]:
    state = _state(model.network)
    with seeded((model.spec.untrained or 0) + _OTHER_SEED):
        reseeded = _state(model.build())
    random = [
        key for key, value in state.items() if key not in reseeded or not torch.equal(value, reseeded[key])
    ]
    if model.spec.untrained is not None:
        checks = [_untrained(random)]
    elif random and candidate.in_memory and not _from_seed(model, state):
        said = (
            f"{len(random)} of {len(state)} tensors are not those that build() makes: {first_few(random)}; "
        )
        checks = [Check(NAME, Status.note, f"{said}those of the object in memory count")]
    else:
        checks = [_read(candidate, random, len(state))]
    checks += _settings(model)
    if model.spec.weights is not None:
        part = model.params.part if isinstance(model, LibraryNetwork) else None
        checks += _left_over(read_state_dict(model.spec.weights, part), state)
    checks.append(_size(candidate, sum(p.numel() for p in model.network.parameters())))
    return checks


def _settings(model: NetworkModel) -> list[Check]:
    """Report the settings that nobody names."""
    if not isinstance(model, LibraryNetwork) or model.assumed is None:
        return []
    return [
        Check(
            "settings",
            Status.note,
            f"assumed, since neither the entry nor a file of weights says it: {model.assumed}; to change it, "
            "give params.kwargs, or name the library's weights in params.preprocessing",
        )
    ]


def _state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.detach().cpu() for key, value in network.state_dict().items()}


def _from_seed(model: NetworkModel, state: Mapping[str, torch.Tensor]) -> bool:
    """Whether the same seed gives the same tensors: they were not changed after the network was built."""
    with seeded(model.spec.untrained or 0):
        again = _state(model.build())
    return again.keys() == state.keys() and all(
        torch.equal(value, again[key]) for key, value in state.items()
    )


def _read(candidate: Candidate, random: list[str], n: int) -> Check:
    label = candidate.loaded.checkpoint.label
    if random:
        return Check(
            NAME,
            Status.failed,
            f"{len(random)} of {n} tensors are random, not read from weights ({label}): {first_few(random)}; "
            + (
                "for an untrained network give ModelSpec(untrained=0)"
                if candidate.in_memory
                else "load with strict=True"
            ),
        )
    return Check(NAME, Status.passed, f"{label}: all {n} tensors are the same each time it is built")


def _untrained(random: list[str]) -> Check:
    if not random:
        return Check(
            NAME, Status.failed, "the untrained twin does not depend on its seed: it is no random draw"
        )
    return Check(NAME, Status.passed, f"untrained; {len(random)} tensors depend on the seed, as they must")


def _left_over(file: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> list[Check]:
    """Report the tensors of the file that are not in the network, by value: a plug-in may rename tensors."""
    used = {_digest(value) for value in state.values()}
    unused = [key for key, value in file.items() if _digest(value) not in used]
    if not unused:
        return []
    return [
        Check(
            "weights of the file",
            Status.note,
            f"{len(unused)} of {len(file)} tensors of the file are not in the network: {first_few(unused)}",
        )
    ]


def _digest(tensor: torch.Tensor) -> tuple[tuple[int, ...], bytes]:
    values = tensor.detach().to(torch.float32).contiguous().numpy()
    return tuple(tensor.shape), hashlib.sha256(values.tobytes()).digest()


def _size(candidate: Candidate, count: int) -> Check:
    expected = candidate.entry.parameters
    if candidate.in_memory:
        return Check("parameters", Status.skipped, f"{count:,}; an object has no entry to compare with")
    if expected is None:
        return Check("parameters", Status.note, f"{count:,}; the entry does not say how many there should be")
    if expected != count:
        return Check(
            "parameters", Status.failed, f"{count:,}, but the entry says {expected:,}: it is another network"
        )
    return Check("parameters", Status.passed, f"{count:,}, as the entry says")
