"""Make an entry from the SPEC of ``bench add``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmark.common.errors import UsageError
from benchmark.registry.names import check_name
from benchmark.submission import libraries, own
from benchmark.submission.proposal import Proposal

_LIBRARIES: dict[str, Callable[[str], Proposal]] = {
    "timm": libraries.timm,
    "torchvision": libraries.torchvision,
    "open_clip": libraries.open_clip,
    "taskonomy": libraries.taskonomy,
    "hf-hub": libraries.hugging_face,
}

FORMS = (
    "timm:NAME.TAG, torchvision:NAME.WEIGHTS, open_clip:NAME/TAG, taskonomy:TASK, hf-hub:timm/NAME.TAG, "
    "path/to/plugin.py:Class, features:FILE"
)


def propose(text: str, base: Path, name: str | None = None, weights: Path | None = None) -> Proposal:
    """Propose the entry of a model.

    Parameters
    ----------
    text : str
        The SPEC, in one of :data:`FORMS`.
    base : Path
        Folder of the registry file.
    name : str, optional
        Name of the model. Default: a name made from ``text``.
    weights : Path, optional
        File of the weights of a plug-in.

    Returns
    -------
    Proposal

    Raises
    ------
    UsageError
        If there is no such model. The message names the nearest, or says what there is.
    """
    kind, _, rest = text.partition(":")
    if weights is not None and (kind in _LIBRARIES or kind == "features"):
        raise UsageError("--weights goes with path/to/plugin.py:Class only: leave it out")
    if kind in _LIBRARIES and rest:
        proposal = _LIBRARIES[kind](rest)
    elif kind == "features" and rest:
        proposal = own.features(rest, base)
    elif kind.endswith(".py") and rest:
        proposal = own.plugin(text, base, weights)
    else:
        raise UsageError(f"cannot read {text!r}; write {FORMS}")
    if name is None:
        return proposal
    try:
        return replace(proposal, name=check_name(name))
    except ValueError as error:
        raise UsageError(f"--name: {error}") from error
