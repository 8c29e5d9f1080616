"""Sets of ImageNet images whose concepts are WordNet ids.

Class names are not unique ("crane" is a bird and a machine), so the WordNet id is what a class is known by.
Russakovsky et al. 2015, International Journal of Computer Vision.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from benchmark.common.errors import DataError
from benchmark.datasets.readers.class_cues import decisions
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.readers.folders import image_files, image_stimuli, name_variants
from benchmark.datasets.root import DataRoot
from benchmark.datasets.types import Keys, Stimuli

#: Lemmas, not the first of their class, that alone mean another thing to most people: a killer whale is no
#: "killer", a grand piano no "grand". Chosen by reading all that classes joined in SWOW, EAT, word vectors.
#: Of first lemmas, and of the words a class has instead, imagenet_cues.csv decides.
# fmt: off
_OTHER_SENSE = frozenset({
    "bars", "beam", "bell", "blower", "board", "boa", "bob", "bullet", "carrier", "cell", "chopper",
    "coach", "dipper", "grand", "groin", "head", "horn", "jack", "killer", "mail", "mini", "napkin",
    "nursery", "ounce", "reaper", "rocker", "rubber", "scope", "semi", "site", "spot", "torpedo",
    "trump", "waggon", "wagon",
})
# fmt: on


def sample(root: DataRoot, *, name: str) -> Stimuli:
    """One image of each of the 1000 ILSVRC-2012 classes, in class index order.

    Returns
    -------
    Stimuli
        ids and concepts are WordNet ids. Keys: "things" (the ``unique_id`` of the THINGS concept with the
        same WordNet id), "word" and "swow" (see :func:`lemma_keys`).

    Raises
    ------
    DataError
        If a class of ``classes.csv`` has no image.
    """
    folder = locate(root, name, "imagenet-sample/images")
    classes_path = locate(root, name, "imagenet-sample/classes.csv")
    classes = read_table(classes_path, ("index", "wnid", "lemmas"))
    files = [folder / f"{wnid}.jpg" for wnid in classes["wnid"]]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{missing}: no image there for a class of {classes_path}")
    wnids = tuple(classes["wnid"])
    return image_stimuli(
        name,
        files,
        wnids,
        wnids,
        keys={**lemma_keys(classes), "things": _things(root, name)},
        labels=_labels(classes),
    )


def tiny_validation(root: DataRoot, *, name: str) -> Stimuli:
    """Validation images of Tiny ImageNet, 64 x 64 pixels, several a class (Le & Yang 2015).

    Returns
    -------
    Stimuli
        ids are "wnid/file" and concepts WordNet ids, keys as in :func:`sample`. Of each class the first
        half of the images, by file name, is split "train" and the rest "test".

    Raises
    ------
    DataError
        If a folder is no class of ``classes.csv``.
    """
    folder = locate(root, name, "tiny-imagenet-val")
    classes_path = locate(root, name, "tiny-imagenet-val/classes.csv")
    classes = read_table(classes_path, ("wnid", "lemmas"))
    files = image_files(folder)
    ids = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
    wnids = [file.parent.name for file in files]
    unknown = sorted(set(wnids) - set(classes["wnid"]))
    if unknown:
        raise DataError(f"{folder / unknown[0]}: a folder of images that is no class of {classes_path}")
    return image_stimuli(
        name,
        files,
        ids,
        wnids,
        keys={**lemma_keys(classes), "things": _things(root, name)},
        labels=_labels(classes),
        splits=_halves(wnids),
    )


def lemma_keys(classes: pd.DataFrame) -> dict[str, Keys]:
    """What a class may be called elsewhere, from its lemmas, the best known first.

    Returns
    -------
    dict of str to Keys
        "word": in lower case, single words first (word vectors know no others), then several words with
        a space, "_" and "-" between. "swow": each lemma as it stands and in lower case (cues keep
        capitals: "Africa"), in the order of the lemmas. A later lemma that alone means another thing to
        most people ("killer" of a killer whale) is left out of both. A class whose own names do, by
        imagenet_cues.csv (a crane is a bird or a machine), has the synonyms given there instead.
    """
    lemmas = {row.wnid: _own_names(row.wnid, row.lemmas) for row in classes.itertuples()}
    return {
        "word": {wnid: name_variants(names) for wnid, names in lemmas.items()},
        "swow": {
            wnid: tuple(dict.fromkeys(form for lemma in names for form in (lemma, lemma.lower())))
            for wnid, names in lemmas.items()
        },
    }


def _own_names(wnid: str, text: str) -> list[str]:
    """Lemmas of a class that mean it to most people, or the words that do."""
    decided = decisions().get(wnid)
    return list(decided.synonyms) if decided and decided.sense else known_lemmas(text)


def known_lemmas(text: str) -> list[str]:
    """Lemmas of a class ("killer whale, killer, orca") but the later ones that alone mean another thing."""
    first, *others = [lemma.replace("_", " ").strip() for lemma in text.split(",")]
    return [first, *(lemma for lemma in others if lemma.lower() not in _OTHER_SENSE)]


def _labels(classes: pd.DataFrame) -> dict[str, str]:
    return {row.wnid: known_lemmas(row.lemmas)[0] for row in classes.itertuples()}


def _things(root: DataRoot, name: str) -> Keys:
    path: Path = locate(root, name, "things/imagenet_overlap.csv")
    table = read_table(path, ("unique_id", "wnid"))
    return {row.wnid: (row.unique_id,) for row in table.itertuples()}


def _halves(wnids: list[str]) -> list[str]:
    """Split of each image: "train" for the first half of its class, "test" for the rest."""
    total = Counter(wnids)
    seen: Counter[str] = Counter()
    splits = []
    for wnid in wnids:
        seen[wnid] += 1
        splits.append("train" if seen[wnid] <= total[wnid] // 2 else "test")
    return splits
