"""THINGS: 1854 object concepts, and how people judge their similarity.

The id of a concept is its ``unique_id`` ("camera1"). Every array with 1854 rows is in the order of
``things/unique_id.txt``, which has one id a line. Categories come from ``things/category_mat_manual.csv``: a
column "unique_id", and a column of 0 and 1 per category. The column "others" marks concepts without a
category. Hebart et al. 2019, PLoS ONE; Hebart et al. 2020, Nature Human Behaviour.

Every reader takes ``root``, the data root, and ``name``, the name of the dataset in the registry.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets.readers.files import locate, read_array, read_table
from benchmark.datasets.readers.folders import image_stimuli
from benchmark.datasets.readers.kept_arrays import cached_array
from benchmark.datasets.readers.matlab_files import require_bounded
from benchmark.datasets.readers.text import read_ids, unique_names
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Keys, Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.measures import rdm, spose_rdm

IDS = "things/unique_id.txt"
_IMAGES = "things/images"
_CATEGORIES = "things/category_mat_manual.csv"
_PROBABILITY, _DOT = "probability", "dot"
_GROUPS = ("group1", "group2", "group3", "group4")


def concepts(root: DataRoot, *, name: str) -> Stimuli:
    """The concepts without images, for models that are a file of features of the concepts.

    Reads ``things/unique_id.txt``.

    Returns
    -------
    Stimuli
        One stimulus per concept, in the order of the file. Keys: "word", "swow" and "name".

    Raises
    ------
    NotPossible
        If the file is not there.
    """
    path = locate(root, name, IDS)
    ids = unique_ids(path)
    return Stimuli(
        name=name,
        ids=ids,
        concepts=ids,
        manifest=hash_files([path]),
        keys=_word_keys(ids),
        labels=_labels(ids),
    )


def images(root: DataRoot, *, name: str, images: int = 1) -> Stimuli:
    """The first images of each concept.

    Reads the images ``things/images/ID/ID_01b.jpg``, ``ID_02s.jpg`` and so on of each concept of
    ``things/unique_id.txt``, in the folders and under the names that THINGS gives them: a number of two
    digits, and a letter. Every concept has at least 12. Other files and folders are not read.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    images : int
        How many images of each concept: those of the least numbers. At least 1.

    Returns
    -------
    Stimuli
        Concept by concept in the order of ``unique_id.txt``. The id of an image is the name of its file
        without its ending ("aardvark_01b"), its concept is the ``unique_id``. Keys: "word", "swow", "name".

    Raises
    ------
    NotPossible
        If the file or the folder is not there, or a concept has fewer images. The message names the first
        three concepts.
    UsageError
        If ``images`` is no whole number, or less than 1.
    """
    if not isinstance(images, int) or isinstance(images, bool) or images < 1:
        raise UsageError(f"dataset {name!r}: images is {images!r}: expected a whole number, at least 1")
    ids = unique_ids(locate(root, name, IDS))
    folder = locate(root, name, _IMAGES)
    files = [_images_of(folder / concept)[:images] for concept in ids]
    short = [concept for concept, found in zip(ids, files, strict=True) if len(found) < images]
    if short:
        how = root.instructions.get(name, "get the images of THINGS")
        raise NotPossible(
            f"{folder}: {len(short)} of {len(ids)} concepts have not {images} "
            f"{'image' if images == 1 else 'images'} named as {short[0]}/{short[0]}_01b.jpg "
            f"(first {', '.join(short[:3])}): {how}"
        )
    return image_stimuli(
        name,
        [file for found in files for file in found],
        [file.stem for found in files for file in found],
        [concept for concept in ids for _ in range(images)],
        keys=_word_keys(ids),
        labels=_labels(ids),
    )


def _images_of(folder: Path) -> list[Path]:
    """The images of the concept ``folder.name``, by their number; none if there is no such folder."""
    named = re.compile(re.escape(folder.name) + r"_[0-9]{2}[a-z]\.jpg")
    return sorted(file for file in folder.glob("*.jpg") if named.fullmatch(file.name))


def _spose_hash(root: DataRoot, *, name: str, dimensions: int = 66, form: str = _PROBABILITY) -> str:
    files = [IDS, f"things/spose_embedding_{dimensions}d_sorted.txt", _CATEGORIES]
    paths = [locate(root, name, file) for file in files]
    if form == _DOT:
        return hash_files(paths, form)
    # the code of the measure decides the RDM too
    return hash_files([*paths, Path(inspect.getfile(spose_rdm))])


@hashed_by(_spose_hash)
def spose(root: DataRoot, *, name: str, dimensions: int = 66, form: str = _PROBABILITY) -> RDMTarget:
    """Dissimilarity of all concepts from a SPoSE embedding of human odd-one-out choices.

    Reads ``things/spose_embedding_DIMENSIONSd_sorted.txt``: numbers separated by white space, one line per
    concept in the order of ``unique_id.txt``, one column per dimension.

    The dissimilarity of two concepts is one minus the probability that people keep them together, over all
    third concepts (:func:`benchmark.measures.spose_rdm`); this RDM is computed once and then kept in the
    cache folder. In the other form it is the greatest dot product of two concepts less theirs.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    dimensions : {66, 49}
        Which embedding. 66: Hebart et al. 2023, eLife. 49: Hebart et al. 2020, Nature Human Behaviour.
    form : {"probability", "dot"}
        What the dissimilarity is made from.

    Returns
    -------
    RDMTarget
        One RDM ("SPoSE 66d"), with ids in the order of ``unique_id.txt``.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If the embedding does not have one row per concept, or has another number of dimensions.
    UsageError
        If ``form`` is another.
    """
    if form not in (_PROBABILITY, _DOT):
        raise UsageError(f"dataset {name!r}: form is {form!r}: expected {_PROBABILITY} or {_DOT}")
    ids_path = locate(root, name, IDS)
    path = locate(root, name, f"things/spose_embedding_{dimensions}d_sorted.txt")
    ids = unique_ids(ids_path)
    embedding = read_array(path)
    _require_shape(path, embedding, (len(ids), dimensions))
    if form == _DOT:
        matrix = _less_than_greatest(embedding @ embedding.T)
    else:
        # The code of the measure is part of the cache key: a changed measure must not get an old matrix.
        measure = Path(inspect.getfile(spose_rdm))
        matrix = cached_array(hash_files([path, measure]), lambda: spose_rdm(embedding))
    return RDMTarget(
        name=name,
        ids=ids,
        hash=_spose_hash(root, name=name, dimensions=dimensions, form=form),
        rdms=matrix[None],
        subjects=(f"SPoSE {dimensions}d",),
        source=str(path),
        categories=categories(root, name, ids),
    )


def _less_than_greatest(similarity: np.ndarray) -> np.ndarray:
    """The greatest similarity of a pair less that of each pair; zero on the diagonal, and symmetric."""
    matrix: np.ndarray = (similarity + similarity.T) / 2
    np.fill_diagonal(matrix, -np.inf)
    apart: np.ndarray = matrix.max() - matrix
    np.fill_diagonal(apart, 0.0)
    return apart


def _groups_hash(root: DataRoot, *, name: str) -> str:
    files = [IDS, *(f"things/gwtune/{group}.npy" for group in _GROUPS), _CATEGORIES]
    # the code of the measure decides the RDMs too
    return hash_files(
        [*(locate(root, name, file) for file in files), Path(inspect.getfile(rdm))], "euclidean"
    )


@hashed_by(_groups_hash)
def groups(root: DataRoot, *, name: str) -> RDMTarget:
    """Four groups of participants, one RDM each, from embeddings fitted to each group's triplets.

    Reads ``things/gwtune/group1.npy`` to ``group4.npy``: each has shape (concepts, dimensions), with rows in
    the order of ``unique_id.txt``. The subjects of the target are "group1" to "group4".

    The dissimilarity is the Euclidean distance, as in the paper of its makers. It predicts held-out choices
    of people better than the dot product does (Sasaki, Takeda, Abe & Oizumi 2023, GWTune).

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If an embedding does not have one row per concept.
    """
    ids_path = locate(root, name, IDS)
    ids = unique_ids(ids_path)
    paths = [locate(root, name, f"things/gwtune/{group}.npy") for group in _GROUPS]
    rdms = []
    for path in paths:
        embedding = read_array(path)
        _require_shape(path, embedding, (len(ids), embedding.shape[-1]))
        rdms.append(rdm(embedding.astype(np.float64), metric="euclidean"))
    return RDMTarget(
        name=name,
        ids=ids,
        hash=_groups_hash(root, name=name),
        rdms=np.stack(rdms),
        subjects=_GROUPS,
        source=str(paths[0].parent),
        categories=categories(root, name, ids),
    )


def rdm48(root: DataRoot, *, name: str) -> RDMTarget:
    """The RDM of 48 concepts for which people judged every triplet. No model of the choices is needed.

    Reads the matrix "RDM48_triplet", shape (48, 48), of ``things/RDM48_triplet.mat`` and its word list
    "words48" of ``things/words48.mat``. The ids are in the order of this word list, not in that of
    ``unique_id.txt``. A word that names several concepts means the first of them ("camera" is camera1).

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If a file is not a MATLAB file or lacks its variable, or if a word is not a THINGS concept.
    """
    ids_path = locate(root, name, IDS)
    path = locate(root, name, "things/RDM48_triplet.mat")
    words_path = locate(root, name, "things/words48.mat")
    known = frozenset(unique_ids(ids_path))
    ids = []
    for cell in _read_mat(words_path, "words48").ravel():
        word = str(cell[0]).replace(" ", "_")
        concept_id = next((concept for concept in (word, f"{word}1") if concept in known), None)
        if concept_id is None:
            raise DataError(f"{words_path}: {word!r} is no concept of {ids_path}")
        ids.append(concept_id)
    return RDMTarget(
        name=name,
        ids=tuple(ids),
        hash=hash_files([ids_path, path, words_path, locate(root, name, _CATEGORIES)]),
        rdms=np.asarray(_read_mat(path, "RDM48_triplet"), dtype=np.float64)[None],
        subjects=("triplets",),
        source=str(path),
        categories=categories(root, name, tuple(ids)),
    )


def category_rdm(root: DataRoot, *, name: str) -> RDMTarget:
    """The categories as an RDM: 0 for two concepts of a category, 1 for concepts of two categories.

    Reads ``things/unique_id.txt`` and ``things/category_mat_manual.csv``. Concepts of "others" have no
    category, and are left out.

    Returns
    -------
    RDMTarget
        One RDM ("categories"), with ids in the order of ``unique_id.txt``.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        As :func:`categories`.
    """
    path = locate(root, name, IDS)
    ids = unique_ids(path)
    category = dict(zip(ids, categories(root, name, ids), strict=True))
    kept = tuple(concept for concept in ids if category[concept] is not None)
    names = np.array([category[concept] for concept in kept])
    return RDMTarget(
        name=name,
        ids=kept,
        hash=hash_files([path, locate(root, name, _CATEGORIES)]),
        rdms=(names[:, None] != names).astype(np.float64)[None],
        subjects=("categories",),
        source=str(locate(root, name, _CATEGORIES)),
        categories=tuple(names.tolist()),
    )


def unique_ids(path: Path) -> tuple[str, ...]:
    """The concept ids in ``path``, the file ``unique_id.txt``: the row order of every THINGS array."""
    return read_ids(path)


def categories(root: DataRoot, name: str, ids: tuple[str, ...]) -> tuple[str | None, ...]:
    """The manual category of each concept.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    ids : tuple of str, length n
        Ids of the concepts.

    Returns
    -------
    tuple of (str or None), length n
        None for a concept in the column "others".

    Raises
    ------
    DataError
        If a concept is not in the file, or not in exactly one category.
    """
    path = locate(root, name, _CATEGORIES)
    table = read_table(path, ("unique_id", "others"))
    table["unique_id"] = unique_names(path, table["unique_id"], range(2, len(table) + 2))
    table = table.set_index("unique_id")
    missing = [concept for concept in ids if concept not in table.index]
    if missing:
        raise DataError(f"{path}: no row for concept {missing[0]!r} of {IDS}")
    member = (table.loc[list(ids)] == "1").to_numpy()
    if (member.sum(axis=1) != 1).any():
        row = int((member.sum(axis=1) != 1).argmax())
        raise DataError(f"{path}: concept {ids[row]!r} is in {member[row].sum()} categories, not in one")
    columns = [str(table.columns[column]) for column in member.argmax(axis=1)]
    return tuple(None if column == "others" else column for column in columns)


def _word_keys(ids: tuple[str, ...]) -> dict[str, Keys]:
    words = {concept: (concept, concept.replace("_", " ")) for concept in ids}
    # "bat1" and "bat2" are two concepts with one name
    names = {concept: (re.sub(r"[0-9]+$", "", concept).replace("_", " "),) for concept in ids}
    return {"word": words, "swow": words, "name": names}


def _labels(ids: tuple[str, ...]) -> dict[str, str]:
    return {concept: concept.replace("_", " ") for concept in ids}


def _require_shape(path: Path, array: np.ndarray, expected: tuple[int, int]) -> None:
    if array.shape != expected:
        raise DataError(
            f"{path}: array of shape {array.shape}, expected {expected} (one row per concept of {IDS})"
        )


def _read_mat(path: Path, key: str) -> np.ndarray:
    require_bounded(path)
    try:
        content = loadmat(path)
    except (ValueError, OSError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as a MATLAB file ({error})") from error
    if key not in content:
        raise DataError(f"{path}: no variable {key!r} in it")
    array: np.ndarray = content[key]
    return array
