"use strict";
// Matrices as pictures: RDMs and transport plans, and the map of models by their RDMs.

// One byte a number from 0 to 1; 255 is undefined.
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const fractionsOf = (text) => Array.from(bytesOf(text), (byte) => (byte === 255 ? NaN : byte / 254));

// The square of an upper triangle, row by row; its diagonal is undefined.
function squareOf(upper, n) {
  const square = new Array(n * n).fill(NaN);
  let next = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) square[i * n + j] = square[j * n + i] = upper[next++];
  return square;
}

function categoriesIn(names) {
  const groups = [];
  names.forEach((name, i) => {
    if (i && name === names[i - 1]) groups.at(-1).end = i + 1;
    else groups.push({ name: name || "no category", start: i, end: i + 1 });
  });
  return groups;
}

// values: n x n, row by row. Beyond some size a tip for every entry would be slow.
const TIPPED = 100;

function heatMap(values, { concepts, categories, scheme, label, title, low = "0", high = "1", said }) {
  const n = concepts.length, groups = categoriesIn(categories), inner = groups.slice(1);
  const line = { stroke: "var(--paper)", strokeOpacity: 0.6 };
  const entries = n > TIPPED ? [] : values.map((value, i) => ({ x: (i % n) + 0.5, y: Math.floor(i / n) + 0.5, value }));
  const chart = asPicture(Plot.plot({
    width: roomFor(400), height: 330, marginLeft: groups.length ? 84 : 8, marginTop: 4, marginBottom: 4, marginRight: 4,
    ariaLabel: label,
    style: { background: "transparent", color: "inherit", fontSize: "11px" },
    x: { axis: null, domain: [0, n] },
    y: { axis: null, domain: [n, 0] },
    color: { type: "linear", scheme, domain: [0, 1], unknown: "#bbb" },
    marks: [
      Plot.raster(values, { width: n, height: n, x1: 0, y1: 0, x2: n, y2: n, imageRendering: "pixelated" }),
      Plot.ruleX(inner, { x: "start", ...line }),
      Plot.ruleY(inner, { y: "start", ...line }),
      Plot.text(groups, { x: 0, y: (group) => (group.start + group.end) / 2, text: "name", textAnchor: "end", dx: -4, fill: "currentColor" }),
      Plot.tip(entries, Plot.pointer({ x: "x", y: "y", maxRadius: 12, fill: "var(--paper)",
        title: (d) => `${said(concepts[Math.floor(d.y)], concepts[Math.floor(d.x)])}: ${Number.isNaN(d.value) ? "–" : number(d.value, 2)}` })),
    ],
  }));
  const key = Plot.legend({ color: { type: "linear", scheme, domain: [0, 1] }, width: 180, height: 32, ticks: 0, tickSize: 0, marginBottom: 2, marginTop: 2 });
  key.setAttribute("aria-hidden", "true");
  const ends = element("div", { class: "key-of-map" }, element("small", {}, low), key, element("small", {}, high));
  return element("figure", {}, element("figcaption", {}, title), chart, ends);
}

// All models of a binding, by their RDMs; the chosen ones stand out.
function mapChart(map, chosen) {
  const points = map.points.map(([model, x, y]) => ({ model: model || "people", x, y, people: !model, chosen: chosen.includes(model) }));
  const colour = (d) => (d.people ? "var(--few)" : d.chosen ? "var(--point)" : "var(--twin)");
  return asPicture(Plot.plot({
    width: roomFor(640), height: 440, inset: 24, marginRight: 120, aspectRatio: 1,
    ariaLabel: "models as a map by their RDMs",
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
    x: { axis: null }, y: { axis: null },
    marks: [
      Plot.frame({ stroke: "var(--line)" }),
      Plot.dot(points, { x: "x", y: "y", r: (d) => (d.chosen || d.people ? 7 : 4), fill: colour, symbol: (d) => (d.people ? "diamond" : "circle") }),
      Plot.text(points, { x: "x", y: "y", text: "model", dx: 9, textAnchor: "start", fill: "currentColor", fontWeight: (d) => (d.chosen ? 700 : 400) }),
    ],
  }));
}

function mapsView(suite, chosen) {
  const names = Object.keys(suite.maps);
  const part = element("section", {}, element("h3", {}, "All models as a map by their RDMs"));
  if (!names.length) {
    part.append(element("p", { class: "soft" }, "These results came without arrays. With the npz files of bench run beside them the page shows the map. This command prints how alike the layers are:"),
      element("pre", { tabindex: "0", "aria-label": "command" }, `bench similarity --suite ${suite.name} --model ${chosen.join(",")}`));
    return part;
  }
  const select = element("select", { "aria-label": "binding of the map" });
  for (const name of names) select.append(element("option", { value: name }, name.replaceAll("_", " ")));
  const place = element("figure");
  const draw = () => {
    const map = suite.maps[select.value];
    place.replaceChildren(mapChart(map, chosen), element("figcaption", {}, "Best layer of each model. The nearer two points, the higher the " +
      `Spearman correlation of their RDMs (classical scaling of √(2 − 2 correlation); two axes hold ${number(100 * map.explained, 0)} % of the variance).`));
  };
  select.addEventListener("change", draw);
  draw();
  part.append(element("p", {}, select), place);
  return part;
}
