"use strict";
// What is shown below the suites: the table, one model, one binding, or models beside each other.

function address(suite, kind, name) {
  return `#/${encodeURIComponent(suite)}` + (kind ? `/${kind}/${encodeURIComponent(name)}` : "");
}

function heading(suite, text) {
  const back = element("a", { href: address(suite.name) }, `← all of ${suite.name}`);
  const parts = [element("p", {}, back), element("h2", {}, text)];
  if (suite.miniature) parts.push(miniatureNote());
  return parts;
}

function miniatureNote() {
  return element("p", { class: "warning" }, "Miniature: drawn images, simulated people, and small networks that were " +
    "trained on the drawings. It tests the tasks. It says nothing about people, or about the large models that the small networks replace.");
}

function command(suite, model, binding) {
  return element("pre", { tabindex: "0", "aria-label": "command" }, `bench run --suite ${suite.name} --model ${model} --task ${binding}`);
}

function facts(pairs) {
  const list = element("dl");
  for (const [name, value] of pairs)
    if (value !== undefined && value !== "" && value !== null)
      list.append(element("dt", {}, name), element("dd", {}, Array.isArray(value) ? value.join(", ") : String(value)));
  return list;
}

// Why there is no result, each reason once. pairs: [name of the model or the binding, reason]
function without(pairs) {
  const reasons = d3.rollups(pairs, (of) => of.map(([name]) => name), ([, reason]) => reason);
  const lines = reasons.map(([reason, names]) => element("p", {}, element("strong", {}, reason), `: ${names.join(", ")}`));
  return pairs.length ? [element("h3", {}, "Not possible, or not run"), ...lines] : [];
}

const drawn = (cell, binding) => {
  const box = element("div", { class: cell.u ? "untrained" : "" });
  box.append(strip(cell, binding.axis, 300, 20), element("small", {}, inWords(cell, binding)));
  return box;
};

async function modelView(suite, name, query) {
  const model = suite.models.find((m) => m.name === name);
  if (!model) return notThere(suite, `model ${name}`);
  const view = element("article", {}, ...heading(suite, name));
  if (model.untrained) view.append(element("p", {}, "Its weights are random."));
  const { description, parameters, trained_on: trainedOn, ...rest } = model.about;
  if (description) view.append(element("p", {}, description));
  view.append(facts([["parameters", parameters?.toLocaleString("en")], ["trained on", trainedOn], ...Object.entries(rest)]));
  const layers = await profilesOf(suite.name);
  const arrays = (await entryOf("arrays", `${suite.name}/${name}`)) ?? {};
  const charts = element("div", { class: "charts" });
  for (const binding of suite.bindings) {
    const cell = binding.cells.find((c) => c.model === name);
    if (!cell) continue;
    const profile = layers.find((p) => p.binding === binding.name && p.model === name)?.layers ?? [];
    charts.append(cellPart(suite, binding, cell, profile, arrays[binding.name]));
  }
  const spoken = Object.values(arrays).filter((shown) => shown.words);
  if (spoken.length) view.append(wordsPart(suite, spoken, query));
  const refused = suite.bindings.filter((b) => b.refused[name] !== undefined);
  const missing = suite.bindings.filter((b) => !refused.includes(b) && !b.cells.some((c) => c.model === name)).map((b) => b.name);
  if (!suite.miniature && !Object.keys(arrays).length)
    view.append(element("p", { class: "soft" }, "RDMs, transport plans and profiles of words are not on this page: these results hold scores and curves alone. " +
      "Published results of real data leave them out: some of the data may not be passed on, and of most it is not stated whether they may. " +
      "bench run keeps them beside its results, and a page built from those shows them."));
  view.append(charts);
  view.append(...without(refused.map((b) => [b.name.replaceAll("_", " "), b.refused[name]])));
  if (missing.length)
    view.append(element("p", { class: "soft" }, `Not run: ${missing.join(", ")}. This computes them, or says why not:`),
      command(suite, name, missing.join(",")));
  return view;
}

// One binding on the page of a model: its score, its curve, and what its arrays show.
function cellPart(suite, binding, cell, layers, shown) {
  const title = element("a", { href: address(suite.name, "task", binding.name) }, binding.name.replaceAll("_", " "));
  const part = element("section", {}, element("h3", {}, title), drawn(cell, binding));
  const curve = element("figure", {}, layerChart([{ model: cell.model, cell, layers }], binding.metric, binding.label));
  const beside = [...metricsChart(layers, binding), ...arraysParts(suite, shown, cell)];
  const more = element("details", {}, element("summary", {}, "how it was made"), command(suite, cell.model, binding.name));
  more.append(facts([["p at the best layer", cell.p && number(cell.p, 4)], ["p, corrected over layers", cell.pf && number(cell.pf, 4)],
    ["counts", Object.entries(cell.counts ?? {}).map(([what, count]) => `${what.replaceAll("_", " ")} ${count}`)],
    ["parameters", JSON.stringify(cell.params)], ["made on", cell.made], ["notes", cell.notes]]));
  if (beside.length) part.className = "whole";
  part.append(beside.length ? element("div", { class: "arrays" }, curve, ...beside) : curve, more);
  return part;
}

async function taskView(suite, name) {
  const binding = suite.bindings.find((b) => b.name === name);
  if (!binding) return notThere(suite, `binding ${name}`);
  const view = element("article", {}, ...heading(suite, name.replaceAll("_", " ")));
  view.append(element("p", {}, binding.question));
  view.append(facts([["task", binding.task], ["stimuli", binding.stimuli], ["target", binding.target],
    ["chance", binding.chance], ["ceiling", binding.ceiling], [binding.unit, binding.n]]));
  const list = element("div", { class: "ranking" });
  for (const cell of binding.cells) {
    const link = element("a", { href: address(suite.name, "model", cell.model) }, cell.model + (cell.t ? "†" : ""));
    list.append(element("div", {}, link), drawn(cell, binding));
  }
  view.append(list);
  view.append(...without(Object.entries(binding.refused)));
  const layers = await profilesOf(suite.name);
  const cells = binding.cells.map((cell) => ({
    model: cell.model, cell,
    layers: layers.find((p) => p.binding === name && p.model === cell.model)?.layers ?? [],
  }));
  view.append(element("h3", {}, `Layer by layer, on all ${binding.unit}`));
  const charts = element("div", { class: "charts" });
  for (const metric of [{ name: binding.metric, label: binding.label }, ...binding.further])
    charts.append(element("figure", {}, layerChart(cells, metric.name, metric.label)));
  view.append(charts);
  return view;
}

async function compareView(suite, names) {
  const models = names.split(",").filter((name) => suite.models.some((m) => m.name === name));
  if (!models.length) return notThere(suite, `models ${names}`);
  const view = element("article", {}, ...heading(suite, models.join(" and ")));
  view.append(element("p", { class: "soft" }, "Intervals of single scores may overlap although the paired difference is " +
    "significant: see the paired differences below. Ranks (#) come from them."));
  const table = element("table", {}, element("caption", { class: "soft" }, "Scores side by side"));
  table.append(element("tr", {}, element("th", { scope: "col" }, "binding"), ...models.map((m) => element("th", { scope: "col" }, m))));
  for (const binding of suite.bindings) {
    const cells = models.map((m) => binding.cells.find((c) => c.model === m));
    if (!cells.some(Boolean)) continue;
    const link = element("a", { href: address(suite.name, "task", binding.name) }, binding.name.replaceAll("_", " "));
    table.append(element("tr", {}, element("th", { scope: "row" }, link),
      ...cells.map((cell, i) => element("td", {}, cell ? drawnCell(cell, binding) : noCell(models[i], binding, suite)))));
  }
  const wide = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Scores side by side" }, table);
  view.append(wide);
  if (models.length > 1) view.append(differencesView(suite, models, await profilesOf(suite.name)));
  view.append(mapsView(suite, models));
  return view;
}

function scatterOf(suite) {
  const part = element("details", {}, element("summary", {}, "Two bindings against each other"));
  const place = element("figure");
  const selects = ["across", "up"].map((name, i) => {
    const select = element("select", { "aria-label": `binding ${name}` });
    suite.bindings.forEach((b) => select.append(element("option", { value: b.name }, b.name.replaceAll("_", " "))));
    select.selectedIndex = Math.min(i, suite.bindings.length - 1);
    return select;
  });
  const draw = () => place.replaceChildren(scatter(...selects.map((s) => suite.bindings.find((b) => b.name === s.value))));
  selects.forEach((select) => select.addEventListener("change", draw));
  part.addEventListener("toggle", () => part.open && draw());
  part.append(element("p", {}, selects[0], " across, ", selects[1], " up"), place);
  return part;
}

function notThere(suite, what) {
  return element("article", {}, ...heading(suite, "Not here"), element("p", {}, `There is no ${what} on this page.`));
}
