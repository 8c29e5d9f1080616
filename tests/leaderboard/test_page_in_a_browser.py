"""The page in a real browser: what a visitor does, by mouse and by keyboard alone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from test_page import HOSTILE, build, cell
from test_shown import arrays, plan

from benchmark.leaderboard import build_page
from benchmark.leaderboard.compare import compare
from benchmark.registry import load_registry
from benchmark.results import ResultStore

pytestmark = pytest.mark.slow

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
MODELS = {"strong": 0.6, "weak": 0.2, HOSTILE: 0.4}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here: it comes with the package chromium of Debian")
    with playwright.sync_playwright() as started:
        one = started.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield one
        one.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    cells = [cell(m, s, binding=b) for m, s in MODELS.items() for b in ("people_rdm", "area_late_rdm")]
    build(
        folder,
        *cells,
        cell("twin", 0.1, untrained=True),
        cell("pupil", 0.7, trained_on=True),
        cell("other", suite="human", binding="hit_rdm"),
    )
    return (folder / "out" / "page.html").as_uri()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """A page of results that have arrays."""
    folder = tmp_path_factory.mktemp("gallery")
    store = ResultStore(folder / "results")
    mistakes = {
        "concepts": arrays()["concepts"],
        "true": np.array(["cat", "bus", "car"]),
        "taken_for": np.array(["dog", "car", "cat"]),
        "outcomes/one": np.float32([1, 0, 0]),
        "outcomes/two": np.float32([0, 1, 0]),
    }
    words = {
        "concepts": np.array(["cat", "dog", "car"]),
        "held_out": np.array([False, False, True]),
        "vocabulary": np.array(["fur", "road", "pet", HOSTILE]),
        "profiles/two": np.float32([[0.5, 0, 0.3, 0], [0.2, 0, 0.6, 0], [0, 0.8, 0, 0.1]]),
        "profiles_people": np.float32([[0.4, 0, 0.2, 0], [0.1, 0, 0.7, 0], [0, 0.6, 0, 0.2]]),
    }
    helped = {"concepts": arrays()["concepts"], "per_concept/two": np.float32([0.9, 0.2, 0.7, 0.5])}
    for seed, model in enumerate(("strong", "weak", "third")):
        for binding, kept in (
            ("people_rdm", arrays(seed)),
            ("a_gwot", arrays(seed, **plan(0))),
            ("a_two_vs_two", helped),
            ("a_one_vs_two", mistakes),
            ("some_words", words),
        ):
            store.write(cell(model, binding=binding), kept)  # bindings of the registry have other tasks
    build_page(folder / "results", folder / "page.html", load_registry())
    return (folder / "page.html").as_uri()


class Visit:
    """A page that must raise no error and ask for nothing."""

    def __init__(self, browser, address, width=1440, scheme="light"):
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked(request.url))
        self.page.goto(address)
        self.page.wait_for_selector("main > *")

    def asked(self, url):
        if not url.startswith(("file:", "data:")):
            self.said.append(url)

    def models(self):
        self.page.wait_for_timeout(200)
        return self.page.locator('.tabulator-row [tabulator-field="model"] a').all_inner_texts()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.page.close()
        if kind is None:
            assert self.said == []


def test_sort_by_keyboard_alone_and_the_link_keeps_it(browser, address):
    with Visit(browser, address) as visit:
        visit.page.get_by_role("button", name="people rdm").focus()
        visit.page.keyboard.press("Enter")
        assert visit.models() == ["pupil", "strong", HOSTILE, "weak", "twin"]
        visit.page.keyboard.press("Enter")
        assert visit.models() == ["twin", "weak", HOSTILE, "strong", "pupil"]
        link = visit.page.url
    with Visit(browser, link) as again:
        assert again.models()[0] == "twin"


def test_search_filter_and_fold(browser, address):
    with Visit(browser, address) as visit:
        visit.page.get_by_label("search models").fill("wea")
        assert visit.models() == ["weak"]
        visit.page.get_by_label("search models").fill("")
        visit.page.get_by_label("untrained", exact=True).uncheck()
        visit.page.get_by_label("trained with a target").uncheck()
        assert set(visit.models()) == {"strong", "weak", HOSTILE}
        visit.page.get_by_label("rdm correlation").uncheck()
        visit.page.wait_for_timeout(200)
        assert not visit.page.get_by_role("button", name="people rdm").is_visible()


def test_compare_two_models_and_go_back(browser, address):
    with Visit(browser, address) as visit:
        visit.page.get_by_label("compare strong").check()
        visit.page.get_by_label("compare weak").check()
        visit.page.get_by_role("link", name="Compare 2").click()
        visit.page.wait_for_selector("article")
        assert visit.page.locator("article h2").inner_text() == "strong and weak"
        assert "0.600" in visit.page.locator("article table").inner_text()
        visit.page.go_back()
        assert len(visit.models()) == 5


def made(**entry):
    return cell().provenance.model_copy(update={"registry_entry": entry})


def test_models_are_filtered_by_family_data_and_size_and_the_link_keeps_it(browser, tmp_path):
    net = {"plugin": "models/timm_models.py:Timm", "trained_on": ["photos"], "parameters": 2_000_000}
    large = {"plugin": "models/torchvision_models.py:Trunk", "trained_on": ["photos", "words"]}
    build(
        tmp_path,
        cell("small", provenance=made(**net)),
        cell("large", provenance=made(**large, parameters=300_000_000)),
        cell("pixels", provenance=made(plugin="models/pixels.py:Pixels")),
    )
    with Visit(browser, (tmp_path / "out" / "page.html").as_uri()) as visit:
        visit.page.get_by_label("trained on", exact=True).select_option("photos")
        assert set(visit.models()) == {"small", "large"}
        visit.page.get_by_label("parameters", exact=True).select_option("over 100 million")
        assert visit.models() == ["large"]
        link = visit.page.url
    with Visit(browser, link) as again:
        assert again.models() == ["large"]
        again.page.get_by_label("parameters", exact=True).select_option("")
        again.page.get_by_label("family", exact=True).select_option("timm")
        assert again.models() == ["small"]


def test_a_mean_of_chosen_columns_says_of_what_and_the_link_keeps_it(browser, tmp_path):
    scores = {"a": (0.4, 0.1), "b": (0.2, 0.5), "part": (0.9, None)}
    build(
        tmp_path,
        *(
            cell(model, score, binding=binding, trained_on=model == "b", n=40 if model == "b" else 48)
            for model, both in scores.items()
            for binding, score in zip(("people_rdm", "area_late_rdm"), both, strict=True)
            if score is not None
        ),
    )
    with Visit(browser, (tmp_path / "out" / "page.html").as_uri()) as visit:
        visit.page.locator("summary", has_text="A mean of columns").click()
        for binding, weight in (("people_rdm", "3"), ("area_late_rdm", "1")):
            visit.page.get_by_label(f"weight of {binding}").fill(weight)
            visit.page.keyboard.press("Tab")
        visit.page.get_by_role("button", name="your mean").click()
        assert visit.models() == ["a", "b", "part"]
        assert (
            "of people rdm \u00d7 3, area late rdm \u00d7 1"
            in visit.page.locator(".tabulator-header").inner_text()
        )
        link = visit.page.url
    with Visit(browser, link) as again:
        assert again.models() == ["a", "b", "part"]
        means = again.page.locator('.tabulator-row [tabulator-field=" mean"]').all_inner_texts()
        assert means == ["0.325", "0.275\u2020 fewer concepts", "\u2013"]


def test_paired_differences_are_those_of_the_command(browser, tmp_path):
    rng = np.random.default_rng(0)
    cells = [
        cell(
            model,
            score,
            binding=binding,
            perturbed=tuple(tuple(map(float, width * rng.normal(size=64))) for width in (spread, spread / 3)),
        )
        for model, score in (("a", 0.5), ("b", 0.3), ("c", 0.29))
        for binding, spread in (("people_rdm", 0.05), ("area_late_rdm", 0.001))
    ]
    build(tmp_path, *cells, cell("none", 0.1))
    with Visit(browser, f"{(tmp_path / 'out' / 'page.html').as_uri()}#/mini/compare/a,b,c,none") as visit:
        visit.page.wait_for_selector("article section table")
        found = visit.page.evaluate(
            "profilesOf('mini').then((p) => differencesOf(suites.get('mini'), ['a', 'b', 'c', 'none'], p)"
            ".map((row) => ({...row, binding: row.binding.name})))"
        )
        text = visit.page.locator("article section").first.inner_text()
    expected = {(d.binding, d.first, d.second): d for d in compare(cells, ["a", "b", "c"])}
    assert {(row["binding"], row["first"], row["second"]) for row in found} == set(expected)
    for row in found:
        one = expected[row["binding"], row["first"], row["second"]]
        shown = [row[name] for name in ("difference", "low", "high", "p", "corrected")]
        np.testing.assert_allclose(shown, [one.difference, one.low, one.high, one.p, one.p_fdr], 1e-5, 1e-9)
    assert "< .001" in text


@pytest.mark.parametrize(("kind", "name"), [("model", "strong"), ("task", "people_rdm")])
def test_a_link_to_a_model_or_a_binding_shows_its_layers(browser, address, kind, name):
    with Visit(browser, f"{address}#/mini/{kind}/{name}") as visit:
        visit.page.wait_for_selector("figure svg")
        text = visit.page.locator("article").inner_text()
        assert (
            "RDM Spearman 0.600; 95 % interval 0.500 to 0.700; chance 0.000; ceiling 0.600 to 0.700" in text
        )
        if kind == "model":
            visit.page.locator("summary").first.click()
            assert (
                "bench run --suite mini --model strong --task" in visit.page.locator("article").inner_text()
            )


def test_markup_in_a_name_is_text(browser, address):
    with Visit(browser, f"{address}#/mini/task/people_rdm") as visit:
        assert HOSTILE in visit.page.locator("article").inner_text()


def test_markup_in_the_name_of_a_task_is_text_and_a_binding_may_have_a_dot(browser, tmp_path):
    task = "<img src=x onerror=document.title='taken'>"
    odd = cell(suite="elsewhere", binding="people.v2").model_copy(update={"task": task})
    build(tmp_path, odd)
    with Visit(browser, (tmp_path / "out" / "page.html").as_uri()) as visit:
        visit.page.wait_for_selector(".tabulator-row .strip")
        assert task in visit.page.locator(".tabulator-header").inner_text()
        assert visit.page.title() != "taken"


def test_layers_beside_the_page_are_loaded_when_they_are_needed(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.leaderboard.build._INSIDE", 10)
    build(tmp_path, cell("a"))
    with Visit(browser, f"{(tmp_path / 'out' / 'page.html').as_uri()}#/mini/model/a") as visit:
        visit.page.wait_for_selector("figure svg")


def test_a_model_shows_what_its_arrays_hold(browser, gallery):
    with Visit(browser, f"{gallery}#/mini/model/strong") as visit:
        visit.page.wait_for_selector("article h4")
        for label in (
            "RDM of People",
            "RDM of strong",
            "transport plan",
            "distance by epsilon",
            "local optima",
        ):
            assert visit.page.locator(f'svg[aria-label*="{label}"]').count() >= 1, label
        text = visit.page.locator("article").inner_text()
        assert "Recovered in one: 1 of 3 mistakes\ncat\ntaken for\ndog" in text
        assert "Lost there: 1 of 3 mistakes\nbus\ntaken for\ncar" in text
        visit.page.locator("summary", has_text="Five likeliest").focus()
        visit.page.keyboard.press("Enter")
        row = visit.page.locator("details tr", has_text="cat").first
        assert row.inner_text().split() == [
            "cat",
            "cat",
            "0.70",
            "\u2713",
            "car",
            "0.20",
            "dog",
            "0.10",
            "bus",
            "0.00",
        ]
        assert row.locator("img").first.get_attribute("src").startswith("data:image/jpeg")


def test_the_panel_of_words_by_keyboard_alone_and_the_link_keeps_it(browser, gallery):
    with Visit(browser, f"{gallery}#/mini/model/strong") as visit:
        visit.page.wait_for_selector(".words svg")
        assert HOSTILE not in visit.page.locator(".words svg").text_content()  # not among the words of a cat
        visit.page.get_by_label("car held out").focus()
        visit.page.keyboard.press("Space")
        visit.page.get_by_label("fixed vocabulary").focus()
        visit.page.keyboard.press("Space")
        drawn = visit.page.locator(".words svg").text_content()
        assert "strength, as it is" in drawn
        assert HOSTILE in drawn
        link = visit.page.url
        assert link.endswith("?words=cat%2Ccar&fixed=")
    with Visit(browser, link) as again:
        again.page.wait_for_selector(".words svg")
        assert again.page.get_by_label("car held out").is_checked()
        assert "strength, as it is" in again.page.locator(".words svg").text_content()


def test_models_are_a_map_where_their_rdms_are_there(browser, gallery, address):
    with Visit(browser, f"{gallery}#/mini/compare/strong,weak") as visit:
        visit.page.wait_for_selector('svg[aria-label*="map"]')
        named = visit.page.locator('svg[aria-label*="map"]').text_content()
        assert all(name in named for name in ("people", "strong", "weak", "third"))
    with Visit(browser, f"{address}#/mini/compare/strong,weak") as visit:
        visit.page.wait_for_selector("article h3")
        assert (
            "bench similarity --suite mini --model strong,weak" in visit.page.locator("article").inner_text()
        )


def test_arrays_beside_the_page_are_loaded_when_they_are_needed(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.leaderboard.build._INSIDE", 10)
    ResultStore(tmp_path).write(cell("a"), arrays())
    build_page(tmp_path, tmp_path / "page.html", load_registry())
    with Visit(browser, f"{(tmp_path / 'page.html').as_uri()}#/mini/model/a") as visit:
        visit.page.wait_for_selector('svg[aria-label*="RDM of People"]')


def test_a_cell_without_a_result_says_why(browser, tmp_path):
    reason = f"it was trained on every concept {HOSTILE}"
    lost = {"status": "not_possible", "score": None, "reason": reason}
    ResultStore(tmp_path / "results").refuse(cell("weak").model_copy(update=lost))
    build(tmp_path, cell("strong"), *(cell(m, binding="area_late_rdm") for m in ("strong", "weak", "third")))
    address = (tmp_path / "out" / "page.html").as_uri()
    with Visit(browser, f"{address}#/mini") as visit:
        why = visit.page.locator('.tabulator-cell[tabulator-field="people_rdm"] a')
        assert why.get_attribute("title") == reason
        assert why.inner_text().startswith("not possible")
        assert visit.page.get_by_title("this scores it").count() == 1
        why.click()
        visit.page.get_by_role("heading", name="Not possible, or not run").wait_for()
        assert visit.page.get_by_text(reason).count() == 1
        for view in ("task/people_rdm", "compare/strong,weak"):
            visit.page.goto(f"{address}#/mini/{view}")
            assert visit.page.get_by_text(reason).first.text_content().endswith(reason)


def test_what_to_do_about_models_over_other_concepts(browser, tmp_path):
    build(tmp_path, *(cell(m, perturbed=((0.01, 0.02), (0.0, 0.01)), n=n) for m, n in (("a", 48), ("b", 10))))
    with Visit(browser, (tmp_path / "out" / "page.html").as_uri() + "#/mini/compare/a,b") as visit:
        assert "concepts_common_to" in visit.page.locator("div.warning").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_the_page_without_a_result_is_readable_and_accessible(browser, tmp_path, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'")
    build_page(tmp_path, tmp_path / "page.html", load_registry())
    with Visit(browser, (tmp_path / "page.html").as_uri(), width, scheme) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe.Axe().run(visit.page).response["violations"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("view", ["#/mini", "#/mini/model/strong", "#/mini/compare/strong,weak"])
def test_readable_and_accessible(browser, gallery, view, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'")
    with Visit(browser, gallery + view, width, scheme) as visit:
        visit.page.wait_for_selector(".strip")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(visit.page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        assert [(v["impact"], v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
