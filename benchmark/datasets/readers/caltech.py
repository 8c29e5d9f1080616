"""Caltech-101: folders whose words are in the reviewed table of cues."""

from __future__ import annotations

from benchmark.datasets.readers.class_cues import decisions
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import image_files, image_stimuli, name_variants
from benchmark.datasets.root import DataRoot
from benchmark.datasets.stimuli import Stimuli


def caltech101(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """Images of Caltech-101, one folder for each class (Fei-Fei, Fergus & Perona 2004).

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The folder of folders, under the data root.

    Returns
    -------
    Stimuli
        In the sorted order of the paths. Ids are "class/file", and concepts are the names of folders. Keys:
        "word", "swow" and "things": the name, if people understand the class by it, then its synonyms in
        ``caltech101_cues.csv`` ("water lily" for the folder "water_lilly"). A synonym that is the name of
        another folder is left out: "crocodile" is not the folder "crocodile_head".

    Raises
    ------
    NotPossible
        If the folder is not there.
    DataError
        If there is no image.
    """
    folder = locate(root, name, path)
    files = image_files(folder)
    ids = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
    concepts = [file.parent.name for file in files]
    words = {concept: name_variants(_names(concept, frozenset(concepts))) for concept in concepts}
    return image_stimuli(
        name,
        files,
        ids,
        concepts,
        keys={"word": words, "swow": words, "things": words},
        labels={concept: concept.replace("_", " ") for concept in concepts},
    )


def _names(concept: str, folders: frozenset[str]) -> list[str]:
    decision = decisions().get(concept)
    if decision is None:
        return [concept]
    synonyms = [synonym for synonym in decision.synonyms if synonym not in folders]
    return synonyms if decision.sense else [concept, *synonyms]
