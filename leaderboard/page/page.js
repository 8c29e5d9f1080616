"use strict";
// The address says everything that is shown: #/SUITE[/KIND/NAME][?filters]. So a link keeps it.

const content = JSON.parse(document.getElementById("content").textContent);
const suites = new Map(content.suites.map((suite) => [suite.name, suite]));
for (const suite of content.suites) for (const binding of suite.bindings) binding.axis = axisOf(binding);

const state = { suite: content.suites[0], chosen: new Set(), search: "", hidden: new Set(), tasks: null, sort: "", traits: new Map(), weights: new Map() };
const received = new Map();
let table = null;
let turns = 0; // how many views were asked for

// Layers and arrays of large pages lie in files beside it, each a script that calls receive().
function receive(kind, name, entry) {
  received.get(`${kind} ${name}`).resolve(entry);
}

// kind: "layers", by suite, or "arrays", by SUITE/MODEL. Undefined where there is no such entry.
function entryOf(kind, name) {
  const inside = JSON.parse(document.getElementById(kind).textContent);
  if (inside.here || !Object.hasOwn(inside.files, name)) return Promise.resolve(inside.here?.[name]);
  const key = `${kind} ${name}`;
  if (!received.has(key)) {
    const entry = {};
    entry.promise = new Promise((resolve) => (entry.resolve = resolve));
    received.set(key, entry);
    document.head.append(element("script", { src: inside.files[name] }));
  }
  return received.get(key).promise;
}

const profilesOf = (suite) => entryOf("layers", suite);

// An address that somebody typed may hold a lone %.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [suite, kind, name] = path.split("/").map(decoded);
  const filters = new URLSearchParams(query ?? "");
  state.suite = suites.get(suite) ?? content.suites[0];
  state.search = filters.get("q") ?? "";
  state.hidden = new Set((filters.get("hide") ?? "").split(",").filter(Boolean));
  state.tasks = filters.has("tasks") ? new Set(filters.get("tasks").split(",")) : null;
  state.sort = filters.get("sort") ?? "";
  state.traits = new Map(Object.keys(TRAITS).filter((kind) => filters.get(kind)).map((kind) => [kind, filters.get(kind)]));
  const weights = (filters.get("mean") ?? "").split(",").map((one) => [one.slice(0, one.lastIndexOf(":")), Number(one.slice(one.lastIndexOf(":") + 1))]);
  state.weights = new Map(weights.filter(([binding, weight]) => weight > 0 && state.suite.bindings.some((b) => b.name === binding && b.higher)));
  return { kind, name, filters };
}

function remember() {
  const filters = new URLSearchParams();
  if (state.search) filters.set("q", state.search);
  if (state.hidden.size) filters.set("hide", [...state.hidden].join(","));
  if (state.tasks) filters.set("tasks", [...state.tasks].join(","));
  if (state.sort) filters.set("sort", state.sort);
  for (const [kind, value] of state.traits) filters.set(kind, value);
  if (state.weights.size) filters.set("mean", [...state.weights].map(([name, weight]) => `${name}:${weight}`).join(","));
  const query = filters.toString();
  history.replaceState(null, "", address(state.suite.name) + (query ? `?${query}` : ""));
}

function choose(model, yes) {
  if (yes) state.chosen.add(model);
  else state.chosen.delete(model);
  const link = document.getElementById("compare");
  link.textContent = state.chosen.size ? `Compare ${state.chosen.size}` : "Tick models to compare them";
  if (state.chosen.size) link.setAttribute("href", address(state.suite.name, "compare", [...state.chosen].join(",")));
  else link.removeAttribute("href");
}

function filter() {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const trainedOn = (row) => state.suite.bindings.some((b) => row[b.name]?.t);
  table.setFilter((row) => {
    const text = `${row.model} ${row.about.about.description ?? ""} ${(row.about.about.trained_on ?? []).join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word)) && fitsTraits(row.about.about) && !(state.hidden.has("untrained") && row.about.untrained) &&
      !(state.hidden.has("trained") && trainedOn(row));
  });
  for (const binding of state.suite.bindings)
    if (!state.tasks || state.tasks.has(binding.task)) table.showColumn(binding.name);
    else table.hideColumn(binding.name);
}

function tick(label, checked, change) {
  const box = element("input", { type: "checkbox" });
  box.checked = checked;
  box.addEventListener("change", () => { change(box.checked); filter(); remember(); });
  return element("label", {}, box, ` ${label}`);
}

function tools(suite) {
  const search = element("input", { type: "search", "aria-label": "search models", placeholder: "search models" });
  search.value = state.search;
  search.addEventListener("input", () => { state.search = search.value; filter(); remember(); });
  const hide = (name) => (shown) => (shown ? state.hidden.delete(name) : state.hidden.add(name));
  const kinds = element("fieldset", {}, element("legend", {}, "Show"),
    tick("untrained", !state.hidden.has("untrained"), hide("untrained")),
    tick("trained with a target †", !state.hidden.has("trained"), hide("trained")));
  const all = [...new Set(suite.bindings.map((b) => b.task))];
  const tasks = element("fieldset", {}, element("legend", {}, "Tasks"));
  for (const task of all)
    tasks.append(tick(task.replaceAll("_", " "), !state.tasks || state.tasks.has(task), (shown) => {
      const kept = state.tasks ?? new Set(all);
      if (shown) kept.add(task);
      else kept.delete(task);
      state.tasks = kept.size === all.length ? null : kept;
    }));
  return element("div", { class: "tools" }, search, ...traitTools(suite), kinds, tasks, element("a", { id: "compare" }));
}

function suiteView(suite) {
  const place = element("div", { id: "table" });
  const view = [element("h2", {}, suite.name), element("p", {}, suite.description)];
  if (suite.miniature) view.push(miniatureNote());
  document.getElementById("main").replaceChildren(...view, tools(suite), place, weightTools(suite), scatterOf(suite));
  choose("", false);
  table = tableOf(suite, place);
  table.on("tableBuilt", () => {
    mendRoles(place);
    filter();
    const [field, direction] = state.sort.split(":");
    if (suite.bindings.some((b) => b.name === field) || field === "model" || (field === MEAN && state.weights.size)) table.setSort(field, direction);
    table.on("dataSorted", (sorters) => {
      state.sort = sorters.length ? `${sorters[0].field}:${sorters[0].dir}` : "";
      remember();
    });
  });
}

async function show() {
  const turn = ++turns;
  const { kind, name, filters } = read();
  const suite = state.suite;
  const links = content.suites.map((s) => element("a", { href: address(s.name), ...(s === suite ? { "aria-current": "page" } : {}) }, s.name));
  document.getElementById("suites").replaceChildren(...links);
  const views = { model: modelView, task: taskView, compare: compareView };
  if (!Object.hasOwn(views, kind ?? "")) return suiteView(suite);
  const view = await views[kind](suite, name, filters);
  if (turn !== turns) return; // another view was asked for meanwhile
  document.getElementById("main").replaceChildren(view);
  window.scrollTo(0, 0);
}

window.addEventListener("hashchange", show);
show();
