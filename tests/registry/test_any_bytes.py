"""Any bytes as a registry file give a registry, or one line that says what is wrong and where, at once."""

from __future__ import annotations

import random
import time

import pytest

from benchmark.registry import RegistryError, read_registry, shipped_root

_SECONDS = 5  # far more than it takes, far less than without a bound


def _read(folder, content: bytes) -> str:
    """ "" for a registry, else the message without the folder."""
    path = folder / "r.yaml"
    path.write_bytes(content)
    start = time.perf_counter()
    try:
        read_registry([path])
    except RegistryError as error:
        message = str(error).replace(f"{folder}/", "")
        assert message.startswith("r.yaml:")
        assert message.isprintable()
        return message
    finally:
        assert time.perf_counter() - start < _SECONDS
    return ""


def _model(line: str) -> bytes:
    return f"models:\n  m:\n    plugin: p.py:P\n    {line}\n".encode()


def _aliases() -> bytes:
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lists += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return "\n".join(lists).encode()


def _family(text: str, member: str, members: int) -> bytes:
    names = ", ".join(f"m{i}: {{a: {member}}}" for i in range(members))
    return (
        f"models:\n  f:\n    plugin: p.py:P\n    description: '{text}'\n    members: {{{names}}}\n".encode()
    )


def _ranges() -> bytes:
    listed = ", ".join(f"'m@untrained:{i * 1000}-{i * 1000 + 999}'" for i in range(20_000))
    return (
        b"models:\n  m: {plugin: 'p:P', checkpoint: {untrained: 0}}\n"
        b"suites:\n  s:\n    models: [" + listed.encode() + b"]\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(_aliases(), "r.yaml:6: holds too much, with every alias", id="aliases that multiply"),
        pytest.param(b"#" * 50_000_000, "r.yaml: is larger than 1,000,000 bytes", id="50 MB"),
        pytest.param(b"a: " + b"{a: " * 100_000, "r.yaml:1: is nested more than 50 deep", id="deep"),
        pytest.param(b"[" * 400_000, "nest", id="deep lists"),
        pytest.param(b"a: &a {b: *a}", "r.yaml:1: the anchor 'a' refers to itself", id="itself"),
        pytest.param(b"models:\n  \0: {}", "r.yaml:2: is not text: it has the character '\\x00'", id="NUL"),
        pytest.param(
            _model('params: {a: "\\0"}'), "r.yaml:4: a text has the character NUL", id="escaped NUL"
        ),
        pytest.param(b"models:\n  \xe9: {}", "r.yaml:2: is not UTF-8 text", id="Latin-1"),
        pytest.param(_model("parameters: " + "9" * 5000), "r.yaml:4: a number of 5000 digits", id="digits"),
        pytest.param(_model("parameters: 0x" + "f" * 5000), "r.yaml:4: a number of 5002", id="hexadecimal"),
        pytest.param(_model("params: {a: .nan}"), "r.yaml:4: '.nan' is not a finite number", id="NaN"),
        pytest.param(_model("params: {a: 1.0e+999}"), "r.yaml:4: '1.0e+999' is not a finite", id="infinity"),
        pytest.param(_model("params: {a: !!binary aGk=}"), "r.yaml:4: the tag", id="binary"),
        pytest.param(_model("params: {a: !!timestamp 2020-01-01}"), "r.yaml:4: the tag", id="timestamp"),
        pytest.param(_model("params: {a: !!set {b}}"), "r.yaml:4: the tag", id="set"),
        pytest.param(_model("params: {a: !!int x}"), "r.yaml:4: the value does not fit the tag", id="int"),
        pytest.param(_model("params: {a: {1: b, c: d}}"), "the key 1 is not a text", id="key of JSON"),
        pytest.param(b'"a\\nb": 1', "r.yaml:1: 'a\\nb': unknown key", id="a key of two lines"),
        pytest.param(b'models: {m: {plugin: "a\\e[1m.py:P"}}', "names no class", id="escape sequence"),
        pytest.param(_family("{a}" * 50_000, "y" * 300_000, 1), "the members make the file", id="member"),
        pytest.param(_family("x" * 100_000, "y", 3_000), "the members make the file", id="members"),
        pytest.param(_ranges(), "the suite lists more than 20,000 models", id="ranges of seeds"),
    ],
)
def test_a_hostile_file_is_refused_at_once(tmp_path, content, message):
    assert message in _read(tmp_path, content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_read(tmp_path, encoding):
    assert _read(tmp_path, "models: {é: {plugin: 'p.py:P'}}\n".encode(encoding)).endswith(
        "no '..'; at most 100 characters"
    )
    assert _read(tmp_path, "models: {e: {plugin: 'p.py:P', description: é}}\n".encode(encoding)) == ""


def test_markup_in_a_plugin_is_text(tmp_path):
    assert _read(tmp_path, b'models: {m: {plugin: "[/bold].py:P"}}') == ""


def test_many_entries_are_read_at_once(tmp_path):
    assert (
        _read(tmp_path, b"datasets:\n" + b"".join(b"  a%d: {kind: training}\n" % i for i in range(10_000)))
        == ""
    )


def test_damaged_files(tmp_path):
    draw = random.Random(0)
    shipped = (shipped_root() / "registry.yaml").read_bytes()
    for _ in range(150):
        start = draw.randrange(len(shipped) - 400)
        content = bytearray(draw.choice([b"models:\n", b"suites:\n"]) + shipped[start : start + 400])
        for _ in range(draw.randrange(1, 12)):
            content[draw.randrange(len(content))] = draw.choice([draw.randrange(256), *b"{}[]&*!|>'\":-? \n"])
        _read(tmp_path, bytes(content))


@pytest.mark.parametrize(
    "entry",
    [
        "models: {m: {plugin: ../p.py:P}}",
        "models: {m: {plugin: 'p.py:P', checkpoint: {file: ../../w.npy}}}",
        "models: {m: {plugin: 'p.py:P', checkpoint: {file: link/../w.npy}}}",
        "models: {m: {plugin: 'p.py:P', params: {ids: ../ids.txt}}}",
        "models: {m: {plugin: 'p.py:P', params: {files: [{a: x/../../ids.txt}]}}}",
        "{models: {m: {plugin: 'p.py:P', variants: {s: {checkpoint: {file: ../w}}}}}, suites: {s: {}}}",
        "models: {n: {plugin: 'p.py:P'}, m: {plugin: 'p.py:P', built_from: {model: n, params: {a: ../b}}}}",
        "models: {m: {plugin: 'p.py:P', params: {a: '{p}'}, members: {x: {p: ../b}}}}",
        "datasets: {d: {kind: stimuli, plugin: 'p.py:P', params: {path: ../images}}}",
    ],
)
def test_a_path_does_not_leave_its_folder(tmp_path, entry):
    message = _read(tmp_path, entry.encode())
    assert message.startswith("r.yaml:1: ")
    assert "leaves its folder: write a path without '..'" in message


def test_other_dots_and_whole_paths_are_allowed(tmp_path):
    entry = "{plugin: /a/../p.py:P, checkpoint: {file: /a/../w}, params: {a: ..., b: x..y, c: a/b}}"
    assert _read(tmp_path, f"models: {{m: {entry}}}".encode()) == ""
