"""What a model's page shows of the arrays of its results: RDMs, plans, mistakes and profiles, as small data.

A matrix is one byte an entry, in base64. Concepts are in the order in which they are shown.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.spatial.distance import squareform

from benchmark.leaderboard.order import order_of, ranks_of
from benchmark.results import CellResult

Arrays = Mapping[str, np.ndarray]
Shown = dict[str, Any]

#: Byte of an entry that is undefined, and the greatest of one that is not
_UNDEFINED, _GREATEST = 255, 254
#: Matches of a concept in the table
_MATCHES = 5
#: What pages and figures show for the best layer alone, for every layer, and once a result
_OF_BEST = ("rdm", "plan", "likeliest", "probability", "sweep", "per_concept", "profiles")
_OF_ALL = ("outcomes",)
_ONCE = (
    "concepts",
    "categories",
    "target_rdm",
    "true",
    "taken_for",
    "vocabulary",
    "profiles_people",
    "held_out",
)


def small(cell: CellResult, arrays: Arrays) -> dict[str, np.ndarray]:
    """Only the arrays that pages and figures show; what can be computed from other layers is left out.

    Parameters
    ----------
    cell : CellResult
    arrays : mapping of str to ndarray
        All arrays of the result.

    Returns
    -------
    dict of str to ndarray
        Some of them, floating-point numbers as float16, which a figure does not distinguish.
    """
    of_best = {f"{kind}/{cell.best_layer}" for kind in _OF_BEST}
    kept = {
        name: array
        for name, array in arrays.items()
        if name in _ONCE or name in of_best or name.partition("/")[0] in _OF_ALL
    }
    if set(kept) <= {"concepts", "categories"}:
        return {}
    # distances of a search differ by less than float16 can tell
    return {
        name: array.astype(np.float16) if array.dtype.kind == "f" and "sweep" not in name else array
        for name, array in kept.items()
    }


def shown(cell: CellResult, arrays: Arrays) -> Shown:
    """The data of everything that the page shows of a result beside its scores.

    Parameters
    ----------
    cell : CellResult
    arrays : mapping of str to ndarray
        As ``bench run`` stores them, or :func:`small` leaves them.

    Returns
    -------
    dict
        As JSON can hold it: ``rdm``, ``plan``, ``helped``, ``mistakes``, ``words``, each where it is there.

    Raises
    ------
    ValueError
        If the arrays are not those of such a result.
    """
    best = cell.best_layer
    parts = {
        f"rdm/{best}": ("rdm", _rdm),
        f"plan/{best}": ("plan", _plan),
        f"per_concept/{best}": ("helped", _helped),
        f"outcomes/{best}": ("mistakes", _mistakes),
        f"profiles/{best}": ("words", _words),
    }
    try:
        return {kind: make(str(best), arrays) for name, (kind, make) in parts.items() if name in arrays}
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"arrays that do not fit each other: {error!r}") from error


def _rdm(layer: str, arrays: Arrays) -> Shown:
    """The RDM of the layer, and that of people where it is there: ranks of the upper triangle."""
    square = squareform(arrays[f"rdm/{layer}"].astype(np.float64))
    order, categories, how = order_of(arrays, square)
    found = {"concepts": _names(arrays, order), "categories": categories, "how": how}
    for name, upper in (("model", arrays[f"rdm/{layer}"]), ("people", arrays.get("target_rdm"))):
        if upper is not None:
            sorted_rdm = squareform(upper.astype(np.float64))[np.ix_(order, order)]
            found[name] = _packed(ranks_of(squareform(sorted_rdm, checks=False)))
    return found


def _plan(layer: str, arrays: Arrays) -> Shown:
    """The transport plan as shares of its rows, the likeliest matches of each concept, and the solutions."""
    plan = arrays[f"plan/{layer}"].astype(np.float64)
    order, categories, how = order_of(arrays)
    place = np.argsort(order)
    shares = (plan / plan.sum(axis=1, keepdims=True))[np.ix_(order, order)]
    likeliest = place[arrays[f"likeliest/{layer}"][order, :_MATCHES]]
    probability = arrays[f"probability/{layer}"][order, :_MATCHES].astype(np.float64)
    sweep = arrays[f"sweep/{layer}"].astype(np.float64)
    epsilon, _, distance, matching, category, _ = sweep.T
    return {
        "concepts": _names(arrays, order),
        "categories": categories,
        "how": how,
        "shares": _packed(shares.ravel()),
        "likeliest": likeliest.tolist(),
        "probability": np.round(probability, 3).tolist(),
        "solutions": [_rounded(row) for row in zip(epsilon, distance, matching, category, strict=True)],
    }


def _helped(layer: str, arrays: Arrays) -> list[list[Any]]:
    """Each concept with its share, the greatest first."""
    shares = arrays[f"per_concept/{layer}"].astype(np.float64)
    names = arrays["concepts"].astype(str)
    order = np.argsort(-shares, kind="stable")
    return [[names[i], *_rounded([shares[i]])] for i in order.tolist()]


def _mistakes(_layer: str, arrays: Arrays) -> Shown:
    """Mistakes of each kind, what they were taken for, and their mean outcome in each layer."""
    layers = [name.partition("/")[2] for name in arrays if name.startswith("outcomes/")]
    outcomes = np.stack([arrays[f"outcomes/{layer}"] for layer in layers]).astype(np.float64)
    kinds: dict[tuple[str, str], list[int]] = {}
    for i, kind in enumerate(zip(arrays["true"].tolist(), arrays["taken_for"].tolist(), strict=True)):
        kinds.setdefault(kind, []).append(i)
    rows = [[*kind, len(of), *_rounded(outcomes[:, of].mean(axis=1))] for kind, of in kinds.items()]
    return {"layers": layers, "rows": rows}


def _words(layer: str, arrays: Arrays) -> Shown:
    """Profiles of the model and of people, in ten-thousandths. A strength below 0 is 0."""
    profiles = {"model": arrays[f"profiles/{layer}"], "people": arrays["profiles_people"]}
    found: Shown = {
        "concepts": arrays["concepts"].astype(str).tolist(),
        "held_out": arrays["held_out"].tolist(),
        "vocabulary": arrays["vocabulary"].astype(str).tolist(),
    }
    for name, profile in profiles.items():
        parts = np.clip(np.rint(1e4 * profile.astype(np.float64)), 0, 2**16 - 1).astype("<u2")
        found[name] = base64.b64encode(parts.tobytes()).decode()
    return found


def _names(arrays: Arrays, order: np.ndarray) -> list[str]:
    names: list[str] = arrays["concepts"].astype(str)[order].tolist()
    return names


def _packed(values: np.ndarray) -> str:
    """Numbers from 0 to 1 (p,), or NaN, as a byte each."""
    coded = np.where(np.isnan(values), _UNDEFINED, np.rint(_GREATEST * np.nan_to_num(values)))
    return base64.b64encode(np.clip(coded, 0, 255).astype(np.uint8).tobytes()).decode()


def _rounded(values: Any) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]
