"""From the values that typer read to what the commands work with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.choices import Device

if TYPE_CHECKING:
    from benchmark.registry import Registry
    from benchmark.runner import Options


def load(registries: list[Path] | None) -> Registry:
    """Load the shipped registry together with the user's own files ``registries``."""
    from benchmark.registry import load_registry

    return load_registry(tuple(registries or ()))


def split(values: list[str] | None) -> list[str]:
    """Names in the ``values`` of an option: ``--model a,b --model c`` gives a, b and c."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


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


def run_options(
    registries: list[Path] | None,
    data: Path | None,
    device: Device,
    *,
    output: Path = Path("results"),
    layers: list[str] | None = None,
    seed: int = 0,
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
    )
