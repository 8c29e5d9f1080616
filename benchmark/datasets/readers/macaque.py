"""Spike counts of macaque V4 to natural images, as Cowley and colleagues publish them.

Image 1 of a session (``image0001.jpg``) is the first column of its responses. Each image is a concept of its
own, and its id is its name with the session before it, "190923/image0001". Every reader takes ``root``, the
data root, and ``name``, the name of the dataset in the registry.
"""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.files import locate, read_array
from benchmark.datasets.readers.image_files import decode_rgb
from benchmark.datasets.response_rdms import response_rdms
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget

#: The animal of each session
SESSIONS = {"190923": "WE", "201025": "PE", "210325": "PE", "210621": "RA"}
#: The session whose repeats are published
_RAW = "210325"


def _manifest(root: DataRoot, *, name: str, session: str) -> str:
    return hash_files([_zip(root, name, session)], session, "upright")


@hashed_by(_manifest)
def images(root: DataRoot, *, name: str, session: str) -> Stimuli:
    """The natural images of a session, 112 x 112 pixels. They are read in the zip file.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    session : {"190923", "201025", "210325", "210621"}
        The session.

    Returns
    -------
    Stimuli

    Raises
    ------
    NotPossible
        If ``cowley-v4/images/images_SESSION.zip`` is not there.
    DataError
        If it is no zip file, or an image cannot be decoded.
    """
    path = _zip(root, name, session)
    names = _names(path)
    ids = _ids(session, len(names))
    wanted = [f"{image_id.partition('/')[2]}.jpg" for image_id in ids]
    if [PurePosixPath(file).name for file in names] != wanted:
        raise DataError(f"{path}: its images are not {wanted[0]} to {wanted[-1]} without a gap")
    return Stimuli(
        name=name,
        ids=ids,
        concepts=ids,
        manifest=_manifest(root, name=name, session=session),
        open_image=lambda i: decode_rgb(_content(path)[names[i]], f"{path}, {names[i]}"),
    )


def _responses_hash(root: DataRoot, *, name: str, session: str) -> str:
    return hash_files([_array(root, name, session)], session, "responses")


@hashed_by(_responses_hash)
def responses(root: DataRoot, *, name: str, session: str) -> ResponseTarget:
    """Spike counts in 100 ms of the channels of one session in V4.

    Of session 210325 the repeats are read, 6 to 10 of an image, from ``responses_raw``: shape (channels,
    images, repeats). Of the others there is only the mean over repeats, in ``responses_repeat_averaged``:
    shape (channels, images), so that their ceiling is not known. Cowley, Stan, Pillow & Smith 2023, bioRxiv.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    session : {"190923", "201025", "210325", "210621"}
        The session.

    Returns
    -------
    ResponseTarget

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If the array has another number of dimensions, or an image lacks a response.
    """
    path = _array(root, name, session)
    array = np.asarray(read_array(path), dtype=np.float64)
    dimensions = 3 if session == _RAW else 2
    if array.ndim != dimensions:
        shape = "(channels, images, repeats)" if dimensions == 3 else "(channels, images)"
        raise DataError(f"{path}: responses of shape {array.shape}, expected {shape}")
    repeats = np.ascontiguousarray(np.moveaxis(np.atleast_3d(array), 0, 1))
    count = repeats.shape[1]
    target = ResponseTarget(
        name=name,
        ids=_ids(session, len(repeats)),
        hash=_responses_hash(root, name=name, session=session),
        source=str(path),
        repeats=repeats,
        channels=tuple(f"{session} {i + 1:03d}" for i in range(count)),
        areas=("V4",) * count,
        subjects=(SESSIONS[session],) * count,
    )
    target.require_varied()
    return target


def _rdms_hash(
    root: DataRoot, *, name: str, session: str, metric: str = "correlation", split: str = "none"
) -> str:
    return hash_files([_array(root, name, session)], session, metric, split, "rdms of responses")


@hashed_by(_rdms_hash)
def rdms(
    root: DataRoot, *, name: str, session: str, metric: str = "correlation", split: str = "none"
) -> RDMTarget:
    """RDMs of the responses of one session (:func:`benchmark.datasets.response_rdms.response_rdms`).

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    session : {"190923", "201025", "210325", "210621"}
        The session.
    metric : {"correlation", "euclidean", "crossnobis"}
        The dissimilarity. "crossnobis" needs repeats, which session 210325 has.
    split : {"none", "halves"}
        "halves" gives an RDM for each half of the repeats, and so a noise ceiling.

    Returns
    -------
    RDMTarget

    Raises
    ------
    NotPossible
        If the file is not there, or there are too few repeats.
    DataError
        As :func:`responses`.
    """
    measured = responses(root, name=name, session=session)
    digest = _rdms_hash(root, name=name, session=session, metric=metric, split=split)
    return response_rdms(measured, name, digest, metric, split)


def _zip(root: DataRoot, name: str, session: str) -> Path:
    return locate(root, name, f"cowley-v4/images/images_{_known(name, session)}.zip")


def _array(root: DataRoot, name: str, session: str) -> Path:
    folder = "responses_raw" if _known(name, session) == _RAW else "responses_repeat_averaged"
    return locate(root, name, f"cowley-v4/{folder}/responses_{session}.npy")


def _known(name: str, session: str) -> str:
    if session not in SESSIONS:
        raise UsageError(f"dataset {name!r}: session is {session!r}; write one of {', '.join(SESSIONS)}")
    return session


def _ids(session: str, count: int) -> tuple[str, ...]:
    return tuple(f"{session}/image{i + 1:04d}" for i in range(count))


def _names(path: Path) -> list[str]:
    """The images of the zip file, whether they stand in a folder or at the top."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(name for name in archive.namelist() if name.endswith(".jpg"))
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as a zip file ({error})") from error


@lru_cache(maxsize=1)
def _content(path: Path) -> dict[str, bytes]:
    """The bytes of every image: 4 MB for a session, read once."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
