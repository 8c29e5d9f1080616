"""Model objects that were made in Python: they are used as if they were an entry of the registry."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmark.api.identity import identity
from benchmark.common.errors import UsageError
from benchmark.common.text import names
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model, ModelSpec
from benchmark.registry import IN_MEMORY, Placed, PluginCode, ResolvedCheckpoint
from benchmark.registry.names import check_name
from benchmark.registry.schema import ModelEntry
from benchmark.runner import Session
from benchmark.runner.loaded import LoadedModel

_log = logging.getLogger(__name__)


@contextmanager
def placed_model(
    session: Session, model: Model | str | Sequence[str], suite: str, name: str | None
) -> Iterator[list[str]]:
    """Add a model object to a session for a while, and give the names of the models to run.

    If the identity of the object cannot be computed, its features go into a temporary folder, which is
    removed at the end.

    Parameters
    ----------
    session : Session
        The session. Its registry gets an entry for the object.
    model : Model or str or sequence of str
        A model object, or names of registered models, which are given back unchanged.
    suite : str
        Suite that the object is added to.
    name : str or None
        Name for the object; None: the name in its spec.

    Yields
    ------
    list of str
        Names of the models.

    Raises
    ------
    UsageError
        If ``model`` is something else, or the name is taken or is not a valid name.
    """
    if not isinstance(model, Model):
        if isinstance(model, type) or not isinstance(model, (str, Sequence)):
            kind = model.__name__ if isinstance(model, type) else type(model).__name__
            raise UsageError(
                f"model is {'the class' if isinstance(model, type) else 'a'} {kind}; give an object of a "
                "benchmark.model.Model, a torch module, features, or a name"
            )
        yield names(model)
        return
    if not hasattr(model, "spec"):  # its __init__ did not call Model.__init__
        model.spec = ModelSpec(type(model).__name__)
    model_name = _free_name(session, name or model.spec.name)
    model.spec = replace(model.spec, name=model_name)
    model_identity = identity(model)
    with tempfile.TemporaryDirectory() as scratch:
        if model_identity.reason is not None:
            _log.warning("%s: %s: its features are not kept", model_name, model_identity.reason)
            session.features = FeatureStore(Path(scratch))
        _place(session, model, suite, model_identity.source, model_identity.state)
        yield [model_name]


def _free_name(session: Session, name: str) -> str:
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"model: {error}; give another name with name=") from error
    if name in session.registry.models:
        where = session.registry.models[name].where
        raise UsageError(f"the name {name} is taken, at {where}; give another name with name=")
    return name


def _place(session: Session, model: Model, suite: str, source: str, state: str) -> None:
    """Put an object among the models of the session, as if it was loaded from the registry."""
    name, kind = model.spec.name, type(model)
    entry = ModelEntry(
        plugin=f"{kind.__module__}:{kind.__name__}",
        description=f"An object of {kind.__qualname__}",
        params=dict(model.spec.params),
    )
    placed = Placed(name, entry, Path(), "a Python object")
    checkpoint = ResolvedCheckpoint(untrained=model.spec.untrained, sha256=state, label=IN_MEMORY)
    session.registry = replace(session.registry, models={**session.registry.models, name: placed})
    session.adopt(LoadedModel(placed, checkpoint, PluginCode(source), lambda: model), suite)
