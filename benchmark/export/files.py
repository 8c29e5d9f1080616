"""Write RDMs and features as npy, CSV, or HDF5 of rsatoolbox, each with a JSON file beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import slug, write_atomic
from benchmark.export.rdm import ModelFeatures, ModelRDMs, TargetRDMs

#: The formats, and the ending of their files
FORMATS = {"npy": ".npy", "csv": ".csv", "rsatoolbox": ".h5"}


class _File(NamedTuple):
    """A file to write: what its name ends with, its content, and what the JSON file says of it alone."""

    part: str
    content: Callable[[], bytes]
    about: dict[str, Any]


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
        layers has its own file, with the layer's name before the ending. Default: MODEL/STIMULI.LAYER in the
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
    about = model_rdms.provenance
    if form == "rsatoolbox":
        part = model_rdms.layers[0] if len(model_rdms.layers) == 1 else f"{len(model_rdms.layers)}-layers"
        files = [_File(part, lambda: _model_rsatoolbox(model_rdms), {"layers": model_rdms.layers})]
    else:
        files = _squares(form, "layers", model_rdms.layers, model_rdms.rdms, model_rdms.ids)
    described = {**about, "ids": model_rdms.ids, "concepts": model_rdms.concepts}
    return _write(files, described, form, output, Path(slug(about["model"])) / slug(about["stimuli"]))


def write_target(target: TargetRDMs, model: str, form: str, output: Path | None = None) -> list[Path]:
    """Write the RDMs of a target beside those of a model.

    Parameters
    ----------
    target : TargetRDMs
    model : str
        Name of the model.
    form : {"npy", "csv", "rsatoolbox"}
        npy: all subjects, (s, n, n). csv: a matrix for each subject, as for :func:`write`. rsatoolbox: an
        ``RDMs`` object with all subjects.
    output : Path, optional
        The file of the model's RDMs; the name of the target stands before its ending. Default: MODEL/TARGET
        in the current folder.

    Returns
    -------
    list of Path
        The files written, without the JSON files.

    Raises
    ------
    UsageError, DataError
        As :func:`write`.
    """
    about, name = target.provenance, slug(target.provenance["target"])
    make = {"npy": lambda: _npy(target.rdms), "rsatoolbox": lambda: _target_rsatoolbox(target)}
    if form == "csv":
        files = _squares(form, "subjects", target.subjects, target.rdms, target.ids)
    else:
        files = [_File("", make[form], {"subjects": target.subjects})]
    default = Path(slug(model)) / name
    if output is not None:
        default = _stem(output, form).with_name(f"{_stem(output, form).name}.{name}")
    return _write(files, {**about, "ids": target.ids}, form, None, default)


def write_features(features: ModelFeatures, form: str, output: Path | None = None) -> list[Path]:
    """Write features to files, one for each layer. ``bench add features:FILE`` reads them.

    Parameters
    ----------
    features : ModelFeatures
    form : {"npy", "csv"}
        npy: the array (n, d). csv: the ids as first column, and a header.
    output : Path, optional
        As for :func:`write`. Default: MODEL/features.STIMULI.LAYER in the current folder.

    Returns
    -------
    list of Path
        The files written, without the JSON files.

    Raises
    ------
    UsageError, DataError
        As :func:`write`.
    """
    about = features.provenance
    files = [
        _File(
            layer,
            lambda values=values: _npy(values) if form == "npy" else _feature_csv(values, features.ids),  # type: ignore[misc]
            {"layers": [layer]},
        )
        for layer, values in zip(features.layers, features.features, strict=True)
    ]
    described = {**about, "ids": features.ids, "concepts": features.concepts}
    default = Path(slug(about["model"])) / f"features.{slug(about['stimuli'])}"
    return _write(files, described, form, output, default)


def _squares(
    form: str, unit: str, names: Iterable[str], rdms: np.ndarray, ids: tuple[str, ...]
) -> list[_File]:
    """A file for each RDM."""
    return [
        _File(name, lambda rdm=rdm: _npy(rdm) if form == "npy" else _csv(rdm, ids), {unit: [name]})  # type: ignore[misc]
        for name, rdm in zip(names, rdms, strict=True)
    ]


def _write(
    files: list[_File], described: dict[str, Any], form: str, output: Path | None, default: Path
) -> list[Path]:
    """Write the files with their JSON files, named after ``output`` or, with their parts, ``default``."""
    stem = default if output is None else _stem(output, form)
    with_part = output is None or len(files) > 1
    written = []
    for file in files:
        part = f".{slug(file.part)}" if with_part and file.part else ""
        path = stem.with_name(f"{stem.name}{part}{FORMATS[form]}")
        about = {"file": path.name, **file.about, **described}
        try:
            write_atomic(path, file.content())
            write_atomic(
                path.with_name(f"{path.name}.json"),
                (json.dumps(about, indent=1, allow_nan=False) + "\n").encode(),
            )
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
        written.append(path)
    return written


def _stem(output: Path, form: str) -> Path:
    """``output`` without the ending of the format."""
    ending = FORMATS[form]
    if output.suffix in {*FORMATS.values(), ".json"} - {ending}:
        raise UsageError(f"--output {output}: {form} files end in {ending}")
    return output.with_name(output.name.removesuffix(ending))


def _npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()


def _csv(rdm: np.ndarray, ids: tuple[str, ...]) -> bytes:
    """The matrix with its ids; a pair that is missing is an empty cell."""
    rows = (
        [name, *("" if np.isnan(v) else v for v in row)] for name, row in zip(ids, rdm.tolist(), strict=True)
    )
    return _table(["id", *ids], rows)


def _feature_csv(values: np.ndarray, ids: tuple[str, ...]) -> bytes:
    rows = ([name, *row] for name, row in zip(ids, values.tolist(), strict=True))
    return _table(["id", *(f"f{i}" for i in range(values.shape[1]))], rows)


def _table(header: list[str], rows: Iterable[list[Any]]) -> bytes:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return stream.getvalue().encode()


def _model_rsatoolbox(model_rdms: ModelRDMs) -> bytes:
    about = model_rdms.provenance
    each = {
        "model": [about["model"]] * len(model_rdms.layers),
        "layer": model_rdms.layers,
        "weights": [about["weights_sha256"] or about["weights"]] * len(model_rdms.layers),
    }
    rows = {about["by"]: model_rdms.ids, "concept": model_rdms.concepts}
    whole = {"model": about["model"], "stimuli": about["stimuli"]}
    return _rsatoolbox(model_rdms.rdms, model_rdms.metric, whole, each, rows)


def _target_rsatoolbox(target: TargetRDMs) -> bytes:
    about = target.provenance
    whole = {"target": about["target"], "stimuli": about["stimuli"]}
    return _rsatoolbox(target.rdms, None, whole, {"subject": target.subjects}, {"concept": target.ids})


def _rsatoolbox(
    rdms: np.ndarray,
    measure: str | None,
    whole: Mapping[str, str],
    each: Mapping[str, Iterable[str]],
    rows: Mapping[str, Iterable[str]],
) -> bytes:
    """An ``RDMs`` object with descriptors of the whole, of each RDM and of each row."""
    from rsatoolbox.rdm.rdms import RDMs

    made = RDMs(  # type: ignore[no-untyped-call]
        rdms,
        dissimilarity_measure=measure,
        descriptors={key: _ascii(value) for key, value in whole.items()},
        rdm_descriptors={key: [*map(_ascii, values)] for key, values in each.items()},
        pattern_descriptors={key: [*map(_ascii, values)] for key, values in rows.items()},
    )
    stream = io.BytesIO()
    made.save(stream, file_type="hdf5")  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _ascii(text: str) -> str:
    """``text`` with escapes for other letters, because the HDF5 of rsatoolbox holds only ASCII."""
    return text.encode("ascii", "backslashreplace").decode()
