"""Model RDMs as npy, CSV, or the toolbox's own HDF5, each with a JSON file beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import slug, write_atomic
from benchmark.export.rdm import ModelRDMs

#: Format -> ending of its files
FORMATS = {"npy": ".npy", "csv": ".csv", "rsatoolbox": ".h5"}


def write(found: ModelRDMs, form: str, output: Path | None = None) -> list[Path]:
    """Write RDMs, and beside each file a JSON file with the ids of its rows and how it was made.

    Parameters
    ----------
    found : ModelRDMs
    form : {"npy", "csv", "rsatoolbox"}
        npy: the square matrix. csv: the same with ids as header and first column. rsatoolbox: an ``RDMs``
        object, which ``rsatoolbox.rdm.load_rdm`` reads, all layers in one file.
    output : Path, optional
        The file; without an ending it is given that of the format. Of several layers in npy or csv each has
        a file of its own: its name goes in before the ending. Default: MODEL.STIMULI.LAYER in this folder.

    Returns
    -------
    list of Path
        The files written, without the JSON files.

    Raises
    ------
    UsageError
        If the ending of ``output`` is that of another format.
    DataError
        If a file cannot be written.
    """
    ending = FORMATS[form]
    if output is not None and output.suffix in {*FORMATS.values(), ".json"} - {ending}:
        raise UsageError(f"--output {output}: {form} files end in {ending}")
    contents = _contents(found, form)
    several = len(contents) > 1
    written = []
    for layers, content in contents:
        path = _name(found, layers, ending, output, several)
        try:
            write_atomic(path, content())
            write_atomic(path.with_name(f"{path.name}.json"), _describe(found, layers, path))
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
        written.append(path)
    return written


def _contents(found: ModelRDMs, form: str) -> list[tuple[tuple[str, ...], Callable[[], bytes]]]:
    """For each file its layers, and what makes its bytes."""
    if form == "rsatoolbox":
        return [(found.layers, lambda: _rsatoolbox(found))]
    make = _npy if form == "npy" else _csv
    return [
        ((layer,), lambda rdm=rdm: make(rdm, found.ids))  # type: ignore[misc]
        for layer, rdm in zip(found.layers, found.rdms, strict=True)
    ]


def _name(found: ModelRDMs, layers: tuple[str, ...], ending: str, output: Path | None, several: bool) -> Path:
    layer = slug(layers[0]) if len(layers) == 1 else f"{len(layers)}-layers"
    if output is None:
        parts = (found.provenance["model"], found.provenance["stimuli"])
        return Path(".".join([*map(slug, parts), layer]) + ending)
    stem = output.name.removesuffix(ending)
    return output.with_name(f"{stem}.{layer}{ending}" if several else f"{stem}{ending}")


def _describe(found: ModelRDMs, layers: tuple[str, ...], path: Path) -> bytes:
    content = {
        "file": path.name,
        "layers": layers,
        **found.provenance,
        "ids": found.ids,
        "concepts": found.concepts,
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _npy(rdm: np.ndarray, ids: tuple[str, ...]) -> bytes:
    del ids  # they stand in the JSON file
    stream = io.BytesIO()
    np.save(stream, rdm, allow_pickle=False)
    return stream.getvalue()


def _csv(rdm: np.ndarray, ids: tuple[str, ...]) -> bytes:
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(["id", *ids])
    rows.writerows([name, *values] for name, values in zip(ids, rdm.tolist(), strict=True))
    return stream.getvalue().encode()


def _rsatoolbox(found: ModelRDMs) -> bytes:
    from rsatoolbox.rdm.rdms import RDMs

    about = found.provenance
    layers = len(found.layers)
    rdms = RDMs(  # type: ignore[no-untyped-call]
        found.rdms,
        dissimilarity_measure=found.metric,
        descriptors={"model": _ascii(about["model"]), "stimuli": _ascii(about["stimuli"])},
        rdm_descriptors={
            "model": [_ascii(about["model"])] * layers,
            "layer": [_ascii(layer) for layer in found.layers],
            "weights": [_ascii(about["weights_sha256"] or about["weights"])] * layers,
        },
        pattern_descriptors={
            about["by"]: [_ascii(name) for name in found.ids],
            "concept": [_ascii(name) for name in found.concepts],
        },
    )
    stream = io.BytesIO()
    rdms.save(stream, file_type="hdf5")  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _ascii(text: str) -> str:
    """``text`` with other letters as escapes: the HDF5 of rsatoolbox takes ASCII alone."""
    return text.encode("ascii", "backslashreplace").decode()
