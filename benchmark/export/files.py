"""Write model RDMs as npy, CSV, or HDF5 of rsatoolbox, each with a JSON file beside it."""

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

#: The formats, and the ending of their files
FORMATS = {"npy": ".npy", "csv": ".csv", "rsatoolbox": ".h5"}


def write(model_rdms: ModelRDMs, form: str, output: Path | None = None) -> list[Path]:
    """Write RDMs to files. A JSON file beside each holds the ids of its rows and its provenance.

    Parameters
    ----------
    model_rdms : ModelRDMs
    form : {"npy", "csv", "rsatoolbox"}
        npy: the square matrix. csv: the matrix with the ids as header and first column. rsatoolbox: an
        ``RDMs`` object with all layers in one file, which ``rsatoolbox.rdm.load_rdm`` reads.
    output : Path, optional
        The file. If it has no ending, the ending of the format is added. In npy and csv each of several
        layers has its own file, with the layer's name before the ending. Default: MODEL.STIMULI.LAYER in the
        current folder.

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
    contents = _contents(model_rdms, form)
    several = len(contents) > 1
    written = []
    for layers, content in contents:
        path = _name(model_rdms, layers, ending, output, several)
        try:
            write_atomic(path, content())
            write_atomic(path.with_name(f"{path.name}.json"), _describe(model_rdms, layers, path))
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
        written.append(path)
    return written


def _contents(model_rdms: ModelRDMs, form: str) -> list[tuple[tuple[str, ...], Callable[[], bytes]]]:
    """For each file its layers, and a function that makes its bytes."""
    if form == "rsatoolbox":
        return [(model_rdms.layers, lambda: _rsatoolbox(model_rdms))]
    make = _npy if form == "npy" else _csv
    return [
        ((layer,), lambda rdm=rdm: make(rdm, model_rdms.ids))  # type: ignore[misc]
        for layer, rdm in zip(model_rdms.layers, model_rdms.rdms, strict=True)
    ]


def _name(
    model_rdms: ModelRDMs, layers: tuple[str, ...], ending: str, output: Path | None, several: bool
) -> Path:
    layer = slug(layers[0]) if len(layers) == 1 else f"{len(layers)}-layers"
    if output is None:
        parts = (model_rdms.provenance["model"], model_rdms.provenance["stimuli"])
        return Path(".".join([*map(slug, parts), layer]) + ending)
    stem = output.name.removesuffix(ending)
    return output.with_name(f"{stem}.{layer}{ending}" if several else f"{stem}{ending}")


def _describe(model_rdms: ModelRDMs, layers: tuple[str, ...], path: Path) -> bytes:
    content = {
        "file": path.name,
        "layers": layers,
        **model_rdms.provenance,
        "ids": model_rdms.ids,
        "concepts": model_rdms.concepts,
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _npy(rdm: np.ndarray, ids: tuple[str, ...]) -> bytes:
    del ids  # they are in the JSON file
    stream = io.BytesIO()
    np.save(stream, rdm, allow_pickle=False)
    return stream.getvalue()


def _csv(rdm: np.ndarray, ids: tuple[str, ...]) -> bytes:
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(["id", *ids])
    rows.writerows([name, *values] for name, values in zip(ids, rdm.tolist(), strict=True))
    return stream.getvalue().encode()


def _rsatoolbox(model_rdms: ModelRDMs) -> bytes:
    from rsatoolbox.rdm.rdms import RDMs

    about = model_rdms.provenance
    layers = len(model_rdms.layers)
    rdms = RDMs(  # type: ignore[no-untyped-call]
        model_rdms.rdms,
        dissimilarity_measure=model_rdms.metric,
        descriptors={"model": _ascii(about["model"]), "stimuli": _ascii(about["stimuli"])},
        rdm_descriptors={
            "model": [_ascii(about["model"])] * layers,
            "layer": [_ascii(layer) for layer in model_rdms.layers],
            "weights": [_ascii(about["weights_sha256"] or about["weights"])] * layers,
        },
        pattern_descriptors={
            about["by"]: [_ascii(name) for name in model_rdms.ids],
            "concept": [_ascii(name) for name in model_rdms.concepts],
        },
    )
    stream = io.BytesIO()
    rdms.save(stream, file_type="hdf5")  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _ascii(text: str) -> str:
    """``text`` with escapes for other letters, because the HDF5 of rsatoolbox holds only ASCII."""
    return text.encode("ascii", "backslashreplace").decode()
