"use strict";
// Charts: the layers of cells, and two bindings against each other.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#8c6d31", "#7b7fd4"];

// A chart is no wider than the window, so that its letters stay readable on a telephone.
const roomFor = (width) => Math.max(280, Math.min(width, document.documentElement.clientWidth - 40));

// The marks of a chart are one picture for a screen reader, which its label describes.
function asPicture(figure) {
  for (const svg of figure.matches("svg") ? [figure] : figure.querySelectorAll("svg[aria-label]")) svg.setAttribute("role", "img");
  for (const mark of figure.querySelectorAll("g[aria-label], rect[aria-label]")) mark.removeAttribute("aria-label");
  return figure;
}

// cells: [{model, cell, layers}], all of one binding and one metric
function layerChart(cells, metric, label) {
  const points = cells.flatMap(({ model, cell, layers }) =>
    layers.map((layer, i) => ({
      model,
      layer: layer.name,
      depth: layers.length > 1 ? i / (layers.length - 1) : 1,
      ...(layer.metrics?.[metric] ?? {}),
      untrained: Boolean(cell.u),
    })),
  ).filter((point) => point.s !== undefined);
  if (!points.length) return element("p", { class: "soft" }, "No layer has a score.");
  const levels = points[0];
  const band = (low, high, fill) => (low === undefined ? [] : [Plot.rect([0], { x1: 0, x2: 1, y1: low, y2: high, fill })]);
  const models = [...new Set(points.map((point) => point.model))];
  return asPicture(Plot.plot({
    width: roomFor(520),
    height: 270,
    marginLeft: 48,
    marginBottom: 42,
    ariaLabel: `${label} by layer`,
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
    x: { label: "depth: input to output", domain: [0, 1], ticks: 5 },
    y: { label, grid: true },
    color: { domain: models, range: models.map((_, i) => COLOURS[i % COLOURS.length]), legend: models.length > 1 },
    marks: [
      ...band(levels.gl, levels.gh, "var(--band)"),
      ...band(levels.cl, levels.ch, "var(--by-chance)"),
      levels.c === undefined ? [] : Plot.ruleY([levels.c], { strokeDasharray: "4 3", stroke: "var(--soft)" }),
      Plot.areaY(points, { x: "depth", y1: "l", y2: "h", z: "model", fill: "model", fillOpacity: 0.15 }),
      Plot.lineY(points, { x: "depth", y: "s", z: "model", stroke: "model", strokeWidth: 2 }),
      Plot.dot(points, { x: "depth", y: "s", fill: "model", r: 3 }),
      Plot.tip(points, Plot.pointer({ x: "depth", y: "s", title: (d) => `${d.model}\n${d.layer}: ${number(d.s)} [${number(d.l)}, ${number(d.h)}]`, fill: "var(--paper)" })),
    ],
  }));
}

// One dot a model that has a score in both bindings.
function scatter(across, up) {
  const points = up.cells.flatMap((cell) => {
    const other = across.cells.find((c) => c.model === cell.model);
    return other && cell.s !== undefined && other.s !== undefined ? [{ model: cell.model, x: other, y: cell }] : [];
  });
  if (!points.length) return element("p", { class: "soft" }, "No model has a score in both.");
  return asPicture(Plot.plot({
    width: roomFor(640),
    height: 440,
    marginLeft: 56,
    marginRight: 110,
    ariaLabel: `${up.name} against ${across.name}`,
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
    x: { label: `${across.name}: ${across.label}`, grid: true, inset: 12 },
    y: { label: `${up.name}: ${up.label}`, grid: true, inset: 12 },
    marks: [
      Plot.ruleX(points.slice(0, 1), { x: (d) => d.x.c, strokeDasharray: "4 3", stroke: "var(--soft)" }),
      Plot.ruleY(points.slice(0, 1), { y: (d) => d.y.c, strokeDasharray: "4 3", stroke: "var(--soft)" }),
      Plot.ruleY(points, { x1: (d) => d.x.l, x2: (d) => d.x.h, y: (d) => d.y.s, stroke: "var(--soft)" }),
      Plot.ruleX(points, { y1: (d) => d.y.l, y2: (d) => d.y.h, x: (d) => d.x.s, stroke: "var(--soft)" }),
      Plot.dot(points, { x: (d) => d.x.s, y: (d) => d.y.s, r: 5, fill: (d) => (d.y.u ? "var(--twin)" : "var(--point)") }),
      Plot.text(points, { x: (d) => d.x.s, y: (d) => d.y.s, text: "model", dx: 8, dy: -8, textAnchor: "start", fill: "currentColor" }),
    ],
  }));
}
