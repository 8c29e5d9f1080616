"""A model object that was made in Python takes the place of an entry of the registry."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmark.api.identity import identity
from benchmark.common.errors import UsageError
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model, ModelSpec
from benchmark.registry import Placed, ResolvedCheckpoint
from benchmark.registry.names import check_name
from benchmark.registry.schema import ModelEntry
from benchmark.runner import Session
from benchmark.runner.loaded import LoadedModel

_log = logging.getLogger(__name__)


@contextmanager
def placed_model(
    session: Session, model: Model | str | Sequence[str], suite: str, name: str | None
) -> Iterator[list[str]]:
    """Names of the models, an object among the session's; what must not be kept is gone after."""
    if not isinstance(model, Model):
        if isinstance(model, type) or not isinstance(model, (str, Sequence)):
            raise UsageError(f"model is {model!r}; give an object of a benchmark.model.Model, or a name")
        yield [model] if isinstance(model, str) else list(model)
        return
    if not hasattr(model, "spec"):  # its __init__ did not call ours
        model.spec = ModelSpec(type(model).__name__)
    called = _free_name(session, name or model.spec.name)
    model.spec = replace(model.spec, name=called)
    found = identity(model)
    with tempfile.TemporaryDirectory() as scratch:
        if found.reason is not None:
            _log.warning("%s: %s: its features are not kept", called, found.reason)
            session.features = FeatureStore(Path(scratch))
        _place(session, model, suite, found.source, found.state)
        yield [called]


def _free_name(session: Session, name: str) -> str:
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"model: {error}; give name=") from error
    if name in session.registry.models:
        where = session.registry.models[name].where
        raise UsageError(f"the name {name} is taken, at {where}; give another with name=")
    return name


def _place(session: Session, model: Model, suite: str, source: str, state: str) -> None:
    """Put an object where the session has what it loaded from the registry."""
    name, kind = model.spec.name, type(model)
    entry = ModelEntry(
        plugin=f"{kind.__module__}:{kind.__name__}",
        description=f"An object of {kind.__qualname__}",
        params=dict(model.spec.params),
    )
    placed = Placed(name, entry, Path(), "a Python object")
    checkpoint = ResolvedCheckpoint(untrained=model.spec.untrained, sha256=state, label="in memory")
    session.registry = replace(session.registry, models={**session.registry.models, name: placed})
    session.adopt(LoadedModel(placed, checkpoint, source, lambda: model), suite)
