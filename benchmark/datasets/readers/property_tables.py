"""Property norms in the published tables of McRae et al. (2005) and of Buchanan et al. (2019)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmark.common.errors import DataError
from benchmark.datasets.norms import PropertyTarget
from benchmark.datasets.properties import concept_names, finer_kind
from benchmark.datasets.readers.files import locate, read_table, whole_numbers
from benchmark.datasets.root import DataRoot, hash_files, hashed_by

#: People who listed properties of each concept of McRae et al.
_PEOPLE = 30.0
#: Property types by the label of brain regions (BR_Label); those of the senses but sight are one
_TYPES = {
    "taxonomic": "taxonomic",
    "encyclopaedic": "encyclopaedic",
    "function": "functional",
    **dict.fromkeys(("visual-colour", "visual-form_and_surface", "visual-motion"), "visual perceptual"),
    **dict.fromkeys(("sound", "tactile", "taste", "smell"), "other perceptual"),
}


def _hash(root: DataRoot, *, name: str, path: str) -> str:
    return hash_files([locate(root, name, path)])


@hashed_by(_hash)
def mcrae(root: DataRoot, *, name: str, path: str) -> PropertyTarget:
    """Read the norms of McRae et al. (``CONCS_FEATS_concstats_brm.txt``): 541 concepts, 2,526 properties.

    The file is tab separated. Columns that are read: "Concept", "Feature", "BR_Label" and "Prod_Freq", which
    counts 30 people. Types are those of CSLB, from the label: "function" is functional, three labels of sight
    are visual perceptual, and those of the other senses other perceptual. The label "visual-colour" makes a
    property one of colour. McRae, Cree, Seidenberg & McNorgan 2005, Behavior Research Methods.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root.

    Returns
    -------
    PropertyTarget
        Ids are the concepts by :func:`benchmark.datasets.properties.concept_names`.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If a column is missing, a label is unknown, a frequency is no whole number, or a pair occurs twice.
    """
    file = locate(root, name, path)
    table = read_table(file, ("Concept", "Feature", "BR_Label", "Prod_Freq"), "\t")
    unknown = ~table["BR_Label"].isin(list(_TYPES))
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise DataError(
            f"{file}, line {row + 2}: BR_Label is {table['BR_Label'].iloc[row]!r}: expected one of "
            f"{', '.join(_TYPES)}"
        )
    repeated = table.duplicated(["Concept", "Feature"]).to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise DataError(f"{file}, line {row + 2}: a concept and a feature that stand in an earlier line")
    first = table.drop_duplicates("Feature").set_index("Feature")["BR_Label"]
    colours = frozenset(first.index[first == "visual-colour"])
    pairs = table.assign(count=whole_numbers(table, "Prod_Freq", file))
    return property_target(
        name,
        file,
        pairs.rename(columns={"Concept": "concept", "Feature": "property"}),
        types={feature: _TYPES[label] for feature, label in first.items()},
        colours=colours,
        respondents=dict.fromkeys(table["Concept"], _PEOPLE),
    )


@hashed_by(_hash)
def buchanan(root: DataRoot, *, name: str, path: str) -> PropertyTarget:
    """Read the norms of Buchanan et al. (2019): 4,436 cues, with the roots of the words that people gave.

    The file is comma separated. Columns that are read: "cue", "translated" (the root of what people gave),
    "frequency_translated" (how many gave it) and "n" (how many were asked). A root that came from several
    words has a line for each, with one frequency. The norms have no property types: all are of the type
    "feature". Buchanan, Valentine & Maxwell 2019, Behavior Research Methods.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root.

    Returns
    -------
    PropertyTarget
        Ids are the cues by :func:`benchmark.datasets.properties.concept_names`. Where sources asked different
        numbers of people about a cue, the greatest frequency and the greatest number count.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If a column is missing, or a frequency is no whole number.
    """
    file = locate(root, name, path)
    table = read_table(file, ("cue", "translated", "frequency_translated", "n"), ",")
    asked = table.assign(n=whole_numbers(table, "n", file)).groupby("cue")["n"].max()
    table = table.assign(count=whole_numbers(table, "frequency_translated", file))
    pairs = table.groupby(["cue", "translated"], sort=False)["count"].max().reset_index()
    return property_target(
        name,
        file,
        pairs.rename(columns={"cue": "concept", "translated": "property"}),
        types=dict.fromkeys(pairs["translated"], "feature"),
        colours=frozenset(),
        respondents=asked.to_dict(),
    )


def property_target(
    name: str,
    file: Path,
    pairs: pd.DataFrame,
    *,
    types: Mapping[str, str],
    colours: frozenset[str],
    respondents: Mapping[str, float],
    shapes: frozenset[str] = frozenset(),
    digest: str | None = None,
) -> PropertyTarget:
    """Make a target from a table with a row for each pair of a concept and a property.

    Parameters
    ----------
    name : str
        Name of the dataset.
    file : Path
        The file of the norms.
    pairs : DataFrame
        The columns "concept", "property" and "count". Concepts and properties stay in the order of first
        appearance.
    types : mapping of str to str
        The type of each property.
    colours, shapes : frozenset of str
        The properties of colour, and of shape and size.
    respondents : mapping of str to float
        The number of people who were asked about each concept.
    digest : str, optional
        The hash of the target. Default: that of the file.

    Returns
    -------
    PropertyTarget
        Ids are the concepts by :func:`benchmark.datasets.properties.concept_names`.
    """
    concept, concepts = pd.factorize(pairs["concept"])
    column, columns = pd.factorize(pairs["property"])
    return PropertyTarget(
        name=name,
        source=str(file),
        ids=concept_names(concepts),
        hash=digest or hash_files([file]),
        columns=tuple(columns),
        counts=sparse.csr_array(
            (pairs["count"].to_numpy(np.float64), (concept, column)), shape=(len(concepts), len(columns))
        ),
        respondents=np.array([respondents[c] for c in concepts], dtype=np.float64),
        types=tuple(types[c] for c in columns),
        finer=tuple(finer_kind(c, colours, shapes) for c in columns),
    )
