"""``bench data pull|import|verify|where|cite|overlap``: from an empty data root to a score."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmark.registry import load_registry
from benchmark.registry.choose import chosen_collections

ROOT = Path(__file__).parents[2]
REGISTRY = load_registry()

CONTENT = b"cat\ndog\n"
OWN = """
collections:
  ours:
    description: Names of animals
    licence: for research, not to be passed on
    redistribution: forbidden
    consent: true
    url: https://example.org/animals
    citation: |
      @misc{animals, title = {Animals}, year = {2020}}
    steps: [ask for ratings.csv]
    files:
      names.txt: {url: "URL/names.txt", sha256: SHA}
      ratings.csv: {}
datasets:
  animals:
    kind: target
    plugin: own:names
    collections: [ours]
"""


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def ours(tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder with a registry file of one's own, whose file a server has."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "names.txt").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    text = OWN.replace("URL", f"http://127.0.0.1:{server.server_address[1]}")
    (tmp_path / "mine.yaml").write_text(text.replace("SHA", hashlib.sha256(CONTENT).hexdigest()))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    server.shutdown()
    server.server_close()
    thread.join()


def test_pull_asks_for_consent_and_says_the_steps(bench, ours, monkeypatch):
    command = ("data", "pull", "ours", "--registry", "mine.yaml", "--data", "root")
    done = bench(*command)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert (
        "its licence is to be accepted (for research, not to be passed on): add --accept-license" in done.err
    )
    assert not (ours / "root").exists()
    for answer, status in (("n", 2), ("yes", 1)):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda answer=answer: answer)
        assert bench(*command).status == status
        assert (ours / "root" / "ours" / "names.txt").exists() is (answer == "yes")
    done = bench(*command, "--accept-license")
    assert done.status == 1, "a file is to be got by hand"
    assert "here already: ours/names.txt" in done.out
    assert "ours: to be got by hand: ratings.csv" in done.out
    assert "page: https://example.org/animals" in done.out
    assert "1. ask for ratings.csv" in done.out
    (ours / "ratings.csv").write_text("1,2\n")
    assert "imported: ours/ratings.csv" in bench("data", "import", "animals", "ratings.csv", *command[3:]).out
    done = bench(*command, "--accept-license")
    assert done.status == 0
    assert "here already: ours/ratings.csv" in done.out, "also what has no address"


def test_verify_finds_a_changed_and_a_missing_file(bench, ours):
    options = ("--registry", "mine.yaml", "--data", "root")
    assert bench("data", "import", "ours", "site", *options).status == 0
    done = bench("data", "verify", *options)
    assert done.status == 0
    assert "1 of the files are here, 0 not what they should be: " in done.out
    done = bench("data", "verify", "ours", *options)
    assert done.status == 1, "one of a named collection is missing"
    assert "1 of the files are here, 0 not what they should be, 1 missing: " in done.out
    (ours / "root" / "ours" / "names.txt").write_text("<html>log in</html>")
    done = bench("data", "verify", *options)
    assert done.status == 1
    assert re.search(r"changed: ours/names\.txt: \S+names\.txt: is a web page", done.out)
    assert bench("data", "import", "ours", "site", *options).status == 0
    assert bench("data", "verify", *options).status == 0
    (ours / "site" / "names.txt").write_text("cow\n")
    shutil.rmtree(ours / "root")
    done = bench("data", "import", "ours", "site", *options)
    assert done.status == 1
    assert "refused: ours/names.txt: sha256" in done.out


def test_where_and_names_that_are_not_there(bench, ours):
    options = ("--registry", "mine.yaml", "--data", "root")
    assert bench("data", "where", "--data", "root").out == "root\n"
    assert bench("data", "where", "animals", *options).out.strip() == str(Path("root", "ours"))
    for name, said in (
        ("ourz", "unknown collection or dataset 'ourz'; did you mean ours?"),
        ("mini_people", "is read from no collection of files"),
    ):
        done = bench("data", "where", name, *options)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert said in done.err
    assert "nothing is not there" in bench("data", "import", "ours", "nothing", *options).err


def test_a_faulty_collection_is_refused_with_its_line(bench, ours):
    text = (ours / "mine.yaml").read_text()
    for old, new, said in (
        ("ratings.csv: {}", "../ratings.csv: {}", "leaves its folder"),
        ("ratings.csv: {}", "ratings.csv: {count: 3}", "count belongs to a set of files"),
        ("ratings.csv: {}", "ratings.csv: {sise: 3}", "unknown key; did you mean size?"),
        ("steps: [ask for ratings.csv]", "steps: []", "has no url, so the collection needs steps"),
        ("http://127", "file://127", "is no address"),
        ("collections: [ours]", "collections: [our]", "unknown collection 'our'; did you mean ours?"),
    ):
        (ours / "mine.yaml").write_text(text.replace(old, new))
        done = bench("data", "where", "ours", "--registry", "mine.yaml")
        assert done.status == 2
        assert said in done.err
        assert re.match(r"error: mine\.yaml:\d+: ", done.err)


def test_cite_prints_what_results_used_once(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    published = ROOT / "leaderboard" / "results" / "human" / "hit_rdm"
    shutil.copytree(published, tmp_path / "results" / "human" / "hit_rdm")
    printed = bench("data", "cite").out
    for key in ("nili2014toolbox", "kriegeskorte2008matching", "dedeyne2019small"):
        assert printed.count(f"{{{key},") == 1
    assert "% model squeezenet1_0: Iandola" in printed
    printed = bench("data", "cite", "human", "swow", "wordvectors", "squeezenet1_0").out
    keys = re.findall(r"^@\w+\{([^,]+),", printed, flags=re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert {"hebart2020revealing", "dedeyne2019small", "nili2014toolbox", "mikolov2013distributed"} <= set(
        keys
    )
    assert "% model squeezenet1_0: Iandola" in printed
    assert printed.count("{") == printed.count("}")
    done = bench("data", "cite", "hooman")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "did you mean human?" in done.err


def test_overlap_of_the_miniature(bench):
    done = bench("data", "overlap", "mini_images", "mini_word_vectors")
    assert done.status == 0, done.err
    assert re.search(r"the id +48 +0 +0 +\d+", done.out)
    assert "matched: dog, cat, horse" in done.out
    done = bench("data", "overlap", "mini_images", "mini_people", "--on", "thing")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "neither mini_images nor mini_people has the key 'thing'; there is" in done.err


def test_every_collection_can_be_cited_and_found():
    for collection in chosen_collections(REGISTRY, None):
        assert re.match(r"@\w+\{\w+,", collection.citation), collection.name
        assert collection.citation.count("{") == collection.citation.count("}")
        for file in collection.files:
            pinned = file.url is None or re.search(r"/[0-9a-f]{40}/", file.url)
            assert pinned or file.sha256 is None, f"{collection.name}/{file.path}"
            assert file.url is None or not file.varies, "what is pulled is one file"


@pytest.mark.human_data
@pytest.mark.slow
def test_from_an_empty_root_to_a_score(bench, human_data, tmp_path, monkeypatch):
    """Each folder of a data root is imported, twice; then cells run that need several of them."""
    monkeypatch.chdir(tmp_path)
    folders = [path for path in human_data.iterdir() if path.is_dir()]
    for expected in ("imported", "here already"):
        for folder in folders:
            done = bench("data", "import", folder.name, folder, "--data", "root", "--link")
            assert done.status == 0, done.out
            outcomes = {line.partition(":")[0] for line in done.out.splitlines()}
            assert outcomes - {"not found"} == {expected}
    done = bench("data", "verify", "--data", "root")
    assert done.status == 0, done.out
    assert not re.search(" (another|changed|unchecked|missing)", done.out)
    done = bench("data", "list", "--all", "--data", "root")
    missing = re.findall(r"^missing: (\w+):", done.out, flags=re.MULTILINE)
    given_by_nobody = {
        *("imagenet_val", "things_images", "things_triplets", "things_fmri_v1", "things_fmri_it", "mcrae"),
        *("buchanan", "usf", "swow_r123", "binder", "wordsim", "wordsim_similarity", "wordsim_relatedness"),
        *("tvsd_v4", "tvsd_it", "nsd_subj01_ventral", "things_fmri_it_responses"),
        *(f"algonauts{n}{part}" for n in (78, 118) for part in ("", "_evc", "_it")),
    }
    assert set(missing) == {*given_by_nobody, "swow_assoc_images"}
    run = ("run", "--suite", "human", "--model", "pixels", "--data", "root", "--format", "json", "--task")
    done = bench(*run, "hit_rdm,cichy_it_rdm,things_rdm_334,two_vs_two_glove")
    assert [cell["status"] for cell in done.cells] == ["scored"] * 4
