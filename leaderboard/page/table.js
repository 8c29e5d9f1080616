"use strict";
// The table of a suite: one row a model, one column a binding, and the strip that each cell draws.

const NOT_RUN = "not run";
const number = (value, digits = 3) => (value === undefined || value === null ? "–" : value.toFixed(digits));

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// All strips of a binding share one axis, from its lowest to its highest number.
function axisOf(binding) {
  const values = binding.cells.flatMap((c) => [c.s, c.l, c.h, c.c, c.cl, c.ch, c.gl, c.gh]).filter(Number.isFinite);
  const low = Math.min(...values), high = Math.max(...values), margin = 0.05 * (high - low || 1);
  return { low: low - margin, high: high + margin };
}

function strip(cell, axis, width = 116, height = 14) {
  const space = "http://www.w3.org/2000/svg";
  const x = (value) => ((value - axis.low) / (axis.high - axis.low)) * width;
  const shape = (tag, attributes) => {
    const made = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const svg = shape("svg", { class: "strip", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const band = (low, high, style) =>
    low !== undefined && svg.append(shape("rect", { class: style, x: x(low), width: x(high) - x(low), y: 0, height }));
  const upright = (at) => svg.append(shape("line", { class: "chance", x1: x(at), x2: x(at), y1: 0, y2: height }));
  band(cell.gl, cell.gh, "ceiling");
  band(cell.cl, cell.ch, "by-chance");
  if (cell.c !== undefined) upright(cell.c);
  if (cell.l !== undefined)
    svg.append(shape("line", { class: "interval", x1: x(cell.l), x2: x(cell.h), y1: height / 2, y2: height / 2 }));
  if (cell.s !== undefined) svg.append(shape("circle", { cx: x(cell.s), cy: height / 2, r: 4 }));
  return svg;
}

function inWords(cell, binding) {
  const parts = [`${binding.label} ${number(cell.s)}`];
  if (cell.l !== undefined)
    parts.push(`${cell.seeds ? "5th to 95th percentile of seeds" : "95 % interval"} ${number(cell.l)} to ${number(cell.h)}`);
  if (cell.c !== undefined) parts.push(`chance ${number(cell.c)}`);
  if (cell.gl !== undefined) parts.push(`ceiling ${number(cell.gl)} to ${number(cell.gh)}`);
  parts.push(`${cell.n} of ${binding.n} ${binding.unit}`, `layer ${cell.layer}`);
  if (cell.rank) parts.push(cell.rank[0] === cell.rank[1] ? `rank ${cell.rank[0]}` : `rank ${cell.rank.join(" to ")}`);
  if (cell.recipes) {
    const { n, scores, ranks, ahead_of: behind } = cell.recipes;
    parts.push(`${number(scores[0], 2)} to ${number(scores[1], 2)}, rank ${[...new Set(ranks)].join(" to ")}, under ${n} recipes of an RDM`);
    if (behind.length) parts.push(`better than ${behind.join(", ")} under all of them`);
  }
  if (cell.t) parts.push("trained with this target");
  return parts.join("; ");
}

function drawnCell(cell, binding) {
  const box = element("div", { class: `cell${cell.u ? " untrained" : ""}`, title: inWords(cell, binding) });
  box.append(number(cell.s), cell.t ? "†" : "");
  const small = element("small", {}, ` ${number(cell.l, 2)} to ${number(cell.h, 2)}`);
  box.append(small);
  if (cell.n < binding.n) box.append(element("small", { class: "few" }, ` n ${cell.n}`));
  // The rank stands beside the strip, where nothing cuts it off; the first tier is marked.
  const rank = cell.rank ? element("small", { class: cell.rank[0] === 1 ? "first" : "" }, `#${[...new Set(cell.rank)].join("–")}`) : "";
  box.append(element("div", { class: "beside" }, strip(cell, binding.axis), rank));
  return box;
}

// A cell without a result says why; without a reason it was not run.
function noCell(model, binding, suite) {
  const reason = binding.refused[model];
  if (reason === undefined) {
    const how = `this scores it, or says why not: bench run --suite ${suite.name} --model ${model} --task ${binding.name}`;
    return element("span", { class: "soft", title: how }, NOT_RUN);
  }
  const state = reason.startsWith(NOT_RUN) ? NOT_RUN : "not possible";
  const link = element("a", { class: "soft", href: address(suite.name, "model", model), title: reason }, state);
  link.append(element("span", { class: "unseen" }, `: ${reason}`));
  return link;
}

// Cells without a score come last, whichever way the column is sorted.
function byScore(a, b, _rowA, _rowB, _column, direction) {
  const missing = direction === "asc" ? Infinity : -Infinity;
  return (a?.s ?? missing) - (b?.s ?? missing) || 0;
}

function columnOf(binding, suite) {
  return {
    field: binding.name,
    width: 184,
    sorter: byScore,
    headerSortStartingDir: binding.higher ? "desc" : "asc",
    titleFormatter: () => {
      const sort = element("button", { class: "sort", type: "button" }, binding.name.replaceAll("_", " "));
      const more = element("a", { href: address(suite.name, "task", binding.name) }, binding.label);
      more.addEventListener("click", (event) => event.stopPropagation());
      return element("div", {}, sort, element("br"), element("small", {}, more));
    },
    title: binding.name,
    formatter: (shown) => (shown.getValue() ? drawnCell(shown.getValue(), binding) : noCell(shown.getRow().getData().model, binding, suite)),
  };
}

function modelColumn(suite) {
  return {
    title: "model",
    field: "model",
    frozen: window.innerWidth > 600,
    minWidth: 170,
    width: window.innerWidth > 600 ? 270 : 170,
    titleFormatter: () => element("button", { class: "sort", type: "button" }, "model"),
    formatter: (shown) => {
      const model = shown.getRow().getData().about;
      const box = element("input", { type: "checkbox", "aria-label": `compare ${model.name}` });
      box.checked = state.chosen.has(model.name);
      box.addEventListener("change", () => choose(model.name, box.checked));
      const link = element("a", { href: address(suite.name, "model", model.name) }, model.name);
      const about = model.untrained ? element("small", {}, " untrained") : "";
      const shownName = element("span", {}, box, " ", link, about);
      shownName.style.whiteSpace = "normal";
      return shownName;
    },
  };
}

// Tabulator gives groups of columns a role that does not exist, and the holder of the rows none.
function mendRoles(place) {
  for (const group of place.querySelectorAll('[role="columngroup"]')) {
    group.setAttribute("role", "presentation");
    group.removeAttribute("aria-title");
    group.removeAttribute("aria-sort");
  }
  for (const header of place.querySelectorAll("[aria-title]")) header.removeAttribute("aria-title");
  place.querySelector(".tabulator-tableholder").setAttribute("role", "rowgroup");
  place.querySelector(".tabulator-table").setAttribute("role", "presentation");
}

function tableOf(suite, place) {
  const groups = new Map();
  for (const binding of suite.bindings)
    groups.set(binding.task, [...(groups.get(binding.task) ?? []), columnOf(binding, suite)]);
  // A title that is a text would be read as HTML, and the name of a task comes from a result file.
  const columns = [...groups].map(([task, of]) => ({
    title: "",
    titleFormatter: () => element("span", {}, task.replaceAll("_", " ")),
    columns: of,
  }));
  const rows = suite.models.map((about) => ({ model: about.name, about }));
  for (const binding of suite.bindings)
    for (const cell of binding.cells) rows.find((row) => row.model === cell.model)[binding.name] = cell;
  if (state.weights.size) for (const row of rows) row[MEAN] = meanOf(row);
  return new Tabulator(place, {
    data: rows,
    index: "model",
    nestedFieldSeparator: false, // names of bindings may have dots
    columns: [modelColumn(suite), ...(state.weights.size ? [meanColumn(suite)] : []), ...columns],
    layout: "fitData",
    // A height that is known beforehand spares Tabulator several measurements of every row.
    ...(rows.length > 12 ? { height: "80vh" } : {}),
    rowHeight: 52,
    renderVerticalBuffer: 260, // rows beyond the edges; as many as are in sight would take long to sort
    columnHeaderVertAlign: "bottom",
    movableColumns: false,
    placeholder: "No model is left by these filters",
  });
}
