"""The files of the data root: pulled from a server that fails in every way, imported, verified."""

from __future__ import annotations

import errno
import hashlib
import io
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import Stimuli, VectorTarget, join
from benchmark.datasets.catalogue import Collection, File, bring, overlap, pull, state_of
from benchmark.datasets.catalogue.archives import unpacked
from benchmark.datasets.catalogue.collection import digest_of

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Site(ThreadingHTTPServer):
    """A server of the files in ``pages``, which notes the ranges that it is asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        #: The next answers end after so many bytes
        self.breaks: list[int] = []
        self.ranges = True
        self.mark = True
        self.wait = threading.Event()
        self.wait.set()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Answers with ranges and marks, as far as the site does."""

    server: Site

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        site, asked = self.server, self.headers.get("Range")
        site.asked.append((self.path, asked))
        content = site.pages.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        mark = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and site.ranges else 0
        if self.headers.get("If-Range", mark) != mark:
            start = 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if site.mark:
            self.send_header("ETag", mark)
        self.end_headers()
        end = site.breaks.pop(0) if site.breaks else len(content)
        self.wfile.write(content[start : start + end])
        site.wait.wait(10)


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.wait.set()
    server.shutdown()
    server.server_close()
    thread.join()


def collection(*files: File) -> Collection:
    return Collection("norms", files)


def pulled(root: Path, *files: File) -> list[tuple[str, str]]:
    found = pull(collection(*files), root, lambda path: lambda done, total: None)
    return [(brought.file.path, brought.outcome) for brought in found]


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_pulled_once(site, tmp_path):
    site.pages["a.bin"] = CONTENT
    file = File("deep/a.bin", url=site.url("a.bin"), sha256=SHA)
    assert pulled(tmp_path, file) == [("deep/a.bin", "pulled")]
    assert (tmp_path / "norms/deep/a.bin").read_bytes() == CONTENT
    assert pulled(tmp_path, file) == [("deep/a.bin", "here already")]
    assert len(site.asked) == 1
    assert everything(tmp_path) == {"norms/deep/a.bin"}, "nothing unfinished is left"


@pytest.mark.parametrize("sha256", [SHA, None], ids=["pinned", "free"])
def test_a_broken_connection_is_gone_on_with_in_one_call(site, tmp_path, sha256):
    site.pages["a.bin"] = CONTENT
    site.breaks = [100_000, 200_000]
    pulled(tmp_path, File("a.bin", url=site.url("a.bin"), sha256=sha256))
    assert (tmp_path / "norms/a.bin").read_bytes() == CONTENT
    assert [asked for _, asked in site.asked] == [None, "bytes=100000-", "bytes=300000-"]


@pytest.mark.parametrize("sha256", [SHA, None], ids=["pinned", "free"])
def test_and_in_a_later_call(site, tmp_path, sha256):
    site.pages["a.bin"] = CONTENT
    site.breaks = [100_000, 0, 0]
    file = File("a.bin", url=site.url("a.bin"), sha256=sha256)
    with pytest.raises(NotPossible, match=r"broke after 100,000 of 512,000 bytes\); 100,000 bytes are kept"):
        pulled(tmp_path, file)
    assert not (tmp_path / "norms").exists()
    site.asked.clear()
    pulled(tmp_path, file)
    assert site.asked == [("/a.bin", "bytes=100000-")]
    assert (tmp_path / "norms/a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "ranges, mark, sha256", [(True, True, None), (True, False, None), (False, True, None), (True, False, SHA)]
)
def test_a_part_of_another_file_is_not_gone_on_with(site, tmp_path, ranges, mark, sha256):
    """The file of the site changes between two calls: parts of two files are never put together."""
    site.pages["a.bin"], site.breaks = bytes(300_000), [100_000, 0, 0]
    site.ranges, site.mark = ranges, mark
    file = File("a.bin", url=site.url("a.bin"), sha256=sha256)
    with pytest.raises(NotPossible):
        pulled(tmp_path, file)
    site.pages["a.bin"] = CONTENT
    pulled(tmp_path, file)
    assert (tmp_path / "norms/a.bin").read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file(site, tmp_path):
    site.pages["a.bin"], site.breaks = CONTENT + bytes(10), [512_005, 0, 0]
    site.mark = False
    file = File("a.bin", url=site.url("a.bin"), sha256=SHA)
    with pytest.raises(NotPossible):
        pulled(tmp_path, file)
    site.pages["a.bin"] = CONTENT
    assert pulled(tmp_path, file) == [("a.bin", "pulled")]


def test_another_checksum_is_refused_and_the_old_file_stays(site, tmp_path):
    site.pages["a.bin"] = b"something else"
    old = tmp_path / "norms" / "a.bin"
    old.parent.mkdir()
    old.write_bytes(b"old")
    with pytest.raises(DataError, match=rf"has sha256 [0-9a-f]{{64}}, the registry says {SHA}: not the file"):
        pulled(tmp_path, File("a.bin", url=site.url("a.bin"), sha256=SHA))
    assert old.read_bytes() == b"old"
    assert everything(tmp_path) == {"norms/a.bin"}


@pytest.mark.parametrize(
    "content, said",
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "is a Git LFS pointer"),
        (b"\n<!DOCTYPE html><html><body>Please log in", "is a web page.*asks for a login"),
        (b"<HTML lang=en>moved", "is a web page"),
        (b"", "is empty"),
    ],
)
@pytest.mark.parametrize("sha256", [SHA, None], ids=["pinned", "free"])
def test_what_is_no_data_is_recognised(site, tmp_path, content, said, sha256):
    site.pages["a.bin"] = content
    with pytest.raises(DataError, match=said):
        pulled(tmp_path, File("a.bin", url=site.url("a.bin"), sha256=sha256))
    assert everything(tmp_path) == set()
    given = tmp_path / "a.bin"
    given.write_bytes(content)
    (brought,) = bring(collection(File("a.bin", varies=True)), [File("a.bin", varies=True)], given, tmp_path)
    assert brought.outcome == "refused"
    assert said.split(".*")[0] in brought.note


def test_a_page_that_is_not_there(site, tmp_path):
    with pytest.raises(NotPossible, match="the server answers 404"):
        pulled(tmp_path, File("a.bin", url=site.url("b.bin")))
    address = site.url("a.bin")
    site.shutdown()
    site.server_close()
    with pytest.raises(NotPossible, match=r"cannot be got \(.*refused"):
        pulled(tmp_path, File("a.bin", url=address))


class FullDisk(io.BufferedWriter):
    """A file on a disk that has no space left."""

    def write(self, *args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said(site, tmp_path, monkeypatch):
    site.pages["a.bin"] = CONTENT
    real = Path.open

    def full(self: Path, mode: str = "r", *args: object, **options: object) -> object:
        if self.suffix == ".part" and ("w" in mode or "a" in mode):
            return FullDisk(io.FileIO(self, "w"))
        return real(self, mode, *args, **options)

    file = File("a.bin", url=site.url("a.bin"), sha256=SHA)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(
            DataError, match=r"cannot write .*a\.bin\.part: the disk is full: free some space"
        ):
            pulled(tmp_path, file)
    assert not (tmp_path / "norms").exists()
    assert pulled(tmp_path, file) == [("a.bin", "pulled")]


def test_a_full_disk_is_said_when_importing(tmp_path, monkeypatch):
    source, root = tmp_path / "a.bin", tmp_path / "root"
    source.write_bytes(CONTENT)
    old = root / "norms" / "a.bin"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    file = File("a.bin", sha256=SHA)
    with pytest.raises(DataError, match=r"norms/a\.bin: the disk is full"):
        bring(collection(file), [file], source, root)
    assert old.read_bytes() == b"old"
    assert everything(root) == {"norms/a.bin"}


def test_a_folder_without_permission_is_said(site, tmp_path, monkeypatch):
    site.pages["a.bin"] = CONTENT
    real = Path.mkdir

    def closed(self: Path, *args: object, **options: object) -> None:
        if self.is_relative_to(tmp_path):  # whoever is root may write anywhere
            raise PermissionError(errno.EACCES, "Permission denied")
        real(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", closed)
    with pytest.raises(DataError, match=r"cannot write .*: you may not write there: .* --data"):
        pulled(tmp_path / "root", File("a.bin", url=site.url("a.bin"), sha256=SHA))


PULL = """
import sys
from pathlib import Path
from benchmark.datasets.catalogue import Collection, File, pull
file = File("a.bin", url=sys.argv[2], sha256=sys.argv[3])
found = pull(Collection("norms", (file,)), Path(sys.argv[1]), lambda path: lambda done, total: None)
print(*(brought.outcome for brought in found))
"""


def test_of_two_processes_one_pulls(site, tmp_path):
    site.pages["a.bin"] = CONTENT
    site.wait.clear()  # the first does not end before the second waits
    command = [sys.executable, "-c", PULL, str(tmp_path), site.url("a.bin"), SHA]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    waiting = threading.Timer(1.0, site.wait.set)
    waiting.start()
    said = sorted(process.communicate(timeout=60)[0].decode().strip() for process in both)
    assert said == ["here already", "pulled"]
    assert len(site.asked) == 1
    assert (tmp_path / "norms/a.bin").read_bytes() == CONTENT


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_pulled_and_unpacked_once(site, tmp_path):
    site.pages["all.zip"] = zipped({"x/a.txt": b"a", "x/b.txt": b"b", "x/._b.txt": b"", "x/more.txt": b"c"})
    files = [File(name, url=site.url("all.zip")) for name in ("a.txt", "b.txt")]
    assert pulled(tmp_path, *files) == [("a.txt", "imported"), ("b.txt", "imported")]
    assert everything(tmp_path) == {"norms/a.txt", "norms/b.txt"}
    assert len(site.asked) == 1


def link_in_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def tarred(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info, io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.zip", zipped({"a.txt": b"a", "../out.txt": b"b"}), r"'\.\./out.txt' leaves the folder"),
        ("a.zip", zipped({"x/../../out.txt": b"b"}), "leaves the folder"),
        ("a.zip", zipped({"..\\out.txt": b"b"}), "leaves the folder"),
        ("a.zip", link_in_zip(), "'a.txt' is a link"),
        ("a.tar.gz", tarred("../out.txt"), "leaves the folder"),
        ("a.tar.gz", tarred("/tmp/out.txt"), "leaves the folder"),
        ("a.tar.gz", tarred("a.txt", tarfile.SYMTYPE), "is a link or a device"),
        ("a.tar.gz", tarred("a.txt", tarfile.CHRTYPE), "is a link or a device"),
        ("a.zip", zipped({"a.txt": b"a" * 500})[:60], "cannot be unpacked"),
        ("a.tar.gz", b"no archive", "cannot be unpacked"),
        ("a.zip", b"", "is empty; get it again"),
    ],
    ids=range(11),  # an archive holds the time at which it was made
)
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, name, content, said):
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / name
    source.write_bytes(content)
    root = tmp_path / "root"
    file = File("a.txt")
    with pytest.raises(DataError, match=said):
        bring(collection(file), [file], source, root)
    assert everything(tmp_path) == {f"in/{name}"}
    assert not (root / ".incoming").exists()


@given(st.text(alphabet="./\\abC:", min_size=1, max_size=12))
def test_no_name_in_an_archive_leads_out(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("any")
    source = folder / "a.zip"
    source.write_bytes(zipped({name: b"x"}))
    inside = folder / "one" / "two"
    try:
        with unpacked(source, inside):
            found = everything(folder)
    except DataError:
        found = everything(folder)
    assert all(path == "a.zip" or path.startswith("one/two/") for path in found)
    assert everything(folder) == {"a.zip"}


def test_an_archive_in_an_archive_is_unpacked(tmp_path):
    collection = Collection("c", (File("n*/*.bin", count=2), File("b.zip"), File("right/r"), File("other/r")))
    inner = zipped({"x": CONTENT})
    content = zipped(
        {
            "parts/n01.zip": zipped({"x.bin": CONTENT}),
            "parts/n02.zip": zipped({"x.bin": b"y"}),
            "b.zip": inner,
            "up/right/r": b"1",
            "up/other/r": b"2",
        }
    )
    (tmp_path / "a.zip").write_bytes(content)
    found = bring(collection, collection.files, tmp_path / "a.zip", tmp_path / "root")
    assert [brought.outcome for brought in found] == ["imported"] * 4
    folder = tmp_path / "root/c"
    assert (folder / "n01/x.bin").read_bytes() == CONTENT
    assert (folder / "n02/x.bin").read_bytes() == b"y"
    assert (folder / "b.zip").read_bytes() == inner, "what is asked for as an archive stays one"
    assert [(folder / name / "r").read_bytes() for name in ("right", "other")] == [b"1", b"2"]
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["c"]


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (
            zipped({"deep.zip": zipped({"x": b"1"})}),
            "a.zip, a/in.zip: has an archive in it, deep.zip; unpack in.zip first",
        ),
        (zipped({"../x": b"1"}), "a.zip, in.zip: '../x' leaves the folder of the archive"),
        (b"no archive", "a.zip, in.zip: cannot be unpacked"),
    ],
)
def test_a_fault_of_an_archive_in_an_archive_names_both(tmp_path, inner, said):
    (tmp_path / "a.zip").write_bytes(zipped({"in.zip": inner}))
    with pytest.raises(DataError) as caught:
        bring(Collection("c", (File("x"),)), (File("x"),), tmp_path / "a.zip", tmp_path / "root")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "root/.incoming").exists()


def test_an_encrypted_archive_says_what_to_do(tmp_path):
    content = bytearray(zipped({"a.txt": b"a"}))
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="unpack the archive with its password, and import the folder"):
        bring(collection(File("a.txt")), [File("a.txt")], tmp_path / "a.zip", tmp_path / "root")


PUBLISHED = {
    "Downloads/unique_id.txt": b"aardvark",
    "Downloads/part 1/aardvark/aardvark_01b.jpg": b"1",
    "Downloads/part 2/zebra/zebra_01b.jpg": b"2",
    "Downloads/EMBEDDING_1.npy": b"3",
    "Downloads/other.txt": b"4",
    "Downloads/.DS_Store": b"5",
}
FILES = (
    File("unique_id.txt", sha256=hashlib.sha256(b"aardvark").hexdigest()),
    File("images/*/*.jpg", names=("*/*_[0-9][0-9][a-z].jpg",), count=2),
    File("groups/1.npy", names=("EMBEDDING_1.npy",)),
    File("ratings.txt"),
)


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_as_its_makers_publish_it(tmp_path, link):
    for name, content in PUBLISHED.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for expected in (["imported", "imported", "imported"], ["here already"] * 3):
        found = bring(collection(*FILES), FILES, tmp_path / "Downloads", tmp_path / "root", link=link)
        assert [brought.outcome for brought in found] == [*expected, "not found"]
    assert everything(tmp_path / "root" / "norms") == {
        "unique_id.txt",
        "images/aardvark/aardvark_01b.jpg",
        "images/zebra/zebra_01b.jpg",
        "groups/1.npy",
    }
    assert (tmp_path / "root/norms/unique_id.txt").is_symlink() is link


def test_what_a_killed_process_left_is_removed(tmp_path, writer):
    (tmp_path / "unique_id.txt").write_bytes(b"aardvark")
    process, left = writer(tmp_path / "root" / "norms")
    process.kill()
    process.wait()
    bring(collection(*FILES), FILES, tmp_path / "unique_id.txt", tmp_path / "root")
    assert not left.exists()
    assert everything(tmp_path / "root") == {"norms/unique_id.txt"}


def test_a_file_under_another_name_is_known_by_its_content(tmp_path):
    (tmp_path / "ids (1).txt").write_bytes(b"aardvark")
    found = bring(collection(*FILES), FILES, tmp_path / "ids (1).txt", tmp_path / "root")
    assert found[0].outcome == "imported"
    (tmp_path / "ids (2).txt").write_bytes(b"zebra")
    with pytest.raises(UsageError, match=r"no file of norms in it; looked for unique_id\.txt, images"):
        bring(collection(*FILES), FILES, tmp_path / "ids (2).txt", tmp_path / "root")


def test_another_content_is_refused_unless_it_may_vary(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"new")
    for varies, outcome, state in ((False, "refused", "missing"), (True, "imported", "another")):
        file = File("a.txt", sha256=SHA, varies=varies)
        (brought,) = bring(collection(file), [file], tmp_path / "a.txt", tmp_path / "root")
        assert brought.outcome == outcome
        assert f"the registry says {SHA}" in brought.note
        assert state_of(tmp_path / "root/norms", file).state == state


def test_two_files_that_may_be_it(tmp_path):
    for folder, content in (("one", b"1"), ("two", b"2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_bytes(content)
    file = File("a.txt")
    (brought,) = bring(collection(file), [file], tmp_path, tmp_path / "root")
    assert (brought.outcome, brought.n) == ("refused", 0)
    assert "both may be it, and differ" in brought.note
    file = File("a.txt", sha256=hashlib.sha256(b"2").hexdigest())
    (brought,) = bring(collection(file), [file], tmp_path, tmp_path / "root")
    assert brought.outcome == "imported"


def test_the_digest_of_a_set_is_that_of_sha256sum(tmp_path):
    folder = tmp_path / "norms"
    (folder / "b").mkdir(parents=True)
    for name in ("b/2.jpg", "b/10.jpg", "b/1.jpg"):
        (folder / name).write_text(name)
    printed = subprocess.run(
        "find b -type f | LC_ALL=C sort | xargs sha256sum | sha256sum",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[0]
    file = File("b/*.jpg", sha256=printed, count=3)
    assert digest_of({path.relative_to(folder).as_posix(): path for path in file.members(folder)}) == printed
    assert state_of(folder, file).state == "here"
    (folder / "b" / "1.jpg").unlink()
    found = state_of(folder, file)
    assert (found.state, found.problem) == ("changed", "2 files, the registry says 3")
    assert state_of(folder, file, hashed=False).problem == "2 of 3 files"


def test_places_of_sets():
    file = File("images/*/*.jpg", names=("*/*_[0-9].jpg",))
    for name, place in (
        ("images/cat/x.jpg", "images/cat/x.jpg"),
        ("a/b/images/cat/x.jpg", "images/cat/x.jpg"),
        ("part/cat/x_1.jpg", "images/cat/x_1.jpg"),
        ("part/cat/x.jpg", None),
        ("images/x.jpg", None),
    ):
        assert file.place_of(PurePosixPath(name)) == place


NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True)


@given(st.dictionaries(st.sampled_from("stuvwxyz"), NAMES, min_size=3, max_size=6), NAMES)
def test_overlap_is_what_join_takes(keys, ids):
    stimuli = Stimuli(
        name="s",
        ids=tuple(keys),
        concepts=tuple(keys),
        manifest="",
        keys={"word": {name: tuple(words) for name, words in keys.items()}},
    )
    target = VectorTarget(name="t", ids=tuple(ids), hash="", vectors=np.eye(len(ids)))
    found = overlap(stimuli, target, "word")
    assert len(found.matched) + len(found.ambiguous) + len(found.lost_first) == len(keys)
    turned = overlap(target, stimuli, "word")
    assert turned.matched == {match: name for name, match in found.matched.items()}
    assert set(turned.lost_first) == set(found.lost_second)
    try:
        joined = join(stimuli, target, "word", minimum=1)
    except NotPossible:
        assert not found.matched
        return
    assert tuple(found.matched) == joined.concepts
    assert tuple(found.matched.values()) == tuple(joined.target.ids)
    assert joined.counts["ambiguous"] == len(found.ambiguous)
    assert joined.counts["missing"] == len(found.lost_first)


def test_overlap_on_an_unknown_key():
    target = VectorTarget(name="t", ids=("a",), hash="", vectors=np.eye(1))
    with pytest.raises(UsageError, match="neither t nor t has the key 'word'; there is none"):
        overlap(target, target, "word")
