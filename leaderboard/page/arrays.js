"use strict";
// What a model's page shows of the arrays of its results, under the curve of each binding.

const LISTED = 8;

// A concept by its picture, where that may be shown, and its name.
function pictured(suite, concept, ...more) {
  const source = suite.pictures[concept];
  return element("span", { class: "pictured" }, ...(source ? [element("img", { src: source, alt: "", width: 32, height: 32 })] : []), concept, ...more);
}

const PARTS = { rdm: rdmPart, plan: planPart, helped: helpedPart, mistakes: mistakesPart };

// shown: what Python's benchmark.leaderboard.shown gives of one result
function arraysParts(suite, shown, cell) {
  return Object.keys(PARTS).filter((kind) => shown?.[kind]).flatMap((kind) => PARTS[kind](suite, shown[kind], cell));
}

function rdmPart(_suite, rdm, cell) {
  const n = rdm.concepts.length;
  return [["people", "People (mean)"], ["model", `${cell.model}, ${cell.layer}`]].filter(([of]) => rdm[of]).map(([of, title]) =>
    heatMap(squareOf(fractionsOf(rdm[of]), n), {
      ...rdm, scheme: "viridis", label: `RDM of ${title}, ${rdm.how}`, title: `RDM: ${title}; ${rdm.how}`,
      low: "most alike", high: "least alike", said: (a, b) => `${a}, ${b}: rank of the dissimilarity`,
    }));
}

function planPart(suite, plan, cell) {
  const map = heatMap(fractionsOf(plan.shares), {
    ...plan, scheme: "purples", label: `transport plan of ${cell.model}, ${plan.how}`,
    title: `Transport plan: down, concepts of ${cell.model}, ${cell.layer}; across, those of people. On the diagonal: matched with itself. ${plan.how}`,
    low: "share 0", high: "1", said: (a, b) => `${a} of the model to ${b} of people: share`,
  });
  return [map, ...solutionCharts(plan.solutions), matchesTable(suite, plan)];
}

// The solutions of all starts: their distance by epsilon, and their matching rate by distance.
function solutionCharts(rows) {
  const solutions = rows.map(([epsilon, distance, matching, category]) => ({ epsilon, distance, matching, category })).filter((d) => d.epsilon > 0);
  if (!solutions.length) return [];
  const settings = {
    width: roomFor(420), height: 300, marginLeft: 52, marginBottom: 42,
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
  };
  const title = (d) => `epsilon ${d.epsilon.toPrecision(3)}\ndistance ${d.distance.toPrecision(4)}\nmatched ${number(d.matching)}`;
  const curve = Plot.plot({
    ...settings, ariaLabel: "Gromov-Wasserstein distance by epsilon",
    x: { type: "log", label: "epsilon", ticks: 4, tickFormat: "~g" }, y: { label: "Gromov-Wasserstein distance", grid: true },
    marks: [
      Plot.dot(solutions, { x: "epsilon", y: "distance", r: 2.5, fill: "var(--twin)", fillOpacity: 0.6 }),
      Plot.line(solutions, Plot.groupX({ y: "min" }, { x: "epsilon", y: "distance", stroke: "var(--point)", strokeWidth: 2, sort: "epsilon" })),
      Plot.tip(solutions, Plot.pointer({ x: "epsilon", y: "distance", title, fill: "var(--paper)" })),
    ],
  });
  const scattered = Plot.plot({
    ...settings, ariaLabel: "matching rate of local optima by their distance",
    x: { label: "Gromov-Wasserstein distance", ticks: 5 }, y: { label: "matched with itself", grid: true, domain: [0, Math.max(0.1, d3.max(solutions, (d) => d.matching))] },
    color: { type: "log", scheme: "viridis", label: "epsilon", legend: true, ticks: 4, tickFormat: "~g" },
    marks: [
      Plot.dot(solutions, { x: "distance", y: "matching", r: 3.5, fill: "epsilon", stroke: "var(--soft)", strokeWidth: 0.5 }),
      Plot.tip(solutions, Plot.pointer({ x: "distance", y: "matching", title, fill: "var(--paper)" })),
    ],
  });
  return [["Distance by epsilon; the line joins the least of each", curve], ["Local optima: is the nearest solution the one that matches?", scattered]]
    .map(([text, chart]) => element("figure", {}, element("figcaption", {}, text), asPicture(chart)));
}

function matchesTable(suite, plan) {
  const table = element("table", {}, element("tr", {}, element("th", { scope: "col" }, "of the model"), element("th", { scope: "col", colspan: plan.likeliest[0].length }, "likeliest of people, and its share")));
  plan.concepts.forEach((concept, i) => {
    const cells = plan.likeliest[i].map((j, place) => element("td", j === i ? { class: "right" } : {},
      pictured(suite, plan.concepts[j], element("small", {}, ` ${number(plan.probability[i][place], 2)}${j === i ? " ✓" : ""}`))));
    table.append(element("tr", {}, element("th", { scope: "row" }, pictured(suite, concept)), ...cells));
  });
  return folded("Five likeliest matches of each concept (entropic plan)", table);
}

function folded(title, table) {
  const wide = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, table);
  return element("details", { class: "whole" }, element("summary", {}, title), wide);
}

function helpedPart(suite, rows) {
  const list = (title, of) => element("section", {}, element("h4", {}, title),
    element("ol", { class: "concepts" }, ...of.map(([concept, share]) => element("li", {}, pictured(suite, concept, element("small", {}, ` ${number(share)}`))))));
  const count = Math.min(LISTED, Math.floor(rows.length / 2));
  return [list("Concepts that helped, with the score of each", rows.slice(0, count)), list("Concepts that hurt", rows.slice(-count).reverse())];
}

// Recovered: nearer to the true concept in a layer, but not in the last one. Lost: the other way round.
function mistakesPart(suite, { layers, rows }, cell) {
  const select = element("select", { "aria-label": "layer of the mistakes" }, ...layers.slice(0, -1).map((layer) => element("option", { value: layer }, layer)));
  select.value = layers.slice(0, -1).includes(cell.layer) ? cell.layer : layers[0];
  const place = element("div", { class: "arrays whole" });
  const kind = ([truth, taken, count]) => element("li", {}, pictured(suite, truth), " taken for ", pictured(suite, taken), element("small", {}, count > 1 ? ` × ${count}` : ""));
  const count = (of) => d3.sum(of, (row) => row[2]);
  const list = (title, of) => {
    const most = [...of].sort((a, b) => b[2] - a[2]).slice(0, LISTED), rest = of.length - most.length;
    return element("section", {}, element("h4", {}, `${title}: ${count(of)} of ${count(rows)} mistakes`),
      element("ul", { class: "concepts" }, ...most.map(kind)), element("small", {}, rest ? `and ${count(of) - count(most)} of ${rest} more kinds` : ""));
  };
  const draw = () => {
    const at = 3 + layers.indexOf(select.value), last = 2 + layers.length;
    const passed = (row, place) => row[place] > 0.5;
    place.replaceChildren(
      list(`Recovered in ${select.value}`, rows.filter((row) => passed(row, at) && !passed(row, last))),
      list("Lost there", rows.filter((row) => !passed(row, at) && passed(row, last))));
  };
  select.addEventListener("change", draw);
  draw();
  if (layers.length < 2) return [];
  return [element("p", { class: "whole" }, "Mistakes that are nearer to the true concept in ", select, ` but not in ${layers.at(-1)}, the last layer, and the other way round. ` +
    "Mistakes of one kind are taken together."), place];
}

// Metrics of a task that belong into one picture: parts of a variance, and types of properties.
const TOGETHER = ["rdm_partition", "property_decoding"];

function metricsChart(layers, binding) {
  const metrics = [{ name: binding.metric, label: binding.label }, ...binding.further];
  const points = metrics.flatMap(({ name, label }) => layers.map((layer, i) => ({
    label, layer: layer.name, depth: layers.length > 1 ? i / (layers.length - 1) : 1, ...(layer.metrics?.[name] ?? {}),
  }))).filter((point) => point.s !== undefined);
  if (!TOGETHER.includes(binding.task) || !binding.further.length || !points.length) return [];
  const labels = metrics.map(({ label }) => label);
  const chart = Plot.plot({
    width: roomFor(640), height: 350, marginLeft: 48, marginBottom: 42, marginRight: 20,
    ariaLabel: `${labels.join(", ")} by layer`,
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
    x: { label: "depth: input to output", domain: [0, 1], ticks: 5 }, y: { grid: true, label: null },
    color: { domain: labels, range: labels.map((_, i) => COLOURS[i % COLOURS.length]), legend: true },
    marks: [
      Plot.lineY(points, { x: "depth", y: "s", z: "label", stroke: "label", strokeWidth: 2, strokeDasharray: (d) => (labels.indexOf(d.label) >= COLOURS.length ? "5 3" : null) }),
      Plot.dot(points, { x: "depth", y: "s", fill: "label", r: 3 }),
      Plot.tip(points, Plot.pointer({ x: "depth", y: "s", fill: "var(--paper)", title: (d) => `${d.label}\n${d.layer}: ${number(d.s)} [${number(d.l)}, ${number(d.h)}]` })),
    ],
  });
  return [element("figure", {}, asPicture(chart))];
}
