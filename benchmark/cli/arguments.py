"""From the values that typer read to what the commands work with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.choices import Backend, Device, RuleName
from benchmark.common.errors import UsageError
from benchmark.common.text import names

if TYPE_CHECKING:
    from benchmark.registry import AssociationRuleEntry, Registry
    from benchmark.runner import Options


def load(registries: list[Path] | None) -> Registry:
    """Load the shipped registry together with the user's own files ``registries``."""
    from benchmark.registry import load_registry

    return load_registry(tuple(registries or ()))


def split(values: list[str] | None) -> list[str]:
    """Names in the ``values`` of an option: ``--model a,b --model c`` gives a, b and c."""
    return names(values or ())


def part(shard: str | None) -> tuple[int, int]:
    """Number of the part and number of parts in ``shard``: ``2/5`` gives (2, 5); None gives (1, 1).

    Raises
    ------
    UsageError
        If it is no such pair.
    """
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard or "1/1")
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(f"--shard {shard}: give the number of the part and of all parts, such as 1/4")
    return int(match[1]), int(match[2])


def cluster(backend: Backend, scheduler: str | None) -> str | None:
    """The ``scheduler`` of the cluster that ``backend`` stands for; None: there is none.

    Raises
    ------
    UsageError
        If a scheduler is given for processes of this machine.
    """
    if backend is Backend.dask:
        from benchmark.runner.cluster import LOCAL

        return scheduler or LOCAL
    if scheduler is not None:
        raise UsageError(f"--scheduler {scheduler} needs --backend dask")
    return None


def device_name(device: Device) -> str:
    """Name of the ``device`` that the user chose; ``auto`` is resolved when a network runs.

    Raises
    ------
    UsageError
        If torch does not find the device.
    """
    if device is Device.auto:
        return str(device.value)
    from benchmark.extraction.devices import resolve_device

    return resolve_device(device.value)


def association_rule(
    rule: RuleName | None, norms: str | None, decay: float | None
) -> AssociationRuleEntry | None:
    """How association profiles are compared, from ``--rule``, ``--norms`` and ``--decay``; None: the default.

    Raises
    ------
    UsageError
        If the rule needs norms that are not given, or does not need what is given; or the decay is not
        between 0 and 1.
    """
    if rule is None and norms is None and decay is None:
        return None
    from pydantic import ValidationError

    from benchmark.registry import AssociationRuleEntry

    if rule is None:
        raise UsageError("--norms and --decay belong to --rule: name a rule")
    try:
        return AssociationRuleEntry(rule=rule.value, norms=norms, decay=decay)
    except ValidationError as error:
        detail = error.errors()[0]
        reason = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
        option = f"{detail['loc'][0]} {detail['input']}" if detail["loc"] else f"rule {rule.value}"
        raise UsageError(f"--{option}: {reason}") from error


def run_options(
    registries: list[Path] | None,
    data: Path | None,
    device: Device,
    *,
    output: Path = Path("results"),
    layers: list[str] | None = None,
    seed: int = 0,
    deterministic: bool = False,
) -> Options:
    """Options of a session, from the options that most commands share.

    Parameters
    ----------
    registries : list of Path or None
        The user's registry files.
    data : Path or None
        The data root; None: the default one.
    device : Device
        Where networks run.
    output : Path
        Folder of the results.
    layers : list of str or None
        Values of ``--layers``.
    seed : int
        Seed of all random numbers.
    deterministic : bool
        Whether networks use only deterministic operations.

    Raises
    ------
    UsageError
        If torch does not find the device, or ``--layers`` cannot be read.
    """
    from benchmark.runner import Options
    from benchmark.runner.layers import split_layers

    return Options(
        registries=tuple(registries or ()),
        data=data,
        output=output,
        layers=split_layers(layers or ()),
        device=device_name(device),
        seed=seed,
        deterministic=deterministic,
    )
