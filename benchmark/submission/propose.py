"""Make an entry from the SPEC of ``bench add``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmark.common.errors import UsageError
from benchmark.registry.names import check_name
from benchmark.submission import libraries, own
from benchmark.submission.checkpoint import OwnWeights, with_checkpoint
from benchmark.submission.proposal import Proposal

_LIBRARIES: dict[str, Callable[[str], Proposal]] = {
    "timm": libraries.timm,
    "torchvision": libraries.torchvision,
    "open_clip": libraries.open_clip,
    "taskonomy": libraries.taskonomy,
    "hf-hub": libraries.hugging_face,
}

#: The libraries of which a user has checkpoints, and their plug-ins
_ARCHITECTURES = {
    "timm": libraries.TIMM,
    "torchvision": libraries.TORCHVISION,
    "open_clip": libraries.OPEN_CLIP,
}

FORMS = (
    "timm:NAME.TAG, torchvision:NAME.WEIGHTS, open_clip:NAME/TAG, taskonomy:TASK, hf-hub:timm/NAME.TAG, "
    "path/to/plugin.py:Class, features:FILE"
)


def propose(
    text: str,
    base: Path,
    name: str | None = None,
    weights: OwnWeights | None = None,
    ids: Path | None = None,
) -> Proposal:
    """Propose the entry of a model.

    Parameters
    ----------
    text : str
        The SPEC, in one of :data:`FORMS`.
    base : Path
        Folder of the registry file.
    name : str, optional
        Name of the model. Default: a name made from ``text``.
    weights : OwnWeights, optional
        The user's own weights, of a plug-in or of an architecture of a library.
    ids : Path, optional
        File with the ids of a ``.npy`` of features.

    Returns
    -------
    Proposal

    Raises
    ------
    UsageError
        If there is no such model. The message names the nearest, or says what there is.
    """
    kind, _, rest = text.partition(":")
    if ids is not None and kind != "features":
        raise UsageError("--ids goes with features:FILE.npy only: leave it out")
    if kind in _ARCHITECTURES and rest and weights is not None:
        proposal = with_checkpoint(_ARCHITECTURES[kind], rest, base, weights)
    elif weights is not None and (kind in _LIBRARIES or kind == "features"):
        raise UsageError(
            f"--weights goes with {', '.join(f'{name}:' for name in _ARCHITECTURES)} and "
            "path/to/plugin.py:Class only: leave it out"
        )
    elif kind in _LIBRARIES and rest:
        proposal = _LIBRARIES[kind](rest)
    elif kind == "features" and rest:
        proposal = own.features(rest, base, ids)
    elif kind.endswith(".py") and rest:
        proposal = own.plugin(text, base, None if weights is None else weights.file)
    else:
        raise UsageError(f"cannot read {text!r}; write {FORMS}")
    if name is None:
        return proposal
    try:
        return replace(proposal, name=check_name(name))
    except ValueError as error:
        raise UsageError(f"--name: {error}") from error
