"""THINGS: 1854 object concepts, and how people judge their similarity.

Concepts are named by their ``unique_id`` ("camera1"), and every array with 1854 rows is in the order of
``unique_id.txt``. Hebart et al. 2019, PLoS ONE; Hebart et al. 2020, Nature Human Behaviour.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate, read_array, read_table
from benchmark.datasets.readers.kept_arrays import cached_array
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.types import RDMTarget, Stimuli
from benchmark.measures import rdm, spose_rdm

_IDS = "things/unique_id.txt"
_CATEGORIES = "things/category_mat_manual.csv"
_GROUPS = ("group1", "group2", "group3", "group4")


def concepts(root: DataRoot, *, name: str) -> Stimuli:
    """The concepts without images, for models that are given as features of them.

    Returns
    -------
    Stimuli
        One stimulus a concept. Keys: "word" and "swow".
    """
    path = locate(root, name, _IDS)
    ids = unique_ids(path)
    words = {concept: (concept, concept.replace("_", " ")) for concept in ids}
    return Stimuli(
        name=name,
        ids=ids,
        concepts=ids,
        manifest=hash_files([path]),
        keys={"word": words, "swow": words},
        labels={concept: concept.replace("_", " ") for concept in ids},
    )


def spose(root: DataRoot, *, name: str, dimensions: int = 66) -> RDMTarget:
    """Dissimilarity of all concepts from a SPoSE embedding of human odd-one-out choices.

    The dissimilarity of two concepts is one minus the probability that they are kept together, over all
    third concepts (:func:`benchmark.measures.spose_rdm`). Computed once, then kept in the cache folder.

    Parameters
    ----------
    dimensions : {66, 49}
        66: Hebart et al. 2023, eLife; 49: Hebart et al. 2020, Nature Human Behaviour.

    Raises
    ------
    DataError
        If the embedding has not one row a concept, or not that many dimensions.
    """
    ids_path = locate(root, name, _IDS)
    path = locate(root, name, f"things/spose_embedding_{dimensions}d_sorted.txt")
    ids = unique_ids(ids_path)
    embedding = read_array(path)
    _require_shape(path, embedding, (len(ids), dimensions))
    # The cache key holds the code of the measure: a changed measure must not find an old matrix.
    measure = Path(inspect.getfile(spose_rdm))
    matrix = cached_array(hash_files([path, measure]), lambda: spose_rdm(embedding))
    return RDMTarget(
        name=name,
        ids=ids,
        hash=hash_files([ids_path, path, locate(root, name, _CATEGORIES), measure]),
        rdms=matrix[None],
        subjects=(f"SPoSE {dimensions}d",),
        categories=categories(root, name, ids),
    )


def groups(root: DataRoot, *, name: str) -> RDMTarget:
    """Four groups of participants, one RDM each, from embeddings fitted to each group's triplets.

    Dissimilarity is Euclidean distance, as its makers use it: it predicts held-out choices of people
    better than the dot product does (Sasaki, Takeda, Abe & Oizumi 2023, GWTune).
    """
    ids_path = locate(root, name, _IDS)
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
        hash=hash_files([ids_path, *paths, locate(root, name, _CATEGORIES)], "euclidean"),
        rdms=np.stack(rdms),
        subjects=_GROUPS,
        categories=categories(root, name, ids),
    )


def rdm48(root: DataRoot, *, name: str) -> RDMTarget:
    """The RDM of 48 concepts whose triplets were all sampled: no model of the choices stands between.

    Its rows stand in the order of its own word list, not in that of ``unique_id.txt``; a word that names
    several concepts is the first of them ("camera" is camera1).

    Raises
    ------
    DataError
        If a word is no THINGS concept.
    """
    ids_path = locate(root, name, _IDS)
    path = locate(root, name, "things/RDM48_triplet.mat")
    words_path = locate(root, name, "things/words48.mat")
    known = frozenset(unique_ids(ids_path))
    ids = []
    for cell in _read_mat(words_path, "words48").ravel():
        word = str(cell[0]).replace(" ", "_")
        found = next((concept for concept in (word, f"{word}1") if concept in known), None)
        if found is None:
            raise DataError(f"{words_path}: {word!r} is no concept of {ids_path}")
        ids.append(found)
    return RDMTarget(
        name=name,
        ids=tuple(ids),
        hash=hash_files([ids_path, path, words_path, locate(root, name, _CATEGORIES)]),
        rdms=np.asarray(_read_mat(path, "RDM48_triplet"), dtype=np.float64)[None],
        subjects=("triplets",),
        categories=categories(root, name, tuple(ids)),
    )


def unique_ids(path: Path) -> tuple[str, ...]:
    """The concept ids, in the row order of every THINGS array."""
    return tuple(path.read_text(encoding="utf-8").split())


def categories(root: DataRoot, name: str, ids: tuple[str, ...]) -> tuple[str | None, ...]:
    """The manual category of each concept; None where people put it under "others".

    Raises
    ------
    DataError
        If a concept is not in the file, or not in exactly one category.
    """
    path = locate(root, name, _CATEGORIES)
    table = read_table(path, ("unique_id", "others")).set_index("unique_id")
    missing = [concept for concept in ids if concept not in table.index]
    if missing:
        raise DataError(f"{path}: no row for concept {missing[0]!r} of {_IDS}")
    member = (table.loc[list(ids)] == "1").to_numpy()
    if (member.sum(axis=1) != 1).any():
        row = int((member.sum(axis=1) != 1).argmax())
        raise DataError(f"{path}: concept {ids[row]!r} is in {member[row].sum()} categories, not in one")
    found = [str(table.columns[column]) for column in member.argmax(axis=1)]
    return tuple(None if category == "others" else category for category in found)


def _require_shape(path: Path, array: np.ndarray, expected: tuple[int, int]) -> None:
    if array.shape != expected:
        raise DataError(
            f"{path}: array of shape {array.shape}, expected {expected} (one row a concept of {_IDS})"
        )


def _read_mat(path: Path, key: str) -> np.ndarray:
    try:
        content = loadmat(path)
    except (ValueError, OSError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as a MATLAB file ({error})") from error
    if key not in content:
        raise DataError(f"{path}: no variable {key!r} in it")
    array: np.ndarray = content[key]
    return array
